"""The five charts of a run, and their way into SVG and PNG. Needs the extra `nosce[report]`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from nosce.core.errors import CapabilityError, JournalError
from nosce.evidence.rows import Row
from nosce.metrics.bins import Bins, consistency_band
from nosce.metrics.calibration_error import ace
from nosce.metrics.risk_coverage import risk_coverage
from nosce.report.measured_rows import Sure, ending, grid, right, said
from nosce.report.palette import ACCENT, ACCENT_SOFT, FAINT, INK, MUTED, PALE, PAPER, WRONG, theme
from nosce.report.text import brief
from nosce.report.voting_curve import CurvePoint

WIDTH, HEIGHT = 420, 320  # of the whole picture, axes included
ENDINGS = {"right": ACCENT, "wrong": WRONG, "answered": ACCENT, "abstained": PALE, "deferred": PALE, "asked": PALE,
           "failed": INK}  # fmt: skip

Chart = Any
"""An altair chart; altair is looked for only when one is drawn."""


def reliability(sure: Sure, bins: int = 10, seed: int = 0) -> Chart:
    """Share right against stated confidence, in bins of nearly equal number; the diagonal is perfect calibration.

    The band is where 95% of perfectly calibrated models with these confidences would fall, bin by bin. The raw confidence
    is drawn hollow where a calibrator changed it.
    """
    alt = altair_or_refuse()
    band = alt.Chart(data_of(_consistency(sure, bins, seed))).mark_area(color=ACCENT_SOFT, interpolate="monotone").encode(
        x="x:Q", y="low:Q", y2="high:Q"
    )  # fmt: skip
    even = alt.Chart(data_of([{"x": 0, "y": 0}, {"x": 1, "y": 1}])).mark_line(color=MUTED, strokeWidth=1, strokeDash=[3, 3])
    layers = [band, even.encode(x="x:Q", y="y:Q")]
    if sure.calibrated:
        layers.append(_points(alt, _bins(sure.raw, sure, bins), MUTED, filled=False))
    layers.append(_points(alt, _bins(sure.stated, sure, bins), ACCENT, filled=True))
    return _styled(alt.layer(*layers), "Reliability")


def _points(alt: Any, table: Bins, colour: str, *, filled: bool) -> Chart:
    points = [
        {"x": float(c), "y": float(a), "n": float(n)}
        for c, a, n in zip(table.confidence, table.accuracy, table.count, strict=True)
    ]
    mark = {"fill": colour, "stroke": PAPER} if filled else {"fill": None, "stroke": colour}
    return (
        alt.Chart(data_of(points))
        .mark_circle(opacity=1, strokeWidth=1.2, **mark)
        .encode(
            x=_share(alt, "x", "stated confidence"), y=_share(alt, "y", "share right"),
            size=alt.Size("n:Q", legend=None, scale=alt.Scale(range=[40, 220], zero=True)),
        )
    )  # fmt: skip


def _bins(confidence: Any, sure: Sure, bins: int) -> Bins:
    found: Bins = ace(confidence, sure.right, bins=bins)["bins"]
    return found


def _consistency(sure: Sure, bins: int, seed: int) -> list[dict[str, float]]:
    """The central 95% of the share right per bin when every row is right with its stated probability."""
    table = _bins(sure.stated, sure, bins)
    low, high = consistency_band(sure.stated, table, seed=seed)
    return [{"x": float(x), "low": float(y), "high": float(z)} for x, y, z in zip(table.confidence, low, high, strict=True)]


def risk_coverage_curve(sure: Sure, total: int, alpha: float | None = None) -> Chart:
    """Share wrong among the answered against the share answered, for every threshold on the confidence.

    `total` is the number of graded problems, those without a confidence included. The dot is where this run stood; the
    dashed line is the risk that was asked for. The band is a pointwise 95% interval.
    """
    from scipy.special import betaincinv

    alt, curve = altair_or_refuse(), risk_coverage(sure.stated, sure.right)
    n, wrong = curve.answered, curve.wrong
    low = np.where(wrong > 0, betaincinv(np.maximum(wrong, 0.5), n - wrong + 1, 0.025), 0.0)
    high = np.where(wrong < n, betaincinv(wrong + 1, np.maximum(n - wrong, 0.5), 0.975), 1.0)
    kept = _thinned(n.size)
    points = [
        {"x": float(n[i] / total), "y": float(curve.risk[i]), "low": float(low[i]), "high": float(high[i])}
        for i in kept if n[i] >= 10 or n.size <= 10
    ]  # fmt: skip
    top = max(0.05, *(p["y"] for p in points)) * 1.3
    for point in points:
        point["high"] = min(point["high"], top)
    x = _share(alt, "x", "share of all questions answered")
    y = _share(alt, "y", "share wrong among the answered", top=min(1.0, max(top, (alpha or 0) * 1.15)))
    base = alt.Chart(data_of(points))
    layers = [
        base.mark_area(color=ACCENT_SOFT).encode(x=x, y=alt.Y("low:Q"), y2="high:Q"),
        base.mark_line(color=ACCENT, strokeWidth=2).encode(x=x, y=y),
    ]
    if alpha is not None:
        layers += _risk_line(alt, alpha)
    if sure.answered.any():
        layers.append(_operating_point(alt, sure, total))
    return _styled(alt.layer(*layers), "Risk and coverage")


def _risk_line(alt: Any, alpha: float) -> list[Chart]:
    line = alt.Chart(data_of([{"y": alpha, "label": f"asked for: at most {alpha:.0%}"}]))
    return [
        line.mark_rule(color=INK, strokeDash=[4, 3], strokeWidth=1).encode(y="y:Q"),
        line.mark_text(align="left", dy=-7, dx=4, color=INK).encode(y="y:Q", x=alt.value(0), text="label:N"),
    ]


def _operating_point(alt: Any, sure: Sure, total: int) -> Chart:
    kept = sure.answered
    here = {"x": float(kept.sum() / total), "y": float(1 - sure.right[kept].mean()), "label": "this run"}
    dot = alt.Chart(data_of([here]))
    return dot.mark_circle(size=130, color=ACCENT, stroke=PAPER, strokeWidth=2, opacity=1).encode(x="x:Q", y="y:Q") + (
        dot.mark_text(align="right", dx=-10, dy=-10, color=INK, fontWeight="bold").encode(x="x:Q", y="y:Q", text="label:N")
    )


def _thinned(size: int, most: int = 400) -> Sequence[int]:
    return range(size) if size <= most else sorted({round(i * (size - 1) / (most - 1)) for i in range(most)})


def accuracy_against_tokens(rows: Sequence[Row], curve: Sequence[CurvePoint] = (), label: str = "this run") -> Chart:
    """Accuracy against mean tokens a question (log scale): this run, its families, and voting's frontier where it is known.

    Silence counts as not right; the hollow dot shows the run had it said what it withheld.
    """
    alt = altair_or_refuse()
    here, families = _cost_points(rows, label)
    line = [
        {"x": p.tokens, "y": p.accuracy, "low": p.low, "high": p.high, "k": f"@{p.k}" if p.k & (p.k - 1) == 0 else ""}
        for p in curve
    ]
    x, y = _tokens_axis(alt), _share(alt, "y", "share right of all questions")
    layers = _frontier(alt, line, x, y)
    if len(families) > 1:
        for side, dx in (("left", 8), ("right", -8)):  # labels point away from the run
            few = alt.Chart(data_of(_apart([p for p in families if (p["x"] >= here["x"]) == (side == "left")])))
            layers.append(few.mark_circle(size=46, color=WRONG, opacity=1).encode(x=x, y=y))
            words = few.mark_text(align=side, dx=dx, color=MUTED, fontSize=11)
            layers.append(words.encode(x=x, y="label_y:Q", text="label:N"))
    if here["unwithheld"] - here["y"] > 0.005:
        silent = {**here, "y": here["unwithheld"], "label": "had it answered all"}
        layers += _marked(alt, silent, x, y, side="above", hollow=True)
    layers += _marked(alt, here, x, y, side="below" if here["unwithheld"] - here["y"] < 0.12 else "above")
    return _styled(alt.layer(*layers), "Accuracy against tokens")


def _cost_points(rows: Sequence[Row], label: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    graded = [row for row in rows if row.correct is not None]
    groups = {family: [row for row in graded if row.family == family] for family in sorted({r.family for r in graded})}
    points = [
        {
            "label": brief(name, 24) or "no family",
            "x": max(1.0, sum(row.cost.tokens for row in group) / len(group)),
            "y": sum(ending(row) == "right" for row in group) / len(group),
            "unwithheld": sum(right(row) for row in group) / len(group),
        }
        for name, group in [(label, graded), *groups.items()]
    ]
    return points[0], points[1:]


def _apart(points: Sequence[dict[str, Any]], gap: float = 0.05) -> list[dict[str, Any]]:
    """The points with a height for each label, pushed up where it would cover the label below it."""
    placed: list[dict[str, Any]] = []
    for point in sorted(points, key=lambda p: p["y"]):
        near = [p["label_y"] for p in placed if abs(np.log(p["x"] / point["x"])) < 0.45]
        placed.append({**point, "label_y": min(1.0, max([point["y"], *(height + gap for height in near)]))})
    return placed


def pareto(
    points: Iterable[tuple[str, float, float, float, float]], frontier: Iterable[tuple[int, float, float, float, float]]
) -> Chart:
    """Systems as (name, tokens, accuracy, low, high) beside the curve to beat, (k, tokens, accuracy, low, high)."""
    alt = altair_or_refuse()
    x, y = _tokens_axis(alt), _share(alt, "y", "share right of all questions", zero=False)
    curve = [{"x": t, "y": a, "low": low, "high": high, "k": f"@{k}"} for k, t, a, low, high in frontier]
    layers = _frontier(alt, curve, x, y)
    found: list[dict[str, Any]] = [
        {"x": t, "y": a, "low": low, "high": high, "label": brief(name, 28)} for name, t, a, low, high in points
    ]
    heights = [point["y"] for point in (*found, *curve)]
    apart = _apart(found, gap=0.045 * max(max(heights) - min(heights), 0.1) if heights else 0.0)
    for part in zip(*(_marked(alt, point, x, y) for point in apart), strict=True):  # all bars, then all dots, then all names
        layers += part
    return _styled(alt.layer(*layers), "Accuracy against tokens", width=2 * WIDTH, height=int(1.4 * HEIGHT))


def _frontier(alt: Any, curve: list[dict[str, Any]], x: Any, y: Any) -> list[Chart]:
    if not curve:
        return []
    base = alt.Chart(data_of(curve))
    return [
        base.mark_area(color=FAINT).encode(x=x, y=alt.Y("low:Q"), y2="high:Q"),
        base.mark_line(color=MUTED, strokeWidth=1.5, point={"filled": True, "fill": MUTED, "size": 22}).encode(x=x, y=y),
        base.mark_text(dy=12, color=MUTED, fontSize=11).encode(x=x, y=y, text="k:N"),
    ]


def _marked(
    alt: Any, point: dict[str, Any], x: Any, y: Any, *, side: Literal["above", "below", "right"] = "right", hollow: bool = False
) -> list[Chart]:
    base, small = alt.Chart(data_of([{"label_y": point["y"], **point}])), side == "right"
    fill = {"fill": None, "stroke": MUTED} if hollow else {"fill": ACCENT, "stroke": PAPER}
    dot = base.mark_circle(size=60 if small or hollow else 130, strokeWidth=1.5, opacity=1, **fill).encode(x=x, y=y)
    places: dict[str, dict[str, Any]] = {"right": {"align": "left", "dx": 9, "dy": -7}, "above": {"dy": -16}, "below": {"dy": 18}}
    colour, weight = (MUTED, "normal") if hollow else (INK, "normal" if small else "bold")
    words = base.mark_text(color=colour, fontWeight=weight, **places[side]).encode(x=x, y="label_y:Q", text="label:N")
    if "low" not in point:
        return [dot, words]
    return [base.mark_rule(color=ACCENT_SOFT, strokeWidth=2).encode(x=x, y=alt.Y("low:Q"), y2="high:Q"), dot, words]


def confidence_histogram(rows: Sequence[Row], bins: int = 20) -> Chart:
    """How often each confidence is stated: right answers upwards, wrong ones downwards (ungraded ones upwards, alone)."""
    alt, stated = altair_or_refuse(), [row for row in rows if row.stated is not None and said(row) is not None]
    counts: dict[tuple[int, str], int] = {}
    for row in stated:
        name = "answered" if row.correct is None else "right" if row.correct >= 0.5 else "wrong"
        key = (min(bins - 1, int((row.stated or 0.0) * bins)), name)
        counts[key] = counts.get(key, 0) + 1
    bars = [
        {"low": b / bins, "high": (b + 1) / bins - 0.006, "n": -n if name == "wrong" else n, "zero": 0, "ending": name}
        for (b, name), n in sorted(counts.items())
    ]
    chart = alt.Chart(data_of(bars)).mark_rect().encode(
        x=_share(alt, "low", "stated confidence"), x2="high:Q", y2="zero:Q",
        y=alt.Y("n:Q", title="questions", axis=alt.Axis(labelExpr="format(abs(datum.value), ',d')", tickCount=5)),
        color=_endings(alt, ["right", "wrong"] if any(b["ending"] != "answered" for b in bars) else ["answered"]),
    )  # fmt: skip
    return _styled(chart, "Confidence, right and wrong")


def token_shares(rows: Sequence[Row]) -> Chart:
    """Where the tokens went: per family, tokens spent on questions that ended right, wrong, without an answer, in failure."""
    alt, spent = altair_or_refuse(), dict[tuple[str, str], int]()
    for row in rows:
        key = (brief(row.family, 24) or "questions", ending(row))
        spent[key] = spent.get(key, 0) + row.cost.tokens
    order = [name for name in ENDINGS if any(end == name for _, end in spent)]
    bars = [{"family": f, "ending": e, "tokens": t, "order": order.index(e)} for (f, e), t in spent.items()]
    chart = alt.Chart(data_of(bars)).mark_bar(height={"band": 0.62}, stroke=PAPER, strokeWidth=0.5).encode(
        y=alt.Y("family:N", title=None, sort="-x", axis=alt.Axis(labelColor=INK, labelFontSize=12)),
        x=alt.X("sum(tokens):Q", title="tokens", axis=alt.Axis(tickCount=5, format="~s")),
        color=_endings(alt, order), order="order:Q",
    )  # fmt: skip
    return _styled(chart, "Where the tokens went", height=90 + 34 * len(grid(rows).families))


def _endings(alt: Any, names: Sequence[str]) -> Any:
    return alt.Color("ending:N", scale=alt.Scale(domain=list(names), range=[ENDINGS[name] for name in names]), sort=list(names))


def _share(alt: Any, field: str, title: str, top: float = 1.0, zero: bool = True) -> Any:
    scale = alt.Scale(domain=[0, top], nice=False, clamp=True) if zero else alt.Scale(zero=False, nice=True)
    kind = alt.X if field in ("x", "low") else alt.Y
    return kind(f"{field}:Q", title=title, scale=scale, axis=alt.Axis(format=".0%" if top > 0.08 else ".1%", tickCount=5))


def _tokens_axis(alt: Any) -> Any:
    axis = alt.Axis(format="~s", tickCount=5, labelOverlap="greedy", labelSeparation=8, grid=False)
    return alt.X("x:Q", title="mean tokens a question (log scale)", scale=alt.Scale(type="log", nice=False, padding=40), axis=axis)


def _styled(chart: Chart, title: str, width: int = WIDTH, height: int = HEIGHT) -> Chart:
    fit = {"type": "fit", "contains": "padding"}
    return chart.properties(width=width, height=height, description=title, autosize=fit).configure(**theme())


def data_of(values: Sequence[dict[str, Any]]) -> Any:
    """Rows as a chart's data."""
    return altair_or_refuse().Data(values=list(values))


def altair_or_refuse() -> Any:
    """The drawing library. Raises CapabilityError saying how to get it where it is not there."""
    try:
        import altair
        import vl_convert  # noqa: F401  # charts are of no use without it
    except ImportError as error:
        raise missing_extra(error) from None
    return altair


def missing_extra(error: ImportError) -> CapabilityError:
    """The error that says how to get what a report needs."""
    return CapabilityError(f"library {error.name}", "the report", "pip install 'nosce[report]'")


def svg(chart: Chart) -> str:
    """The chart as one SVG element."""
    import vl_convert

    drawn: str = vl_convert.vegalite_to_svg(chart.to_dict(), vl_version=_version())
    return drawn


def png(chart: Chart, scale: float = 2.0) -> bytes:
    """The chart as a PNG at twice the nominal size."""
    import vl_convert

    drawn: bytes = vl_convert.vegalite_to_png(chart.to_dict(), vl_version=_version(), scale=scale)
    return drawn


def _version() -> str:
    return ".".join(str(altair_or_refuse().SCHEMA_VERSION).lstrip("v").split(".")[:2])


def save(charts: dict[str, Chart], folder: Path) -> list[Path]:
    """Write every chart as `name.svg` and `name.png`; returns the paths. Raises JournalError when that is not possible."""
    paths = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, chart in charts.items():
            (folder / f"{name}.svg").write_text(svg(chart), encoding="utf-8")
            (folder / f"{name}.png").write_bytes(png(chart))
            paths += [folder / f"{name}.svg", folder / f"{name}.png"]
    except OSError as error:
        raise JournalError(f"{folder}: charts cannot be written: {error.strerror or error}") from None
    return paths
