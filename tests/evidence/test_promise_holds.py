"""The promise of the whole chain, calibrator and threshold together, on exchangeable rows whose true risk is known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from nosce.control.risk import labels_needed
from nosce.evidence.calibration import About, Wish, fit
from nosce.evidence.labels import Labelled
from nosce.evidence.promise import Limits

ABOUT = About("m", "s", "confidence")
LEVELS = np.linspace(0.02, 0.98, 49)
CHANCE = np.clip(LEVELS**0.3 - 0.04 * np.sin(9 * LEVELS), 0.02, 0.99)  # the confidence is wrong, and not even monotone in truth
DRAWS, ROWS = 200, 1000


def drawn(rng: np.random.Generator, n: int = ROWS) -> Labelled:
    """Rows whose confidence is one of 49 levels, more often high, and whose truth is drawn with that level's chance."""
    place = rng.choice(LEVELS.size, n, p=LEVELS / LEVELS.sum())
    names = tuple(str(i) for i in range(n))
    return Labelled(LEVELS[place], rng.random(n) < CHANCE[place], ("",) * n, names, 100.0 * (1 + place % 3))


def true(answered: np.ndarray) -> tuple[float, float, float]:
    """Risk among the answered, share abstained and tokens per answer in the population, for a choice of levels."""
    mass = LEVELS / LEVELS.sum()
    share = float(mass[answered].sum())
    if share == 0:
        return 0.0, 1.0, np.inf
    tokens = float(np.sum(mass * 100.0 * (1 + np.arange(LEVELS.size) % 3)))
    return float(np.sum(mass[answered] * (1 - CHANCE[answered])) / share), 1 - share, tokens / share


def promises(method: str, seed: int, **wish: object) -> list[np.ndarray | None]:
    """Which levels each of many calibration draws would answer; None where it promises nothing."""
    rng, found = np.random.default_rng(seed), list[np.ndarray | None]()
    for _ in range(DRAWS):
        made, _ = fit(drawn(rng, ROWS * 2 // 5), drawn(rng, ROWS * 3 // 5), ABOUT, Wish(method, **wish))  # type: ignore[arg-type]
        one = made.thresholds[0]
        found.append(made.calibrator.transform(LEVELS) >= one.threshold if one.promised else None)
    return found


def not_above(broken: int, delta: float) -> bool:
    """A one-sided binomial test at 1% does not find more broken promises than δ allows."""
    return bool(stats.binomtest(broken, DRAWS, delta, alternative="greater").pvalue > 0.01)


@pytest.mark.parametrize(("alpha", "delta", "method"), [
    (0.1, 0.05, "beta"), (0.11, 0.05, "isotonic"), (0.12, 0.1, "histogram"), (0.15, 0.05, "identity"),
])  # fmt: skip
def test_no_more_promises_are_broken_than_said(alpha: float, delta: float, method: str) -> None:
    found = promises(method, seed=int(100 * alpha), risks=(alpha,), delta=delta)
    risks = [true(levels)[0] for levels in found if levels is not None]
    assert not_above(sum(risk > alpha for risk in risks), delta)
    assert len(risks) > 0.25 * DRAWS  # it is no feat to keep promises that are never made


def test_three_promises_hold_together_as_often_as_said() -> None:
    limits = Limits(abstained=0.45, tokens=340.0, most_tokens=300.0)
    found = promises("platt", seed=3, risks=(0.25,), limits=limits)
    kept = [true(levels) for levels in found if levels is not None]
    broken = sum(risk > 0.25 or silent > 0.45 or tokens > 340 for risk, silent, tokens in kept)
    assert not_above(broken, 0.05)
    assert len(kept) > 0.5 * DRAWS


@settings(max_examples=60, deadline=None)
@given(st.sampled_from([0.02, 0.05, 0.1, 0.2]), st.integers(0, 10**6), st.booleans())
def test_with_too_few_labels_nothing_is_ever_promised(alpha: float, seed: int, perfect: bool) -> None:
    """One tested label less than the least number: not even a model without an error gets a promise."""
    rng = np.random.default_rng(seed)
    few = drawn(rng, labels_needed(alpha) - 1)
    if perfect:
        few = Labelled(few.confidence, np.ones(len(few), bool), few.family, few.question, few.tokens)
    made, _ = fit(drawn(rng, 200), few, ABOUT, Wish("beta", (alpha,)))
    assert not made.thresholds[0].promised
    assert "nothing promised" in made.thresholds[0].reason
