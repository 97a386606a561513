"""Small maps to find one's way in: a line, a tree, a star, clusters, and denser ones."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np

ROOMS = (
    "amber", "birch", "coral", "delta", "ebony", "fjord", "grove", "heron", "ivory", "jade", "kiosk", "lotus", "maple", "north",
    "onyx", "pearl", "quartz", "river", "slate", "tulip", "umber",
)  # fmt: skip
SHAPES = ("line-7", "tree-7", "star-15", "cluster-16", "dense-7")
Edges = frozenset[frozenset[int]]


@dataclass(frozen=True, slots=True)
class Map:
    """Rooms joined by doors that open both ways; `names[i]` is the name of room i."""

    shape: str
    names: tuple[str, ...]
    edges: Edges

    def beside(self, room: int) -> list[int]:
        """The rooms next door, in order."""
        return sorted(other for edge in self.edges if room in edge for other in edge - {room})

    def distance(self, start: int, goal: int) -> int:
        """Doors on a shortest way."""
        seen, queue = {start: 0}, deque([start])
        while queue:
            room = queue.popleft()
            for other in self.beside(room):
                if other not in seen:
                    seen[other] = seen[room] + 1
                    queue.append(other)
        return seen[goal]

    def wanders_there(self, start: int, goal: int, doors: int) -> float:
        """Chance that a walk through random doors meets the goal within so many doors; exact."""
        chance = np.zeros(len(self.names))
        chance[start] = 1.0
        step = np.zeros((len(self.names), len(self.names)))
        for room in range(len(self.names)):
            step[room, self.beside(room)] = 1 / len(self.beside(room))
        step[goal] = 0.0
        step[goal, goal] = 1.0
        return float((chance @ np.linalg.matrix_power(step, doors))[goal])

    def told(self) -> str:
        """The map in words."""
        beside = [_listed([self.names[other] for other in self.beside(room)]) for room in range(len(self.names))]
        return " ".join(f"From {name} doors lead to {others}." for name, others in zip(self.names, beside, strict=True))


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def draw_map(shape: str, rng: np.random.Generator) -> Map:
    """A map of one of SHAPES with seeded names."""
    pairs, size = _pairs(shape, rng)
    names = tuple(ROOMS[int(i)] for i in rng.permutation(len(ROOMS))[:size])
    return Map(shape, names, frozenset(frozenset(pair) for pair in pairs))


def _pairs(shape: str, rng: np.random.Generator) -> tuple[list[tuple[int, int]], int]:
    match shape:
        case "line-7":
            return list(pairwise(range(7))), 7
        case "tree-7":
            return [(i, (i - 1) // 2) for i in range(1, 7)], 7
        case "star-15":  # a hub and seven arms of two rooms
            return [(0, i) for i in range(1, 8)] + [(i, i + 7) for i in range(1, 8)], 15
        case "cluster-16":  # four full clusters of four in a ring
            inside = [(4 * c + a, 4 * c + b) for c in range(4) for a, b in combinations(range(4), 2)]
            return inside + [(4 * c + 3, 4 * ((c + 1) % 4)) for c in range(4)], 16
        case _:  # dense-7: a ring with half of all other doors
            spare = [pair for pair in combinations(range(7), 2) if (pair[1] - pair[0]) not in (1, 6)]
            return [(i, (i + 1) % 7) for i in range(7)] + [pair for pair in spare if rng.random() < 0.5], 7


@dataclass(frozen=True, slots=True)
class Walk:
    """What a stated way is worth: does it lead to the goal, what share of its doors is not there, does it turn back?"""

    arrives: bool
    shortest: bool
    invented: float
    loops: bool


def walked(on: Map, start: int, goal: int, said: Sequence[str]) -> Walk:
    """A way as the names of its rooms, `start` first or left out; rooms that do not exist are doors that do not exist."""
    place = {name: i for i, name in enumerate(on.names)}
    rooms = [place.get(name.strip().lower(), -1) for name in said]
    rooms = rooms if rooms[:1] == [start] else [start, *rooms]
    doors = list(pairwise(rooms))
    wrong = [door for door in doors if frozenset(door) not in on.edges]
    arrives = bool(doors) and not wrong and rooms[-1] == goal
    shortest = arrives and len(doors) == on.distance(start, goal)
    return Walk(arrives, shortest, len(wrong) / max(1, len(doors)), len(set(rooms)) < len(rooms))
