"""Between a sample of Inspect and a problem of ours."""

from __future__ import annotations

from typing import Any

from inspect_ai.dataset import Sample
from inspect_ai.solver import TaskState

from nosce.core.codec import decode, encode
from nosce.core.equivalence import Equivalence
from nosce.core.problem import Problem

PROBLEM, ANSWER, ROWS = "nosce_problem", "nosce", "nosce_rows"
"""Keys of the sample's metadata: the problem as plain data, what our solver answered, the rows of a battery."""


def sample_of(problem: Problem, **more: Any) -> Sample:
    """A sample whose metadata holds the whole problem, so that grading knows when two answers are the same."""
    reference = problem.reference
    target = [str(r) for r in reference] if isinstance(reference, list) else "" if reference is None else str(reference)
    about = {PROBLEM: encode(problem), "family": problem.family, "level": problem.level, **more}
    return Sample(input=problem.text, target=target, id=problem.id, metadata=about)


def problem_of(state: TaskState, kind: str | None = None) -> Problem:
    """The sample's problem: as it was kept, else its text, choices and target, compared by `kind` (guessed where None)."""
    kept = (state.metadata or {}).get(PROBLEM)
    if kept is not None:
        return decode(Problem, kept)
    choices = tuple(choice.value for choice in state.choices)
    reference: Any = list(state.target) if len(state.target) > 1 else state.target.text
    if choices and isinstance(reference, str) and len(reference) == 1 and 0 <= ord(reference) - 65 < len(choices):
        reference = choices[ord(reference) - 65]
    same = _equivalence(kind, choices, reference)
    return Problem(f"{state.sample_id}-{state.epoch}", state.input_text, choices=choices, reference=reference, equivalence=same)


def _equivalence(kind: str | None, choices: tuple[str, ...], reference: Any) -> Equivalence:
    if kind is not None:
        return Equivalence(kind)
    if choices:
        return Equivalence("choice", {"choices": list(choices)})
    try:
        float(str(reference).replace(",", ""))
    except ValueError:
        return Equivalence()
    return Equivalence("number")
