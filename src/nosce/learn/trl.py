"""Our rewards as TRL reward functions: `GRPOTrainer(reward_funcs=[trl.outcome(problems), trl.brier(problems)], …)`.

TRL calls `f(prompts, completions, **columns)` with one entry a completion and takes a list of numbers or None. The data set must
have a column `problem_id`; `rows(problems)` makes one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from nosce.core.errors import InputError, unknown
from nosce.core.problem import Problem
from nosce.learn.rewards import Channels
from nosce.learn.rollout import Group, Rollout
from nosce.mind.dialects.base import Given
from nosce.mind.dialects.chat import Chat
from nosce.models.base import Sample

RewardFunction = Callable[..., list[float | None]]


def rows(problems: Sequence[Problem]) -> list[dict[str, Any]]:
    """Rows for `datasets.Dataset.from_list`: a conversational `prompt` as our chat dialect words it, and `problem_id`."""
    made = []
    for problem in problems:
        rendered = Chat().render("think", problem, Given())
        turns = [{"role": turn.role, "content": turn.content} for turn in rendered.prompt.messages]
        made.append({"prompt": turns, "problem_id": problem.id})
    return made


def reward(problems: Sequence[Problem], stage: Callable[[Group, Any], Channels], channel: str) -> RewardFunction:
    """One channel of a reward stage as a TRL reward function. Completions of one problem are given to the stage as one group."""
    known = {problem.id: problem for problem in problems}

    def function(
        prompts: Sequence[Any], completions: Sequence[Any], problem_id: Sequence[str], **columns: Any
    ) -> list[float | None]:  # fmt: skip
        groups: dict[str, list[int]] = {}
        for place, name in enumerate(problem_id):
            groups.setdefault(name, []).append(place)
        found: list[float | None] = [None] * len(completions)
        for name, places in groups.items():
            group = [rollout(_problem(known, name), _text(completions[place])) for place in places]
            for place, value in zip(places, stage(group, None)[channel], strict=True):
                found[place] = value
        return found

    function.__name__ = channel
    return function


def outcome(problems: Sequence[Problem]) -> RewardFunction:
    """The problem's own check of the final answer, in [0, 1]."""
    from nosce.learn.rewards import correct

    return reward(problems, correct, "outcome")


def brier(problems: Sequence[Problem]) -> RewardFunction:
    """−(c − y)² of a confidence stated as `Confidence: 80%`; None where none is stated."""
    from nosce.learn.rewards import brier, each

    return reward(problems, each(brier=brier), "brier")


def rollout(problem: Problem, text: str) -> Rollout:
    """A rollout that is only text: its answer and its stated confidence are read as our chat dialect reads them."""
    dialect, given = Chat(), Given()
    answer = dialect.read("think", Sample(text), problem, given)
    confidence = dialect.read("rate", Sample(text), problem, given) if "onfidence" in text else None
    return Rollout(problem, [], answer, confidence, problem.check(answer) if problem.graded else None)


def _text(completion: Any) -> str:
    return completion if isinstance(completion, str) else "".join(str(turn["content"]) for turn in completion)


def _problem(known: Mapping[str, Problem], name: str) -> Problem:
    if name not in known:
        raise InputError(f"column problem_id: {unknown('problem', str(name), known)}")
    return known[name]
