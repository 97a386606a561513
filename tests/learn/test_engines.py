"""Every engine trains the same network the same way; a far one needs only log-probabilities and a weighted cross-entropy."""

import asyncio
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.servers import tiny
from transformers import AutoModelForCausalLM

from nosce.core.problem import Problem
from nosce.learn import trl
from nosce.learn.context import Context
from nosce.learn.engine import Engine
from nosce.learn.gold import example
from nosce.learn.hf import HFEngine
from nosce.learn.losses import streams
from nosce.learn.plan import plan
from nosce.learn.recipe import Recipe, Settings
from nosce.learn.remote import cross_entropy_weights
from nosce.learn.rollout import Turn
from nosce.learn.tiny import TinyEngine
from nosce.models.load import load
from nosce.models.socrates import weights
from nosce.tasks.bundled import draw_problems

TRAIN = draw_problems(["arithmetic", "lists"], [1, 2], 8, part="train")


def learned(engine: Engine, k: int = 3) -> tuple[list[Turn], list[int]]:
    """Rollouts with alternating advantages, and one gold example."""
    context = Context(engine, TRAIN, Settings(), seed=3)

    async def go() -> list[Turn]:
        groups = await asyncio.gather(*(Recipe().rollout(p, context, k) for p in TRAIN[:3]))
        return [r.turns[0] for group in groups for r in group]

    turns = asyncio.run(go())
    for i, turn in enumerate(turns):
        turn.reinforce(1.0 if i % 2 else -0.5)
    return [*turns, example(TRAIN[4], engine)], [*range(len(turns)), -1]


@pytest.fixture(scope="module")
def transformed() -> HFEngine:
    """The bundled weights in transformers."""
    return HFEngine(str(weights("socrates-weak")))


def test_transformers_scores_and_steps_as_the_bundled_network_does(transformed: HFEngine) -> None:
    ours = TinyEngine("socrates-weak")
    turns, owner = learned(ours)
    for a, b in zip(ours.score(turns, ["old"])["old"], transformed.score(turns, ["old"])["old"], strict=True):
        assert a == pytest.approx(b, abs=1e-4)
    said = [engine.update(turns, owner, streams, lr=1e-4, tokens_at_once=200) for engine in (ours, transformed)]
    assert said[0]["loss"] == pytest.approx(said[1]["loss"], rel=1e-4)
    assert said[0]["grad_norm"] == pytest.approx(said[1]["grad_norm"], rel=1e-3)


def test_adapters_leave_the_weights_alone_keep_a_reference_and_are_merged_on_export(tmp_path: Path) -> None:
    engine = HFEngine(str(weights("socrates-weak")), lora=4)
    turns, owner = learned(engine)

    def frozen() -> list[torch.Tensor]:
        return [p.detach().clone() for name, p in engine.network.named_parameters() if "lora" not in name]

    base = frozen()
    start = engine.score(turns, ["old"])["old"]
    for _ in range(8):
        engine.update(turns, owner, streams, lr=3e-2)
    scored = engine.score(turns, ["old", "ref"])
    assert all(torch.equal(a, b) for a, b in zip(base, frozen(), strict=True))
    assert np.concatenate(scored["ref"]) == pytest.approx(np.concatenate(start), abs=1e-5)
    assert np.abs(np.concatenate(scored["old"]) - np.concatenate(start)).max() > 1e-3
    engine.export(tmp_path / "model")
    again = HFEngine(str(tmp_path / "model"))
    assert np.concatenate(again.score(turns, ["old"])["old"]) == pytest.approx(np.concatenate(scored["old"]), abs=1e-4)


def test_a_chat_model_of_transformers_trains_end_to_end(tmp_path: Path) -> None:
    folder = tiny.write(tmp_path / "chat")
    problems = [Problem(f"p{i}", f"Say {i}.", reference=str(i)) for i in range(4)]
    wordy = Recipe(reward=lambda group, context: {"letters": [float(r.turns[0].text.count("e")) for r in group]})
    trainer = plan(
        "grpo", f"hf:{folder}", problems, steps=2, out=tmp_path / "run",
        options={"batch": 2, "group": 3, "max_tokens": 6, "kl": 0.1}, engine_options={"lora": 2},
    )  # fmt: skip
    trainer.recipe = wordy
    rows = trainer.run()
    assert len(rows) == 2
    assert rows[1]["drift"] < 1e-3
    assert load(f"hf:{tmp_path / 'run' / 'model'}").capabilities.logprobs


def test_layers_spread_by_accelerate_train_as_those_on_one_device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--device auto`: over as many GPUs as there are, here none; the same numbers either way."""
    folder, found, maps, load_ = str(tiny.write(tmp_path / "chat")), [], [], AutoModelForCausalLM.from_pretrained

    def spy(*args: Any, **options: Any) -> Any:
        maps.append(options.get("device_map"))
        return load_(*args, **options)

    monkeypatch.setattr(AutoModelForCausalLM, "from_pretrained", spy)
    for device in ("cpu", "auto"):
        engine = HFEngine(folder, device=device)
        ids = tuple(engine.write("one two three"))
        turn = Turn(ids, ids, sampled=False)
        turn.imitate()
        first = engine.update([turn], [-1], streams, lr=1e-2)["loss"]
        found.append((first, engine.update([turn], [-1], streams, lr=1e-2)["loss"]))
    assert maps == [None, "auto"]
    assert found[1] == pytest.approx(found[0], abs=1e-5)
    assert found[1][1] < found[1][0]


def test_the_gradient_of_a_loss_equals_that_of_a_cross_entropy_weighted_by_it(weak: TinyEngine) -> None:
    """The custom-loss route of a Tinker-API server: two plain passes give what autograd through the loss gives."""
    turns, owner = learned(weak)
    for turn, old in zip(turns, weak.score(turns, ["old"])["old"], strict=True):
        turn.extra["old"] = old - 0.1  # so that the ratio is not 1 and some tokens are clipped

    def gradient() -> torch.Tensor:
        return torch.cat([p.grad.flatten() for p in weak.network.parameters()])

    weak.optimizer.zero_grad()
    (logp, batch), = weak.batches(turns, owner, 10**6)
    loss, _ = streams(logp, batch)
    loss.backward()
    direct = gradient()
    given = weak.score(turns, ["old"])["old"]
    imitation, value = cross_entropy_weights(turns, owner, given, streams)
    weak.optimizer.zero_grad()
    (logp, batch), = weak.batches(turns, owner, 10**6)
    order = np.argsort([len(t.prompt) + len(t.tokens) for t in turns], kind="stable")
    (-(torch.from_numpy(np.concatenate([imitation[i] for i in order])) * logp).sum()).backward()
    assert value == pytest.approx(loss.item(), abs=1e-6)
    assert torch.allclose(gradient(), direct, atol=1e-6)


def test_rewards_go_to_trl_as_it_calls_them() -> None:
    problems = draw_problems(["arithmetic"], [1], 2, part="train")
    texts = [f"1. I add.\nAnswer: {problems[0].reference}\nConfidence: 80%", "Answer: 999999\nConfidence: 80%", "I cannot tell."]
    ids = [problems[0].id, problems[0].id, problems[1].id]
    completions = [[{"role": "assistant", "content": text}] for text in texts]
    asked = {"prompts": [""] * 3, "completions": completions, "problem_id": ids, "trainer_state": None}
    assert trl.outcome(problems)(**asked) == [1.0, 0.0, 0.0]
    assert trl.brier(problems)(**asked) == [pytest.approx(-0.04), pytest.approx(-0.64), None]
    assert trl.rows(problems)[0]["problem_id"] == problems[0].id
