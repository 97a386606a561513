"""What the claims of recipes compare, by name: two trained runs in, an effect out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from nosce.core.errors import InputError
from nosce.evidence.training_run import Seen
from nosce.evidence.trials import over_seeds

ENDPOINTS = ("accuracy", "pass_at_k", "tokens", "ece", "brier", "auroc2", "answered", "tokens_to_reach")
"""accuracy, auroc2, answered, pass_at_k (one of `draws` answers is right): difference. ece, brier: how much lower. tokens, and
`saved NAME` for any column: share of the baseline's saved. `-NAME`: less of it is better.
tokens_to_reach: share of the baseline's rollout tokens saved until the accuracy on development problems at which the baseline ends;
both are timed alike, to the first crossing of their own curve. A curve that never gets there counts with twice all its tokens.
`accuracy at as many tokens`: less that of the baseline's thoughts cut at the length that spends what the system does (columns
`tokens@N`, `right@N`). `NAME above A B`: the system's NAME less the best of the columns A and B, its own or the baseline's."""


def compared(name: str, ours: Seen, theirs: Seen) -> tuple[float, float, float]:
    """The system's value, the baseline's, and the effect, positive where the system is better."""
    if name == "tokens_to_reach":
        goal = theirs.run.curve[-1]["accuracy"]
        reached, whole = tokens_to_reach(ours.run.curve, goal), tokens_to_reach(theirs.run.curve, goal)
        return reached, whole, 1 - reached / whole if whole else -float(reached > 0)
    if name == "accuracy at as many tokens":
        best = _cut(theirs.test, ours.test["tokens"])
        return ours.test["accuracy"], best, ours.test["accuracy"] - best
    if " above " in name:
        column, _, rivals = name.partition(" above ")
        best = max(side.test[rival] for side in (ours, theirs) for rival in rivals.split())
        return ours.test[column], best, ours.test[column] - best
    saved, less = name == "tokens" or name.startswith("saved "), name.startswith("-") or name in ("ece", "brier")
    column = name.removeprefix("-").removeprefix("saved ")
    if column not in ours.test or column not in theirs.test:
        raise InputError(f"endpoint {name!r} was not measured; there are {', '.join(ours.test)}")
    a, b = ours.test[column], theirs.test[column]
    if saved:
        return a, b, 1 - a / b if b else 0.0
    return a, b, b - a if less else a - b


def _cut(columns: Mapping[str, float], tokens: float) -> float:
    """Accuracy of thoughts cut at the length that spends so many tokens a thought, between the two nearest lengths."""
    lengths = sorted(float(name.partition("@")[2]) for name in columns if name.startswith("tokens@"))
    spent, right = ([columns[f"{kind}@{length:g}"] for length in lengths] for kind in ("tokens", "right"))
    return float(np.interp(tokens, spent, right))


def tokens_to_reach(curve: Sequence[Mapping[str, float]], accuracy: float) -> float:
    """Rollout tokens at which the curve first stands at `accuracy`, on straight lines between its points; if never, twice all."""
    before = {"rollout_tokens": 0.0, "accuracy": float("-inf")}
    for point in curve:
        if point["accuracy"] >= accuracy:
            if not np.isfinite(before["accuracy"]):
                return float(point["rollout_tokens"])
            share = (accuracy - before["accuracy"]) / max(point["accuracy"] - before["accuracy"], 1e-12)
            return float(before["rollout_tokens"] + share * (point["rollout_tokens"] - before["rollout_tokens"]))
        before = dict(point)
    return float(2 * curve[-1]["rollout_tokens"]) if curve else float("inf")


def differences(ours: Sequence[Seen], base: Sequence[Seen]) -> dict[str, list[float]]:
    """Accuracy and AUROC2 of the one side less the other's, whatever the endpoint, with t intervals over seeds."""
    found = {}
    for name in ("accuracy", "auroc2"):
        pairs = [(a.test[name], b.test[name]) for a, b in zip(ours, base, strict=True) if name in a.test and name in b.test]
        if len(pairs) == len(ours):
            effect = over_seeds(np.array([a - b for a, b in pairs]))
            found[name] = [effect.value, *effect.interval]
    return found
