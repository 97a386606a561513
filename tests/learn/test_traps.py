"""Where training cores go wrong, each once: see the threads of those who met it."""

import asyncio
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.special import log_softmax
from tests.learn.conftest import PROBLEM, advantages, gradient, rolled

from nosce.core.errors import InputError
from nosce.core.registry import registry
from nosce.learn import watch
from nosce.learn.admission import mixed
from nosce.learn.batch import Counts, pieces
from nosce.learn.checkpoint import Folder
from nosce.learn.context import Context
from nosce.learn.engine import Diverged
from nosce.learn.losses import streams
from nosce.learn.recipe import Recipe, Settings
from nosce.learn.rollout import Group, Rollout, Turn
from nosce.learn.tiny import TinyEngine
from nosce.learn.trainer import Trainer, divided
from nosce.mind.dialects.base import Given
from nosce.tasks.bundled import draw_problems

TRAIN = draw_problems(["arithmetic", "lists"], [1, 2], 12, part="train")
Make = Callable[..., Recipe]


def drawn(engine: TinyEngine, temperature: float = 1.0, k: int = 4, problems: int = 3) -> list[Group]:
    """Groups of thoughts."""
    context = Context(engine, TRAIN, Settings(temperature=temperature), seed=1)

    async def go() -> list[Group]:
        return list(await asyncio.gather(*(Recipe().rollout(p, context, k) for p in TRAIN[:problems])))

    return asyncio.run(go())


def turns_of(groups: list[Group]) -> tuple[list[Turn], list[int]]:
    """All turns and the number of the rollout that each belongs to."""
    rollouts = [r for group in groups for r in group]
    return [t for r in rollouts for t in r.turns], [i for i, r in enumerate(rollouts) for _ in r.turns]


def test_groups_are_admitted_by_what_was_right_not_by_a_shaped_score() -> None:
    alike = [rolled(0.9, outcome=1.0), rolled(0.3, outcome=1.0)]
    apart = [rolled(0.5, outcome=1.0), rolled(0.5, outcome=0.0)]
    assert not mixed(alike)
    assert mixed(apart)


def test_no_piece_and_no_update_breaks_what_leave_one_out_has_put_together(recipe: Make, weak: TinyEngine) -> None:
    groups = [[rolled(1.0, 2), rolled(0.0, 3), rolled(0.0, 5)], [rolled(1.0, 1), rolled(1.0, 4), rolled(0.0, 2)]]
    rloo = recipe("rloo")
    rloo.credit(groups, Context(weak, [PROBLEM], Settings()))
    turns, owner = turns_of(groups)
    logp = [-0.1 * (i + 1) for i in range(17)]
    assert gradient(rloo, turns, owner, logp, most=1) == pytest.approx(gradient(rloo, turns, owner, logp))
    shares = divided(groups, list(zip(turns, owner, strict=True)), 2)
    assert [sorted(o for _, o in share) for share in shares] == [[0, 1, 2], [3, 4, 5]]


def test_turns_of_one_bundle_stay_in_one_piece() -> None:
    turns = [Turn((1,), (2, 3), bundle=k % 2) for k in range(6)]
    assert sorted(sorted(piece) for piece in pieces(turns, 1)) == [[0, 2, 4], [1, 3, 5]]


def test_a_temperature_is_part_of_the_policy_that_is_trained(weak: TinyEngine) -> None:
    """Log-probabilities are those of softmax(z / T), the distribution the tokens came from: against numpy's network."""
    turns, _ = turns_of(drawn(weak, temperature=2.0))
    at_one = weak.score([Turn(turn.prompt, turn.tokens) for turn in turns], ["old"])["old"]
    tempered = weak.score(turns, ["old"])["old"]
    assert max(float(np.abs(a - b).max()) for a, b in zip(at_one, tempered, strict=True)) > 0.5
    for turn, found in zip(turns, tempered, strict=True):
        logits = weak.model.network.logits([*turn.prompt, *turn.tokens])[len(turn.prompt) - 1 : -1] / 2.0
        expected = log_softmax(logits, axis=1)[np.arange(len(turn.tokens)), list(turn.tokens)]
        assert found == pytest.approx(expected, abs=1e-3)


def test_a_cut_distribution_is_refused_because_it_has_no_ratio(weak: TinyEngine) -> None:
    mind = Context(weak, TRAIN, Settings()).mind(TRAIN[0])
    with pytest.raises(InputError, match="top_p"):
        asyncio.run(mind.attempts("think", TRAIN[0], Given(), top_p=0.9))


def test_a_biased_draw_is_scored_under_its_bias(weak: TinyEngine) -> None:
    """With all weight on two tokens their probabilities add up to one, in training as in sampling."""
    context = Context(TinyEngine("socrates-weak", taught=True), TRAIN, Settings())
    mind = context.mind(TRAIN[0])

    async def go() -> None:
        attempt = (await mind.think(TRAIN[0]))[0]
        await mind.attempts(
            "rate", TRAIN[0], Given(attempt=attempt), n=8, temperature=1.0, max_tokens=1, bias={"<r2>": 60.0, "<r7>": 60.0}
        )

    asyncio.run(go())
    turns = context.rollout(mind, list(mind.work.trace.of("sampled")), None).turns[1:]
    ids = context.engine.token("<r2>"), context.engine.token("<r7>")
    assert {turn.tokens[0] for turn in turns} <= set(ids)
    both = [Turn(turns[0].prompt, (i,), bias=turns[0].bias) for i in ids]
    assert sum(float(np.exp(p[0])) for p in context.engine.score(both, ["old"])["old"]) == pytest.approx(1.0, abs=1e-5)


def test_what_is_trained_is_what_was_drawn_also_where_text_would_tokenise_otherwise(weak: TinyEngine) -> None:
    turns, _ = turns_of(drawn(weak, temperature=4.0, k=8))
    words = weak.model.tokenizer
    strange = []
    for turn in turns:
        try:
            same = tuple(words.encode(words.decode(turn.tokens))) == turn.tokens
        except ValueError:
            same = False
        strange += [] if same else [turn]
    assert strange, "at this temperature some draws should not survive a round trip through text"
    found = weak.score(strange, ["old"])["old"]
    hot = [Turn(t.prompt, t.tokens) for t in strange]
    for turn, at_one, tempered in zip(strange, weak.score(hot, ["old"])["old"], found, strict=True):
        assert at_one == pytest.approx(np.array(turn.logprobs), abs=2e-3)
        assert not np.allclose(tempered, at_one)


@pytest.mark.parametrize("name", ["grpo", "dr-grpo", "dapo", "reinforce++"])
def test_the_gradient_does_not_depend_on_the_pieces_it_is_computed_in(name: str, recipe: Make, weak: TinyEngine) -> None:
    groups = drawn(weak, temperature=2.0)  # so that what was drawn surprises, and there is a gradient to compare
    for k, group in enumerate(groups):
        for i, rollout in enumerate(group):
            rollout.rewards = {"outcome": float((i + k) % 2)}
    one = recipe(name)
    one.credit(groups, Context(weak, TRAIN, Settings()))
    turns, owner = turns_of(groups)
    turns[0].imitate(0.5)
    found = []
    for most in (10**6, 150, 1):
        weak.optimizer.zero_grad()
        for logp, batch in weak.batches(turns, owner, most):
            one.loss(logp, batch)[0].backward()
        found.append(torch.cat([p.grad.flatten() for p in weak.network.parameters()]))
    for other in found[1:]:
        assert (found[0] - other).norm() < 1e-4 * found[0].norm()
    assert found[0].norm() > 1e-2


def test_what_teaches_nothing_is_not_run_and_counts_all_the_same() -> None:
    """Groups with equal rewards: so many tokens fewer go through the network, and the update is the same."""
    engine = TinyEngine("socrates-weak")
    groups = drawn(engine, temperature=2.0)
    for k, group in enumerate(groups):
        for i, rollout in enumerate(group):
            rollout.rewards = {"outcome": float(i % 2) if k == 0 else 1.0}
    Recipe().credit(groups, Context(engine, TRAIN, Settings()))
    turns, owner = turns_of(groups)
    run, forward = list[int](), engine.forward

    def counted(some: Sequence[Turn]) -> tuple[torch.Tensor, torch.Tensor]:
        run.append(sum(len(turn.tokens) for turn in some))
        return forward(some)

    engine.forward = counted  # type: ignore[method-assign]  # a spy
    quiet = engine.update(turns, owner, streams, lr=0.0)
    few = sum(run)
    whole = engine.update(turns, owner, lambda logp, batch: streams(logp, batch), lr=0.0)
    assert few == sum(rollout.length for rollout in groups[0])
    assert sum(run) - few == sum(rollout.length for group in groups for rollout in group)
    assert quiet["loss"] == pytest.approx(whole["loss"], abs=1e-7)
    assert quiet["grad_norm"] == pytest.approx(whole["grad_norm"], rel=1e-4)


def broken(logp: Any, batch: Any) -> tuple[Any, dict[str, Any]]:
    """A loss that is no number."""
    return (logp * float("nan")).sum(), {}


def test_a_loss_that_is_no_number_stops_the_run_keeps_the_batch_and_writes_no_checkpoint(tmp_path: Path) -> None:
    engine = TinyEngine("socrates-weak")
    before = {name: weight.clone() for name, weight in engine.network.state_dict().items()}
    folder = Folder(tmp_path / "run", {"recipe": "broken"}, resume=False)
    trainer = Trainer(Recipe(loss=broken), engine, TRAIN, 3, settings=Settings(batch=1, group=2), folder=folder, save_every=1)
    with pytest.raises(Diverged, match="batch is kept"):
        trainer.run()
    assert all(torch.equal(before[name], weight) for name, weight in engine.network.state_dict().items())
    assert not folder.checkpoint.exists()
    kept = json.loads((folder.path / "diverged.json").read_text())
    assert kept["step"] == 0
    assert all(len(turn["advantage"]) == len(turn["tokens"]) for turn in kept["turns"])


def test_equal_rewards_teach_nothing_and_break_nothing(recipe: Make, weak: TinyEngine) -> None:
    for name in ("grpo", "rloo", "dr-grpo", "reinforce++"):
        assert advantages(recipe(name), [[1.0, 1.0, 1.0], [0.0, 0.0, 0.0]], weak) == [[0.0] * 3] * 2
    assert advantages(recipe("grpo"), [[1.0]], weak) == [[0.0]]


def test_a_rollout_that_said_nothing_is_no_row() -> None:
    silent = Rollout(PROBLEM, [], rewards={"outcome": 0.0}, outcome=0.0)
    group = [silent, rolled(1.0)]
    registry.find("grpo").run().credit([group], Context(TinyEngine.__new__(TinyEngine), [PROBLEM], Settings()))
    turns = [t for r in group for t in r.turns if t.learned]
    assert len(turns) == 1
    assert watch.numbers([group])["length"] == 1.5
    assert Counts.of([], []).rl == 1  # an absent part of a loss is 0, not 0/0


def test_the_end_of_text_is_drawn_credited_and_learned(weak: TinyEngine, recipe: Make) -> None:
    groups = drawn(weak)
    for group in groups:
        for i, rollout in enumerate(group):
            rollout.rewards = {"outcome": float(i == 0)}
    recipe("grpo").credit(groups, Context(weak, TRAIN, Settings()))
    for rollout in (r for group in groups for r in group if r.ended):
        assert rollout.turns[0].tokens[-1] == weak.model.tokenizer.end_id
        assert rollout.turns[0].rl[-1] == 1.0
        assert rollout.turns[0].advantage[-1] == rollout.turns[0].advantage[0]


def test_greedy_draws_have_no_policy_gradient() -> None:
    turn = Turn((1,), (2, 3), temperature=0.0)
    turn.reinforce(1.0)
    assert not turn.learned


def test_sampler_and_trainer_hold_the_same_weights_after_an_update() -> None:
    engine = TinyEngine("socrates-weak")
    turns, owner = turns_of(drawn(engine, problems=1))
    for turn in turns:
        turn.imitate()
    engine.update(turns, owner, streams, lr=1e-3)
    stale = engine.model.network.score([turns[0].prompt], [turns[0].tokens])[0]
    version = engine.model.version
    engine.publish("next")
    fresh = engine.model.network.score([turns[0].prompt], [turns[0].tokens])[0]
    assert engine.score(turns[:1], ["old"])["old"][0] == pytest.approx(fresh, abs=1e-5)
    assert not np.array_equal(stale, fresh)
    assert engine.model.version != version


def history(n: int = 20, **ends: tuple[float, float]) -> list[dict[str, float]]:
    """Rows whose numbers go in a straight line from one value to the other."""
    return [{"step": i, **{k: a + (b - a) * i / (n - 1) for k, (a, b) in ends.items()}} for i in range(n)]


def test_collapse_of_self_certainty_is_detected_and_said() -> None:
    collapsing = history(**{"signal/self_certainty": (10.0, 15.0), "pass_rate": (0.6, 0.3)})
    assert any("surer of itself" in line for line in watch.alarms(collapsing))
    learning = history(**{"signal/self_certainty": (10.0, 15.0), "pass_rate": (0.5, 0.7)})
    assert not watch.alarms(learning)


def test_reward_up_and_right_answers_down_is_called_by_its_name() -> None:
    assert any("reward hacking" in line for line in watch.alarms(history(reward=(0.4, 0.9), pass_rate=(0.6, 0.4))))
    assert not watch.alarms(history(reward=(0.4, 0.9), pass_rate=(0.4, 0.6)))


def test_one_answer_for_everything_is_a_collapse() -> None:
    varied, same = {"entropy": 0.5, "variety": 0.6, "pass_rate": 0.4}, {"entropy": 0.05, "variety": 0.2, "pass_rate": 0.3}
    assert any("collapse" in line for line in watch.alarms([varied] * 10 + [same] * 10))
    assert not watch.alarms([varied] * 10 + [{**same, "pass_rate": 0.9}] * 10)
