"""One lesson, and when two questions or two answers are the same."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from sqlite3 import Row
from typing import Literal

from nosce.core.equivalence import Equivalence

State = Literal["proposed", "approved", "rejected"]
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_WORD = re.compile(r"[^\W_]+")
_SIGN = re.compile(r"\d+(?:[.,]\d+)*|[^\w\s.,;:!?'\"]")
_EMPTY = frozenset(
    """a about an and are at be by can could did do does find for from get give had has have how i if in into is it its let many
    me much my name of on or our please say show should tell than that the their there these they this to us was we were what
    when where which who whom whose why will with would you your""".split()  # noqa: SIM905
)
"""Words that change how a question is put, and seldom what is asked."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """One lesson: what was asked, what the right answer is, where it comes from and how far it is trusted.

    origin: `audit` (an auditor found it right), `feedback` (the asker said that the model's answer was), `asker` (the asker's
    own words). trust in [0, 1]: 1 where an auditor or an operator vouches, else how often this key's feedback agreed with
    audits. confirmed, refuted: later audits of the same question. used: how often it was recalled. gist: see `gist`.
    """

    id: int
    key_id: str
    at: float
    trace_id: str
    frame: str
    question: str
    gist: str
    text: str
    state: str
    origin: str
    trust: float | None
    decided: float | None
    by: str | None
    expires: float | None
    confirmed: int
    refuted: int
    used: int

    @classmethod
    def of(cls, row: Row) -> Lesson:
        """A row as a lesson."""
        return cls(**{name: row[name] for name in cls.__slots__})

    @property
    def vouchers(self) -> int:
        """How many found it right: who approved it, and later audits."""
        return 1 + self.confirmed


def asked(question: str) -> str:
    """The wording of a question: in Unicode's normal form, without case and with single spaces."""
    return " ".join(unicodedata.normalize("NFKC", question).casefold().split())


def gist(question: str) -> str:
    """What is asked, however it is put: the words that carry meaning, in alphabetical order, then numbers and signs as they came.

    Two wordings of one question share it. So may two questions (`does Ann like Tom`, `does Tom like Ann`): whoever takes
    lessons of one gist for rivals, or for one claim, errs on the safe side.
    """
    wording = asked(question)
    words = _WORD.findall(wording)
    return " ".join(sorted([word for word in words if word not in _EMPTY] or words)) + "|" + " ".join(_SIGN.findall(wording))


def within(a: str, b: str) -> bool:
    """Whether one of two gists says no more than the other: `hat tom` is within `hat old tom`, and not within `coat tom`."""
    one, other = set(a.partition("|")[0].split()), set(b.partition("|")[0].split())
    return one <= other or other <= one


def numbers(text: str) -> list[str]:
    """The numbers of a text."""
    return _NUMBER.findall(text)


def alike(a: str, b: str) -> bool:
    """Whether two answers say the same."""
    return Equivalence("number").same(a, b)
