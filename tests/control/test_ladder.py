"""The ladder: where it stops, what stands, what it costs, and a promise that holds over the draw of the labelled questions."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from nosce.control.ladder import Ladder, Seen, Table, fit_ladder
from nosce.control.ladder_risk import promise
from nosce.control.rungs import Step, marginal
from nosce.core.errors import InputError
from nosce.monitor.calibrators import Identity

Bits = NDArray[np.float64]


def table(p: Bits, right: Bits, tokens: float = 1.0) -> Table:
    """Two rungs, `think` and `vote`, with these P(right) and truths, [question, rung]."""
    return Table(("think", "vote"), p, right, np.full_like(p, tokens))


def test_it_stops_at_the_first_rung_that_is_sure_and_the_surest_stands() -> None:
    """Sure at once; only after the vote; never, with the thought surer than the vote."""
    made = table(np.array([[0.9, 0.2], [0.5, 0.8], [0.6, 0.3]]), np.array([[1.0, 0], [0, 1], [0, 1]]))
    last, stands = made.end(("think", "vote"), 0.7)
    assert last.tolist() == [0, 1, 1]
    assert stands.tolist() == [0, 1, 0]
    right, cost = made.play(("think", "vote"), 0.7)
    assert right.tolist() == [1, 1, 0]
    assert cost.tolist() == [1, 2, 2]


def test_a_rung_pays_for_the_thoughts_that_one_left_out_would_have_drawn() -> None:
    tokens = {"think": 1.0, "vote": 3.0, "poll": 8.0, "check": 0.5}
    assert marginal(("think", "vote"), tokens) == 4
    assert marginal(("vote",), tokens) == 4
    assert marginal(("poll",), tokens) == 12
    assert marginal(("check",), tokens) == 1.5


def seen(sure: float, right: bool, voted: bool) -> Seen:
    steps = {"think": Step("think", "a", sure, "logprobs", 10), "vote": Step("vote", "a", 0.9, "samples", 30)}
    return Seen(steps, {"think": float(right), "vote": float(voted)})


def test_the_cheapest_ladder_is_kept_where_more_effort_buys_nothing_and_climbed_where_it_does() -> None:
    rng = np.random.default_rng(0)
    sure = rng.uniform(0, 1, 400)
    idle = [seen(s, r, r) for s, r in zip(sure, rng.random(400) < sure, strict=True)]
    assert fit_ladder(idle).rungs == ("think",)
    helped = [seen(s, r, True) for s, r in zip(sure, rng.random(400) < sure, strict=True)]
    climbed = fit_ladder(helped)
    assert "vote" in climbed.rungs
    again = Ladder.of(climbed.data())
    assert again.probability(helped[0].steps["think"]) == climbed.probability(helped[0].steps["think"])
    with pytest.raises(InputError, match="at least 20"):
        fit_ladder(helped[:19])
    with pytest.raises(InputError, match="no ladder"):
        Ladder.of({"rungs": ["think"]})


def test_the_promise_is_broken_no_more_often_than_delta() -> None:
    """500 draws of 300 labels. P(right) of the thought is u, of the vote the square root of u, both calibrated; an answer is given
    where one reaches t, by the first that does. So √u ≥ t, and the risk at t is 1 − (∫_t²^t √u du + ∫_t^1 u du) / (1 − t²)."""
    rng, broken, given = np.random.default_rng(1), 0, 0
    for _ in range(500):
        u = rng.uniform(0, 1, (400, 1))
        p = np.hstack([u, np.sqrt(u)])
        right = (rng.random((400, 1)) < p).astype(float)
        found = promise(table(p[:300], right[:300]), ("think", "vote"), table(p[300:], right[300:]), alpha=0.2, delta=0.1)
        if found.enough is not None:
            given += 1
            t = min(found.enough, 1 - 1e-9)
            mass = (t**1.5 - t**3) * 2 / 3 + (1 - t * t) / 2
            broken += 1 - mass / (1 - t * t) > 0.2
    assert given > 400
    assert stats.binomtest(broken, 500, 0.1, alternative="greater").pvalue > 0.01


def test_a_step_without_confidence_is_worth_what_the_labels_showed() -> None:
    made = Ladder(("think",), {"think": Identity()}, {"think": 0.7, "vote": 0.6})
    assert made.probability(Step("think", "a", 0.4, "logprobs", 1)) == pytest.approx(0.4)
    assert made.probability(Step("vote", "a", None, "none", 1)) == 0.6
    assert made.probability(Step("think", None, 0.9, "logprobs", 1)) == 0.0
