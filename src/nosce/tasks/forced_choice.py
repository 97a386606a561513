"""Forced-choice questions in plain words, made by program: six domains after established paradigms, each with one right option.

For models that read words. The options come in a seeded order, so that no place is right more often than another.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from nosce.core.equivalence import Equivalence
from nosce.core.problem import Problem
from nosce.core.streams import stream_key

Asked = tuple[str, str, Sequence[str]]
"""Question, right option, wrong options."""
Rng = np.random.Generator

PEOPLE = ("Mira", "Tomas", "Ines", "Kofi", "Lena", "Omar", "Yuki", "Pavel", "Nadia", "Ravi", "Sofie", "Emeka")
PLACES = ("drawer", "basket", "cupboard", "suitcase", "toolbox", "oven", "wardrobe", "letterbox")
THINGS = ("key", "ring", "letter", "coin", "map", "whistle", "spoon", "ticket")
COLOURS = ("red", "blue", "green", "yellow", "black", "white", "orange", "violet")


def _some(rng: Rng, words: Sequence[str], n: int) -> list[str]:
    return [words[int(i)] for i in rng.permutation(len(words))[:n]]


def learning(rng: Rng, level: int) -> Asked:
    """Overhypotheses: boxes whose contents share a property (or do not), and one draw from a new box."""
    same, colours = bool(rng.random() < 0.5), _some(rng, COLOURS, 8)
    boxes = []
    for i in range(1 + level):
        held = [colours[i % 6]] * 4 if same else _some(rng, colours[:6], 4)
        boxes.append(f"Box {i + 1} gave, one after the other: {', '.join(held)}.")
    seen = colours[6]
    question = (
        f"All boxes were filled in the same way. {' '.join(boxes)} From a new box, the first marble is {seen}. "
        "Judging by the other boxes, what can be said of the second marble from the new box?"
    )
    alike, any_, other = f"it will almost surely be {seen} too", "it may be any colour", f"it will surely be {colours[7]}"
    return (question, alike, [any_, other]) if same else (question, any_, [alike, other])


def calibration(rng: Rng, level: int) -> Asked:
    """Which of two products is larger, from far apart (level 1) to a hair's breadth (level 6)."""
    a, b = (int(x) for x in rng.integers(10 ** (1 + level // 3), 10 ** (2 + level // 3), 2))
    target, d = a * b, int(rng.integers(12, 98))
    gap = {1: 0.5, 2: 0.25, 3: 0.1, 4: 0.05, 5: 0.02, 6: 0.01}[min(level, 6)]
    c = max(2, round(target * (1 + gap * (1 if rng.random() < 0.5 else -1)) / d))
    if c * d == target:
        c += 1
    first, second = f"{a} × {b}", f"{c} × {d}"
    right, wrong = (first, second) if target > c * d else (second, first)
    return f"Without a calculator: which is larger, {first} or {second}?", right, [wrong]


def social(rng: Rng, level: int) -> Asked:
    """False belief: a thing is moved while some are away; where will one of them look, or think that another will?"""
    (a, b), thing, (p, q) = _some(rng, PEOPLE, 2), _some(rng, THINGS, 1)[0], _some(rng, PLACES, 2)
    told = bool(rng.random() < 0.4)
    story = f"{a} and {b} put the {thing} into the {p}. {a} leaves the room. {b} moves the {thing} to the {q}."
    if told:
        story += f" Through the window {a} sees this happen." + (f" {b} does not notice that {a} is watching." if level > 2 else "")
    if level <= 2:
        right = q if told else p
        return f"{story} {a} comes back to fetch the {thing}. Where will {a} look first?", right, [p if told else q]
    return f"{story} Where does {b} think that {a} will look for the {thing}?", p, [q]


def attention(rng: Rng, level: int) -> Asked:
    """How often does a letter stand in a row of look-alikes?"""
    target, others = [("O", "QCDG"), ("E", "FBPR"), ("M", "NWVH"), ("I", "LTJF")][int(rng.integers(4))]
    length = 8 + 4 * level
    row = [target if rng.random() < 0.3 else others[int(rng.integers(len(others)))] for _ in range(length)]
    count = row.count(target)
    first = max(0, count - int(rng.integers(4)))  # so that the right number is now the smallest of the four, now the largest
    near = [str(n) for n in range(first, first + 4) if n != count]
    return f"How often does the letter {target} stand in this row? {' '.join(row)}", str(count), near


def executive(rng: Rng, level: int) -> Asked:
    """Rule switching: the rule for each number depends on the word before it, and one word turns all later rules round."""
    rules: dict[str, Callable[[int], int]] = {"circle": lambda n: n + 3, "square": lambda n: n - 1}
    start, turned = int(rng.integers(3, 12)), False
    value, said = start, list[str]()
    for _ in range(1 + level):
        shape = ("circle", "square")[int(rng.integers(2))]
        if rng.random() < 0.3:
            turned, said = not turned, [*said, "flip"]
        said.append(shape)
        value = rules[shape if not turned else {"circle": "square", "square": "circle"}[shape]](value)
    question = (
        f"Start at {start}. 'circle' adds 3 and 'square' takes 1 away. After the word 'flip' the two change roles, until the next "
        f"'flip'. Go through: {', '.join(said)}. Which number do you end at?"
    )
    return question, str(value), [str(value + 4), str(value - 4), str(value + 1)]


def prospective(rng: Rng, level: int) -> Asked:
    """A thing to be remembered until its sign comes, in a list read from left to right."""
    (sign, decoy), names = _some(rng, COLOURS, 2), [PEOPLE[int(i)] for i in rng.integers(len(PEOPLE), size=4 + 2 * level)]
    nth = 1 + min(level // 2, 2)
    marks = [(sign if rng.random() < 0.35 else decoy) for _ in names]
    places = [i for i, mark in enumerate(marks) if mark == sign]
    right = names[places[nth - 1]] if len(places) >= nth else "nobody"
    listed = ", ".join(f"{name} ({mark})" for name, mark in zip(names, marks, strict=True))
    wrong = [w for w in dict.fromkeys([*names, "nobody"]) if w != right][:3]
    ordinal = ("first", "second", "third")[nth - 1]
    return f"Greet the {ordinal} {sign} guest, and nobody else. The guests come in: {listed}. Who is greeted?", right, wrong


DOMAINS: dict[str, Callable[[Rng, int], Asked]] = {
    "learning": learning, "calibration": calibration, "social cognition": social, "attention": attention,
    "executive function": executive, "prospective memory": prospective,
}  # fmt: skip


def forced_choice(n: int, seed: int = 0, domains: Sequence[str] = tuple(DOMAINS)) -> list[Problem]:
    """n different questions, domains and levels (1 to 6) taken in turn; the same for the same arguments."""
    made: dict[str, Problem] = {}
    turn = 0
    while len(made) < n:
        domain, level = domains[turn % len(domains)], 1 + turn // len(domains) % 6
        rng = np.random.default_rng(stream_key("forced choice", seed, domain, level, turn))
        question, right, wrong = DOMAINS[domain](rng, level)
        options = [right, *wrong]
        choices = tuple(options[int(i)] for i in rng.permutation(len(options)))
        made.setdefault(question, Problem(
            f"{domain.split()[0]}-{seed}-{turn}", question, choices=choices, family=domain, level=level, reference=right,
            equivalence=Equivalence("choice", {"choices": choices}),
        ))  # fmt: skip
        turn += 1
    return list(made.values())
