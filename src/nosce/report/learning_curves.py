"""Learning curves of many recipes, a panel each. Needs the extra `nosce[report]`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nosce.report.charts import Chart, altair_or_refuse, data_of
from nosce.report.palette import ACCENT, ACCENT_SOFT, INK, MUTED, WRONG, theme

WIDTH, HEIGHT, COLUMNS, POINTS = 190, 120, 4, 25

Curve = Sequence[Mapping[str, float]]
"""Looks at development problems: step, rollout_tokens, accuracy."""


def learning_curves(panels: Sequence[Mapping[str, Any]]) -> Chart:
    """One panel a recipe: its mean accuracy over seeds with the band from lowest to highest, GRPO's and SFT's means beside it.

    A panel holds `name`, `verdict`, and the curves of each seed of `ours`, `grpo` and `sft` (either may be None).
    """
    alt = altair_or_refuse()
    drawn = [_panel(alt, panel) for panel in panels]
    joined = alt.vconcat(_key(alt), alt.concat(*drawn, columns=COLUMNS, spacing=22), spacing=16)
    titled = {**theme(), "title": {"anchor": "start", "offset": 6}}
    return joined.properties(description="Learning curves", padding=12).configure(**titled)


def _panel(alt: Any, panel: Mapping[str, Any]) -> Chart:
    points = [point for curve in (*panel["ours"], *(panel["grpo"] or ())) for point in curve]
    most = max(point["rollout_tokens"] for point in points) or max(point["step"] for point in points)
    ours = band(panel["ours"], most)
    lines = {name: band(panel[name], most) for name in ("grpo", "sft") if panel[name]}
    seen = [row[end] for row in ours for end in ("low", "high")] + [row["mean"] for line in lines.values() for row in line]
    middle, half = (min(seen) + max(seen)) / 2, max((max(seen) - min(seen)) * 0.55, 0.08)
    scale = alt.Scale(domain=[max(0.0, middle - half), min(1.0, middle + half)], nice=False, zero=False)
    share = {"title": None, "scale": scale, "axis": alt.Axis(format=".0%", tickCount=4, minExtent=34)}
    axis = alt.Axis(format="~s", tickCount=3, grid=False, labelFlush=True)
    x = alt.X("x:Q", title=None, axis=axis, scale=alt.Scale(domain=[0, most], nice=False))
    base = alt.Chart(data_of(ours))
    layers = [base.mark_area(color=ACCENT_SOFT).encode(x=x, y=alt.Y("low:Q", **share), y2="high:Q")]
    for name, dash in (("sft", [4, 3]), ("grpo", [1, 0])):
        if name in lines:
            line = alt.Chart(data_of(lines[name])).mark_line(color=WRONG, strokeWidth=1.6, strokeDash=dash)
            layers.append(line.encode(x=x, y=alt.Y("mean:Q", **share)))
    layers.append(base.mark_line(color=ACCENT, strokeWidth=2.2).encode(x=x, y=alt.Y("mean:Q", **share)))
    title = alt.TitleParams(
        panel["name"], subtitle=panel["verdict"], color=INK, fontSize=12, subtitleFontSize=11,
        subtitleColor=ACCENT if panel["verdict"] == "effect seen" else MUTED,
    )  # fmt: skip
    return alt.layer(*layers).properties(width=WIDTH, height=HEIGHT, title=title)


def band(curves: Sequence[Curve], most: float) -> list[dict[str, float]]:
    """Lowest, mean and highest accuracy of several seeds at the same places, up to where the first of them ends.

    A curve without rollout tokens is laid over the whole width by the share of its steps.
    """
    lines = [([_place(point, curve, most) for point in curve], [point["accuracy"] for point in curve]) for curve in curves]
    places = np.linspace(0.0, min(xs[-1] for xs, _ in lines), POINTS)
    heights = np.array([np.interp(places, xs, ys) for xs, ys in lines])
    columns = (heights.min(axis=0), heights.mean(axis=0), heights.max(axis=0))
    return [
        {"x": float(x), "low": float(low), "mean": float(mean), "high": float(high)}
        for x, low, mean, high in zip(places, *columns, strict=True)
    ]


def _place(point: Mapping[str, float], curve: Curve, most: float) -> float:
    if curve[-1]["rollout_tokens"]:
        return point["rollout_tokens"]
    return most * point["step"] / max(curve[-1]["step"], 1.0)


def _key(alt: Any) -> Chart:
    marks = [(0, "the recipe, lowest to highest seed", ACCENT, [1, 0]), (250, "GRPO", WRONG, [1, 0]), (330, "SFT", WRONG, [4, 3])]
    parts = []
    for left, label, colour, dash in marks:
        one = alt.Chart(data_of([{"label": label}]))
        line = one.mark_rule(color=colour, strokeWidth=2.2, strokeDash=dash)
        parts.append(line.encode(x=alt.value(left), x2=alt.value(left + 24), y=alt.value(7)))
        words = one.mark_text(align="left", color=MUTED, fontSize=12)
        parts.append(words.encode(x=alt.value(left + 30), y=alt.value(7), text="label:N"))
    return alt.layer(*parts).properties(width=800, height=14)
