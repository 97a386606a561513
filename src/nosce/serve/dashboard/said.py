"""Times, costs and differences, as a page says them."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

from nosce.report.text import brief

if TYPE_CHECKING:
    from markupsafe import Markup


def moment(at: float) -> str:
    """`14:03:27` today, `24 Nov 14:03` before; the server's own time."""
    then = time.localtime(at)
    return time.strftime("%H:%M:%S" if then[:3] == time.localtime()[:3] else "%-d %b %H:%M", then)


def iso(at: float) -> str:
    """For machines: UTC."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))


def ago(at: float) -> str:
    """`just now`, `4 min ago`, `2 h ago`, `3 days ago`."""
    past = max(0.0, time.time() - at)
    for size, name in ((86_400, "day"), (3600, "h"), (60, "min")):
        if past >= size:
            n = int(past // size)
            return f"{n} {name}{'s' if name == 'day' and n > 1 else ''} ago"
    return "just now"


def seconds(value: float | None) -> str:
    """`24 ms`, `1.32 s`, `2 min 5 s`."""
    if value is None:
        return "–"
    if value < 1:
        return f"{1000 * value:.0f} ms"
    if value < 60:
        return f"{value:.2f} s" if value < 10 else f"{value:.1f} s"
    return f"{int(value // 60)} min {int(value % 60)} s"


def money(value: float) -> str:
    """Dollars with as many places as they need: `$0.0031`, `$12.40`; a dash for nothing."""
    if not value:
        return "–"
    return f"${value:,.2f}" if value >= 1 else f"${value:.4f}" if value >= 0.001 else f"${value:.6f}"


def points(value: float) -> str:
    """A difference of shares in points: `+2.1`, `−0.4`."""
    return f"{100 * value:+.1f}".replace("-", "−") if round(1000 * value) else "0"


def short(value: float) -> str:
    """`812`, `12.4k`, `3.1M`: for where there is little room."""
    sign, size = ("−" if value < 0 else ""), abs(value)
    for limit, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if size >= limit:
            scaled = size / limit
            return f"{sign}{scaled:.1f}".removesuffix(".0") + unit if scaled < 100 else f"{sign}{scaled:.0f}{unit}"
    return f"{sign}{size:.0f}"


def sureness(value: float) -> str:
    """A confidence: `74%`; what is no certainty does not read as one: `>99%`, `<1%`."""
    return ">99%" if 0.995 <= value < 1 else "<1%" if 0 < value < 0.005 else f"{100 * value:.0f}%"


def question(asked: str, most: int = 80) -> str:
    """What a model was asked last, on one line, without the control tokens and names of roles that a dialect puts around it."""
    last = asked.rpartition("[user] ")[2] if asked.startswith("[") else asked
    return brief(_CONTROL.sub(" ", last), most)


def worded(text: str, most: int = 300) -> Markup:
    """A reason on one line, with what stands between backticks as code."""
    from markupsafe import Markup, escape

    pieces = brief(text, most).split("`")
    last = len(pieces) - 1
    marked = (Markup("<code>{}</code>").format(piece) if i % 2 and i < last else escape(piece) for i, piece in enumerate(pieces))
    return Markup("").join(marked)


def clipped(text: str, most: int = 20_000) -> str:
    """A text of at most so many characters, and how many there are beyond."""
    return text if len(text) <= most else f"{text[:most]}…\n({len(text) - most:,} more characters, in the JSON)"


def zone() -> str:
    """The time zone of all times on the pages: `UTC`, or `CET (UTC+01:00)`."""
    name, ahead = time.strftime("%Z"), time.strftime("%z")
    return name if name == "UTC" else f"{name} (UTC{ahead[:3]}:{ahead[3:]})"


def stamp(at: float) -> str:
    """A whole moment, for when it is pointed at: `2026-11-25 14:03:27 UTC`."""
    return time.strftime("%Y-%m-%d %H:%M:%S %Z", time.localtime(at))


_CONTROL = re.compile(r"<(?:q|think|ans|verify|plan|foresee)>")
