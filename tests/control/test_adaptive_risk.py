"""The online threshold: a long-run average that holds against any stream, and nothing more."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nosce.control.adaptive_risk import AdaptiveThreshold
from nosce.core.errors import InputError


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=300),
    st.sampled_from(["all", "answered"]),
    st.floats(0.02, 0.4),
)
def test_the_bound_holds_for_every_stream(stream, over, alpha):
    state = AdaptiveThreshold(alpha, rate=0.05, over=over)
    for confidence, correct in stream:
        state = state.update(confidence, correct)
        assert state.mean_loss <= state.bound + 1e-9


def test_one_step_by_hand():
    """Answered and wrong: 0.5 + 0.1 · (1 − 0.2) = 0.58. Right: 0.5 − 0.02. Silent counts only over all questions."""
    state = AdaptiveThreshold(0.2, rate=0.1)
    assert state.update(0.6, False).threshold == pytest.approx(0.58)
    assert state.update(0.6, True).threshold == pytest.approx(0.48)
    assert state.update(0.4, False).threshold == pytest.approx(0.48)
    assert AdaptiveThreshold(0.2, rate=0.1, over="answered").update(0.4, False).threshold == 0.5


def test_it_follows_a_world_that_turns():
    """Confidence stops meaning anything halfway; the share of all questions answered wrongly still settles at α."""
    rng, state = np.random.default_rng(0), AdaptiveThreshold(0.1, rate=0.02)
    lost_late = 0
    for t in range(8000):
        c = rng.random()
        before = state.losses
        state = state.update(c, bool(rng.random() < (c if t < 4000 else 0.3)))
        lost_late += state.losses - before if t >= 5000 else 0
    assert state.mean_loss <= 0.1 + 0.01
    assert lost_late / 3000 == pytest.approx(0.1, abs=0.02)


def test_it_says_what_it_promises():
    assert "long-run average only" in AdaptiveThreshold(0.1).promise
    assert AdaptiveThreshold(0.1).bound == 1.0


@pytest.mark.parametrize("bad", [{"alpha": 1.2}, {"alpha": 0.1, "rate": 0.0}, {"alpha": 0.1, "over": "some"}])
def test_nonsense_is_refused(bad):
    with pytest.raises(InputError):
        AdaptiveThreshold(**bad)
    with pytest.raises(InputError, match="outside"):
        AdaptiveThreshold(0.1).update(1.4, True)
