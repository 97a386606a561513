"""GRPO's credit and loss, by hand; one update against autograd written out."""

import numpy as np
import pytest
import torch

from nosce.core.problem import Problem
from nosce.core.registry import registry
from nosce.learn.batch import Counts
from nosce.learn.context import Context
from nosce.learn.credit import centred, leave_one_out, standardised
from nosce.learn.losses import streams
from nosce.learn.recipe import Settings
from nosce.learn.rollout import Rollout, Turn
from nosce.learn.tiny import TinyEngine, laid_flat

PROBLEM = Problem("p", "1+1", reference="2")


@pytest.fixture(scope="module")
def engine() -> TinyEngine:
    return TinyEngine("socrates-weak")


def rollout(reward: float, tokens: int = 3) -> Rollout:
    """A rollout of one turn with a reward."""
    return Rollout(PROBLEM, [Turn((5, 30), tuple(range(40, 40 + tokens)))], rewards={"outcome": reward})


def test_the_golden_vector_holds() -> None:
    golden = registry.find("grpo").run().golden
    assert standardised(np.array(golden["rewards"])) == pytest.approx(golden["advantages"], abs=1e-4)


def test_one_right_of_four_is_worth_one_and_a_half_spreads() -> None:
    # mean 1/4, variance with n − 1: (9/16 + 3/16) / 3 = 1/4, spread 1/2
    assert standardised(np.array([1.0, 0, 0, 0])) == pytest.approx([0.75 / 0.5001, *[-0.25 / 0.5001] * 3])
    assert centred(np.array([1.0, 0, 0, 0])) == pytest.approx([0.75, -0.25, -0.25, -0.25])
    assert leave_one_out(np.array([1.0, 0, 0, 0])) == pytest.approx([1.0, -1 / 3, -1 / 3, -1 / 3])


def test_the_loss_is_the_mean_over_tokens_of_a_rollout_then_over_rollouts(engine: TinyEngine) -> None:
    group = [rollout(1.0, tokens=2), rollout(0.0, tokens=4)]
    registry.find("grpo").run().credit([group], Context(engine, [PROBLEM], Settings()))
    turns = [turn for r in group for turn in r.turns]
    logp = torch.tensor([-1.0, -2.0, -0.5, -0.5, -0.5, -0.5], requires_grad=True)
    batch = laid_flat(turns, [1 / 2, 1 / 4], Counts.of(turns, [0, 1]))
    batch.old = logp.detach()
    value, _ = streams(logp, batch)
    value.backward()
    gain = 0.5 / (0.5**0.5 + 1e-4)  # half the difference over the spread √½
    assert value.item() == pytest.approx(0.0, abs=1e-6)
    assert logp.grad.tolist() == pytest.approx([-gain / 2 / 2] * 2 + [gain / 4 / 2] * 4)


def test_an_update_makes_the_better_rollout_likelier(engine: TinyEngine) -> None:
    ids = engine.model.tokenizer.encode("<q> 12+7 <think>")
    written = {"<s1> 12+7=19 <ans> 19 <end>": 1.0, "<s1> 12+7=18 <ans> 18 <end>": 0.0}
    said = [(tuple(engine.model.tokenizer.encode(text)), reward) for text, reward in written.items()]
    group = [Rollout(PROBLEM, [Turn(tuple(ids), tokens)], rewards={"outcome": r}) for tokens, r in said]
    registry.find("grpo").run().credit([group], Context(engine, [PROBLEM], Settings()))
    turns = [turn for r in group for turn in r.turns]
    before = engine.score(turns, ["old"])["old"]
    engine.update(turns, [0, 1], streams, lr=1e-4)
    after = engine.score(turns, ["old"])["old"]
    assert after[0].sum() - after[1].sum() > before[0].sum() - before[1].sum()


def test_torch_and_numpy_give_the_same_log_probabilities(engine: TinyEngine) -> None:
    fresh = TinyEngine("socrates-weak")
    prompts = ["<q> 12+7 <think>", "<q> 12+7 <think>", "<q> reverse 3 1 2 <think>"]
    replies = ["<s1> 12+7=19 <ans> 19 <end>", "<ans> 4 <end>", "<ans> 2 1 3 <end>"]
    words = fresh.model.tokenizer
    turns = [Turn(tuple(words.encode(p)), tuple(words.encode(r))) for p, r in zip(prompts, replies, strict=True)]
    theirs = fresh.model.network.score([t.prompt for t in turns], [t.tokens for t in turns])
    for mine, numpy in zip(fresh.score(turns, ["old"])["old"], theirs, strict=True):
        assert mine == pytest.approx(numpy, abs=2e-4)
