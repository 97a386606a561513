"""Voting's accuracy for a third of its tokens: a strategy chosen on dev problems, reported on test problems."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np

from nosce.core.registry import registry
from nosce.evidence.arms import Arm, Bench
from nosce.metrics import bootstrap_mean
from nosce.models.load import load
from nosce.tasks.bundled import draw_problems

DEV, TEST, SHARE = 600, 2000, 0.35
CANDIDATES: list[tuple[str, dict[str, Any]]] = [
    *(("adaptive-consistency", {"least": least, "window": window, "settled": settled, "weigh": weigh})
      for least in (2, 3) for window in (2, 4) for settled in (0.8, 0.85, 0.9) for weigh in (False, True)),
    *(("early-stopping-self-consistency", {"window": window, "most": most}) for window in (2, 3) for most in (8, 12, 16)),
    *(("soft-sc/adaptive", {"enough": enough}) for enough in (0.8, 1.2, 1.6, 2.0, 2.4)),
]  # fmt: skip
"""What may be chosen; the names of registered strategies with their options."""


async def _choose(bench: Bench) -> tuple[str, dict[str, Any], float]:
    """The candidate with the best dev accuracy within the token share of self-consistency@16, cheaper first on ties."""
    voting = await bench.arm(registry.find("self-consistency"), {"k": 16})
    seen: list[tuple[float, float, str, dict[str, Any]]] = []
    for name, options in CANDIDATES:
        arm = await bench.arm(registry.find(name), options)
        share = arm.cost / voting.cost
        if share <= SHARE - 0.01:
            seen.append((arm.accuracy, -share, name, options))
    best = max(seen, key=lambda c: c[:2])
    return best[2], best[3], -best[1]


async def _test(bench: Bench, name: str, options: dict[str, Any]) -> dict[str, Any]:
    chosen = await bench.arm(registry.find(name), options)
    curve = [await bench.arm(registry.find("self-consistency"), {"k": k}, name=f"self-consistency@{k}") for k in range(1, 17)]
    voting = curve[-1]
    difference = (chosen.right - voting.right).ravel()
    draws = bootstrap_mean(difference, resamples=4000)["draws"]
    rival = next((arm for arm in curve if arm.accuracy >= chosen.accuracy), voting)
    return {
        "strategy": f"{name} {options}", "n": len(bench.problems), "accuracy": round(chosen.accuracy, 4),
        "accuracy_sc16": round(voting.accuracy, 4), "difference": round(float(difference.mean()), 4),
        "lower_bound_95": round(float(np.quantile(draws, 0.05)), 4), "share_of_tokens": round(chosen.cost / voting.cost, 4),
        "cheapest_voting_with_that_accuracy": rival.name, "share_of_its_tokens": round(chosen.cost / rival.cost, 4),
        "frontier": [_point(arm) for arm in curve],
    }  # fmt: skip


def _point(arm: Arm) -> tuple[str, float, float]:
    return arm.name, round(arm.cost, 1), round(arm.accuracy, 4)


async def _both() -> dict[str, Any]:
    roster = {"main": load("socrates")}
    name, options, share = await _choose(Bench(draw_problems(n=DEV, part="dev"), roster))
    found = await _test(Bench(draw_problems(n=TEST), roster), name, options)
    return {**found, "share_of_tokens_on_dev": round(share, 4)}


def run() -> dict[str, Any]:
    """The chosen strategy against self-consistency@16 and against the cheapest self-consistency that does as well."""
    return asyncio.run(_both())


if __name__ == "__main__":
    print(run())
