"""Scripted policies and the loop they act in."""

import asyncio
from collections.abc import Sequence

import numpy as np
import pytest

pytest.importorskip("gymnasium")

from nosce.agents.loop import replay, run_episode
from nosce.core.episode import Step
from nosce.core.errors import InputError
from nosce.environments import environment
from nosce.environments.policies import Blunderer, Planner, Wanderer, avoided, warning


class Script:
    """Does what it was told, awaiting in between as a model would."""

    def __init__(self, *actions: str) -> None:
        self.left = list(actions)
        self.notes: list[tuple[str, ...]] = []

    async def propose(self, observation: str, actions: Sequence[str], notes: Sequence[str], rng: np.random.Generator) -> str:
        self.notes.append(tuple(notes))
        await asyncio.sleep(0)
        return self.left.pop(0)


def test_the_loop_records_what_was_seen_done_and_earned() -> None:
    lake, script = environment("frozen-lake?view=position"), Script("down", "down", "down")
    episode = asyncio.run(run_episode(lake, script, seed=4, notes=("be careful",)))
    assert episode.steps == (
        Step("You are at row 1, column 1 of 4.", "down"),
        Step("You are at row 2, column 1 of 4.", "down"),
        Step("You are at row 3, column 1 of 4.", "down", 0.0, True),
    )
    assert episode.final == "You are at row 4, column 1 of 4. You fell into a hole."
    assert (episode.seed, episode.score, episode.done) == (4, 0, True)
    assert script.notes == [("be careful",)] * 3
    assert replay(environment(episode.environment), episode) == episode.final


def test_a_proposal_that_is_no_action_costs_a_step_and_is_told() -> None:
    lake = environment("frozen-lake?view=position")
    episode = asyncio.run(run_episode(lake, Script("fly", "swim", "down"), max_steps=3))
    assert [step.observation for step in episode.steps] == [
        "You are at row 1, column 1 of 4.",
        "You can't 'fly'; possible: left, down, right, up.\nYou are at row 1, column 1 of 4.",
        "You can't 'swim'; possible: left, down, right, up.\nYou are at row 1, column 1 of 4.",
    ]
    assert episode.final == "You are at row 2, column 1 of 4."
    assert not episode.done
    with pytest.raises(InputError, match="expected at least 1"):
        asyncio.run(run_episode(lake, Script(), max_steps=0))


def test_the_blunderer_falls_at_its_rate() -> None:
    """From the cell right of the start on the known map one move leads into a hole."""
    lake = environment("frozen-lake")
    lake.reset(0)
    seen = lake.step("right").observation
    for rate in (0.0, 0.25, 1.0):
        policy = Blunderer(lake, rate)
        proposals = [policy.propose(seen, lake.actions(), (), np.random.default_rng(n)) for n in range(800)]
        falls = sum(proposal == "down" for proposal in proposals)
        assert abs(falls - 800 * rate) <= 4 * np.sqrt(800 * rate * (1 - rate))


def test_a_warned_blunderer_does_not_fall() -> None:
    lake = environment("frozen-lake")
    lake.reset(0)
    seen = lake.step("right").observation
    policy, note = Blunderer(lake, 1.0), warning("down", seen)
    assert all(policy.propose(seen, lake.actions(), [note], np.random.default_rng(n)) != "down" for n in range(50))
    assert policy.propose("elsewhere", lake.actions(), [note], np.random.default_rng(0)) == "down"


def test_notes_that_speak_against_everything_are_set_aside() -> None:
    notes = [warning("left"), warning("up", "here"), warning("down", "there"), "walk on"]
    assert avoided(notes, "here") == {"left", "up"}
    assert Wanderer().propose("here", ["left", "up"], notes, np.random.default_rng(0)) in ("left", "up")
    assert Wanderer().propose("here", ["left", "up", "down"], notes, np.random.default_rng(0)) == "down"


def test_a_policy_s_luck_belongs_to_seed_and_step() -> None:
    lake = environment("frozen-lake")
    first, again, other = (asyncio.run(run_episode(lake, Blunderer(lake, 0.4), seed=s)) for s in (1, 1, 2))
    assert first == again
    assert first.actions != other.actions


def test_knowing_beats_blundering_beats_wandering() -> None:
    lake = environment("frozen-lake?size=5&random_map=true")
    scores = [
        sum(asyncio.run(run_episode(lake, policy, seed=seed)).score for seed in range(30))
        for policy in (Planner(lake), Blunderer(lake, 0.2), Wanderer())
    ]
    assert scores[0] == 30
    assert scores[0] > scores[1] > scores[2]


def test_a_rate_that_is_no_probability_is_refused() -> None:
    with pytest.raises(InputError, match="probability"):
        Blunderer(environment("frozen-lake"), 1.5)
