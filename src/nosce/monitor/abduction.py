"""Which predictions of several classifiers can all be believed at once: the fullest explanation with few contradictions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nosce.core.errors import InputError
from nosce.metrics.estimate import Bools, Floats, Integers

NONE = -1
"""The prediction of a model that says nothing about an object."""


def learn_rule(wrong: Bools, cues: Bools, most: int) -> list[int]:
    """Cues whose disjunction tells when a model's predictions of one class are wrong, greedily chosen.

    wrong [n] marks the wrong ones among its predictions of the class, cues [K, n] what was seen beside each. Each step
    adds the cue with the best gain in wrong ones flagged less right ones flagged, as long as at most `most` right ones are
    flagged in all (each is recall lost). Returns the chosen cues' indices; none when no cue pays.
    """
    flagged = np.zeros(wrong.size, dtype=bool)
    chosen: list[int] = []
    while True:
        new = cues & ~flagged
        caught, lost = (new & wrong).sum(axis=1), (new & ~wrong).sum(axis=1)
        allowed = lost + (flagged & ~wrong).sum() <= most
        gain = np.where(allowed, caught - lost, 0)
        if gain.size == 0 or gain.max() <= 0:
            return chosen
        best = int(gain.argmax())
        chosen.append(best)
        flagged |= cues[best]


@dataclass(frozen=True)
class Atoms:
    """accept(model, class) under one of several strictnesses: what may be assumed, and which objects each would label.

    covers [atoms, objects]; label, model and level [atoms]. Of one model and class at most one level may be accepted.
    """

    covers: Bools
    label: Integers
    model: Integers
    level: Integers

    def __len__(self) -> int:
        return len(self.label)


def atoms(predictions: Integers, flagged: Bools) -> Atoms:
    """Every atom that would label something.

    predictions [models, objects] are classes (NONE: nothing said); flagged [levels, models, objects] what the error rules of
    each strictness reject.
    """
    found = []
    for model, said in enumerate(predictions):
        for label in np.unique(said[said != NONE]):
            seen: set[bytes] = set()
            for level, rejects in enumerate(flagged):
                covers = (said == label) & ~rejects[model]
                if covers.any() and covers.tobytes() not in seen:  # a level that changes nothing is no other assumption
                    seen.add(covers.tobytes())
                    found.append((covers, int(label), model, level))
    if not found:
        raise InputError("abduction: no model predicts anything that its rules let stand")
    covers, label, model_of, level_of = zip(*found, strict=True)
    return Atoms(np.stack(covers), np.array(label), np.array(model_of), np.array(level_of))


def exclusive(classes: int) -> Bools:
    """The constraint that an object has one class: which pairs of classes [C, C] contradict each other."""
    return ~np.eye(classes, dtype=bool)


def inconsistency(chosen: Bools, given: Atoms, contradicts: Bools) -> float:
    """Share of all objects that the accepted predictions give two classes that contradict each other."""
    classes = _classes(chosen, given, len(contradicts))
    return float((np.einsum("co,cd,do->o", classes, contradicts, classes) > 0).mean())


def coverage(chosen: Bools, given: Atoms) -> float:
    """Share of all objects that the accepted predictions label."""
    return float(given.covers[chosen].any(axis=0).mean())


def labelled(chosen: Bools, given: Atoms, confidence: Floats) -> Integers:
    """The class of each object under an explanation, NONE where it has none; of several the most confident one.

    confidence [models, objects] is each model's in its own prediction.
    """
    scores = np.where(given.covers[chosen], confidence[given.model[chosen]], -np.inf)
    if not len(scores):
        return np.full(given.covers.shape[1], NONE)
    best: Integers = given.label[chosen][scores.argmax(axis=0)]
    best[~np.isfinite(scores.max(axis=0))] = NONE
    return best


def explain(given: Atoms, contradicts: Bools, most: float) -> Bools:
    """The atoms [atoms] that label most objects while at most a share `most` of the objects is contradicted: exact.

    An integer programme (HiGHS): x_a ∈ {0, 1} accepts an atom; y_o ≤ Σ x over the atoms that cover o counts it as labelled,
    u_oc ≥ x_a says that it carries class c, z_o ≥ u_oc + u_od − 1 that it is contradicted; maximise Σ y subject to
    Σ z ≤ most · n and one level per model and class. Objects covered alike are one object with a weight.
    """
    from scipy import optimize, sparse

    _share(most)
    patterns, weight = np.unique(given.covers, axis=1, return_counts=True)
    total = patterns.shape[1]
    program = _Program(len(given))
    y, z = program.more(total), program.more(total)
    for o in range(total):
        program.at_most({int(y[o]): 1.0, **{int(a): -1.0 for a in np.flatnonzero(patterns[:, o])}}, 0.0)
        program.contradicted(int(z[o]), given.label, np.flatnonzero(patterns[:, o]), contradicts)
    program.at_most({int(z[o]): float(weight[o]) for o in range(total)}, most * given.covers.shape[1] + 1e-9)
    for model, label in {(int(m), int(c)) for m, c in zip(given.model, given.label, strict=True)}:
        program.at_most({int(a): 1.0 for a in np.flatnonzero((given.model == model) & (given.label == label))}, 1.0)
    cost = np.zeros(program.size)
    cost[y] = -weight.astype(np.float64)
    whole = np.arange(program.size) < len(given)
    matrix = sparse.csr_array((program.values, (program.rows, program.columns)), shape=(len(program.bounds), program.size))
    found = optimize.milp(
        cost, integrality=whole.astype(int), bounds=optimize.Bounds(0, 1),
        constraints=optimize.LinearConstraint(matrix, -np.inf, program.bounds), options={"mip_rel_gap": 0.0},
    )  # fmt: skip
    if found.x is None:
        raise InputError(f"abduction: the integer programme has no solution ({found.message})")
    return np.asarray(found.x[: len(given)] > 0.5)


def explain_greedily(given: Atoms, contradicts: Bools, most: float) -> Bools:
    """A good explanation, fast: from nothing, again and again the atom whose acceptance (in place of another level of its
    model and class) labels most more objects while the constraint holds; ends when none labels more."""
    _share(most)
    chosen, reached = np.zeros(len(given), dtype=bool), 0.0
    while True:
        options = [_with(chosen, given, a) for a in range(len(given))]
        reach = [coverage(o, given) if inconsistency(o, given, contradicts) <= most + 1e-12 else -1.0 for o in options]
        best = int(np.argmax(reach))
        if reach[best] <= reached:
            return chosen
        chosen, reached = options[best], reach[best]


def _with(chosen: Bools, given: Atoms, atom: int) -> Bools:
    rivals = (given.model == given.model[atom]) & (given.label == given.label[atom])
    changed: Bools = chosen & ~rivals
    changed[atom] = True
    return changed


def _classes(chosen: Bools, given: Atoms, classes: int) -> NDArray[np.int64]:
    """Which classes [C, objects] the accepted predictions give each object."""
    carried = [given.covers[chosen & (given.label == c)].any(axis=0) for c in range(classes)]
    return np.stack(carried).astype(np.int64)


def _share(most: float) -> None:
    if not 0 <= most <= 1:
        raise InputError(f"abduction: a share of contradicted objects of {most}; expected one in [0, 1]")


class _Program:
    """Rows of an integer programme as they are written down: Σ value · column ≤ bound."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.rows: list[int] = []
        self.columns: list[int] = []
        self.values: list[float] = []
        self.bounds: list[float] = []

    def more(self, count: int) -> Integers:
        """Indices of that many new variables."""
        self.size += count
        return np.arange(self.size - count, self.size)

    def at_most(self, terms: dict[int, float], bound: float) -> None:
        """One more row."""
        self.rows += [len(self.bounds)] * len(terms)
        self.columns += list(terms)
        self.values += list(terms.values())
        self.bounds.append(bound)

    def contradicted(self, z: int, label: Integers, covering: Integers, contradicts: Bools) -> None:
        """z is 1 when two accepted classes of one object contradict each other."""
        carried = {int(c): int(self.more(1)[0]) for c in np.unique(label[covering])}
        for a in covering:
            self.at_most({int(a): 1.0, carried[int(label[a])]: -1.0}, 0.0)
        for c, u in carried.items():
            for d, v in carried.items():
                if c < d and (contradicts[c, d] or contradicts[d, c]):
                    self.at_most({u: 1.0, v: 1.0, z: -1.0}, 1.0)
