"""The one page of a profile: what stands on which side, and that it can be read in a browser, by night and on a phone."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.report.test_browser import _browser, opened

from nosce.batteries.profile import Profile
from nosce.batteries.sitting import Sitting, sitting
from nosce.core.battery import Finding, Measure, share
from nosce.core.registry import registry
from nosce.metrics import Estimate
from nosce.report import profile_lines as said
from nosce.report.profile_markdown import markdown
from nosce.report.profile_page import tile, write_profile
from nosce.report.profile_table import profile_tables

browser = _browser
HOSTILE = "<script>alert(1)</script>‮model"


def profile(spec: str, wrong_every: int, *, kept_wrong: bool = False) -> Profile:
    """40 answers: each `wrong_every`-th is wrong, and withdrawn unless `kept_wrong`; a second battery was refused."""
    battery = registry.find("S158")
    rows = []
    for i in range(40):
        right = i % wrong_every != 0
        decided = right or kept_wrong
        rows.append({
            "item": str(i), "family": "f", "ended": "done", "track": i % 2, "right": right, "kept": decided, "bet": decided,
            "tries": True, "cost": {"prompt_tokens": 10, "completion_tokens": 5, "calls": 1},
        })  # fmt: skip
    refused = Sitting(registry.find("S171"), refused="socrates has no 'act choose'")
    return Profile(spec, f"{spec}-v1", "bundled", 40, 0, [sitting(battery, rows, 40), refused])


def finding(better: Any, low: float, high: float, n: int = 50) -> Finding:
    return Finding(Measure("x", "x", "knows", ("x",), share, better, 0.5, "half"), Estimate((low + high) / 2, (low, high), n))


@pytest.mark.parametrize(
    ("better", "low", "high", "side"),
    [
        ("higher", 0.6, 0.8, "good"), ("higher", 0.1, 0.3, "bad"), ("higher", 0.4, 0.6, "open"), ("lower", 0.1, 0.3, "good"),
        ("lower", 0.6, 0.8, "bad"), ("nearer", 0.4, 0.6, "open"), ("nearer", 0.6, 0.8, "bad"), ("neither", 0.6, 0.8, "none"),
    ],
)  # fmt: skip
def test_a_figure_stands_where_its_whole_interval_lies(better: str, low: float, high: float, side: str) -> None:
    assert said.side(finding(better, low, high)) == side
    assert said.side(finding(better, low, high, n=9)) in ("open", "none")


def test_the_head_of_the_page_answers_and_the_rest_follows() -> None:
    grouped = said.lines([profile("one", 4)])
    acts = tile("acts", grouped["acts"])
    assert (acts["value"], acts["side"], acts["word"]) == ("+100.0", "good", "yes")
    assert tile("knows", grouped["knows"])["value"] == "75.0%"
    assert tile("bears", grouped["bears"])["label"] == "not asked"


def test_two_models_are_told_apart_item_by_item() -> None:
    line = said.lines([profile("one", 4), profile("two", 4, kept_wrong=True)])["acts"][0]
    assert line.measure.name == "withdraw_delta"
    assert [said.value(f) for f in line.findings] == ["+100.0", "+0.0"]
    assert said.gap(line).startswith("+100.0")
    assert said.gap_side(line) == "good"


def test_markdown_and_terminal_hold_the_same_figures() -> None:
    found = [profile("one", 4)]
    text = markdown(found)
    assert "| withdraws its mistakes | **+100.0** |" in text
    assert "- SCHEMA: socrates has no 'act choose'" in text
    assert "`nosce profile one --battery S158,S171 --n 40 --seed 0`" in text
    assert "Nothing of this could be asked." in text
    alone = replace(found[0], sittings=found[0].sittings[:1])
    assert "The batteries chosen do not ask this." in markdown([alone, replace(alone, spec="two")])
    assert [table.title for table in profile_tables(found)][:3] == [
        "What it knows", "Does it know that it knows?", "Does it act on it?",
    ]  # fmt: skip


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_it_opens_by_night_and_on_a_phone(browser: Any, tmp_path: Path, width: int, scheme: str) -> None:
    one, other = profile("one", 4), profile("a" * 90, 3)
    other.sittings[1] = replace(other.sittings[0], battery=other.sittings[1].battery)  # the second sat what the first could not
    for found in ([profile(HOSTILE, 4)], [one, profile("a" * 90, 3)], [one, other]):
        page, complaints = opened(browser, write_profile(found, tmp_path / "profile.html"), width, scheme)
        assert complaints == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.locator(".tile").count() == 5
        assert page.locator("#acts .finding").first.locator("circle").count() == len(found)
        for row in page.locator(".asked-of tr").all():
            assert row.locator("th, td").count() == 2 + len(found)
        page.close()
