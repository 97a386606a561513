"""One accent colour and four greys, in light; the page gives each its counterpart in the dark."""

from __future__ import annotations

from typing import Any

ACCENT = "#0f6b62"
ACCENT_SOFT = "#cfe4df"
INK = "#1c2326"
MUTED = "#6a7479"
WRONG = "#a9b1b5"
PALE = "#d3d9db"
FAINT = "#e3e7e8"
PAPER = "#ffffff"

FONT = "Helvetica Neue, Helvetica, Arial, Liberation Sans, sans-serif"


def theme() -> dict[str, Any]:
    """The configuration that every chart shares: no frame, hairline grid, labels in grey."""
    axis = {
        "labelColor": MUTED, "titleColor": MUTED, "labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal",
        "titlePadding": 8, "domain": False, "ticks": False, "gridColor": FAINT, "labelPadding": 6,
    }  # fmt: skip
    return {
        "background": PAPER,
        "font": FONT,
        "view": {"stroke": None},
        "axis": axis,
        "legend": {"labelColor": MUTED, "title": None, "orient": "top", "labelFontSize": 12, "symbolType": "square"},
        "text": {"color": INK, "fontSize": 11},
    }
