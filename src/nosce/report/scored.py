"""Measures of records from anywhere: as lines for a terminal, and as one page with its charts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nosce.metrics.estimate import Estimate
from nosce.metrics.inventory import inventory
from nosce.metrics.scorecard import Scorecard
from nosce.metrics.validity import ValidityScreen
from nosce.report.measured_rows import Sure
from nosce.report.text import count, percent
from nosce.tasks.scored import Scored


@dataclass(frozen=True)
class ScoreLine:
    """One measure: its theme, name, value with interval, rows, and a word more where the measure has one."""

    theme: str
    name: str
    value: str
    interval: str
    n: str
    more: str


def score_lines(card: Scorecard) -> Iterator[ScoreLine]:
    """The measures that could be read, in order, by theme."""
    for measure in inventory():
        found = card.measures.get(measure.name)
        if found is not None:
            low, high = found.interval
            yield ScoreLine(
                measure.theme, measure.name, f"{found.value:z.4f}", f"{low:z.4f} to {high:z.4f}", count(found.n), _more(found)
            )


def _more(found: Estimate) -> str:
    if "profile" in found.extras:
        return str(found["profile"])
    if "reliability" in found.extras:
        return ", ".join(f"{name} {float(found[name]):.4f}" for name in ("reliability", "resolution", "uncertainty"))
    return ""


def headline(scored: Scored, card: Scorecard) -> str:
    """How much it is, and the two numbers to see first."""
    measured = int(scored.known.sum())
    said = f"{count(scored.n)} rows read as {scored.form}"
    if measured < scored.n:
        said += f", {count(measured)} of them with a confidence and a grade"
    knows, gap = card.measures.get("auroc2"), card.measures.get("ece")
    if "accuracy" in card.measures:
        said += f"; {percent(card['accuracy'].value)} right"
    if knows is not None:
        said += f", AUROC2 {knows.value:.3f}"
    return said + (f", calibration error {gap.value:.3f}." if gap is not None else ".")


def screened(screen: ValidityScreen | None) -> str:
    """What the validity screen says of the decisions to keep or withdraw."""
    if screen is None:
        return ""
    return f"Validity of keeping and withdrawing: {screen.verdict}" + "".join(f"; {reason}" for reason in screen.reasons) + "."


def write_score(scored: Scored, card: Scorecard, screen: ValidityScreen | None, path: Path) -> Path:
    """Write the page: reliability, risk and coverage, and every measure. Raises as `nosce.report.html.write` does."""
    from nosce.report import charts
    from nosce.report.files import write_whole
    from nosce.report.html import CAPTIONS, _svg, render

    rows = scored.known
    stated, right = scored.columns["confidence"][rows], scored.columns["correct"][rows] == 1
    kept = scored.columns["kept"][rows] == 1 if "kept" in scored.columns else np.ones(right.size, bool)
    sure = Sure(stated, stated, right, kept & bool((~kept).any()))
    drawn = {"reliability": charts.reliability(sure), "risk-coverage": charts.risk_coverage_curve(sure, scored.n)}
    figures = [
        {"name": name, "title": CAPTIONS[name][0], "caption": CAPTIONS[name][1], "svg": _svg(chart)}
        for name, chart in drawn.items()
    ]
    page = render(
        "score.html", title=f"{scored.name} · score", data=scored.name, headline=headline(scored, card),
        figures=figures, lines=list(score_lines(card)), missing=dict(card.missing), screened=screened(screen),
    )  # fmt: skip
    return write_whole(path, page)
