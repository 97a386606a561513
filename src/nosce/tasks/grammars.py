"""Strings of a finite-state grammar, for learning without rules that can be said."""

from __future__ import annotations

import numpy as np

from nosce.core.equivalence import Equivalence
from nosce.core.problem import Problem
from nosce.core.streams import stream_key

LETTERS = "MTVXR"
STATES = 5
END = -1
Grammar = list[list[tuple[str, int]]]
"""For each state the letters that may come and the states they lead to."""


def grammar(rng: np.random.Generator) -> Grammar:
    """A random grammar: two or three different letters out of each state; one edge out of the last states ends the string."""
    made: Grammar = []
    for state in range(STATES):
        letters = [LETTERS[int(i)] for i in rng.permutation(len(LETTERS))[: 2 + int(rng.random() < 0.4)]]
        made.append([(letter, (state + 1 + int(rng.integers(3))) % STATES) for letter in letters])
    for state in (STATES - 2, STATES - 1):
        letter, _ = made[state][0]
        made[state][0] = (letter, END)
    return made


def word(of: Grammar, rng: np.random.Generator, longest: int = 9) -> str:
    """A string of the grammar of 3 to `longest` letters."""
    while True:
        state, said = 0, ""
        while state != END and len(said) <= longest:
            letter, state = of[state][int(rng.integers(len(of[state])))]
            said += letter
        if state == END and 3 <= len(said) <= longest:
            return said


def belongs(of: Grammar, said: str) -> bool:
    """Whether the grammar makes the string."""
    state = 0
    for letter in said:
        step = dict(of[state]).get(letter) if state != END else None
        if step is None:
            return False
        state = step
    return state == END


def broken(of: Grammar, rng: np.random.Generator) -> str:
    """A string of the grammar with letters replaced until it is one no more."""
    said = word(of, rng)
    while belongs(of, said):
        at = int(rng.integers(len(said)))
        said = said[:at] + LETTERS[int(rng.integers(len(LETTERS)))] + said[at + 1 :]
    return said


def grammar_questions(n: int, seed: int = 0, shown: int = 15) -> list[Problem]:
    """n questions: `shown` strings that follow the same rules, and a new one that does (half of them) or does not."""
    return [_question(f"grammar-{seed}-{i}", np.random.default_rng(stream_key("grammar", seed, i)), shown) for i in range(n)]


def _question(id: str, rng: np.random.Generator, shown: int) -> Problem:
    while True:
        made = grammar(rng)
        seen = {word(made, rng) for _ in range(20 * shown)}
        if len(seen) > shown + 3:
            break
    examples = sorted(seen)
    chosen = [examples[int(i)] for i in rng.permutation(len(examples))]
    follows = bool(rng.random() < 0.5)
    new = chosen[shown] if follows else broken(made, rng)
    text = f"These strings all follow the same unknown rules: {', '.join(chosen[:shown])}. Does the string {new} follow them too?"
    return Problem(
        id, text, choices=("yes", "no"), family="artificial grammar", level=3, reference="yes" if follows else "no",
        equivalence=Equivalence("choice", {"choices": ("yes", "no")}),
    )  # fmt: skip
