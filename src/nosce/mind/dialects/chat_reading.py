"""Reading plain-text replies. Nothing here raises, whatever the text."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from nosce.core.problem import Problem
from nosce.mind.dialects.base import Critique, Foresight, Reply

_ANSWER = re.compile(r"\banswer\b[*_ ]*(?:is\b[*_ ]*[:=]?|[:=])[ \t]*([^\n]*)", re.I)
_BOXED = re.compile(r"\\boxed\{([^{}]*(?:\{[^{}]*\}[^{}]*)*)\}")
_NUMBER = re.compile(r"[-+]?\d[\d,]*(?:\.\d+)?(?:/\d+)?")
_WORDS = re.compile(r"\b(?:true|false|yes|no|correct|incorrect|wrong|right)\b", re.I)
_YES = frozenset({"true", "yes", "correct", "right", "a"})
_NO = frozenset({"false", "no", "incorrect", "wrong", "b"})


def answer(text: str, problem: Problem, *, bare: bool = False) -> str | None:
    """The stated answer: the last `Answer:` line, else the last `\\boxed{}`, else (bare) the text or its last number."""
    found = [m.strip() for m in _ANSWER.findall(text) if m.strip(" *_`.")] or _BOXED.findall(text)
    said = found[-1] if found else _bare(text) if bare else None
    if said is None:
        return None
    said = said.strip("*_`\"' .")
    return (_choice(said, problem.choices) if problem.choices else said) or None


def _bare(text: str) -> str | None:
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    if len(lines) == 1 and len(lines[0]) <= 80:
        return lines[0]
    numbers = _NUMBER.findall(text)
    return numbers[-1] if numbers else None


def _choice(said: str, choices: Sequence[str]) -> str:
    letter = re.match(r"\(?([A-Za-z])(?:[).:]|\s|$)", said)
    if letter and 0 <= (place := ord(letter[1].upper()) - 65) < len(choices):
        return choices[place]
    return next((choice for choice in choices if choice.lower() == said.lower()), said)


def true_probability(reply: Reply) -> float | None:
    """P(True): from the alternatives of the first token that says either, else 1 or 0 from the word itself, else None."""
    for alternatives in reply.top or ():
        yes = sum(math.exp(lp) for token, lp in alternatives if _bare_word(token) in _YES)
        no = sum(math.exp(lp) for token, lp in alternatives if _bare_word(token) in _NO)
        if yes + no > 0.1:
            return min(1.0, yes / (yes + no))
    word = _WORDS.search(reply.text)
    return None if word is None else float(word[0].lower() in _YES)


def _bare_word(token: str) -> str:
    return re.sub(r"[^a-z]", "", token.lower())


def percent(text: str, label: str) -> float | None:
    """A percentage after `label:` (or anywhere), in [0, 1]; `0.8`, `80` and `80%` all read as 0.8."""
    after = re.search(rf"{label}\W*?(\d+(?:\.\d+)?)\s*(%?)", text, re.I) or re.search(r"(\d+(?:\.\d+)?)\s*(%?)", text)
    if after is None:
        return None
    value = float(after[1][:12])
    value = value if not after[2] and value <= 1 and "." in after[1] else value / 100
    return value if 0 <= value <= 1 else None


def foresight(text: str) -> Foresight | None:
    """`Chance: 70%` and `Words: 40`; words become tokens at 4/3 each. None when no chance is stated."""
    chance = percent(text, "chance")
    words = re.search(r"words\W*?(\d{1,6})", text, re.I)
    return None if chance is None else Foresight(chance, int(words[1]) * 4 / 3 if words else None)


def critique(text: str) -> Critique:
    """`First wrong step: 2`; none, no number, or nothing readable is a critique without a step."""
    stated = re.search(r"(?:first\s+)?wrong\s+step\W*?(none|no\b|\d{1,4})", text, re.I) or re.search(
        r"step\s+(\d{1,4})\s+(?:is|was)\s+(?:wrong|incorrect)", text, re.I
    )
    why = re.search(r"why\W*([^\n]+)", text, re.I)
    step = int(stated[1]) if stated and stated[1].isdigit() else None
    return Critique(step or None, why[1].strip() if why else "")


def index(text: str, count: int) -> int | None:
    """The number of the preferred option, 0-based; None when no valid one is named."""
    stated = re.search(r"choice\W*?(\d{1,4})", text, re.I) or re.search(r"\b(\d{1,4})\b", text)
    if stated is not None and 1 <= int(stated[1]) <= count:
        return int(stated[1]) - 1
    return None


def named(text: str, options: Sequence[str]) -> str | None:
    """The option whose name (before its colon) the reply gives: after `Method:` first, else the first mentioned."""
    names = [option.partition(":")[0].strip() for option in options]
    for place in (labelled(text, "method") or "", text):
        spots = [(place.lower().find(name.lower()), name) for name in names if name and name.lower() in place.lower()]
        if spots:
            return min(spots, key=lambda spot: (spot[0], -len(spot[1])))[1]
    number = index(text, len(names))
    return None if number is None else names[number]


def labelled(text: str, label: str | None) -> str | None:
    """What follows `label:` on its line, None without it."""
    found = re.search(rf"{label}\s*:\s*([^\n]+)", text, re.I) if label else None
    return found[1].strip() if found else None


def steps(text: str) -> list[str]:
    """Numbered steps, or the lines where none are numbered; the answer line is no step."""
    lines = [line.strip() for line in text.splitlines() if line.strip() and not _ANSWER.match(line)]
    numbered = [line for line in lines if re.match(r"(?:step\s*)?\d{1,3}[.):]", line, re.I)]
    return numbered or lines
