"""S167 Critique-GRPO: learn from one's own samples and from what critiques made of them."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from nosce.core.claim import Claim
from nosce.core.problem import Problem
from nosce.core.registry import recipe
from nosce.learn.context import Context
from nosce.learn.credit import centred
from nosce.learn.grounds import TAUGHT
from nosce.learn.recipe import Recipe
from nosce.learn.rollout import Group, Rollout, rewards_of
from nosce.reflect.true_critique import true_critique

if TYPE_CHECKING:
    from nosce.learn.batch import Batch

CLAIM = Claim(
    statement="Learning from refinements beside one's own samples ends higher than GRPO with as many rollout tokens.",
    endpoint="accuracy", baseline="grpo", seeds=(0, 1, 2), options=TAUGHT, taught=True, fidelity="code",
)  # fmt: skip


@recipe("S167", "critique-grpo", claim=CLAIM)
def critique_grpo(*, gamma: float = 0.1, length: int = 120) -> Recipe:
    """Of each group all but one are thoughts; the last is the refinement of a critique of one that was wrong.

    Wrong thoughts are told their first wrong step and refined; the first refinement that is right (else the first) joins
    the group as if it had been thought at once. A = r − group mean. Own tokens: −A π/π_old; tokens of the refinement:
    −A f(π) with f(p) = p/(p + γ), which lifts the unlikely ones. No clip; divided by a fixed `length`.
    Source: S167 "Critique-GRPO: Advancing LLM Reasoning with Natural Language and Numerical Feedback". Left open and filled: the
    critique is the families' checker's; the released code makes every slot a refinement, the paper one of eight, as here.
    """
    return Recipe(
        rollout=refined, credit=off_policy, loss=partial(shaped, gamma=gamma, length=length), acts=frozenset({"think", "revise"}),
        golden={"p": 0.1, "f": 0.5, "slope": 0.25},
    )  # fmt: skip


async def refined(problem: Problem, context: Context, k: int) -> Group:
    """k − 1 thoughts and one refinement; k − 1 thoughts alone where none was wrong."""
    mind = context.mind(problem)
    thoughts = await mind.think(problem, n=max(k - 1, 1), max_tokens=context.settings.max_tokens)
    group = context.attempts(mind, thoughts)
    better: list[Rollout] = []
    for wrong in [a for a in thoughts if problem.check(a.answer) < 0.5][:2]:
        made = await mind.revise(problem, wrong, true_critique(problem, mind, wrong))
        better += [_as_thought(group[0], context.attempts(mind, [one])[0]) for one in made]
    best = sorted(better, key=lambda rollout: -(rollout.outcome or 0.0))[:1]
    return [*group, *(replace(rollout, index=len(group)) for rollout in best)]


def _as_thought(thought: Rollout, revision: Rollout) -> Rollout:
    """The refinement's tokens after the thought's own prompt, marked as drawn otherwise."""
    turn = revision.turns[-1]
    turn.prompt, turn.logprobs = thought.turns[0].prompt, ()
    turn.extra["refined"] = np.ones(len(turn.tokens), dtype=np.float32)
    return replace(revision, turns=[turn])


def off_policy(groups: list[Group], context: Context) -> None:
    """Centred in the group, refinements included."""
    for group in groups:
        for rollout, advantage in zip(group, centred(rewards_of(group)), strict=True):
            rollout.reinforce(float(advantage))


def shaped(logp: Any, batch: Batch, *, gamma: float, length: int) -> tuple[Any, dict[str, Any]]:
    """−Σ A · (π/π_old, or π/(π + γ) for refinements) / (rollouts · length)."""
    refined = batch.extra.get("refined", logp.detach() * 0)
    p = logp.exp()
    gain = (1 - refined) * (logp - batch.old).exp() + refined * p / (p + gamma)
    loss = -(batch.advantage * batch.rl * gain).sum() / (batch.counts.rollouts * length)
    return loss, {"policy_loss": loss.detach()}
