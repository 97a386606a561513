"""The report: one HTML file that needs nothing else, runs no script and opens offline. Needs the extra `nosce[report]`."""

from __future__ import annotations

import base64
import hashlib
import re
from importlib.resources import files
from pathlib import Path
from typing import Any

from nosce.evidence.compare import Comparison
from nosce.evidence.rows import Row
from nosce.evidence.run import Run
from nosce.evidence.signals.monitoring import Monitoring
from nosce.report import charts, story, text
from nosce.report.comparison_table import comparison_rows
from nosce.report.examples import Group, instructive
from nosce.report.files import write_whole
from nosce.report.measured_rows import ending, grid, sure
from nosce.report.signals_chart import signals_chart
from nosce.report.signals_table import HEADS, NOTE, ensemble_sentence, few, left_out, sentence, signal_lines
from nosce.report.trace_tree import tree, votes
from nosce.report.voting_curve import voting_curve

CAPTIONS = {
    "reliability": (
        "Does it know how sure to be?",
        "Share right against stated confidence. On the dashed line confidence is truth; the band is where chance alone would "
        "leave a perfectly calibrated model.",
    ),
    "confidence": ("How sure was it?", "Right answers upwards, wrong ones downwards, withheld ones included."),
    "risk-coverage": (
        "What does silence buy?",
        "Wrong among the answered when only the surest share is answered. The lower and flatter, the better it knows.",
    ),
    "accuracy-tokens": (
        "What does thinking cost?",
        "Accuracy against tokens. The grey line, where there is one, is voting over the first k draws of this very run.",
    ),
    "tokens": (
        "Where did the tokens go?",
        "By family, and by how the questions ended; the palest part was spent on questions that were then not answered.",
    ),
}


def run_charts(run: Run) -> dict[str, charts.Chart]:
    """The charts that this run's rows allow, by name."""
    known, drawn = sure(run.rows), {}
    graded = sum(row.correct is not None for row in run.rows)
    if known.drawable:
        alpha = run.promise.alpha if run.promise else None
        drawn["reliability"] = charts.reliability(known)
        drawn["risk-coverage"] = charts.risk_coverage_curve(known, graded, alpha)
    if any(row.stated is not None for row in run.rows):
        drawn["confidence"] = charts.confidence_histogram(run.rows)
    if graded:
        curve = voting_curve(run.rows, {p.id: p for p in run.plan.problems}, run.traces)
        drawn["accuracy-tokens"] = charts.accuracy_against_tokens(run.rows, curve, run.plan.system.slug)
    if any(row.cost.tokens for row in run.rows):
        drawn["tokens"] = charts.token_shares(run.rows)
    return drawn


def write(run: Run, path: Path, drawn: dict[str, charts.Chart] | None = None) -> Path:
    """Write the report of a run, whole or not at all. `drawn`: charts made already.

    Raises CapabilityError when the extra is missing, JournalError when the file cannot be written.
    """
    page = render(
        "run.html",
        title=f"{Path(run.plan.data).name} · {run.plan.system.slug}",
        run=run, s=run.summary, headline=story.headline(run.summary), promise=story.promise(run), models=story.models(run),
        figures=story.figures(run), costs=story.costs(run), made_from=story.made_from(run),
        figures_drawn=_embedded(run_charts(run) if drawn is None else drawn),
        groups=_groups(run, instructive(run.rows)), grid=grid(run.rows),
    )  # fmt: skip
    return write_whole(path, page)


def write_comparison(comparison: Comparison, path: Path, data: str = "") -> Path:
    """Write the report of a comparison: the ranking and the Pareto plot. Raises as `write` does."""
    page = render(
        "comparison.html", title=f"{Path(data).name or 'questions'} · comparison", c=comparison, data=Path(data).name,
        rows=comparison_rows(comparison), refused=[row for row in comparison.rows if row.refused],
        chart=_svg(comparison_charts(comparison)["pareto"]),
    )  # fmt: skip
    return write_whole(path, page)


def write_signals(found: Monitoring, path: Path) -> Path:
    """Write the report of what the signals are worth: the sentence, the chart, the table. Raises as `write` does."""
    page = render(
        "signals.html", title=f"{Path(found.data).name or 'questions'} · signals", f=found, data=Path(found.data).name,
        sentence=sentence(found), together=ensemble_sentence(found), heads=HEADS, lines=signal_lines(found), note=NOTE,
        chart=_svg(signals_chart(found)), weights=list(found.weights.items()),
        few=few(found), left_out=left_out(found),
    )  # fmt: skip
    return write_whole(path, page)


def comparison_charts(comparison: Comparison) -> dict[str, charts.Chart]:
    """The Pareto plot of a comparison."""
    points = [
        (row.slug, row.tokens, row.accuracy.value, *row.accuracy.interval) for row in comparison.rows if row.accuracy is not None
    ]
    return {"pareto": charts.pareto(points, comparison.frontier)}


def _groups(run: Run, groups: list[Group]) -> list[dict[str, Any]]:
    return [{"title": g.title, "note": g.note, "rows": [_card(run, row) for row in g.rows]} for g in groups]


def _card(run: Run, row: Row) -> dict[str, Any]:
    trace = run.traces.get(row.trace_id)
    said = row.withheld if row.answer is None else row.answer
    return {
        "row": row, "ending": ending(row), "said": said, "nodes": tree(trace) if trace else [],
        "votes": votes(trace) if trace else [], "price": text.price(row.cost),
        "reason": row.reason if row.outcome != "answered" else "",
    }  # fmt: skip


def _embedded(drawn: dict[str, charts.Chart]) -> list[dict[str, str]]:
    return [
        {"name": name, "title": CAPTIONS[name][0], "caption": CAPTIONS[name][1], "svg": _svg(drawn[name])}
        for name in CAPTIONS
        if name in drawn
    ]


_MARK = re.compile(r'<path aria-label="([^"]*)"([^>]*?)/>')


def _svg(chart: charts.Chart) -> str:
    """The chart's SVG, scaling with the page, each mark with its values as a hover title."""
    drawn = _MARK.sub(r'<path aria-label="\1"\2><title>\1</title></path>', charts.svg(chart))
    return re.sub(r'(<svg[^>]*?) width="[\d.]+" height="[\d.]+"', r"\1", drawn, count=1)


def render(template: str, **content: Any) -> str:
    """A page from a template, with the style it may use and no other. Raises CapabilityError without the extra."""
    try:
        from jinja2 import Environment, PackageLoader, StrictUndefined
        from markupsafe import Markup
    except ImportError as error:
        raise charts.missing_extra(error) from None
    style = files("nosce.report").joinpath("templates/style.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    environment = Environment(
        loader=PackageLoader("nosce.report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {
        "shown": text.shown, "brief": text.brief, "percent": text.percent, "count": text.count, "svg": Markup,
        "stem": text.laid_out,
    }  # fmt: skip
    page: str = environment.get_template(template).render(**content, style=Markup(style), style_hash=digest)
    return page
