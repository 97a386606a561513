"""The report in a real browser: nothing complains, everything is there, and it is readable on a phone."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.report.synthetic import synthetic_run
from tests.report.test_report import HOSTILE

from nosce.evidence.compare import Comparison, ComparisonRow
from nosce.evidence.rows import summarise
from nosce.metrics import Estimate
from nosce.report import html

pytestmark = pytest.mark.browser
CHROMIUM = next((path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None)


@pytest.fixture(scope="module", name="browser")
def _browser() -> Iterator[Any]:
    if CHROMIUM is None:
        pytest.skip("no Chromium here; apt-get install chromium")
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed; pip install playwright")
    with sync_api.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


def opened(browser: Any, path: Path, width: int = 1280, scheme: str = "light") -> tuple[Any, list[str]]:
    """The page, and everything the browser complained of or asked the network for."""
    page, said = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme), []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: said.append(request.url) if not request.url.startswith(("file:", "data:")) else None)
    page.goto(path.as_uri())
    return page, said


@pytest.fixture(scope="module", name="report")
def _report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return html.write(synthetic_run(180), tmp_path_factory.mktemp("report") / "report.html")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_complains_and_nothing_is_wider_than_the_screen(browser: Any, report: Path, width: int, scheme: str) -> None:
    page, said = opened(browser, report, width, scheme)
    assert said == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    plots = page.locator("figure .plot svg").all()
    assert len(plots) == 5
    for plot in plots:
        box = plot.bounding_box()
        assert box["width"] >= 0.8 * min(width, 540) - 40
        assert box["height"] >= 60
    assert page.evaluate(SMALLEST) >= (9 if width == 390 else 11)


SMALLEST = """() => Math.min(...[...document.querySelectorAll('main *')].filter(e =>
  [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()) && e.getBoundingClientRect().width > 0 && e.tagName !== 'title')
  .map(e => parseFloat(getComputedStyle(e).fontSize) * (e.ownerSVGElement
    ? e.ownerSVGElement.getBoundingClientRect().width / e.ownerSVGElement.viewBox.baseVal.width : 1)))"""
"""The smallest text that is drawn, in CSS pixels; text in a chart shrinks with the chart."""

CONTRAST = """() => {
  const linear = v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
  const light = c => { const [r, g, b] = c.match(/[\\d.]+/g).map(v => linear(v / 255));
    return .2126 * r + .7152 * g + .0722 * b };
  const paper = light(getComputedStyle(document.body).backgroundColor);
  return Math.min(...[...document.querySelectorAll('h1, h2, h3, p, dt, dd, figcaption, .figures *, svg text')].map(e => {
    const style = getComputedStyle(e), ink = light(e.ownerSVGElement ? style.fill : style.color);
    return (Math.max(ink, paper) + .05) / (Math.min(ink, paper) + .05) }))}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_stands_out_from_the_paper(browser: Any, report: Path, scheme: str) -> None:
    page, _ = opened(browser, report, scheme=scheme)
    assert page.evaluate(CONTRAST) >= 4.5


def test_a_trace_opens_on_a_click_without_a_script(browser: Any, report: Path) -> None:
    page, said = opened(browser, report)
    card = page.locator("article").first
    thought = card.locator("pre").first
    assert not thought.is_visible()
    card.locator("details.trace > summary").click()
    card.locator(".tree details > summary").first.click()
    assert thought.is_visible()
    assert "37+48=85" in thought.inner_text()
    assert said == []


def test_hostile_text_does_nothing(browser: Any, tmp_path: Path) -> None:
    run = synthetic_run(60, risk=None)
    rows = [replace(r, question=HOSTILE, answer=HOSTILE, reference=HOSTILE, family=HOSTILE) for r in run.rows]
    for trace in run.traces.values():
        trace.events[0].data["sample"]["text"] = HOSTILE
    page, said = opened(browser, html.write(replace(run, rows=rows, summary=summarise(rows)), tmp_path / "r.html"))
    assert page.title() != "owned"
    assert page.locator("main script, main img").count() == 0
    assert HOSTILE in page.locator(".question").first.inner_text()
    assert said == []


def test_the_comparison_has_its_plot_and_its_ranking(browser: Any, tmp_path: Path) -> None:
    def estimate(value: float) -> Estimate:
        return Estimate(value, (value - 0.02, value + 0.02), 300)

    rows = [
        ComparisonRow("dsc", "S327", estimate(0.71), 1.0, 140, 3, estimate(0.8), estimate(0.1), estimate(0.2), estimate(0.04),
                      estimate(0.05), 0.001, 0.002, "better than voting"),
        ComparisonRow("think", "think", estimate(0.6), 1.0, 40, 1, None, None, None, estimate(0.0), None, 1.0, 1.0,
                      "no difference shown"),
        ComparisonRow("re-reading", "S193", refused="socrates has no cue <b>"),
    ]  # fmt: skip
    voting = [(1, 40.0, 0.6, 0.57, 0.63), (4, 160.0, 0.66, 0.63, 0.69), (16, 640.0, 0.7, 0.67, 0.73)]
    made = Comparison(rows, voting, 300, [0], "socrates-1")
    path = html.write_comparison(made, tmp_path / "report.html", "examples/mixed.jsonl")
    for width in (1280, 390):
        page, said = opened(browser, path, width)
        assert said == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.locator("table.ranking tbody tr").count() == 2
        assert "S327" in page.locator("tr.better").inner_text()
        assert page.locator("svg text", has_text="@16").count() == 1
        assert "no cue <b>" in page.locator("dd").inner_text()
