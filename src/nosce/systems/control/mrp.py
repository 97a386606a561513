"""S047 MRP: choose the method first, then apply it."""

from __future__ import annotations

from collections.abc import Sequence

from nosce.core.answer import Answer
from nosce.core.claim import Claim
from nosce.core.errors import InputError
from nosce.core.problem import Problem
from nosce.core.registry import System, registry, strategy
from nosce.mind.mind import Mind

METHODS = ("direct", "think", "self-consistency")

CLAIM = Claim(
    statement="Accuracy at least that of the best fixed method, at fewer tokens than the dearest one always.",
    endpoint="accuracy_at_cost", baseline="self-consistency", taught=True,
)  # fmt: skip


@strategy("S047", "mrp", acts={"think", "foresee"}, claim=CLAIM)
async def meta_reasoning_prompting(
    problem: Problem, mind: Mind, *, methods: Sequence[str] = METHODS, thresholds: Sequence[float] = (0.9, 0.6)
) -> Answer:
    """One call picks the method for this question from descriptions of those there are; the picked one answers.

    Rule: argmax over methods of how well the model thinks each suits, as named by the act choose; a reply that names none
    means `think`. A model without that act picks by what it foresees: the i-th of the methods, cheapest first, where
    P(solve) ≥ the i-th of the `thresholds`, else the last. `methods` are any registered strategies that need no preparing.
    Source: S047 "Meta Reasoning for Large Language Models". Left open and filled: one choice instead of a score for each;
    the descriptions are the systems' own first lines. The bundled model has no `choose`: it foresees, which it was taught,
    and so chooses how much to think rather than how.
    """
    known = {system.slug: system for system in map(_method, methods)}
    picked = await _pick(problem, mind, list(known), known, thresholds)
    mind.decide("switch", "picked a method", method=picked)
    answer: Answer = await known[picked].run(problem, mind)
    return answer


def _method(name: str) -> System:
    system = registry.find(name, "strategy")
    if system.prepare is not None or system.slug == "mrp":
        raise InputError(f"method {name!r} needs preparing or is this system; give strategies that answer at once")
    return system


async def _pick(problem: Problem, mind: Mind, names: list[str], known: dict[str, System], thresholds: Sequence[float]) -> str:
    if "choose" in mind.dialect.acts:
        said = await mind.choose(problem, [f"{name}: {known[name].summary}" for name in names])
        return said if said in known else "think" if "think" in known else names[0]
    return by_foresight((await mind.foresee(problem)).solve, names, thresholds)


def by_foresight(solve: float, names: Sequence[str], thresholds: Sequence[float]) -> str:
    """The first method whose threshold the foreseen P(solve) reaches, else the last.

    Raises InputError unless there is one falling threshold fewer than methods.
    """
    if len(thresholds) != len(names) - 1 or list(thresholds) != sorted(thresholds, reverse=True):
        raise InputError(f"{len(names)} methods want {len(names) - 1} falling thresholds, got {list(thresholds)}")
    return next((name for name, bar in zip(names, thresholds, strict=False) if solve >= bar), names[-1])
