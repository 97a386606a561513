"""SRGen: the gradient against finite differences, the threshold by hand, and a thought that is corrected."""

import numpy as np
import pytest
from scipy import optimize

from nosce.control.entropy_descent import corrected_loss, descend
from nosce.core.problem import Problem
from nosce.systems.control.srgen import Threshold

ASKED = Problem("p", "37+48-12", reference="73")


def position(seed: int = 0):
    """Head [7, 4], three written states with their tokens, and the state here."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(7, 4)), rng.normal(size=(3, 4)), np.array([0, 6, 2]), rng.normal(size=4)


@pytest.mark.parametrize("weight", [0.0, 0.05, 1.0])
def test_gradient_is_the_slope_of_the_loss(weight):
    head, states, targets, here = position()
    at = np.array([0.3, -0.2, 0.1, 0.4])
    slope = corrected_loss(at, head, states, targets, here, weight)[1]
    wanted = optimize.approx_fprime(at, lambda d: corrected_loss(d, head, states, targets, here, weight)[0], 1e-7)
    assert slope == pytest.approx(wanted, abs=1e-5)


def test_loss_of_a_uniform_head():
    """With W = 0 every distribution is uniform over 7: both parts are log 7 and nothing can be corrected."""
    _, states, targets, here = position()
    value, slope = corrected_loss(np.zeros(4), np.zeros((7, 4)), states, targets, here, 0.3)
    assert value == pytest.approx(np.log(7))
    assert slope == pytest.approx(np.zeros(4))


def test_first_step_is_the_learning_rate_against_the_sign_of_the_gradient():
    head, states, targets, here = position()
    slope = corrected_loss(np.zeros(4), head, states, targets, here, 0.05)[1]
    delta = descend(head, states, targets, here, weight=0.05, rate=0.01, steps=1)
    assert delta == pytest.approx(-0.01 * np.sign(slope), abs=1e-6)


def test_descent_lowers_the_loss_and_pure_entropy_sharpens():
    head, states, targets, here = position(1)
    for weight in (0.05, 1.0):
        losses = [
            corrected_loss(descend(head, states, targets, here, weight=weight, rate=0.05, steps=steps),
                           head, states, targets, here, weight)[0]
            for steps in (0, 3, 10)
        ]  # fmt: skip
        assert losses[0] > losses[1] > losses[2]


def test_threshold():
    """First .8; then the last two: (.2, .1) → .15 + 2 · .1 = .35; (.1, .4) → .25 + 2 · .15; (.4, .5) → .45 + 2 · .1."""
    bar = Threshold(window=2, k=2.0, floor=0.2, spread=0.1, first=0.8)
    assert [bar.exceeded(entropy) for entropy in (0.2, 0.1, 0.4, 0.5, 0.56)] == [False, False, True, False, False]


def thought(solved):
    return next(event.data["sample"]["token_ids"] for event in solved.trace.of("sampled"))


def test_without_corrections_it_is_plain_decoding(organism, run):
    plain = run(organism, "think", ASKED)
    assert thought(run(organism, "srgen", ASKED, most=0)) == thought(plain)
    assert thought(run(organism, "srgen", ASKED, floor=99.0, first=99.0)) == thought(plain)


def test_corrections_are_bounded_and_change_the_thought(organism, run):
    solved = run(organism, "srgen", ASKED, first=0.0, floor=0.0, k=0.0, most=6, rate=1.0, weight=1.0)
    positions = next(event.data["positions"] for event in solved.trace.of("decided"))
    assert positions[0] == 0
    assert len(positions) == 6
    assert thought(solved) != thought(run(organism, "think", ASKED))
