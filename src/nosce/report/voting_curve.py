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


@dataclass
class _Draw:
    """One thought with everything that went on from it after a tool's result."""

    answer: str | None
    prompt: int
    completion: int
    later: int = 0  # prompt tokens of going on


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
    drawn = [(problems[row.id], row, _draws(traces[row.trace_id])) for row in graded if row.id in problems]
    sizes = {len(draws) for _, _, draws in drawn}
    if len(sizes) != 1 or (longest := sizes.pop()) < 2:
        return []
    return [_point(k, drawn) for k in SIZES if k <= longest]


def _draws(trace: Trace) -> list[_Draw]:
    """The plain thoughts of a trace in draw order; none when it holds anything that is neither one nor its going on."""
    begun: dict[str | None, _Draw] = {}
    for event in trace.of("sampled"):
        sample, act = event.data.get("sample", {}), event.data.get("act")
        prompt, completion = sample.get("prompt_tokens", 0), sample.get("completion_tokens", 0)
        if act == "think" and event.parent is None:
            begun[event.node] = _Draw(event.data.get("answer"), prompt, completion)
        elif act == "extend" and event.parent in begun:
            draw = begun[event.node] = begun[event.parent]
            draw.answer, draw.completion, draw.later = event.data.get("answer"), draw.completion + completion, draw.later + prompt
        else:
            return []
    return list({id(draw): draw for draw in begun.values()}.values())


def _point(k: int, drawn: Sequence[tuple[Problem, Row, list[_Draw]]]) -> CurvePoint:
    n, hits, tokens = len(drawn), 0, 0
    for problem, row, draws in drawn:
        first = draws[:k]
        once = row.cost.prompt_tokens < sum(d.prompt + d.later for d in draws)  # the prompt was paid once for all draws
        tokens += max(d.prompt for d in first) if once else sum(d.prompt for d in first)
        tokens += sum(d.completion + d.later for d in first)
        hits += _right(problem, [d.answer for d in first])
    return CurvePoint(k, tokens / n, hits / n, *wilson(hits, n))


def _right(problem: Problem, answers: Sequence[str | None]) -> bool:
    try:
        blocs = tally(problem, answers)
        return bool(blocs) and problem.check(blocs[0].value) >= 0.5
    except InputError:
        return False
