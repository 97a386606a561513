"""Abduction among digit classifiers: its rivals by hand, its rules at work, and its own promise kept."""

import asyncio

import numpy as np
import pytest

from nosce.monitor.digits_under_shift import HOMES, Seen, flagged
from nosce.systems.monitor.abduction import abduction, scores, voted


def test_scores_by_hand():
    """Class 0: one hit, said twice, there twice → F1 2/4; class 1: one hit, said once, there twice → 2/3."""
    f1, recall = scores(np.array([0, 0, 1, -1]), np.array([0, 1, 1, 0]))
    assert f1 == pytest.approx((0.5 + 2 / 3) / 2)
    assert recall == 0.5


def test_the_vote_counts_those_that_speak_and_confidence_breaks_ties():
    said = np.array([[1, 2, -1], [1, 3, -1], [2, -1, -1]])
    sure = np.array([[0.6, 0.7, 0.0], [0.6, 0.9, 0.0], [0.99, 0.0, 0.0]])
    assert voted(said, sure).tolist() == [1, 3, -1]


def test_a_learned_rule_rejects_only_that_model_and_class():
    """Model 0 is wrong about class 0 exactly where the cue is seen; model 1 is always right."""
    cues = np.zeros((2, 1, 4), dtype=bool)
    cues[:, 0] = [1, 1, 0, 0]
    home = Seen(np.array([[0, 0, 0, 1], [1, 1, 0, 1]]), np.ones((2, 4)), cues, np.array([1, 1, 0, 1]))
    there = Seen(np.array([[0, 1, 0, 0], [1, 1, 1, 1]]), np.ones((2, 4)), cues, np.zeros(4, dtype=int))
    assert flagged(home, there, (0.0,))[0].tolist() == [[True, False, False, False], [False] * 4]


def test_an_environment_disturbs_and_a_clean_one_does_not():
    images = np.full((1, 8, 8), 0.5)
    rng = np.random.default_rng(0)
    assert HOMES[0].see(images, rng) == pytest.approx(images)
    assert HOMES[1].see(images, rng).mean() == pytest.approx(0.5 * 0.5 + 0.5 * 0.7, abs=0.03)


@pytest.mark.parametrize("solver", ["exact", "heuristic"])
def test_abduction_loses_less_recall_than_filtering_one_model(solver):
    pytest.importorskip("sklearn")
    found = asyncio.run(abduction(seed=100, environments=2, solver=solver))
    assert found["recall"] > found["filtered_recall"]
    assert found["coverage"] > 0.8
    assert found == asyncio.run(abduction(seed=100, environments=2, solver=solver))
