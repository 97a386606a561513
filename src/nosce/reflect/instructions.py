"""Instructions on how to think, and rules that tell whether a thought followed them."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

SCRIPTS = {
    "Russian": "CYRILLIC", "Greek": "GREEK", "Arabic": "ARABIC", "Hindi": "DEVANAGARI", "Korean": "HANGUL", "Hebrew": "HEBREW",
}  # fmt: skip
"""Languages with a script of their own: told apart without a language model."""
ENDING = "That settles it."
FEW = 40


@dataclass(frozen=True, slots=True)
class Instruction:
    """What is asked of the thought (not of the answer), and the rule that checks it."""

    kind: str
    text: str
    followed: Callable[[str], bool]


def no_commas(thought: str) -> bool:
    """No comma stands in it."""
    return "," not in thought


def capitals(thought: str) -> bool:
    """All letters are capitals, and some are there."""
    return any(c.isalpha() for c in thought) and thought == thought.upper()


def few_words(thought: str, most: int = FEW) -> bool:
    """Fewer words than `most`."""
    return len(thought.split()) < most


def ends_with(thought: str, phrase: str = ENDING) -> bool:
    """It ends with the phrase, whatever the case."""
    return thought.strip().lower().endswith(phrase.lower())


def is_json(thought: str) -> bool:
    """It parses as JSON once code fences are taken off."""
    bare = re.sub(r"^```(?:json)?\s*|\s*```$", "", thought.strip())
    try:
        json.loads(bare)
    except ValueError:
        return False
    return True


def in_script(thought: str, script: str) -> bool:
    """Most of its letters are of the script; a thought without letters shows no other language."""
    letters = [c for c in thought if c.isalpha()]
    return 2 * sum(script in unicodedata.name(c, "") for c in letters) >= len(letters)


def instruction(kind: str, turn: int) -> Instruction:
    """The instruction of a kind; `turn` picks the language."""
    language = tuple(SCRIPTS)[turn % len(SCRIPTS)]
    made: dict[str, tuple[str, Callable[[str], bool]]] = {
        "commas": ("Use no commas in your reasoning.", no_commas),
        "capitals": ("Write your reasoning in English and in capital letters only.", capitals),
        "length": (f"Use fewer than {FEW} words in your reasoning.", few_words),
        "ending": (f"End your reasoning with the exact words: {ENDING}", ends_with),
        "json": ("Write your reasoning as one JSON object.", is_json),
        "language": (f"Reason in {language} only.", lambda thought: in_script(thought, SCRIPTS[language])),
    }
    return Instruction(kind, *made[kind])


KINDS = ("commas", "capitals", "length", "ending", "json", "language")
