"""Abduction against brute force, and its parts by hand."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nosce.core.errors import InputError
from nosce.monitor.abduction import (
    NONE,
    Atoms,
    atoms,
    coverage,
    exclusive,
    explain,
    explain_greedily,
    inconsistency,
    labelled,
    learn_rule,
)

SAID = np.array([[0, 0, 1, NONE], [0, 1, 1, 1]])  # two models, four objects
KEPT = np.zeros((1, 2, 4), dtype=bool)


def test_a_rule_takes_the_cues_that_pay_and_no_more_recall_than_allowed():
    """Predictions wrong at 0, 1, 2. Cue A flags 0 and 1; B flags 0, 2 and two right ones (no gain once A is in); C flags 2."""
    wrong = np.array([True, True, True, False, False, False])
    cues = np.array([[1, 1, 0, 0, 0, 0], [1, 0, 1, 1, 1, 0], [0, 0, 1, 0, 0, 0]], dtype=bool)
    assert learn_rule(wrong, cues, most=0) == [0, 2]
    assert learn_rule(wrong, cues[1:2], most=3) == []  # two caught, two lost
    costly = np.array([[1, 1, 1, 1, 0, 0]], dtype=bool)
    assert learn_rule(wrong, costly, most=0) == []
    assert learn_rule(wrong, costly, most=1) == [0]


def test_everything_is_believed_where_contradictions_are_free():
    found = atoms(SAID, KEPT)
    chosen = explain(found, exclusive(2), 1.0)
    assert coverage(chosen, found) == 1.0


def test_no_contradiction_leaves_the_model_that_speaks_everywhere():
    """Object 1 is the quarrel. {1:0→0, 2:0→0, 2:1→…} quarrels there; the second model alone labels all four objects."""
    found = atoms(SAID, KEPT)
    chosen = explain(found, exclusive(2), 0.0)
    assert inconsistency(chosen, found, exclusive(2)) == 0.0
    assert labelled(chosen, found, np.ones((2, 4))).tolist() == [0, 1, 1, 1]


def test_of_two_classes_the_more_confident_is_believed_and_silence_stays_silence():
    found = atoms(SAID[:, :2], KEPT[..., :2])
    both = np.ones(len(found), dtype=bool)
    assert labelled(both, found, np.array([[0.9, 0.9], [0.8, 0.6]])).tolist() == [0, 0]
    assert labelled(both, found, np.array([[0.9, 0.5], [0.8, 0.6]])).tolist() == [0, 1]
    assert labelled(~both, found, np.ones((2, 2))).tolist() == [NONE, NONE]


def test_levels_that_change_nothing_are_one_assumption():
    assert len(atoms(SAID, np.repeat(KEPT, 3, axis=0))) == len(atoms(SAID, KEPT)) == 4


def test_compatible_classes_do_not_contradict():
    found = atoms(SAID, KEPT)
    everything = np.ones(len(found), dtype=bool)
    assert inconsistency(everything, found, exclusive(2)) == 0.25
    assert inconsistency(everything, found, np.zeros((2, 2), dtype=bool)) == 0.0


def allowed(chosen: np.ndarray, found: Atoms) -> bool:
    taken = list(zip(found.model[chosen], found.label[chosen], strict=True))
    return len(taken) == len(set(taken))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**31), st.sampled_from([0.0, 0.1, 0.3]))
def test_the_programme_finds_what_trying_everything_finds(seed: int, most: float):
    rng = np.random.default_rng(seed)
    said = rng.integers(-1, 3, (2, 10))
    said[0, 0] = 0
    flagged = np.stack([np.zeros((2, 10), dtype=bool), rng.random((2, 10)) < 0.4])
    found, clash = atoms(said, flagged), exclusive(3)
    every = (np.array(bits, dtype=bool) for bits in product((0, 1), repeat=len(found)))
    best = max(coverage(c, found) for c in every if allowed(c, found) and inconsistency(c, found, clash) <= most)
    exact, greedy = explain(found, clash, most), explain_greedily(found, clash, most)
    assert coverage(exact, found) == pytest.approx(best)
    assert coverage(greedy, found) <= best
    for chosen in (exact, greedy):
        assert allowed(chosen, found)
        assert inconsistency(chosen, found, clash) <= most + 1e-12


def test_refuses_what_it_cannot_explain():
    with pytest.raises(InputError, match="no model predicts"):
        atoms(np.full((2, 3), NONE), np.zeros((1, 2, 3), dtype=bool))
    with pytest.raises(InputError, match="in \\[0, 1\\]"):
        explain(atoms(SAID, KEPT), exclusive(2), 1.5)
