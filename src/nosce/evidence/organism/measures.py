"""Small measures that the organism's card needs, on plain arrays."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata


def auroc(score: ArrayLike, positive: ArrayLike) -> float:
    """P(a positive scores above a negative), ties half; NaN without both kinds."""
    scores, truth = np.asarray(score, float), np.asarray(positive, bool)
    n, m = int(truth.sum()), int((~truth).sum())
    if not n or not m:
        return float("nan")
    return float((rankdata(scores)[truth].sum() - n * (n + 1) / 2) / (n * m))


def auroc_within(score: ArrayLike, positive: ArrayLike, cell: Sequence[object]) -> float:
    """AUROC over the pairs of the same cell only: cells weigh by their number of pairs."""
    scores, truth, names = np.asarray(score, float), np.asarray(positive, bool), np.asarray([str(c) for c in cell])
    agree = pairs = 0.0
    for name in np.unique(names):
        here = names == name
        count = float(truth[here].sum() * (~truth[here]).sum())
        if count:
            agree += count * auroc(scores[here], truth[here])
            pairs += count
    return agree / pairs if pairs else float("nan")


def ece(confidence: ArrayLike, right: ArrayLike, bins: int = 10) -> float:
    """Expected calibration error over equal-width bins: sum of share x |mean right - mean confidence|."""
    sure, truth = np.asarray(confidence, float), np.asarray(right, float)
    place = np.minimum((sure * bins).astype(int), bins - 1)
    gaps = [abs(truth[place == b].mean() - sure[place == b].mean()) * (place == b).mean() for b in np.unique(place)]
    return float(sum(gaps))


def spearman(a: ArrayLike, b: ArrayLike) -> float:
    """Rank correlation; NaN where one side is constant."""
    x, y = rankdata(np.asarray(a, float)), rankdata(np.asarray(b, float))
    return float(np.corrcoef(x, y)[0, 1]) if x.std() > 0 and y.std() > 0 else float("nan")


def spearman_within(a: ArrayLike, b: ArrayLike, cell: Sequence[object]) -> float:
    """Mean rank correlation over the cells where it exists."""
    x, y, names = np.asarray(a, float), np.asarray(b, float), np.asarray([str(c) for c in cell])
    found = [spearman(x[names == name], y[names == name]) for name in np.unique(names)]
    return float(np.nanmean(found)) if not np.all(np.isnan(found)) else float("nan")


def majority(answers: Sequence[str], key: Callable[[str], str] = str) -> str:
    """The first answer of the commonest kind, the earliest of equals; `key` says which answers are one kind."""
    kinds = [key(answer) for answer in answers]
    counts = Counter(kinds)
    return answers[max(range(len(answers)), key=lambda k: counts[kinds[k]])]


def shares(rows: NDArray[np.float64]) -> list[float]:
    """Row means rounded to three digits."""
    return [round(float(row.mean()), 3) for row in rows]
