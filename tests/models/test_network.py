"""The numpy network against transformers on the same weights, and what a decoder owes its rows."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nosce.core.errors import InputError
from nosce.models.socrates import sampling
from nosce.models.socrates.decoder import Decoder, Row
from nosce.models.socrates.incremental import KeyValueCache, Stepper
from nosce.models.socrates.network import Network, log_softmax
from nosce.models.socrates.session import Session

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

RNG = np.random.default_rng(0)
LENGTHS = [3, 9, 5, 30, 2, 7, 1]
PROMPTS = [RNG.integers(0, 90, length).tolist() for length in LENGTHS]


def make(folder: Path, groups: int, tied: bool) -> Path:
    """A random Llama whose norms have gains other than 1 and whose weights are large enough to matter."""
    torch.manual_seed(1)
    config = transformers.LlamaConfig(
        vocab_size=90, hidden_size=32, num_hidden_layers=3, num_attention_heads=4, num_key_value_heads=groups,
        intermediate_size=88, max_position_embeddings=96, tie_word_embeddings=tied, rope_theta=500.0, rms_norm_eps=1e-5,
    )  # fmt: skip
    model = transformers.LlamaForCausalLM(config)
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(6.0) if weight.dim() == 2 else weight.add_(torch.randn_like(weight) * 0.2)
    model.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module", params=[(4, True), (2, False)], ids=["tied", "grouped-untied"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("llama"), *request.param)


@pytest.fixture(scope="module")
def network(folder: Path) -> Network:
    return Network.load(folder)


@pytest.fixture(scope="module")
def oracle(folder: Path):
    model = transformers.LlamaForCausalLM.from_pretrained(folder).eval()

    def run(ids: list[int]):
        with torch.inference_mode():
            out = model(torch.tensor([ids]), output_hidden_states=True)
        return out.logits[0].numpy(), [state[0].numpy() for state in out.hidden_states]

    return run


def test_logits_and_hidden_states_are_those_of_transformers(network, oracle):
    ids = RNG.integers(0, 90, 96).tolist()
    logits, hidden = oracle(ids)
    assert np.abs(logits).max() > 1  # the comparison has something to compare
    np.testing.assert_allclose(network.logits(ids), logits, atol=1e-4)
    np.testing.assert_allclose(network.hidden(ids)[:-1], hidden[:-1], atol=1e-4)
    np.testing.assert_allclose(network.final(network.hidden(ids, 3)), hidden[-1], atol=1e-4)


def test_one_token_at_a_time_over_ragged_rows_gives_the_same_logits(network, oracle):
    whole = [RNG.integers(0, 90, length + 60).tolist() for length in LENGTHS]
    expected = [oracle(ids)[0] for ids in whole]
    cache, stepper, starts = KeyValueCache(network, 8), Stepper(network, 8), np.array(LENGTHS)
    cache.fill([ids[:n] for ids, n in zip(whole, LENGTHS, strict=True)], np.arange(7) + 1, np.arange(7))
    for step in range(60):
        places = starts + step
        cache.reserve(int(places.max()) + 1)
        tokens = np.array([ids[place] for ids, place in zip(whole, places, strict=True)])
        logits = stepper.step(cache, 1, tokens, places)
        np.testing.assert_allclose(logits, [e[p] for e, p in zip(expected, places, strict=True)], atol=1e-4)


@pytest.mark.parametrize("scale", [-150.0, 1.0, 150.0])
def test_scores_beyond_what_exp_can_hold_give_the_same_logits(network, scale):
    layers = [replace(layer, qkv=layer.qkv.copy()) for layer in network.layers]
    layers[1].qkv[:, :32] *= scale  # the queries, so that exp(score) overflows or comes to nothing in float32
    sharp = replace(network, layers=tuple(layers))
    ids, cache, stepper = RNG.integers(0, 90, 40).tolist(), KeyValueCache(network, 1), Stepper(sharp, 1)
    cache.reserve(40)
    expected = sharp.logits(ids)
    for place, token in enumerate(ids):
        logits = stepper.step(cache, 0, np.array([token]), np.array([place]))
        np.testing.assert_allclose(logits[0], expected[place], atol=2e-3)


def test_next_and_continuation_logprobs_are_those_of_transformers(network, oracle):
    found = network.next_logprobs(PROMPTS)
    for prompt, logprobs in zip(PROMPTS, found, strict=True):
        np.testing.assert_allclose(logprobs, log_softmax(oracle(prompt)[0][-1]), atol=1e-4)
    rest = [[5, 6, 7], [], [1], [2, 3], [4], [8, 9], [10]]
    for prompt, more, logprobs in zip(PROMPTS, rest, network.score(PROMPTS, rest), strict=True):
        table = log_softmax(oracle(prompt + more)[0])
        np.testing.assert_allclose(logprobs, [table[len(prompt) - 1 + i, t] for i, t in enumerate(more)], atol=1e-4)


def test_greedy_rows_write_what_generate_writes(network, folder):
    model = transformers.LlamaForCausalLM.from_pretrained(folder)
    model.generation_config.eos_token_id = None
    rows = Decoder(network, slots=3).run([Row(0, prompt, max_new=20, temperature=0.0) for prompt in PROMPTS])
    for row in rows:
        ids = torch.tensor([list(row.prompt)])
        out = model.generate(ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=20, pad_token_id=0)
        assert row.tokens == out[0, len(row.prompt) :].tolist()


def rows_of(draws: int, **settings) -> list[Row]:
    return [Row(31 * i + j, prompt, max_new=25, **settings) for i, prompt in enumerate(PROMPTS) for j in range(draws)]


def test_what_a_row_draws_does_not_depend_on_who_else_is_in_the_batch(network):
    alone = Decoder(network, slots=1).run(rows_of(20, temperature=0.8, stop=frozenset({3, 4})))
    for slots, threads in [(5, 1), (64, 1), (140, 2)]:
        decoder = Decoder(network, slots, threads)
        together = decoder.run(rows_of(20, temperature=0.8, stop=frozenset({3, 4})))
        decoder.close()
        assert np.mean([a.tokens == b.tokens for a, b in zip(alone, together, strict=True)]) >= 0.98
    assert len({tuple(row.tokens) for row in alone}) > len(alone) / 2


def test_recorded_logprobs_and_entropies_are_the_untempered_unbiased_model(network, oracle):
    bias = np.zeros(90, dtype=np.float32)
    bias[:45] = -np.inf
    row = Decoder(network).run([Row(5, PROMPTS[3], max_new=12, temperature=1.7, top_p=0.8, bias=bias, top=3)])[0]
    assert min(row.tokens) >= 45
    table = log_softmax(oracle([*PROMPTS[3], *row.tokens])[0][len(PROMPTS[3]) - 1 : -1]).astype(np.float64)
    np.testing.assert_allclose(row.logprobs, table[np.arange(12), row.tokens], atol=1e-4)
    np.testing.assert_allclose(row.entropies, -(np.exp(table) * table).sum(axis=1), atol=1e-4)
    for (ids, logprobs), line in zip(row.topk, table, strict=True):
        assert ids == np.argsort(-line)[:3].tolist()
        np.testing.assert_allclose(logprobs, line[ids], atol=1e-4)


def test_rows_stop_at_a_stop_token_at_their_length_and_at_the_context(network):
    long = RNG.integers(0, 90, 90).tolist()
    rows = [
        Row(1, PROMPTS[0], max_new=60, stop=frozenset(range(90))),
        Row(1, PROMPTS[0], max_new=4),
        Row(1, long, max_new=60),
        Row(1, [*long, *long[:6]], max_new=60),
        Row(1, PROMPTS[0], max_new=0),
    ]
    Decoder(network, slots=2).run(rows)
    assert [(row.finish, len(row.tokens)) for row in rows] == [
        ("stop", 1), ("length", 4), ("length", 6), ("length", 0), ("length", 0),
    ]  # fmt: skip


def test_a_cancelled_row_leaves_at_once_and_the_others_do_not_notice(network, monkeypatch):
    monkeypatch.setattr("nosce.models.socrates.decoder.TOKENS", 8)  # 2 a row and step
    decoder, rows = Decoder(network, slots=4), rows_of(1)
    decoder.submit(rows)
    decoder.step()
    decoder.cancel(rows[1])
    decoder.cancel(rows[6])
    assert (decoder.active, decoder.waiting) == (3, 2)
    while decoder.active or decoder.waiting:
        decoder.step()
    whole = Decoder(network, slots=1).run(rows_of(1))
    assert len(rows[1].tokens) == 2
    assert rows[1].tokens == whole[1].tokens[: len(rows[1].tokens)]
    assert [len(rows[6].tokens), rows[1].finish] == [0, None]
    assert [rows[i].tokens for i in (0, 2, 3, 4, 5)] == [whole[i].tokens for i in (0, 2, 3, 4, 5)]


def test_a_row_is_steered_and_biased_as_a_session_with_the_same_hook(network):
    vector = RNG.standard_normal(32).astype(np.float32) * 2

    def forbid_repeats(row: Row) -> np.ndarray:
        bias = np.zeros(90, dtype=np.float32)
        bias[row.tokens] = -np.inf
        return bias

    rows = [Row(i, p, max_new=10, temperature=0.0) for i, p in enumerate(PROMPTS)]
    rows[2].steer, rows[4].steer, rows[2].bias = (2, vector), (0, vector), forbid_repeats
    Decoder(network, slots=3).run(rows)
    assert len(set(rows[2].tokens)) == 10
    for place, layer in [(4, 0), (2, 2)]:
        session = Session(network, PROMPTS[place])
        session.hook(layer, lambda hidden: hidden + vector)
        for step, token in enumerate(rows[place].tokens):
            session.bias = forbid_repeats(Row(0, [], tokens=rows[2].tokens[:step])) if place == 2 else None
            assert int(session.logits.argmax()) == token
            session.step(token)


def test_a_session_forks_and_shows_its_last_hidden_state(network, oracle):
    session = Session(network, PROMPTS[1])
    session.step(7)
    twin = session.fork()
    twin.step(11)
    session.step(12)
    for who, tokens in [(session, [*PROMPTS[1], 7, 12]), (twin, [*PROMPTS[1], 7, 11])]:
        logits, hidden = oracle(tokens)
        assert who.tokens == tokens
        np.testing.assert_allclose(who.logits, logits[-1], atol=1e-4)
        np.testing.assert_allclose(who.final_hidden, hidden[-1][-1], atol=1e-4)
        np.testing.assert_allclose(who.head(who.final_hidden), logits[-1], atol=1e-4)


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (Row(0, []), "prompt of 0 tokens"),
        (Row(0, [1] * 97), "expected 1 to 96"),
        (Row(0, [1, 90]), "token 90"),
        (Row(0, [1], temperature=-1.0), "temperature"),
        (Row(0, [1], top_p=0.0), "top_p"),
    ],
)
def test_an_unfit_row_is_refused_before_it_costs_anything(network, row, says):
    decoder = Decoder(network)
    with pytest.raises(InputError, match=says):
        decoder.submit([Row(0, [1]), row])
    assert decoder.waiting == 0


def test_a_network_it_does_not_know_is_refused_by_name(folder, tmp_path):
    (tmp_path / "config.json").write_text((folder / "config.json").read_text().replace('"silu"', '"gelu"'))
    with pytest.raises(InputError, match="hidden_act"):
        Network.load(tmp_path)


def test_uniforms_are_uniform_and_streams_are_unrelated():
    streams = np.array([sampling.stream(key) for key in range(2000)])
    table = np.stack([sampling.uniforms(streams, np.full(2000, step)) for step in range(50)])
    counts, _ = np.histogram(table, bins=100, range=(0, 1))
    assert ((counts - 1000) ** 2 / 1000).sum() < 160  # chi-square, 99 degrees of freedom: p ≈ 1e-4
    for left, right in pairwise([table[0], table[1], table[:, 0], table[:, 1]]):
        if left.shape == right.shape:
            assert abs(np.corrcoef(left, right)[0, 1]) < 5 / np.sqrt(len(left))
    assert sampling.scramble(np.array([0x9E3779B97F4A7C15], dtype=np.uint64))[0] == 0xE220A8397B1DCDAF  # SplitMix64(0)


def test_choices_follow_the_tempered_nucleus():
    logits = np.log(np.array([[0.5, 0.3, 0.15, 0.05]], dtype=np.float32)).repeat(40000, axis=0)
    draws = sampling.uniforms(np.array([sampling.stream(k) for k in range(40000)]), np.zeros(40000, dtype=np.int64))
    ones = np.ones(40000, dtype=np.float32)
    cut = sampling.nucleus(sampling.tempered(logits, ones * 2), ones * 0.75)
    root = np.sqrt([0.5, 0.3, 0.15])  # temperature 2; the likeliest three are needed for 75%
    shares = np.bincount(sampling.choose(cut, draws), minlength=4) / 40000
    np.testing.assert_allclose(shares, [*(root / root.sum()), 0], atol=0.01)
    assert (sampling.choose(sampling.tempered(logits, ones * 0), draws) == 0).all()


@settings(max_examples=200, deadline=None)
@given(st.lists(st.floats(0, 1, width=32), min_size=1, max_size=20).filter(any), st.floats(0, 1, exclude_max=True))
def test_a_token_without_weight_is_never_chosen(weights, draw):
    chosen = sampling.choose(np.array([weights], dtype=np.float32), np.array([draw]))[0]
    assert weights[chosen] > 0
