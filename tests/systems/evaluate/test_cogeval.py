"""Ways on maps, door by door, by hand."""

import asyncio
from itertools import pairwise

import numpy as np
import pytest
from tests.scripted import ScriptedChat

from nosce.core.registry import registry
from nosce.mind.engine import Engine
from nosce.models.base import Request, Sample
from nosce.systems.evaluate.cogeval import rooms, structure
from nosce.tasks.graphs import SHAPES, Map, Walk, draw_map, walked

LINE = Map("line-7", tuple("abcdefg"), frozenset(frozenset(pair) for pair in pairwise(range(7))))


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("a > b > c", Walk(True, True, 0.0, False)),
        ("b, c", Walk(True, True, 0.0, False)),  # the start may be left out
        ("a > b > a > b > c", Walk(True, False, 0.0, True)),
        ("a > c", Walk(False, False, 1.0, False)),
        ("a > b > zoo > c", Walk(False, False, 2 / 3, False)),
        ("a > b", Walk(False, False, 0.0, False)),
        ("", Walk(False, False, 0.0, False)),
    ],
)
def test_a_way_is_followed_door_by_door(said: str, expected: Walk) -> None:
    assert walked(LINE, 0, 2, rooms(said)) == expected


def test_a_random_walker_on_a_line() -> None:
    """From the end of a line of three: to the middle for sure, then on with one half, back and on again with a quarter."""
    short = Map("line", ("a", "b", "c"), frozenset({frozenset((0, 1)), frozenset((1, 2))}))
    assert short.wanders_there(0, 2, 1) == 0.0
    assert short.wanders_there(0, 2, 2) == pytest.approx(0.5)
    assert short.wanders_there(0, 2, 4) == pytest.approx(0.75)


@pytest.mark.parametrize("shape", SHAPES)
def test_every_room_can_be_reached(shape: str) -> None:
    on = draw_map(shape, np.random.default_rng(3))
    assert all(0 <= on.distance(0, room) < len(on.names) for room in range(len(on.names)))
    assert len(set(on.names)) == len(on.names)


def test_structure_is_the_difference_of_two_shares() -> None:
    assert structure(np.array([1.0, 1, 1, 0]), np.array([1.0, 1, 0, 0])) == pytest.approx(0.5)


class Pathfinder(ScriptedChat):
    """Reads the map in the prompt and finds a shortest way."""

    def _one(self, request: Request, key: int) -> Sample:
        said = request.prompt.messages[-1].content
        doors = {}
        for part in said.split("From ")[1:]:
            room, _, rest = part.partition(" doors lead to ")
            doors[room] = rest.split(".")[0].replace(" and ", ", ").split(", ")
        start, goal = said.split("You are in ")[1].split(".")[0], said.split("way to ")[1].split(".")[0]
        ways = [[start]]
        while ways[0][-1] != goal:
            way = ways.pop(0)
            ways += [[*way, room] for room in doors[way[-1]] if room not in way]
        return Sample(f"Answer: {' > '.join(ways[0])}", prompt_tokens=5, completion_tokens=5)


def test_one_who_finds_shortest_ways_scores_in_full() -> None:
    system, engine = registry.find("S026"), Engine({"main": Pathfinder()})
    for item in system.options["items"](10, 0, "general"):
        row = asyncio.run(system.run(item.problem, engine.mind(item.problem), **item.given))
        assert (row["arrives"], row["shortest"], row["invented"], row["loops"]) == (True, True, 0.0, False)
        assert 0 < row["wanders"] <= 1
