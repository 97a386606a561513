"""The model card says what its command measured, and a small new measurement agrees with it."""

import json
from pathlib import Path

import pytest

from nosce.evidence.organism.figures import mixed, solving
from nosce.evidence.organism.measures import auroc, auroc_within, ece, majority
from nosce.evidence.organism.speaker import Speaker
from nosce.models.socrates import weights

ROOT = Path(__file__).parents[2]


def test_the_card_is_written_from_the_stored_figures():
    from training.card import card

    assert (ROOT / "MODEL_CARD.md").read_text() == card(json.loads((ROOT / "training" / "figures.json").read_text()))


@pytest.mark.parametrize("name", ["socrates", "socrates-base", "socrates-weak"])
def test_a_small_measurement_agrees_with_the_card(name):
    stored = json.loads((ROOT / "training" / "figures.json").read_text())[name]
    found, _ = solving(Speaker(weights(name)), mixed(4, seed=77), draws=4)
    assert found["one"] == pytest.approx(stored["one"], abs=0.10)
    assert found["direct"] == pytest.approx(stored["direct"], abs=0.12)


def test_auroc_counts_pairs_and_ties_half():
    assert auroc([0.1, 0.4, 0.4, 0.9], [False, False, True, True]) == pytest.approx(3.5 / 4)
    assert auroc_within([0.1, 0.9, 0.2, 0.3], [True, False, False, True], "aabb") == pytest.approx(0.5)


def test_ece_is_zero_where_each_bin_is_right_as_often_as_it_says():
    assert ece([0.25] * 4 + [0.75] * 4, [1, 0, 0, 0, 1, 1, 1, 0]) == pytest.approx(0.0)
    assert ece([0.95] * 2, [0, 0]) == pytest.approx(0.95)


def test_the_majority_is_the_earliest_of_equals():
    assert majority(["b", "a", "a", "b"]) == "b"
    assert majority(["1+2", "7", "2+1"], lambda answer: str(sum(map(int, answer.split("+"))))) == "1+2"
