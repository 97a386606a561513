"""How many labels a promise needs, against binomial tails worked out by another library and by hand."""

import numpy as np
import pytest
from scipy import stats

from nosce.control.label_plan import labels_with_errors, plan_promise
from nosce.control.risk import select_threshold


def test_fifty_nine_right_answers_carry_five_percent_and_each_error_asks_for_more():
    assert [labels_with_errors(0.05, 0.05, k) for k in range(5)] == [59, 93, 124, 153, 181]
    assert labels_with_errors(0.2) == 14


@pytest.mark.parametrize(("alpha", "delta"), [(0.05, 0.05), (0.2, 0.1), (0.01, 0.05)])
def test_it_is_the_least_number_whose_tail_is_small_enough(alpha, delta):
    for k in range(6):
        n = labels_with_errors(alpha, delta, k)
        assert stats.binom.cdf(k, n, alpha) <= delta < stats.binom.cdf(k, n - 1, alpha)


def test_the_useful_number_makes_the_promise_four_times_in_five():
    rng, plan = np.random.default_rng(0), plan_promise(0.1, expected=(0.05,))
    n = plan.useful[0].tested
    made = sum(select_threshold(np.ones(n), rng.random(n) >= 0.05, alpha=0.1, grid=[0.0]).promised for _ in range(2000))
    assert 0.78 < made / 2000 < 0.88  # the power climbs in steps, and the first step at or above 0.8 is taken
    assert plan.useful[0].labels == round(n / 0.6)


def test_no_number_of_labels_promises_a_risk_that_the_model_has():
    plan = plan_promise(0.05, expected=(0.05, 0.2), coverage=0.5)
    assert [u.labels for u in plan.useful] == [None, None]
    assert plan.least == 59
