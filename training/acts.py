"""Documents that teach the acts: re-check, revise, rate, foresee, notes, calculator.

Mistakes are planted at first, and later also the model's own (`collect.py` writes them). A re-check always says what is true; a
revision copies what stands before the named step and goes on honestly from there, so after a false critique it comes to the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nosce.models.socrates import tokenizer as marks
from nosce.tasks import families
from nosce.tasks.families import Item, _plant, arithmetic, facts, sums
from nosce.tasks.families._judge import Verdict, judge, plant, said
from training import mixture
from training.rows import Tree, encode, thought

SHARES = {
    "acts": {"solve": 0.27, "facts": 0.10, "planted": 0.38, "notes": 0.04, "tool": 0.04, "own": 0.17},
    "refresh": {"solve": 0.20, "facts": 0.07, "planted": 0.24, "notes": 0.03, "tool": 0.03, "own": 0.43},
    "mend": {"solve": 0.23, "facts": 0.05, "planted": 0.15, "notes": 0.03, "tool": 0.02, "own": 0.30, "mend": 0.22},
}
TAUGHT = 0.8  # weight of "this attempt is right" in the rating to teach; the rest is how often the other attempts were


@dataclass(frozen=True)
class Own:
    """One item with the model's attempts at it, as `collect.py` measured them.

    Each attempt: direct, steps, answer, right, and the model's own re-check up to its verdict where there is one.
    `newest` attempts are those of the model as it is now: only they teach what depends on how often it is right.
    """

    item: Item
    rate: float
    length: float
    attempts: tuple[dict[str, object], ...]
    newest: bool = True


def check(verdict: Verdict, right: bool) -> str:
    """What stands after `<check>`: every line done again, the verdict, the fault."""
    parts: list[str] = []
    for mark, (again, ok) in zip(marks.STEPS, verdict.lines, strict=False):
        parts += [mark, again, marks.OK if ok else marks.BAD]
    if verdict.answer is not None:
        parts += [marks.ANS, verdict.answer[0], marks.OK if verdict.answer[1] else marks.BAD]
    return " ".join(part for part in [*parts, ending(verdict, right)] if part)


def ending(verdict: Verdict, right: bool) -> str:
    """`<yes> <fault> <none>` or `<no> <fault> <sK>`."""
    return f"{marks.YES if right else marks.NO} {marks.FAULT} {named(verdict.fault)}"


def named(fault: int | None) -> str:
    """The mark of a fault."""
    return marks.NONE if fault is None else marks.ANS if fault == 0 else marks.STEPS[fault - 1]


def redo(item: Item, steps: list[str], fault: int) -> str:
    """The revised thought: steps before `fault` copied, the rest gone on with; ValueError where nothing follows."""
    kept = steps[: fault - 1] if fault else list(steps)
    if item.family == facts.NAME:
        rest, answer = (list(said(item)[0]), said(item)[1]) if not kept else ([], families.conclude(item, kept))
    else:
        rest, answer = families.go_on(item, kept)
    return thought([*kept, *rest], answer)


def _grow(tree: Tree, parent: int, given: str, learned: str) -> None:
    if tree.fits(parent, given, learned):
        tree.grow(parent, given, learned)


def _revise(
    rng: np.random.Generator, tree: Tree, parent: int, item: Item, steps: list[str], fault: int | None, false: bool
) -> None:
    """A revision after a true critique (`fault`), or after a false one: any other place."""
    places = [k for k in range(len(steps) + 1) if k != fault]
    at = places[int(rng.integers(len(places)))] if false else fault
    if at is None:
        return
    try:
        again = redo(item, steps, at)
    except (ValueError, IndexError, StopIteration):
        return
    given = f"{marks.FAULT} {named(at)} {marks.REVISE}"
    if tree.fits(parent, given, again):
        tree.grow(parent, given, again)
        if not false:  # the rest is copied: what changes must weigh more, or the model learns to copy all
            tree.weigh(_changed(encode(thought(steps, "").rpartition(marks.ANS)[0]), encode(again)), 10)


def _changed(before: tuple[int, ...], after: tuple[int, ...]) -> int:
    """How many tokens of `after` stand behind what it shares with `before`."""
    same = next((k for k, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), min(len(before), len(after)))
    return len(after) - same


def act_item(rng: np.random.Generator, name: str | None = None, progress: float = 1.0, level: int | None = None) -> Item:
    """A train item that acts may use: of the known entities only those set apart for acts."""
    while True:
        item = mixture.train_item(rng, progress, name)
        if name and level and not (item.context and level < 3):
            item = families.draw_split(rng, name, level, "train")
        if item.family != facts.NAME or item.context or item.level == 6 or facts.for_acts(facts.task(item)[0]):
            return item


def planted(rng: np.random.Generator) -> Tree:
    """An attempt with a planted error (or, half of the time, a right one) with its re-check and revisions."""
    item = act_item(rng, progress=float(rng.random() < 0.6))  # many easy ones: comparing is learned there
    if rng.random() < 0.12:
        return _planted_direct(rng, item)
    wrong = plant(rng, item) if rng.random() < 0.65 else None
    if wrong is None and item.family == facts.NAME and said(item)[1] == facts.UNKNOWN:
        return mixture.solving(rng, item)
    steps, answer = (wrong[0], wrong[1]) if wrong else (list(said(item)[0]), said(item)[1])
    tree = Tree(mixture.asked(item))
    text = thought(steps, answer)
    attempt = tree.grow(0, f"{marks.THINK} {text}", closed=False) if wrong else tree.grow(0, marks.THINK, text)
    verdict = judge(item, steps, answer)
    _grow(tree, attempt, marks.CHECK, check(verdict, not wrong))
    if wrong and rng.random() < 0.8:
        _revise(rng, tree, attempt, item, steps, wrong[2], false=False)
    if rng.random() < (0.2 if wrong else 0.08):
        _revise(rng, tree, attempt, item, steps, wrong[2] if wrong else None, false=True)
    return tree


def _planted_direct(rng: np.random.Generator, item: Item) -> Tree:
    answer, tree = said(item)[1], Tree(mixture.asked(item))
    if rng.random() < 0.5:
        with suppress(ValueError):
            answer = _plant.answer(rng, item, answer)
    right = answer == said(item)[1]
    attempt = tree.grow(0, f"{marks.FAST} {marks.ANS} {answer}", closed=False)
    verdict = judge(item, [], answer)
    _grow(tree, attempt, marks.CHECK, check(verdict, right))
    if not right:
        _grow(tree, attempt, f"{marks.FAULT} {marks.ANS} {marks.REVISE}", thought(*said(item)))
    return tree


def noted(rng: np.random.Generator) -> Tree:
    """A question with one or two notes, right, wrong or useless, and the gold thought."""
    item = act_item(rng)
    if said(item)[1] == facts.UNKNOWN:
        return mixture.solving(rng, item)
    notes = [_note(rng, item) for _ in range(1 + int(rng.random() < 0.4))]
    tree = Tree(mixture.asked(item))
    _grow(tree, 0, " ".join(f"{marks.NOTE} {note}" for note in notes) + f" {marks.THINK}", thought(item.steps, item.answer))
    return tree


def _note(rng: np.random.Generator, item: Item) -> str:
    kind = rng.random()
    try:
        if kind < 0.42:
            return item.answer
        if kind < 0.62:
            return _plant.answer(rng, item, item.answer)
        k = int(rng.integers(len(item.steps)))
        if kind < 0.76:
            return item.steps[k]
        if kind < 0.86:
            return _plant.step(rng, item, item.steps[:k], item.steps[k])
    except (ValueError, IndexError):
        return item.answer
    return act_item(rng, item.family).answer


def with_tool(rng: np.random.Generator) -> Tree:
    """A chain or a large sum whose steps are calculator calls; the values are given, not learned."""
    module = sums if rng.random() < 0.6 else arithmetic
    while families.split(item := module.draw(rng, 1 + int(rng.integers(6)))) != "train":
        pass
    tree, at, given = Tree(mixture.asked(item)), 0, f"{marks.TOOL} {marks.THINK}"
    for mark, step in zip(marks.STEPS, item.steps, strict=False):
        left, _, result = step.partition("=")
        at = tree.grow(at, given, f"{mark} {marks.CALL} {left} {marks.RESULT}", closed=False)
        given = result
    attempt = tree.grow(at, given, f"{marks.ANS} {item.answer}")
    if rng.random() < 0.3:
        _grow(tree, attempt, marks.CHECK, check(judge(item, item.steps, item.answer), True))
        _grow(tree, attempt, marks.RATE, marks.RATINGS[-1])
    return tree


def _bucket(value: float) -> str:
    return marks.RATINGS[min(int(value * 10), 9)]


def own(rng: np.random.Generator, found: Own) -> Tree:
    """What the model did with one item: foreseen success and length; for up to two attempts re-check, rating, revision."""
    tree = Tree(mixture.asked(found.item))
    if rng.random() < 0.6:
        _grow(tree, 0, marks.FORESEE, f"{_bucket(found.rate)} {marks.LENGTHS[min(int(found.length / 12), 7)]}")
    for k in rng.permutation(len(found.attempts))[:2]:
        _own_attempt(rng, tree, found, found.attempts[int(k)])
    return tree


def _own_attempt(rng: np.random.Generator, tree: Tree, found: Own, tried: dict[str, object]) -> None:
    item, steps, answer, right = found.item, list(tried["steps"]), str(tried["answer"]), bool(tried["right"])  # type: ignore[call-overload]
    text = f"{marks.FAST if tried['direct'] else marks.THINK} {thought(steps, answer)}"
    if not tree.fits(0, text):
        return
    attempt = tree.grow(0, text, closed=False)
    if tried.get("fair", True):
        others = float(right) if tried["direct"] else float(tried["rate"])  # type: ignore[arg-type]  # rates are of thoughts
        _grow(tree, attempt, marks.RATE, _bucket(TAUGHT * right + (1 - TAUGHT) * others))
    if answer == facts.UNKNOWN:
        return
    verdict = judge(item, steps, answer)
    if right and verdict.fault is not None:  # a slip in a step that the answer survived
        return
    if verdict.fault is not None and rng.random() < 0.95:
        _revise(rng, tree, attempt, item, steps, verdict.fault, false=False)
    if tried.get("recheck"):
        _grow(tree, attempt, f"{marks.CHECK} {tried['recheck']}", ending(verdict, right))
    if rng.random() < (0.5 if tried.get("recheck") else 0.9):
        _grow(tree, attempt, marks.CHECK, check(verdict, right))
    if rng.random() < 0.15:
        _revise(rng, tree, attempt, item, steps, verdict.fault, false=True)


def mend(rng: np.random.Generator, found: Own) -> Tree | None:
    """Revisions of the model's own wrong thoughts at one item, mostly after a true critique; None where it has none."""
    tree, item = Tree(mixture.asked(found.item)), found.item
    for tried in found.attempts:
        steps, answer = list(tried["steps"]), str(tried["answer"])  # type: ignore[call-overload]
        if tried["right"] or tried["direct"] or not steps or not answer or answer == facts.UNKNOWN:
            continue
        text, fault = f"{marks.THINK} {thought(steps, answer)}", judge(item, steps, answer).fault
        if fault is None or not tree.fits(0, text):
            continue
        attempt = tree.grow(0, text, closed=False)
        _revise(rng, tree, attempt, item, steps, fault, false=False)
        if rng.random() < 0.25:
            _revise(rng, tree, attempt, item, steps, fault, false=True)
    return tree if len(tree.ends) > 1 else None


def load(path: Path, newest: bool = True) -> list[Own]:
    """The collected attempts of one file."""
    found = []
    for line in path.read_text().splitlines():
        row = json.loads(line)
        item = families.parse(row["question"], row["context"])
        if item is not None and families.split(item) == "train":
            found.append(Own(item, row["rate"], row["length"], tuple(row["attempts"]), newest))
    return found


def documents(rng: np.random.Generator, stage: str, attempts: list[Own]) -> Iterator[Tree]:
    """The endless stream of one block of a stage with acts."""
    shares, newest = SHARES[stage], [found for found in attempts if found.newest]
    while True:
        kind = str(rng.choice(list(shares), p=list(shares.values())))
        if kind == "own" and newest:
            yield own(rng, newest[int(rng.integers(len(newest)))])
        elif kind == "mend" and attempts:
            if (tree := mend(rng, attempts[int(rng.integers(len(attempts)))])) is not None:
                yield tree
        elif kind == "planted":
            yield planted(rng)
        elif kind == "notes":
            yield noted(rng)
        elif kind == "tool":
            yield with_tool(rng)
        else:
            yield mixture.solving(rng, mixture.train_item(rng, 1.0, facts.NAME if kind == "facts" else None))
