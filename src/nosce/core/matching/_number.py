"""Answers that are numbers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from nosce.core.errors import InputError
from nosce.core.matching._text import accepted, plain

if TYPE_CHECKING:
    from nosce.core.problem import Problem

_SCALES = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_SIGNS = str.maketrans({"−": "-", "–": "-", "×": "x", "\u00a0": " ", "\u202f": " ", "⁄": "/"})
_NUMBER = re.compile(
    r"""(?:[A-Za-z]\w*\s*=\s*|=\s*)?              # x =
    (?P<sign>[-+]?)\s*[$€£¥]?\s*(?P<inner>[-+]?)  # -$12 and $-12
    (?P<whole>\d{1,3}(?:,\d{3})+|\d+)?(?P<decimals>\.\d+|\.(?!\d))?
    (?:\s*[eE](?P<power>[-+]?\d+)|\s*[x*]\s*10\s*(?:\^|\*\*)\s*\{?(?P<ten>[-+]?\d+)\}?)?
    (?:(?P<mixed>\s+\d+)?\s*/\s*(?P<below>\d+))?
    (?P<percent>\s*%)?
    (?P<rest>[^\d]*)""",
    re.VERBOSE | re.ASCII,
)
_UNIT = re.compile(r"(?:\s*(?:[^\W\d_]|[°$€£¥µ])[^\s\d=+*]*){0,4}\s*")
_LONGEST, _LARGEST_POWER = 300, 400


def parse_number(text: str) -> Fraction | None:
    """The number that a text says, exactly; None when it says none or more than one.

    Read are signs, `1,234`, `3/4`, `1 1/2`, `1.5e3`, `1.5 x 10^3`, `50%` (a half), currency signs, `x = 5`, the words
    thousand to trillion, and up to four words of unit behind the number.
    """
    text = text.strip().strip("$\\ ") if text.strip().startswith(("$", "\\")) else text.strip()
    if not text or len(text) > _LONGEST:
        return None
    match = _NUMBER.fullmatch(text.translate(_SIGNS).rstrip(".").strip())
    if match is None or not _number_like(match):
        return None
    value = _value(match)
    word = match["rest"].split()[0].lower().strip(".,") if match["rest"].split() else ""
    if value is None or not (_UNIT.fullmatch(match["rest"]) or not match["rest"].strip()):
        return None
    return value * _SCALES.get(word, 1)


def _number_like(match: re.Match[str]) -> bool:
    decimals = match["decimals"] not in (None, ".")
    mixed_is_whole = match["mixed"] is None or (match["decimals"] is None and match["whole"] is not None)
    return (match["whole"] is not None or decimals) and mixed_is_whole and not (match["sign"] and match["inner"])


def _value(match: re.Match[str]) -> Fraction | None:
    power = match["power"] or match["ten"] or "0"
    if len(power) > 5 or abs(int(power)) > _LARGEST_POWER:
        return None
    decimals = (match["decimals"] or "").removesuffix(".") if match["decimals"] == "." else match["decimals"] or ""
    value = Fraction(f"{(match['whole'] or '0').replace(',', '')}{decimals}") * Fraction(10) ** int(power)
    if match["below"] is not None:
        below = int(match["below"])
        if below == 0:
            return None
        value = value + Fraction(int(match["mixed"]), below) if match["mixed"] else value / below
    if match["percent"]:
        value /= 100
    return -value if "-" in (match["sign"], match["inner"]) else value


@dataclass(frozen=True, slots=True)
class Number:
    """Numbers are the same when |a - b| <= max(tolerance, relative · max(|a|, |b|)); the default is exact equality.

    A percentage may be read as a share or as its figure: `50%` is the same as `0.5` and as `50`. Text that says no
    number is compared as text. A reference that is a list accepts any of its members.
    """

    tolerance: float = 0.0
    relative: float = 0.0

    def __post_init__(self) -> None:
        if not (0 <= self.tolerance < float("inf") and 0 <= self.relative < float("inf")):
            raise InputError(f"tolerance {self.tolerance}, relative {self.relative}: expected finite numbers >= 0")

    def key(self, answer: str) -> str:
        """The number as a fraction in lowest terms, or the plain text."""
        value = parse_number(answer)
        return f"text {plain(answer)}" if value is None else str(value)

    def same(self, a: str, b: str) -> bool:
        """Whether some reading of one is within the tolerance of some reading of the other."""
        mine, theirs = _readings(a), _readings(b)
        if not mine or not theirs:
            return self.key(a) == self.key(b)
        return any(self._near(x, y) for x in mine for y in theirs)

    def grade(self, answer: str, reference: Any, problem: Problem) -> float:
        """1 for the number of the reference, else 0."""
        return float(any(self.same(answer, one) for one in accepted(reference)))

    def _near(self, x: Fraction, y: Fraction) -> bool:
        return abs(x - y) <= max(Fraction(self.tolerance), Fraction(self.relative) * max(abs(x), abs(y)))


def _readings(text: str) -> list[Fraction]:
    value = parse_number(text)
    if value is None:
        return []
    return [value, value * 100] if "%" in text else [value]
