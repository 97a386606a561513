"""Charts as SVG that keeps its type size at any width: places are shares of the drawing, text and dots are in pixels."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markupsafe import Markup

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Axis:
    """From `low` to `high`; a label at each of `ticks`, written by `said`; `title` says what is measured."""

    low: float
    high: float
    ticks: Sequence[float]
    said: Callable[[float], str]
    title: str = ""

    def share(self, value: float) -> float:
        """Where a value lies between low (0) and high (1), cut off at both ends."""
        return min(1.0, max(0.0, (value - self.low) / ((self.high - self.low) or 1.0)))


def shares(title: str, most: float = 1.0) -> Axis:
    """An axis of shares from 0, in percent, with round ticks; it ends at the first tick at or above `most`."""
    steps = (0.01, 0.02, 0.05, 0.1, 0.2)
    step = next((size for size in steps if most / size <= 8.0001), 0.2)
    ticks = max(1, -int(-most / step // 1)) if most > step else 1
    return Axis(0.0, ticks * step, [i * step for i in range(ticks + 1)], lambda v: f"{100 * v:.0f}%", title)


def amounts(title: str, most: float, said: Callable[[float], str]) -> Axis:
    """An axis of amounts from 0, with round ticks."""
    step = _round_step(most / 4)
    top = step * max(1, -(-most // step))
    return Axis(0.0, top, [i * step for i in range(round(top / step) + 1)], said, title)


def _round_step(rough: float) -> float:
    if rough <= 0:
        return 1.0
    size = 10.0 ** (len(f"{int(rough)}") - 1) if rough >= 1 else 1.0
    return next((size * k for k in (1, 2, 2.5, 5, 10) if size * k >= rough and (size * k).is_integer()), size * 10)


@dataclass(slots=True)
class Plot:
    """A drawing in the making. Marks are drawn in the order in which they are added; `label` is read out in its stead."""

    x: Axis
    y: Axis
    label: str
    shape: str = "square"
    _marks: list[str] = field(default_factory=list)

    def area(self, upper: Iterable[Point], lower: Iterable[Point], kind: str) -> Plot:
        """The area between two lines."""
        return self._path([*upper, *reversed(list(lower))], f"area {kind}", close=True)

    def line(self, points: Iterable[Point], kind: str) -> Plot:
        """A line through points."""
        return self._path(list(points), f"line {kind}")

    def dots(self, points: Iterable[tuple[float, float, float, str]], kind: str) -> Plot:
        """(x, y, radius in pixels, what it says when pointed at)."""
        for x, y, radius, title in points:
            at = f'cx="{self._x(x)}" cy="{self._y(y)}" r="{radius:.1f}"'
            self._marks.append(f'<circle class="dot {kind}" {at}><title>{_safe(title)}</title></circle>')
        return self

    def bars(self, spans: Iterable[tuple[float, float, float, float, str]], kind: str) -> Plot:
        """(left, right, bottom, top, what it says when pointed at)."""
        for left, right, bottom, top, title in spans:
            width, height = self.x.share(right) - self.x.share(left), self.y.share(top) - self.y.share(bottom)
            if height > 0:
                size = f'width="{100 * width:.3f}%" height="{100 * height:.3f}%"'
                at = f'x="{self._x(left)}" y="{self._y(top)}"'
                self._marks.append(f'<rect class="fill {kind}" {at} {size}><title>{_safe(title)}</title></rect>')
        return self

    def across(self, y: float, kind: str, said: str = "", *, end: bool = True) -> Plot:
        """A horizontal line through the whole drawing, with its name at its end or its start."""
        self._marks.append(f'<line class="rule {kind}" x1="0" x2="100%" y1="{self._y(y)}" y2="{self._y(y)}"/>')
        if said:
            x, dx, anchor = ("100%", -4, "end") if end else ("0", 4, "start")
            place = f'x="{x}" y="{self._y(y)}" dx="{dx}" dy="-7" text-anchor="{anchor}"'
            self._marks.append(f'<text class="said" {place}>{_safe(said)}</text>')
        return self

    def words(self, x: float, y: float, said: str, *, end: bool = False, kind: str = "strong", dy: int = -9) -> Plot:
        """Words beside a point."""
        anchor, dx = ("end", -10) if end else ("start", 10)
        place = f'x="{self._x(x)}" y="{self._y(y)}" dx="{dx}" dy="{dy}" text-anchor="{anchor}"'
        self._marks.append(f'<text class="said {kind}" {place}>{_safe(said)}</text>')
        return self

    def whiskers(self, spans: Iterable[tuple[float, float, float]], kind: str) -> Plot:
        """(x, low, high): vertical lines, for intervals."""
        for x, low, high in spans:
            place = f'x1="{self._x(x)}" x2="{self._x(x)}" y1="{self._y(high)}" y2="{self._y(low)}"'
            self._marks.append(f'<line class="whisker {kind}" {place}/>')
        return self

    def svg(self) -> Markup:
        """The drawing."""
        from markupsafe import Markup

        head = f'<svg class="plot {self.shape}" role="img" aria-label="{_safe(self.label)}">'
        return Markup("".join([head, *self._frame(), *self._marks, "</svg>"]))

    def _frame(self) -> Iterable[str]:
        for tick in self.y.ticks:
            yield f'<line class="grid" x1="0" x2="100%" y1="{self._y(tick)}" y2="{self._y(tick)}"/>'
            yield f'<text x="-9" y="{self._y(tick)}" dy="4" text-anchor="end">{_safe(self.y.said(tick))}</text>'
        for tick in self.x.ticks:
            yield f'<text x="{self._x(tick)}" y="100%" dy="20" text-anchor="middle">{_safe(self.x.said(tick))}</text>'
        yield f'<text x="-9" y="0" dx="-32" dy="-16" class="title">{_safe(self.y.title)}</text>'
        yield f'<text x="100%" y="100%" dy="40" text-anchor="end" class="title">{_safe(self.x.title)}</text>'

    def _path(self, points: Sequence[Point], kind: str, close: bool = False) -> Plot:
        if points:
            places = (f"{1000 * self.x.share(x):.1f} {1000 * (1 - self.y.share(y)):.1f}" for x, y in points)
            drawn = "M" + "L".join(places) + ("Z" if close else "")
            box = '<svg class="stretched" width="100%" height="100%" viewBox="0 0 1000 1000" preserveAspectRatio="none">'
            self._marks.append(f'{box}<path class="{kind}" d="{drawn}"/></svg>')
        return self

    def _x(self, value: float) -> str:
        return f"{100 * self.x.share(value):.3f}%"

    def _y(self, value: float) -> str:
        return f"{100 * (1 - self.y.share(value)):.3f}%"


def _safe(text: str) -> str:
    from html import escape

    return escape(text, quote=True)
