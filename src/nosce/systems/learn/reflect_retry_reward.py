"""S355 Reflect, retry, reward: after a failure the reflection is what is trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from nosce.core.answer import Answer
from nosce.core.claim import Claim
from nosce.core.problem import Problem
from nosce.core.registry import recipe
from nosce.learn.context import Context
from nosce.learn.credit import standardised
from nosce.learn.grounds import TAUGHT
from nosce.learn.losses import streams
from nosce.learn.recipe import Recipe
from nosce.learn.rewards import first_right
from nosce.learn.rollout import Group, rewards_of
from nosce.mind.mind import Mind

CLAIM = Claim(
    statement="With reflections trained alone, more is right after a reflection and a retry than with the same model untrained.",
    endpoint="accuracy", baseline="reflect-retry-reward", baseline_options={"lr": 1e-9}, seeds=(0, 1, 2),
    options=TAUGHT, taught=True,
)  # fmt: skip


@recipe("S355", "reflect-retry-reward", claim=CLAIM)
def reflect_retry_reward(*, clip: float = 0.2) -> Recipe:
    """Answer; where it is wrong, reflect on it, try again; reward 1 for the reflection's tokens when the second try is right.

    GRPO within the group's failed first tries; neither try is trained, so the model learns to reflect, not the task. Groups
    without two failures teach nothing. Only whether an answer is right is used.
    Source: S355 "Reflect, Retry, Reward: Self-Improving LLMs via Reinforcement Learning". Left open and filled: the reflection is
    the act critique, the second try the act revise.
    """
    return Recipe(
        rollout=_failing, reward=retried, credit=on_reflections, loss=partial(streams, low=clip, high=clip, over="sequence"),
        acts=frozenset({"think", "critique", "revise"}), answer=again, columns={"first": first_right},
        golden={"first": [0.0, 0.0, 1.0], "second": [1.0, 0.0, 1.0], "rewards": [1.0, 0.0, None]},
    )  # fmt: skip


async def _failing(problem: Problem, context: Context, k: int) -> Group:
    from nosce.learn.rollouts import of

    return await of(again)(problem, context, k)


async def again(problem: Problem, mind: Mind) -> Answer:
    """Think; where that is wrong (by the verifier), reflect and try once more. Without a verifier, reflect always."""
    first = (await mind.think(problem))[0]
    mind.answer(first.answer)
    if problem.graded and problem.check(first.answer) >= 0.5:
        return mind.answer(first.answer)
    reflection = await mind.critique(problem, first, temperature=1.0)
    return mind.answer((await mind.revise(problem, first, reflection))[0].answer)


def retried(group: Group, context: Context) -> Mapping[str, Sequence[float | None]]:
    """The second try's outcome where there was one, else None."""
    return {"retry": [None if first_right(rollout) >= 0.5 else rollout.outcome for rollout in group]}


def on_reflections(groups: list[Group], context: Context) -> None:
    """GRPO among the failed first tries, on the tokens of the reflection alone."""
    for group in groups:
        failed = [rollout for rollout in group if rollout.rewards["retry"] is not None]
        for rollout, advantage in zip(failed, standardised(rewards_of(failed)) if len(failed) > 1 else (), strict=False):
            for turn in rollout.turns:
                if turn.act == "critique":
                    turn.reinforce(float(advantage))
