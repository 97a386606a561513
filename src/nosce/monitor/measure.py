"""An estimator as a pure function of the statistics, and its registration."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, wraps
from math import inf
from typing import Any

from nosce.core.attempt import Attempt
from nosce.core.claim import Claim
from nosce.core.errors import unknown
from nosce.core.problem import Problem
from nosce.core.registry import estimator, registry
from nosce.core.signal import Direction, Signal, Source
from nosce.mind.mind import Mind
from nosce.monitor.fallback import fallback
from nosce.monitor.observe import observe
from nosce.monitor.statistics import NEEDS, Statistics

Range = tuple[float, float]
Ranged = Range | Callable[[Statistics], Range]
NOT_NEGATIVE: Range = (0.0, inf)
ANY: Range = (-inf, inf)
_OF_THE_MODEL = {
    "logprobs": "logprobs", "entropies": "logprobs", "top": "logprobs", "sample_logprobs": "logprobs", "pieces": "logprobs",
    "prior": "hidden", "layers": "hidden",
}  # fmt: skip


@dataclass(frozen=True)
class Measure:
    """A pure estimator: `measure(stats)` is a Signal.

    needs: what the statistics must hold (of `statistics.NEEDS`); where they do not, the signal has no value and its source
    is `none`. `range` is that of an uncertainty (a function of the statistics where it depends on them); None says that the
    formula gives a confidence in [0, 1].
    """

    name: str
    formula: Callable[..., float]
    needs: frozenset[str]
    range: Ranged | None = None

    @cached_property
    def direction(self) -> Direction:
        """Whether higher is surer."""
        return "confidence" if self.range is None else "uncertainty"

    @cached_property
    def source(self) -> Source:
        """Where its value comes from: inside, from samples, else from log-probabilities."""
        return "hidden" if "layers" in self.needs else "samples" if "samples" in self.needs else "logprobs"

    def lacks(self, stats: Statistics) -> list[str]:
        """What the statistics do not hold of what it needs."""
        return sorted(self.needs - stats.has)

    def __call__(self, stats: Statistics, **options: Any) -> Signal:
        """The signal of the first attempt, without a value where something is lacking."""
        low, high = (0.0, 1.0) if self.range is None else self.range(stats) if callable(self.range) else self.range
        if not self.needs <= stats.has:
            return Signal(self.name, None, "none", self.direction, low, high)
        value = float(self.formula(stats, **options))
        if abs(value - low) < 1e-9:  # rounding must not leave the range
            value = low
        elif abs(value - high) < 1e-9:
            value = high
        return Signal(self.name, value, self.source, self.direction, low, high)


def measure(
    slug: str, *, needs: Iterable[str], uncertainty: Ranged | None = None, id: str = "", part: str = "main",
    claim: Claim | None = None,
) -> Callable[[Callable[..., float]], Measure]:  # fmt: skip
    """Decorator: makes a formula a Measure and registers it as an estimator, `async (problem, attempts, mind) -> Signal`.

    Keyword-only parameters of the formula are the estimator's options. Without `id` it is a plain reference method of the
    family `monitor` and stands in no catalogue row.
    """
    if strange := set(needs) - set(NEEDS):
        raise unknown("need", strange.pop(), NEEDS)

    def register(formula: Callable[..., float]) -> Measure:
        made = Measure(formula.__name__, formula, frozenset(needs), uncertainty)

        @wraps(formula)
        async def run(problem: Problem, attempts: Sequence[Attempt], mind: Mind, **options: Any) -> Signal:
            stats = await observe(problem, attempts, mind, made.needs)
            return mind.measure(made(stats, **options), stats.attempts[0].id)

        of_the_model = {_OF_THE_MODEL[need] for need in made.needs if need in _OF_THE_MODEL} or {"blackbox"}
        stand_in = fallback(made.needs, ())
        estimator(
            id or slug, slug, part=part, needs=of_the_model, claim=claim, family="monitor", looks_at=sorted(made.needs),
            measure=made, instead=[f"the estimator {stand_in}"] if stand_in else [],
        )(run)  # fmt: skip
        return made

    return register


def measures() -> dict[str, Measure]:
    """Every registered pure estimator by the name it is found by."""
    return {system.name: system.options["measure"] for system in registry if "measure" in system.options}
