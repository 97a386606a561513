"""S026 CogEval: finding one's way on maps of different structure, with every way checked door by door."""

from __future__ import annotations

import re

import numpy as np

from nosce.core.battery import Item, Measure, Row, Source, difference, share
from nosce.core.claim import Claim
from nosce.core.errors import InputError
from nosce.core.problem import Problem
from nosce.core.registry import battery
from nosce.core.streams import stream_key
from nosce.metrics.estimate import Floats
from nosce.mind.mind import Mind
from nosce.tasks.graphs import SHAPES, Map, draw_map, walked

CLAIM = Claim(
    statement="Ways are found less often on maps with clusters of rooms than on trees and lines.",
    endpoint="structure", baseline="structure does not matter", n=240, seeds=(0, 1), fidelity="code",
)  # fmt: skip
SPARSE = ("line-7", "tree-7")


def items(n: int, seed: int, source: Source) -> list[Item]:
    """Maps of five shapes in turn. Raises InputError for the bundled model, which reads no maps."""
    if source == "bundled":
        raise InputError("finding ways on a map told in words needs a chat model")
    return [_item(i, seed) for i in range(n)]


def _item(i: int, seed: int) -> Item:
    rng = np.random.default_rng(stream_key("cogeval", seed, i))
    on = draw_map(SHAPES[i % len(SHAPES)], rng)
    start = int(rng.integers(len(on.names)))
    far = [room for room in range(len(on.names)) if on.distance(start, room) > 1] or [on.beside(start)[0]]
    goal = far[int(rng.integers(len(far)))]
    text = (
        f"Doors open both ways. {on.told()} You are in {on.names[start]}. Find a shortest way to {on.names[goal]}. "
        "Give the rooms of the way in order, with > between them, as the answer."
    )
    problem = Problem(f"cogeval-{seed}-{i}", text, family=on.shape, level=on.distance(start, goal))
    return Item(problem, {"on": on, "start": start, "goal": goal})


def structure(arrives: Floats, sparse: Floats) -> float:
    """Ways found on lines and trees less on stars, clusters and dense maps."""
    plain = sparse > 0.5
    if plain.all() or not plain.any():
        raise InputError("all maps are of one kind")
    return float(arrives[plain].mean() - arrives[~plain].mean())


MEASURES = (
    Measure("success", "finds a way, above a random walker", "knows", ("arrives", "wanders"), difference, "higher", 0.0,
            "a random walker", "points"),
    Measure("shortest", "finds a shortest way", "knows", ("shortest",), share),
    Measure("structure", "fails where rooms cluster", "knows", ("arrives", "sparse"), structure, "lower", 0.0,
            "structure does not matter", "points"),
    Measure("invented", "doors that are not there", "monitors", ("invented",), share, "lower", 0.0, "only doors that are there"),
    Measure("loops", "ways that turn back on themselves", "monitors", ("loops",), share, "lower", 0.0, "no loops"),
)  # fmt: skip


@battery("S026", "cogeval", items=items, measures=MEASURES, claim=CLAIM, acts={"think"})
async def cog_eval(problem: Problem, mind: Mind, *, on: Map, start: int, goal: int) -> Row:
    """Does the model find its way on a map it was told, and where does it invent doors or go in circles?

    Rule: one thought a map; the stated way is followed door by door. Success = it leads to the goal through doors that are there;
    control = the exact chance that a random walk meets the goal within as many doors as there are rooms. Invented = share of doors
    that are not there, loops = ways that enter a room twice; shares in [0, 1]. Repetition is by seeds, tests by intervals.
    Source: S026 "Evaluating Cognitive Maps and Planning in Large Language Models with CogEval". Left open and filled: of its tasks
    the n-step way; of its six graphs four, and a dense one; one domain (rooms).
    """
    said = (await mind.think(problem))[0].answer
    walk = walked(on, start, goal, rooms(said or ""))
    return {
        "answer": said, "arrives": walk.arrives, "shortest": walk.shortest, "invented": walk.invented, "loops": walk.loops,
        "wanders": on.wanders_there(start, goal, len(on.names)), "sparse": on.shape in SPARSE,
    }  # fmt: skip


def rooms(said: str) -> list[str]:
    """The names in a stated way: `a > b > c`, `a -> b`, `a, b and c`."""
    return [word for word in re.split(r"\s*(?:->|→|>|,|\band\b)\s*", said.strip().strip(".")) if word]
