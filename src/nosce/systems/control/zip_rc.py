"""S006 ZIP-RC: reserved logits that tell, at every token, how likely it ends well and how much is still to come."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from nosce.core.answer import Answer
from nosce.core.attempt import Attempt
from nosce.core.claim import Claim, Pair
from nosce.core.errors import InputError
from nosce.core.problem import Problem
from nosce.core.registry import estimator, recipe
from nosce.core.signal import Signal
from nosce.inside.joint_head import REWARDS, JointHead, reserved, trained
from nosce.learn.context import Context
from nosce.learn.losses import distance
from nosce.learn.recipe import Recipe, Settings
from nosce.learn.rollout import Group, Rollout
from nosce.mind.mind import Mind
from nosce.models.base import Model

if TYPE_CHECKING:
    from nosce.learn.batch import Batch

HEAD = Claim(
    statement="The expected reward that trained reserved logits tell at the end of a thought has an AUROC2 at least 0.15 above "
    "that of the same logits before training, which is chance.",
    endpoint="auroc2", baseline="zip-rc/head", margin=0.15, seeds=(0, 1, 2), fidelity="code", options={"beside": (), "steps": 30},
    baseline_options={"steps": 1},
)  # fmt: skip
SIGNAL = Claim(
    statement="The expected reward from reserved logits foretells whether the answer is right with a lower Brier score than the "
    "geometric mean probability of the thought's tokens, which is as free.",
    endpoint="brier", baseline="mean-token-probability", n=200, seeds=(0, 1), fidelity="code", options={"steps": 30},
    families=("arithmetic", "lists", "countdown", "logic"),
)  # fmt: skip
LAST = 512
"""The value of a thought is the mean expected reward over so many of its last positions."""
Target = Literal["correct", "value"]


@recipe("S006", "zip-rc", part="head", claim=HEAD)
def head(*, target: Target = "correct", lite: bool = True, kl: float = 10.0, unit: int = 2) -> Recipe:
    """Teach reserved logits the joint distribution over final reward and remaining length, at every token of own thoughts.

    A softmax over a stretch of logits that no answer uses is P(reward level, length bin | prefix); the stretch is masked where
    tokens are drawn. Loss: cross-entropy to the cell that came true, mean over tokens. `lite` trains the stretch's rows of
    the output matrix alone, so the policy stays what it was; else all weights are trained, and `kl` times the distance of the
    policy without the stretch from the starting weights is added. Length edges: 0, 1, 2, 4, … 128 times `unit` tokens
    (published: 256). `target` `correct`: levels 0 and 1, the outcome. `value`, from weights trained so before: levels
    0, 1/6, … 1, the mean expected reward at the thought's end, so that samples become independent given their prefixes.
    Source: S006 "Zero-Overhead Introspection for Adaptive Test-Time Compute". Left open and filled: the bundled model reserves no
    logits, so those of its words for invented facts serve, and its facts are lost; the distance is estimated on drawn tokens. The
    sampler that acts on the joint is another part.
    """
    size, kl = JointHead(0, REWARDS[target], unit).size, 0.0 if lite else kl
    return Recipe(
        rollout=partial(masked, target=target), credit=partial(cells, target=target, kl=kl, unit=unit),
        loss=partial(joint_loss, size=size), needs=frozenset() if lite else frozenset({"ref"}),
        reads=frozenset({"head" if lite else "logits"}), answer=partial(foretold, target=target, unit=unit),
        settings=Settings(group=4, lr=3e-3, updates=8) if lite else Settings(group=4),
        golden={"remaining": [1, 2, 3, 4, 300], "right": [8, 9, 9, 10, 15], "wrong": [0, 1, 1, 2, 7]},
    )  # fmt: skip


def mask(model: Model, target: Target) -> dict[str, float]:
    """The bias that keeps the stretch from being drawn."""
    return dict.fromkeys(reserved(model, JointHead(0, REWARDS[target], 1).size)[1], -100.0)


async def masked(problem: Problem, context: Context, k: int, *, target: Target) -> Group:
    """k thoughts without the reserved tokens."""
    mind = context.mind(problem)
    made = await mind.think(problem, n=k, max_tokens=context.settings.max_tokens, bias=mask(mind.model, target))
    return context.attempts(mind, made)


async def foretold(problem: Problem, mind: Mind, *, target: Target = "correct", unit: int = 2) -> Answer:
    """One such thought, and the expected reward at its end as its confidence."""
    attempt = (await mind.think(problem, bias=mask(mind.model, target)))[0]
    return mind.answer(attempt.answer, expected(mind.model, problem, attempt, JointHead.on(mind.model, target, unit)), "logprobs")


def expected(model: Model, problem: Problem, attempt: Attempt, grid: JointHead) -> float:
    """E[reward] after a whole thought."""
    return float(grid.reward(grid.after(model, problem, attempt.text)))


def cells(groups: list[Group], context: Context, *, target: Target, kl: float, unit: int) -> None:
    """Every token's cell: the length that remained before it was drawn, and the reward of its rollout."""
    grid = JointHead.on(context.engine.model, target, unit)
    for rollout in (rollout for group in groups for rollout in group):
        for turn in rollout.turns:
            reward = value(rollout, context.engine) if target == "value" else rollout.outcome or 0.0
            turn.extra["cell"] = grid.cell(reward, np.arange(len(turn.tokens), 0, -1)).astype(np.float32)
            turn.extra["first"] = np.full(len(turn.tokens), grid.first, dtype=np.float32)
            turn.kl[:] = kl


def value(rollout: Rollout, engine: Any) -> float:
    """Mean expected reward at the end of a thought under the starting weights. Raises InputError where those have no head."""
    known = trained(engine.model)
    if known is None or known.rewards != REWARDS["correct"]:
        raise InputError("target=value goes on from a model that was trained with target=correct; train that first, then name it")
    logits = engine.refer(rollout.turns)[0].detach().float().cpu().numpy()
    return float(known.reward(known.joint(logits))[-LAST:].mean())


def joint_loss(logp: Any, batch: Batch, *, size: int) -> tuple[Any, dict[str, Any]]:
    """−mean log P(the cell that came true) + the distance from the starting weights, where those are at hand.

    Beside them `reserved`, the mean probability that the stretch would have were it not masked.
    """
    logits = batch.head if batch.logits is None else batch.logits
    stretch, n = logits[:, (first := int(batch.extra["first"][0])) : first + size], batch.counts.tokens
    told = -stretch.log_softmax(1).gather(1, batch.extra["cell"].long()[:, None]).sum() / n
    mass = (stretch.logsumexp(1) - logits.logsumexp(1)).detach().exp().sum() / n
    parts = {"head_loss": told.detach(), "reserved": mass}
    if batch.ref is None:
        return told, parts
    far = distance(logp, batch)
    return told + far, {**parts, "kl_loss": far.detach()}


async def experiment(bench: Any, claim: Claim, seed: int) -> list[Pair]:
    """−Brier of the expected reward and of the token probability, on the same thoughts of a model that just got its head."""
    from nosce.learn.engine import open_engine
    from nosce.learn.measure import measured
    from nosce.learn.trainer import Trainer

    engine, made = open_engine(bench.roster["main"].spec), head()
    learn = [p for p in bench.labelled if p.graded and (not claim.families or p.family in claim.families)]
    await Trainer(made, engine, learn, int(claim.options["steps"]), seed).train()
    table = await measured(engine, bench.problems, foretold, seed=seed, columns={"probability": probability})
    rows = zip(bench.problems, *(table[name] for name in ("right", "confidence", "probability", "tokens")), strict=True)
    return [Pair(p.id, -((told - y) ** 2), -((likely - y) ** 2), n, n) for p, y, told, likely, n in rows]


def probability(rollout: Rollout) -> float:
    """Geometric mean probability of the drawn tokens."""
    return float(np.exp(np.mean([value for turn in rollout.turns for value in turn.logprobs])))


@estimator("S006", "zip-rc", part="expected-reward", needs={"session"}, claim=SIGNAL, experiment=experiment)
async def expected_reward(problem: Problem, attempts: Sequence[Attempt], mind: Mind) -> Signal:
    """What a head that was trained into reserved logits expects of the first attempt: E[reward] at its end.

    Rule: Σ over reward levels and length bins of P(reward, length | question, attempt) · reward. In [0, 1], higher is surer. Only
    for a model that `nosce train zip-rc/head` wrote; no value for any other.
    Source: S006 "Zero-Overhead Introspection for Adaptive Test-Time Compute". Left open and filled: read by one more pass over
    the attempt, where the paper reads it along with the tokens.
    """
    grid = trained(mind.model)
    if grid is None or not attempts:
        return mind.measure(Signal("expected-reward", None, "none"))
    return mind.measure(Signal("expected-reward", expected(mind.model, problem, attempts[0], grid), "logprobs"))
