"""S301 entity recognition: does the model know this name, and does it refuse because of a direction inside?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from nosce.core.claim import Claim
from nosce.core.count import Count
from nosce.core.errors import CapabilityError
from nosce.core.problem import Problem
from nosce.core.registry import study
from nosce.inside.density import MassMean
from nosce.inside.reading import pay
from nosce.mind.engine import UNKNOWN
from nosce.mind.mind import Mind
from nosce.models.base import Embedder, Prompt

Floats = NDArray[np.float64]
LITTLE = 5
"""Random directions of the control."""

FIRES = Claim(
    statement="At a name's last token, the direction from unknown to known entities tells names apart that it was not made from, "
    "better than random directions do.",
    endpoint="auroc", baseline="random directions, the side of each chosen where the direction was made", n=120,
    seeds=tuple(range(5)), taught=True,
)  # fmt: skip
STEERS = Claim(
    statement="Adding the known direction makes the model answer about strangers and taking it off makes it refuse known names, "
    "more than random directions of the same length do.",
    endpoint="refusal_moved", baseline="random directions of the same length", n=60, seeds=tuple(range(5)), taught=True,
)  # fmt: skip


@study("S301", "entity-recognition-sae-latents", needs={"hidden"}, claim=FIRES)
async def fires(
    mind: Mind | None, *, seed: int = 0, n: Count = 120, layer: int | None = None, where: Literal["name", "answer"] = "name"
) -> dict[str, Any]:  # fmt: skip
    """Does one direction in the hidden state of a name's last token say whether the model knows the name?

    Rule: d = mean h(known) − mean h(unknown) over n names of each half; score d · h of n other names. `auroc` is that of the
    score, `baseline` the mean over random directions; `probe` that of a whitened direction (as a linear probe would), `first`
    per layer after the embedding. The layer is chosen where d was made, unless given. `where`: at the name's last token, or
    where the value is due (`answer`), which in this model comes later and tells far more. Source: S301 "Do I Know This Entity?
    Knowledge Awareness and Hallucinations in Language Models". Left open and filled: a difference of means stands in for the
    autoencoder's latents; the bundled model's invented entities, known ones of the three most shown levels.
    Raises CapabilityError for a model that does not know them (any but the bundled).
    """
    from nosce.metrics import auroc2

    mind, rng = _bundled(mind), np.random.default_rng(seed)
    names, known = _names(rng, 2 * n)
    states = np.stack([_state(name, mind, where) for name in names])  # [2n, layers + 1, d]
    made, tried = np.arange(len(names)) < n, np.arange(len(names)) >= n
    directions = _directions(states[made], known[made])

    def told(at: int, direction: Floats, rows: NDArray[np.bool_]) -> float:
        scores = states[rows, at] @ direction
        return float(auroc2((scores - scores.min()) / max(np.ptp(scores), 1e-12), known[rows]).value)

    at = layer if layer is not None else 1 + int(np.argmax([told(i, d, made) for i, d in enumerate(directions)][1:]))
    chance = []
    for direction in rng.normal(size=(LITTLE * 4, states.shape[2])):
        side = 1.0 if told(at, direction, made) >= 0.5 else -1.0
        chance.append(told(at, side * direction, tried))
    probe = MassMean.fit(states[made, at], known[made]).weights
    return {
        "layer": at, "auroc": told(at, directions[at], tried), "baseline": float(np.mean(chance)), "probe": told(at, probe, tried),
        "first": [told(i, d, tried) for i, d in enumerate(directions)], "n": n, "seed": seed,
    }  # fmt: skip


@study("S301", "entity-recognition-sae-latents", part="steering", needs={"hidden"}, acts={"think"}, claim=STEERS)
async def steers(
    mind: Mind | None, *, seed: int = 0, n: Count = 60, layer: int | None = None, dose: float = 3.0,
    where: Literal["name", "answer"] = "name",
) -> dict[str, Any]:  # fmt: skip
    """Does that direction decide whether the model refuses?

    Rule: half of n questions are about known names, half about strangers; ± `dose` · d (d as long as the two means are apart)
    is added to the hidden state of every new token. `refusal_moved`: refusals gained on known names under −d and lost on
    strangers under +d, averaged; `baseline` the same along random directions as long. Also the rates themselves. `layer`: the
    last but one by default, since the last is all but the words themselves; dose and layer were tried on other seeds.
    Source: S301 "Do I Know This Entity? Knowledge Awareness and Hallucinations in Language Models".
    Left open and filled: what `entity-recognition-sae-latents` says; a refusal is the answer `unknown`, an act it was taught.
    """
    mind, rng = _bundled(mind), np.random.default_rng(seed)
    names, known = _names(rng, 2 * n)
    states = np.stack([_state(name, mind, where) for name in names[:n]])
    at = states.shape[1] - 2 if layer is None else layer
    d = _directions(states, known[:n])[at]
    asked = [Problem(f"entity-{i}", f"color of {name}") for i, name in enumerate(names[n:])]
    knows = known[n:]
    plain = await _refusals(asked, mind, at, np.zeros_like(d))
    minus, plus = await _refusals(asked, mind, at, -dose * d), await _refusals(asked, mind, at, dose * d)
    random = []
    for direction in rng.normal(size=(LITTLE, d.size)):
        other = dose * direction / np.linalg.norm(direction) * np.linalg.norm(d)
        back, forth = await _refusals(asked, mind, at, -other), await _refusals(asked, mind, at, other)
        random.append(_moved(plain, back, forth, knows))
    return {
        "refusal_moved": _moved(plain, minus, plus, knows), "baseline": float(np.mean(random)), "layer": at, "dose": dose,
        "known": {"plain": _rate(plain, knows), "minus": _rate(minus, knows), "plus": _rate(plus, knows)},
        "unknown": {"plain": _rate(plain, ~knows), "minus": _rate(minus, ~knows), "plus": _rate(plus, ~knows)},
        "n": n, "seed": seed,
    }  # fmt: skip


def _moved(plain: Floats, minus: Floats, plus: Floats, known: NDArray[np.bool_]) -> float:
    """Mean of the refusals gained on known names under minus and those lost on unknown ones under plus."""
    return float((_rate(minus, known) - _rate(plain, known) + _rate(plain, ~known) - _rate(plus, ~known)) / 2)


def _rate(refused: Floats, rows: NDArray[np.bool_]) -> float:
    return float(refused[rows].mean())


def _directions(states: Floats, known: NDArray[np.bool_]) -> Floats:
    """mean known − mean unknown at each layer [layers + 1, d]."""
    return np.asarray(states[known].mean(axis=0) - states[~known].mean(axis=0), dtype=np.float64)


def _names(rng: np.random.Generator, count: int) -> tuple[list[str], NDArray[np.bool_]]:
    """Names, known ones and strangers in turn, none twice."""
    from nosce.tasks.families.facts import entities_of, stranger

    shown = [name for level in (1, 2, 3) for name in entities_of(level)]
    known = rng.permutation(shown)[: count // 2].tolist()
    strangers: dict[str, None] = {}
    while len(strangers) < len(known):
        strangers[stranger(rng)] = None
    names = [name for pair in zip(known, strangers, strict=True) for name in pair]
    return names, np.arange(len(names)) % 2 == 0


def _state(name: str, mind: Mind, where: Literal["name", "answer"]) -> Floats:
    """Hidden states [layers + 1, d] of a name's last token in a question that ends with it, or where the value is due."""
    assert isinstance(mind.model, Embedder)
    question = f"<q> color of {name}"
    prompt = Prompt(text=question if where == "name" else f"{question} <think> <s1> color of {name}=")
    pay(mind, mind.model.count(prompt))
    return np.asarray(mind.model.hidden(prompt)[:, -1], dtype=np.float64)


async def _refusals(asked: Sequence[Problem], mind: Mind, layer: int, vector: Floats) -> Floats:
    """1 where the model's likeliest answer under the vector is that it does not know."""
    import asyncio

    steer = (layer, tuple(vector.tolist())) if vector.any() else None
    drawn = await asyncio.gather(*(mind.think(problem, temperature=0.0, steer=steer) for problem in asked))
    return np.array([float(attempts[0].answer == UNKNOWN) for attempts in drawn])


def _bundled(mind: Mind | None) -> Mind:
    if mind is None or not mind.dialect.name.startswith("socrates") or not isinstance(mind.model, Embedder):
        spec = "no model" if mind is None else mind.model.spec
        raise CapabilityError("knowledge of the bundled facts", spec, ["--model socrates"])
    return mind
