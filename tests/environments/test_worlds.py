"""Text worlds against Gymnasium's own rules, known maps and exact values."""

import asyncio
import re

import numpy as np
import pytest

pytest.importorskip("gymnasium")
pytest.importorskip("minigrid")

from nosce.agents.loop import run_episode
from nosce.core.errors import InputError
from nosce.environments import environment
from nosce.environments.policies import Planner
from nosce.environments.text import Environment

SPECS = [
    "frozen-lake",
    "frozen-lake?size=8&slippery=true&view=map",
    "frozen-lake?size=5&random_map=true&view=position",
    "minigrid?task=Empty-5x5",
    "minigrid?task=LavaGapS5",
    "minigrid?task=DoorKey-5x5",
]


def _walk(env: Environment, actions: str) -> list[tuple[str, float, bool]]:
    return [tuple(env.step(action)) for action in actions.split(",")]  # type: ignore[misc]


def test_the_four_by_four_lake_is_the_known_map() -> None:
    lake = environment("frozen-lake?view=map")
    assert lake.reset(0).splitlines()[1:] == ["SFFF", "FHFH", "FFFH", "HFFG"]
    steps = _walk(lake, "down,down,right,right,down,right")
    assert steps[-1] == ("You are at row 4, column 4 of 4. You reached the goal.", 1.0, True)
    assert all(step[1:] == (0.0, False) for step in steps[:-1])
    assert lake.actions() == ()


def test_a_hole_ends_it_without_reward() -> None:
    lake = environment("frozen-lake")
    seen = lake.reset(0)
    assert seen == "You are at row 1, column 1 of 4. left: the shore, down: ice, right: ice, up: the shore."
    assert _walk(lake, "right")[0][0].endswith("left: ice, down: a hole, right: ice, up: the shore.")
    assert lake.dangers() == ("down",)
    assert _walk(lake, "down") == [("You are at row 2, column 2 of 4. You fell into a hole.", 0.0, True)]
    with pytest.raises(InputError, match="reset first"):
        lake.step("up")


def test_on_slippery_ice_a_third_of_the_steps_go_where_they_are_meant_to() -> None:
    lake = environment("frozen-lake?slippery=true&view=position")
    went = []
    for seed in range(300):
        lake.reset(seed)
        went.append(lake.step("down").observation)
    rows = sum("row 2, column 1" in text for text in went)
    assert abs(rows - 100) < 4 * np.sqrt(300 * 2 / 9)
    assert all(re.search(r"row (1, column [12]|2, column 1)", text) for text in went)


def test_the_planner_s_chance_on_slippery_ice_is_the_known_optimum() -> None:
    """The optimal policy of the 4 × 4 lake arrives with probability 14/17 where time is no limit."""
    lake = environment("frozen-lake?slippery=true")
    lake.reset(0)
    chances = lake._env.unwrapped.P  # type: ignore[attr-defined]
    policy = {}
    for state in range(16):
        lake._raw = state  # type: ignore[attr-defined]
        policy[state] = lake.verbs[lake.best_action()]  # type: ignore[attr-defined]
    value = np.zeros(16)
    for _ in range(5000):
        value = np.array([sum(p * (r + value[to] * (not end)) for p, to, r, end in chances[s][policy[s]]) for s in range(16)])
    assert value[0] == pytest.approx(14 / 17, abs=1e-3)


def test_a_random_map_belongs_to_its_seed() -> None:
    lake = environment("frozen-lake?size=6&random_map=true&view=map")
    first, second, again = lake.reset(1), lake.reset(2), lake.reset(1)
    assert first == again
    assert first != second


@pytest.mark.parametrize("spec", SPECS)
def test_one_who_knows_the_map_arrives_and_the_way_replays(spec: str) -> None:
    world = environment(spec)
    arrived = [asyncio.run(run_episode(world, Planner(world), max_steps=300, seed=seed)) for seed in range(4)]
    if "slippery" not in spec:
        assert all(episode.done and episode.score > 0.8 for episode in arrived)
        assert all(episode.final.endswith("You reached the goal.") for episode in arrived)
    for episode in arrived:
        again = environment(episode.environment)
        seen = again.reset(episode.seed)
        for step in episode.steps:
            assert seen == step.observation
            assert step.action in again.actions()
            seen, reward, done = again.step(step.action)
            assert (reward, done) == (step.reward, step.done)
        assert seen == episode.final


@pytest.mark.parametrize("spec", SPECS)
def test_a_clone_is_independent_and_goes_on_the_same(spec: str) -> None:
    world = environment(spec)
    world.reset(5)
    rng = np.random.default_rng(0)
    for _ in range(4):
        if world.actions():
            world.step(world.actions()[int(rng.integers(len(world.actions())))])
    copy, other = world.clone(), world.clone()
    while world.actions():
        action = world.actions()[int(rng.integers(len(world.actions())))]
        assert copy.actions() == world.actions()
        assert copy.step(action) == world.step(action)
    assert not world.actions()
    assert other.actions() or not copy.actions()


def test_the_shortest_way_in_the_empty_room_takes_five_actions() -> None:
    world = environment("minigrid?task=Empty-5x5")
    episode = asyncio.run(run_episode(world, Planner(world)))
    assert episode.actions in (
        ("forward", "forward", "turn right", "forward", "forward"),
        ("turn right", "forward", "forward", "turn left", "forward"),
    )  # fmt: skip
    assert episode.score == pytest.approx(1 - 0.9 * 5 / 100)


def test_the_door_opens_with_the_key_only() -> None:
    world = environment("minigrid?task=DoorKey-5x5")
    episode = asyncio.run(run_episode(world, Planner(world)))
    assert "pick up" in episode.actions
    assert episode.actions.index("pick up") < episode.actions.index("toggle")
    after = episode.steps[episode.actions.index("pick up") + 1].observation
    assert "You carry the yellow key." in after
    before, later = (episode.steps[episode.actions.index("toggle") + shift].observation for shift in (0, 1))
    assert "ahead is a locked door" in before
    assert "ahead is an open door" in later


def test_lava_ahead_is_seen_and_deadly() -> None:
    world = environment("minigrid?task=LavaGapS5")
    for seed in range(20):
        seen = world.reset(seed)
        assert ("ahead is lava" in seen) == (world.dangers() == ("forward",))
        if world.dangers():
            assert world.step("forward") == ("You stepped into lava.", 0.0, True)
            return
    raise AssertionError("no seed with lava ahead")


def test_what_is_told_is_the_agents_own_view() -> None:
    """Against the room itself: the goal of the empty room stands at (3, 3), the agent at (1, 1)."""
    world = environment("minigrid?task=Empty-5x5")
    assert world.reset(0).endswith("You face east; ahead is nothing. You see the goal 2 ahead and 2 to the right.")
    assert world.step("turn right").observation.endswith(
        "You face south; ahead is nothing. You see the goal 2 ahead and 2 to the left."
    )
    assert world.step("turn right").observation.endswith("You face west; ahead is a wall. You see nothing but floor and walls.")


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("frozen-lak", "did you mean frozen-lake"),
        ("frozen-lake?size=5", "size 5: expected 4 or 8"),
        ("frozen-lake?view=mpa", "did you mean map"),
        ("frozen-lake?ice=3", "unexpected keyword argument 'ice'"),
        ("minigrid?task=LavaGap", "did you mean LavaGapS5"),
    ],
)
def test_what_is_no_world_is_refused(spec: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        environment(spec)


def test_an_action_that_is_none_is_refused_by_the_world() -> None:
    world = environment("frozen-lake")
    with pytest.raises(InputError, match="reset first"):
        world.step("up")
    world.reset(0)
    with pytest.raises(InputError, match="no action 'fly'; possible: left, down, right, up"):
        world.step("fly")
    with pytest.raises(InputError, match="seed -1"):
        world.reset(-1)
