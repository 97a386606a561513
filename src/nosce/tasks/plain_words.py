"""Open questions in plain words, made by program, in six kinds and six levels: for models that read words.

Five kinds have a checked answer. The sixth asks about people, places and things that do not exist: nothing is right there but to
say so or to say that one does not know; its reference is `NOBODY_KNOWS`, which no guess meets.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np

from nosce.core.equivalence import Equivalence
from nosce.core.problem import Problem
from nosce.core.streams import stream_key
from nosce.tasks.families.facts import SYLLABLES
from nosce.tasks.forced_choice import PEOPLE
from nosce.tasks.worded import word_problems

Rng = np.random.Generator
Asked = tuple[str, str]
"""Question and answer."""

NOBODY_KNOWS = "(nobody knows)"
INVENTED = "invented"
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
CAPITALS: dict[int, dict[str, str]] = {
    1: {"France": "Paris", "Italy": "Rome", "Japan": "Tokyo", "Germany": "Berlin", "Spain": "Madrid", "Egypt": "Cairo",
        "China": "Beijing", "Greece": "Athens"},
    2: {"Norway": "Oslo", "Kenya": "Nairobi", "Cuba": "Havana", "Poland": "Warsaw", "Peru": "Lima", "Hungary": "Budapest",
        "Iran": "Tehran", "Chile": "Santiago"},
    3: {"Senegal": "Dakar", "Croatia": "Zagreb", "Ghana": "Accra", "Jordan": "Amman", "Ecuador": "Quito", "Bulgaria": "Sofia",
        "Nepal": "Kathmandu", "Latvia": "Riga"},
    4: {"Zambia": "Lusaka", "Mongolia": "Ulaanbaatar", "Armenia": "Yerevan", "Uganda": "Kampala", "Oman": "Muscat",
        "Laos": "Vientiane", "Albania": "Tirana", "Namibia": "Windhoek"},
    5: {"Malawi": "Lilongwe", "Bhutan": "Thimphu", "Gabon": "Libreville", "Kyrgyzstan": "Bishkek", "Benin": "Porto-Novo",
        "Eritrea": "Asmara", "Suriname": "Paramaribo", "Mauritania": "Nouakchott"},
    6: {"Vanuatu": "Port Vila", "Comoros": "Moroni", "Tuvalu": "Funafuti", "Lesotho": "Maseru", "Palau": "Ngerulmud",
        "Kiribati": "Tarawa", "Fiji": "Suva", "Burkina Faso": "Ouagadougou"},
}  # fmt: skip
"""Level: country and capital, from everyone's to hardly anyone's."""

STRANGE = (
    "In which year was the town of {a} founded?", "Who wrote the novel '{a} and {b}'?", "What is the capital of {a}?",
    "How many floors has the {a} tower in {b}?", "Which river flows through {a}?", "What did the inventor {a} {b} invent?",
    "How long is the {a} bridge, in metres?", "Which colour is the flag of the island of {a}?",
)  # fmt: skip


def capital(rng: Rng, level: int) -> Asked:
    """Capitals, from everyone's to hardly anyone's."""
    country, city = list(CAPITALS[level].items())[int(rng.integers(len(CAPITALS[level])))]
    return f"What is the capital of {country}?", city


def weekday(rng: Rng, level: int) -> Asked:
    """Which day will it be, or was it?"""
    today, far = int(rng.integers(7)), int(rng.integers(2, 4 * 3**level))
    back = level > 2 and bool(rng.random() < 0.5)
    there = DAYS[(today - far if back else today + far) % 7]
    said = f"was it {far} days ago" if back else f"will it be in {far} days"
    return f"Today is {DAYS[today]}. Which day of the week {said}?", there


def letters(rng: Rng, level: int) -> Asked:
    """Letters of a made-up word: how many of one, or the word backwards."""
    word = invented(rng, level + 1)
    if rng.random() < 0.5:
        return f"Write the word '{word}' backwards.", word[::-1]
    letter = word[int(rng.integers(len(word)))]
    return f"How often does the letter '{letter}' occur in the word '{word}'?", str(word.count(letter))


def order(rng: Rng, level: int) -> Asked:
    """Who stands where, from comparisons of neighbours told out of order."""
    names = [PEOPLE[int(i)] for i in rng.permutation(len(PEOPLE))[: level + 2]]
    pairs = [
        f"{a} is taller than {b}." if rng.random() < 0.5 else f"{b} is shorter than {a}."
        for a, b in pairwise(names)
    ]
    told = " ".join(pairs[int(i)] for i in rng.permutation(len(pairs)))
    place = int(rng.integers(len(names)))
    return f"{told} Counted from the tallest, who is number {place + 1} of the {len(names)}?", names[place]


def strange(rng: Rng, level: int) -> Asked:
    """About what does not exist."""
    return STRANGE[int(rng.integers(len(STRANGE)))].format(a=_name(rng), b=_name(rng)), NOBODY_KNOWS


def invented(rng: Rng, syllables: int) -> str:
    """A made-up word."""
    return "".join(SYLLABLES[int(i)] for i in rng.integers(len(SYLLABLES), size=syllables))


def _name(rng: Rng) -> str:
    return invented(rng, 3).capitalize()


KINDS: dict[str, Callable[[Rng, int], Asked]] = {
    "capitals": capital, "weekdays": weekday, "letters": letters, "order": order, INVENTED: strange,
}  # fmt: skip
ALL = ("word problems", *KINDS)


def plain_words(n: int, seed: int = 0, kinds: Sequence[str] = ALL, levels: Sequence[int] = (1, 2, 3, 4, 5, 6)) -> list[Problem]:
    """n different questions, kinds and levels in turn; the same for the same arguments. Fewer where a kind runs out."""
    made: dict[str, Problem] = {}
    for turn in range(40 * n):
        kind, level = kinds[turn % len(kinds)], levels[turn // len(kinds) % len(levels)]
        problem = _one(kind, level, seed, turn)
        made.setdefault(problem.text, problem)
        if len(made) == n:
            break
    return list(made.values())


def _one(kind: str, level: int, seed: int, turn: int) -> Problem:
    key = stream_key("plain words", seed, kind, level, turn)
    if kind == "word problems":
        return word_problems(1, key, (level,))[0].problem
    question, answer = KINDS[kind](np.random.default_rng(key), level)
    sameness = "number" if answer.isdigit() else "exact"
    return Problem(
        f"{kind}-{seed}-{turn}", question, family=kind, level=level, reference=answer, equivalence=Equivalence(sameness)
    )
