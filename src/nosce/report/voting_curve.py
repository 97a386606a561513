"""What fewer votes would have given: self-consistency's frontier, replayed from the draws that a run already made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nosce.core.errors import InputError
from nosce.core.problem import Problem
from nosce.core.trace import Trace
from nosce.core.vote import tally
from nosce.evidence.rows import Row
from nosce.metrics.proportion import wilson

SIZES = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)


@dataclass(frozen=True)
class CurvePoint:
    """Voting over the first k draws: mean tokens per problem, accuracy and its 95% interval."""

    k: int
    tokens: float
    accuracy: float
    low: float
    high: float


@dataclass(frozen=True)
class _Draw:
    answer: str | None
    prompt: int
    completion: int


def voting_curve(
    rows: Sequence[Row], problems: Mapping[str, Problem], traces: Mapping[str, Trace], most: int = 3000
) -> list[CurvePoint]:
    """Accuracy and tokens of voting over the first k thoughts, k up to the fewest that any problem has.

    Drawn only where every graded problem has the same number of plain thoughts of its own: an adaptive run stops where it
    is easy, and its first k draws are no fair sample. Empty otherwise, or beyond `most` problems.
    """
    graded = [row for row in rows if row.correct is not None and row.trace_id in traces]
    if not graded or len(graded) > most:
        return []
    drawn = [(problems[row.id], _draws(traces[row.trace_id])) for row in graded if row.id in problems]
    sizes = {len(draws) for _, draws in drawn}
    if len(sizes) != 1 or (longest := sizes.pop()) < 2:
        return []
    return [_point(k, drawn) for k in SIZES if k <= longest]


def _draws(trace: Trace) -> list[_Draw]:
    """The plain thoughts of a trace in draw order; none when it holds anything that is not one."""
    found = []
    for event in trace.of("sampled", "used"):
        if event.kind == "used" or event.parent is not None or event.data.get("act") != "think":
            return []
        sample = event.data.get("sample", {})
        found.append(_Draw(event.data.get("answer"), sample.get("prompt_tokens", 0), sample.get("completion_tokens", 0)))
    return found


def _point(k: int, drawn: Sequence[tuple[Problem, list[_Draw]]]) -> CurvePoint:
    n, hits, tokens = len(drawn), 0, 0
    for problem, draws in drawn:
        tokens += max(d.prompt for d in draws[:k]) + sum(d.completion for d in draws[:k])
        hits += _right(problem, [d.answer for d in draws[:k]])
    return CurvePoint(k, tokens / n, hits / n, *wilson(hits, n))


def _right(problem: Problem, answers: Sequence[str | None]) -> bool:
    try:
        blocs = tally(problem, answers)
        return bool(blocs) and problem.check(blocs[0].value) >= 0.5
    except InputError:
        return False
