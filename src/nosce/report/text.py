"""Numbers and model text, made fit to be read."""

from __future__ import annotations

import re

from nosce.core.cost import Cost
from nosce.metrics.estimate import Estimate

_CONTROL = {code: 0x2400 + code for code in range(32) if chr(code) not in "\n\t"} | {127: 0x2421}
_HIDDEN = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F], 0xFFFD)
_STEP = re.compile(r"\s*(<s\d+>|<ans>|<check>|<revise>|<fault>)")


def shown(text: str) -> str:
    """Model text that cannot act on what displays it.

    Control characters become their visible pictures, direction marks and lone surrogates the replacement character, so that
    neither a terminal nor a page can be steered by it.
    """
    whole = text.translate(_CONTROL).translate(_HIDDEN)
    return whole.encode("utf-8", "replace").decode("utf-8") if not whole.isascii() else whole


def laid_out(text: str) -> str:
    """`shown`, with each numbered step of the bundled model's thoughts on a line of its own."""
    return _STEP.sub(r"\n\1", shown(text)).strip()


def brief(text: str, most: int = 72) -> str:
    """`shown` on one line, cut to at most `most` characters."""
    line = " ".join(shown(text).split())
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"


def percent(share: float, digits: int = 1) -> str:
    """0.8312 as `83.1%`."""
    return f"{100 * share:.{digits}f}%"


def reach(estimate: Estimate) -> float:
    """Half the width of the interval: what stands after the ±."""
    return (estimate.interval[1] - estimate.interval[0]) / 2


def percent_of(estimate: Estimate | None) -> str:
    """`83.1% ± 3.3`, or a dash where nothing was measured."""
    return "–" if estimate is None else f"{percent(estimate.value)} ± {100 * reach(estimate):.1f}"


def points_of(estimate: Estimate | None) -> str:
    """A difference in points: `+2.1 ± 1.4`."""
    return "–" if estimate is None else f"{100 * estimate.value:+.1f} ± {100 * reach(estimate):.1f}"


def share_of(estimate: Estimate | None) -> str:
    """A measure in [0, 1]: `0.871 ± 0.021`."""
    return "–" if estimate is None else f"{estimate.value:.3f} ± {reach(estimate):.3f}"


def count(number: float) -> str:
    """12345 as `12,345`."""
    return f"{number:,.0f}"


def duration(seconds: float) -> str:
    """75 as `1 min 15 s`."""
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def price(cost: Cost) -> str:
    """`1,204 tokens in 16 calls`, with the money where there is any."""
    said = f"{count(cost.tokens)} tokens in {count(cost.calls)} call{'' if cost.calls == 1 else 's'}"
    return f"{said}, ${cost.money:.4f}" if cost.money else said


def twice(in_flight: int) -> list[str]:
    """The sentence about calls that were open when a run was killed; none where none were."""
    calls = f"{in_flight} call{' was' if in_flight == 1 else 's were'}"
    return [f"{calls} in flight when the run was stopped and may have been paid twice"] if in_flight else []
