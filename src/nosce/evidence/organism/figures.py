"""Every figure of the organism's card, measured on the test split at temperature 0.7, with the control each must beat."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np

from nosce.evidence.organism.measures import auroc, auroc_within, ece, majority, spearman, spearman_within
from nosce.evidence.organism.speaker import Speaker, Try, prompt, written
from nosce.models.socrates import tokenizer as marks
from nosce.tasks import families
from nosce.tasks.families import FAMILIES, Item, facts
from nosce.tasks.families._judge import judge, plant, said
from nosce.tasks.families.matching import Countdown

Figures = dict[str, float]
MIDDLE = np.arange(10) / 10 + 0.05  # what the ten ratings mean


def mixed(per_cell: int, seed: int = 5, want: families.Split = "test") -> list[Item]:
    """As many items of every family and level of one split."""
    rng = np.random.default_rng(seed)
    return [
        families.draw_split(rng, name, level, want) for name in FAMILIES for level in range(1, 7) for _ in range(per_cell)
    ]  # fmt: skip


def cell(item: Item) -> tuple[str, int]:
    """Family and level."""
    return item.family, item.level


def key_of(item: Item) -> Callable[[str], str]:
    """What makes two answers one vote: the text, in Countdown the expression's value and numbers."""
    return Countdown().key if item.family == "countdown" else str


def solving(
    speaker: Speaker, items: Sequence[Item], draws: int = 16, temperature: float = 0.7
) -> tuple[Figures, list[list[Try]]]:
    """One thought, votes, any of `draws`, no thought; also by cell, as `one/arithmetic/3`."""
    tries = speaker.attempt([item for item in items for _ in range(draws)], temperature=temperature)
    grouped = [tries[k : k + draws] for k in range(0, len(tries), draws)]
    direct = speaker.attempt(items, direct=True, temperature=0.0)
    table = np.array([
        [np.mean([t.right for t in mine]), families.right(item, majority([t.answer for t in mine], key_of(item))),
         any(t.right for t in mine), straight.right,
         np.mean([t.answer == facts.UNKNOWN for t in mine]), np.mean([t.length for t in mine])]
        for item, mine, straight in zip(items, grouped, direct, strict=True)
    ], float)  # fmt: skip
    names = ("one", "vote", "any", "direct", "unknown", "tokens")
    out = {name: float(column.mean()) for name, column in zip(names, table.T, strict=True)}
    out["between"] = float(((table[:, 0] > 0) & (table[:, 0] < 1)).mean())
    for key in dict.fromkeys(map(cell, items)):
        here = [cell(item) == key for item in items]
        for name, value in zip(names, table[here].mean(0), strict=True):
            out[f"{name}/{key[0]}/{key[1]}"] = float(value)
    return out, grouped


def verified(speaker: Speaker, tries: Sequence[Try], temperature: float = 0.0) -> tuple[np.ndarray, list[str]]:
    """P(yes) after the written re-check of each attempt, and the re-checks."""
    texts = speaker.texts([f"{t.text()} {marks.CHECK}" for t in tries], temperature=temperature)
    return _yes(speaker, [t.text() for t in tries], texts), texts


def _yes(speaker: Speaker, attempts: Sequence[str], rechecks: Sequence[str]) -> np.ndarray:
    bodies = [text.partition(marks.YES)[0].partition(marks.NO)[0].replace(marks.END, "") for text in rechecks]
    return speaker.chances([f"{a} {marks.CHECK} {b}" for a, b in zip(attempts, bodies, strict=True)], (marks.YES, marks.NO))[:, 0]


def fault_of(recheck: str) -> str:
    """The critique: what stands after `<fault>`, `<none>` where nothing does."""
    named = recheck.partition(marks.FAULT)[2].split()
    return named[0] if named else marks.NONE


def verify(speaker: Speaker, tries: Sequence[Try]) -> Figures:
    """AUROC and ECE of P(yes) on own attempts (abstentions left out), beside what is read without asking."""
    tries = [t for t in tries if t.answer and t.answer != facts.UNKNOWN]
    right, cells = [t.right for t in tries], [cell(t.item) for t in tries]
    yes, _ = verified(speaker, tries)
    out = {"verify.auroc": auroc(yes, right), "verify.within": auroc_within(yes, right, cells), "verify.ece": ece(yes, right)}
    free: dict[str, list[float]] = {
        "logprob": [t.logprob for t in tries], "weakest": [t.weakest for t in tries], "short": [-float(t.length) for t in tries],
    }  # fmt: skip
    for name, score in free.items():
        out |= {f"{name}.auroc": auroc(score, right), f"{name}.within": auroc_within(score, right, cells)}
    stated = speaker.chances([f"{t.text()} {marks.RATE}" for t in tries], marks.RATINGS)
    mean, named = stated @ MIDDLE, MIDDLE[stated.argmax(1)]
    out |= {"rating.auroc": auroc(mean, right), "rating.within": auroc_within(mean, right, cells), "rating.ece": ece(mean, right)}
    return out | {"rating.named_ece": ece(named, right), "attempts": float(len(tries))}


def planted_pairs(items: Sequence[Item], seed: int = 9) -> list[tuple[Try, Try, int]]:
    """A right attempt and one with a planted error at the same item, and where the error is."""
    rng, pairs = np.random.default_rng(seed), []
    for item in items:
        wrong = plant(rng, item)
        if wrong is not None and said(item)[1] != facts.UNKNOWN:
            gold = Try(item, False, item.steps, item.answer, True, 0, 0.0, 0.0)
            pairs.append((gold, Try(item, False, tuple(wrong[0]), wrong[1], False, 0, 0.0, 0.0), wrong[2]))
    return pairs


def planted(speaker: Speaker, items: Sequence[Item]) -> Figures:
    """Verify and critique on right against planted-error pairs; `several` are the attempts of three steps or more."""
    pairs = planted_pairs(items)
    both = [pair[0] for pair in pairs] + [pair[1] for pair in pairs]
    yes, texts = verified(speaker, both)
    n, cells = len(pairs), [cell(pair[0].item) for pair in pairs]
    truth = [_mark(pair[2]) for pair in pairs]
    found = [fault_of(text) for text in texts[n:]]
    hit = np.mean([a == b for a, b in zip(found, truth, strict=True)])
    constant = max(Counter(truth).values()) / n
    several = [k for k in range(n) if len(pairs[k][1].steps) > 2]
    many = [truth[k] for k in several]
    return {
        "planted.auroc": auroc(yes, [True] * n + [False] * n),
        "planted.within": auroc_within(yes, [True] * n + [False] * n, cells * 2),
        "planted.pairs": float(np.mean((yes[:n] > yes[n:]) + 0.5 * (yes[:n] == yes[n:]))), "planted.n": float(n),
        "critique.located": float(hit), "critique.constant": constant,
        "critique.located_several": float(np.mean([found[k] == truth[k] for k in several])),
        "critique.constant_several": max(Counter(many).values()) / len(many),
        "critique.false_alarm": float(np.mean([fault_of(text) != marks.NONE for text in texts[:n]])),
    }  # fmt: skip


def _mark(fault: int) -> str:
    return marks.STEPS[fault - 1] if fault else marks.ANS


def revise(speaker: Speaker, tries: Sequence[Try], seed: int = 3) -> Figures:
    """Repairs of own wrong thoughts after a true critique, after a false one, and by plain re-sampling."""
    rng = np.random.default_rng(seed)
    wrong = [t for t in tries if not t.right and not t.direct and t.steps and t.answer and t.answer != facts.UNKNOWN]
    faults = [judge(t.item, t.steps, t.answer).fault for t in wrong]
    kept = [(t, f) for t, f in zip(wrong, faults, strict=True) if f is not None]
    other = [int(rng.choice([k for k in range(len(t.steps) + 1) if k != f])) for t, f in kept]
    items = [t.item for t, _ in kept]
    own = [t for t, _ in kept]
    true = _revised(speaker, own, [f for _, f in kept])
    false = _revised(speaker, own, other)
    again = [t.right for t in speaker.attempt(items)]
    _, texts = verified(speaker, own)
    located = np.mean([fault_of(text) == _mark(f) for text, (_, f) in zip(texts, kept, strict=True)])
    first = max(Counter(_mark(f) for _, f in kept).values()) / len(kept)
    late = [k for k, (t, f) in enumerate(kept) if f != 1]
    return {
        "revise.true": float(np.mean(true)), "revise.false": float(np.mean(false)),
        "revise.resample": float(np.mean(again)), "revise.true_late": float(np.mean([true[k] for k in late])),
        "revise.resample_late": float(np.mean([again[k] for k in late])),
        "revise.n": float(len(kept)), "critique.own_located": float(located), "critique.own_constant": first,
    }  # fmt: skip


def _revised(speaker: Speaker, tries: Sequence[Try], faults: Sequence[int]) -> list[bool]:
    asked = [f"{t.text()} {marks.FAULT} {_mark(f)} {marks.REVISE}" for t, f in zip(tries, faults, strict=True)]
    from nosce.evidence.organism.speaker import read

    return [families.right(t.item, read(text)[1]) for t, text in zip(tries, speaker.texts(asked, temperature=0.7), strict=True)]


def foresee(speaker: Speaker, items: Sequence[Item], rates: Sequence[float]) -> Figures:
    """Foreseen success against the measured pass rate, beside question length as a heuristic."""
    asked = [prompt(item).replace(marks.THINK, marks.FORESEE) for item in items]
    seen, cells = speaker.chances(asked, marks.RATINGS) @ MIDDLE, [cell(item) for item in items]
    short = [-len(speaker.words.encode(item.question)) for item in items]
    return {
        "foresee.spearman": spearman(seen, rates), "foresee.within": spearman_within(seen, rates, cells),
        "foresee.length_spearman": spearman(short, rates), "foresee.length_within": spearman_within(short, rates, cells),
    }  # fmt: skip


def knowing(speaker: Speaker, per_level: int = 60, seed: int = 21, want: families.Split = "test") -> Figures:
    """Often-seen against never-seen entities: AUROC of the largest probability of any value; also of not saying unknown."""
    rng = np.random.default_rng(seed)
    often = [families.draw_split(rng, facts.NAME, 1, want) for _ in range(per_level)]
    never = [families.draw_split(rng, facts.NAME, 6, want) for _ in range(per_level)]
    sure = np.array([_surest(speaker, item) for item in often + never])
    known = [True] * per_level + [False] * per_level
    return {"known.auroc": auroc(sure[:, 0], known), "known.not_unknown": auroc(1 - sure[:, 1], known)}


def _surest(speaker: Speaker, item: Item) -> tuple[float, float]:
    name, attribute = facts.task(item)
    tokens = (*facts.ATTRIBUTES[attribute], marks.UNKNOWN)
    chance = speaker.chances([f"{prompt(item)} {marks.STEPS[0]} {attribute} of {name}="], tokens)[0]
    return float(chance[:-1].max()), float(chance[-1])


def helped(speaker: Speaker, items: Sequence[Item], seed: int = 4) -> Figures:
    """Accuracy with a right, a wrong and a useless note, and of large sums with a calculator."""
    rng, out = np.random.default_rng(seed), {}
    known = [item for item in items if item.level > 1 and said(item)[1] != facts.UNKNOWN]
    wrong = [plant(rng, item) for item in known]
    usable = [(item, w[1]) for item, w in zip(known, wrong, strict=True) if w is not None]
    kinds: dict[str, list[tuple[str, ...]]] = {
        "none": [()] * len(usable), "right": [(i.answer,) for i, _ in usable], "wrong": [(w,) for _, w in usable],
        "useless": [(usable[k - 1][0].answer,) for k in range(len(usable))],
    }  # fmt: skip
    for kind, notes in kinds.items():
        rows = speaker.say([prompt(item, notes=note) for (item, _), note in zip(usable, notes, strict=True)])
        answers = [speaker.words.decode(row.tokens).partition(marks.ANS)[2].replace(marks.END, "").strip() for row in rows]
        out[f"notes.{kind}"] = float(np.mean([families.right(i, a) for (i, _), a in zip(usable, answers, strict=True)]))
    large = [item for item in items if item.family == "sums"]
    answers = speaker.with_calculator(large)
    return out | {"calculator": float(np.mean([families.right(i, a) for i, a in zip(large, answers, strict=True)]))}


def passages(speaker: Speaker, count: int = 120, seed: int = 8, want: families.Split = "test") -> Figures:
    """Accuracy where a passage agrees with the invented world and where it conflicts."""
    rng = np.random.default_rng(seed)
    items: list[Item] = []
    while len(items) < count:
        if families.split(item := facts.draw_with_passage(rng)) == want:
            items.append(item)
    tries = speaker.attempt(items)
    names = {"passage.agrees": 1, "passage.conflicts": 2}
    return {name: float(np.mean([t.right for t in tries if t.item.level == level])) for name, level in names.items()}


def measure(
    speaker: Speaker, per_cell: int = 20, draws: int = 16, *, want: families.Split = "test", seed: int = 5, temperature: float = 0.7
) -> Figures:
    """All figures of one checkpoint; whoever still chooses between checkpoints measures on another split than `test`."""
    items = mixed(per_cell, seed, want)
    out, grouped = solving(speaker, items, draws, temperature)
    sample = [t for mine in grouped for t in mine[:4]]
    rates = [float(np.mean([t.right for t in mine])) for mine in grouped]
    share = [Counter(map(key_of(item), (t.answer for t in mine)))[key_of(item)(mine[0].answer)] / draws
             for item, mine in zip(items, grouped, strict=True)]  # fmt: skip
    one = [k for k, mine in enumerate(grouped) if mine[0].answer != facts.UNKNOWN]
    right, cells = [grouped[k][0].right for k in one], [cell(items[k]) for k in one]
    votes = [share[k] for k in one]
    out |= {"votes.auroc": auroc(votes, right), "votes.within": auroc_within(votes, right, cells)}
    out |= verify(speaker, sample) | planted(speaker, items) | revise(speaker, sample)
    out |= foresee(speaker, items, rates) | knowing(speaker, want=want) | helped(speaker, items)
    return out | passages(speaker, want=want)


__all__ = ["Figures", "measure", "mixed", "solving", "verified", "written"]
