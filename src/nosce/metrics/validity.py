"""Is there a response to interpret at all? Screens run before any other measure of monitoring is believed.

The six indices are those named by "Before You Interpret the Profile: Validity Scaling for LLM Metacognitive
Self-Report" (arXiv 2604.17707, abstract read); the exact rules and cut-offs here are ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from nosce.metrics.checks import same_length, truths
from nosce.metrics.estimate import Bools, Estimate
from nosce.metrics.monitoring import withdraw_delta
from nosce.metrics.proportion import proportion

Verdict = Literal["valid", "elevated", "invalid"]


@dataclass(frozen=True)
class ValidityScreen:
    """`indices` by name, each an Estimate in [0, 1] (higher is worse); `reasons` says why the verdict is not
    "valid"."""

    indices: Mapping[str, Estimate]
    verdict: Verdict
    reasons: tuple[str, ...]


def _share(flags: Bools, level: float) -> Estimate | None:
    return proportion(int(flags.sum()), flags.size, level) if flags.size else None


def validity_screen(
    kept: ArrayLike,
    correct: ArrayLike,
    *,
    bet: ArrayLike | None = None,
    endorsed: ArrayLike | None = None,
    fixed: float = 0.95,
    level: float = 0.95,
) -> ValidityScreen:
    """Screens keep/withdraw (and bet/decline) probes before they are interpreted.

    Indices, where their rows exist: L share of wrong answers kept; K share of wrong answers bet on; F share
    withdrawn of the answers that nearly every model gets right (`endorsed`); Fp share of right answers
    withdrawn; RBS withdrawals of right minus withdrawals of wrong answers, cut at 0 (inverted monitoring); TRIN
    share of the commonest response. Invalid: one response in at least `fixed` of the rows, or RBS whose whole
    interval lies above 0. Elevated: L above 0.8 with Fp above 0.2, or F above Fp's upper bound.
    """
    decided, right = truths(kept, "kept", 2), truths(correct, least=2)
    same_length(("kept", decided), ("correct", right))
    found: dict[str, Estimate | None] = {"L": _share(decided[~right], level), "Fp": _share(~decided[right], level)}
    if bet is not None:
        staked = truths(bet, "bet")
        same_length(("kept", decided), ("bet", staked))
        found["K"] = _share(staked[~right], level)
    if endorsed is not None:
        easy = truths(endorsed, "endorsed")
        same_length(("kept", decided), ("endorsed", easy))
        found["F"] = _share(~decided[easy & right], level)
    found["RBS"] = _inverted(decided, right, level)
    found["TRIN"] = _share(decided == (decided.mean() >= 0.5), level)
    indices = {name: e for name, e in found.items() if e is not None}
    return _judge(indices, fixed)


def _inverted(decided: Bools, right: Bools, level: float) -> Estimate | None:
    if right.all() or not right.any():
        return None
    delta = withdraw_delta(decided, right, level=level)
    low, high = -delta.interval[1], -delta.interval[0]
    return Estimate(max(-delta.value, 0.0), (max(low, 0.0), max(high, 0.0)), delta.n, delta.method, level)


def _judge(indices: Mapping[str, Estimate], fixed: float) -> ValidityScreen:
    invalid, elevated = [], []
    if indices["TRIN"].value >= fixed:
        invalid.append(f"fixed responding: {indices['TRIN'].value:.0%} of the responses are the same")
    if "RBS" in indices and indices["RBS"].interval[0] > 0:
        invalid.append("inverted monitoring: right answers are withdrawn more often than wrong ones")
    lie, false_alarm = indices.get("L"), indices.get("Fp")
    if lie and false_alarm and lie.value > 0.8 and false_alarm.value > 0.2:
        elevated.append(f"keeps {lie.value:.0%} of wrong answers while withdrawing {false_alarm.value:.0%} of right ones")
    if "F" in indices and false_alarm and indices["F"].value > false_alarm.interval[1]:
        elevated.append("withdraws what nearly every model gets right more often than other right answers")
    verdict: Verdict = "invalid" if invalid else "elevated" if elevated else "valid"
    return ValidityScreen(indices, verdict, tuple(invalid + elevated))


def longest_run(responses: ArrayLike) -> int:
    """Length of the longest run of one and the same response: a long one is a sign of not reading the items."""
    values = np.asarray(responses)
    if values.size == 0:
        return 0
    breaks = np.flatnonzero(values[1:] != values[:-1]) + 1
    return int(np.diff(np.concatenate(([0], breaks, [values.size]))).max())
