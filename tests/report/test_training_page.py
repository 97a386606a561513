"""The page of training claims says what the shipped ledger says."""

from pathlib import Path

import pytest

from nosce.evidence.ledger import latest
from nosce.report.learning_curves import band
from nosce.report.training_page import page, proved

DOCS = Path(__file__).parents[2] / "docs"
RECORDS = latest(DOCS / "no-records-of-ones-own")


def test_the_page_is_up_to_date() -> None:
    assert (DOCS / "training.md").read_text() == page(RECORDS), "run `make docs`"


def test_every_recipe_with_curves_has_its_panel_and_its_verdict_on_the_page() -> None:
    picture, text = DOCS / "images" / "training.svg", (DOCS / "training.md").read_text()
    for system, record in proved(RECORDS):
        assert f"[{system.name}](" in text
        assert "curves" not in record["details"] or f">{system.name}<" in picture.read_text()


def test_a_claim_about_every_price_has_a_row_for_each() -> None:
    key, record = next((key, record) for key, record in RECORDS.items() if key == "S156/main")
    rows = [
        {"price": price, "value": 0.8, "reference": 1 - price, "effect": effect, "interval": [effect - 0.1, effect + 0.1]}
        for price, effect in ((0.1, -0.1), (0.7, 0.5))
    ]
    claim = {**record["claim"], "options": {**record["claim"]["options"], "sweep": {"price": [0.1, 0.7]}}}
    text = page({key: {**record, "claim": claim, "details": {**record["details"], "sweep": rows}}})
    assert "| 0.1 | 0.800 | 0.900 | -0.100 [-0.200, +0.000] |\n| 0.7 | 0.800 | 0.300 | +0.500 [+0.400, +0.600] |" in text


def test_a_band_goes_from_the_lowest_to_the_highest_seed_and_ends_where_the_first_seed_does() -> None:
    def run(*ends: tuple[float, float]) -> list[dict[str, float]]:
        return [{"step": float(i), "rollout_tokens": tokens, "accuracy": right} for i, (tokens, right) in enumerate(ends)]

    found = band([run((0, 0.5), (100, 0.7)), run((0, 0.5), (200, 0.5))], most=200)
    assert found[0] == {"x": 0.0, "low": 0.5, "mean": 0.5, "high": 0.5}
    assert found[-1]["x"] == 100.0
    assert (found[-1]["low"], found[-1]["high"]) == (0.5, pytest.approx(0.7))
    assert band([run((0, 0.5), (0, 0.6))], most=200)[-1]["x"] == 200.0
