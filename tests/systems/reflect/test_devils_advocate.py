"""Devil's Advocate: what failed is taken back, and the remedy is what was thought of before."""

import asyncio
from collections.abc import Sequence

import pytest
from tests.worlds import Stairs

from nosce.core.cost import Budget
from nosce.core.errors import CapabilityError
from nosce.core.problem import Problem
from nosce.core.registry import registry
from nosce.environments.policies import avoided
from nosce.mind.engine import Engine


class Lefty:
    """Goes for the first of its wishes that no note speaks against."""

    def __init__(self, *wishes: str) -> None:
        self.wishes = wishes

    def propose(self, observation: str, actions: Sequence[str], notes: Sequence[str], rng: object) -> str:
        against = avoided(notes, observation)
        return next((wish for wish in self.wishes if wish not in against), self.wishes[0])


def play(model, world, policy=None, budget: Budget | None = None, **options):
    mind = Engine({"main": model}, budget or Budget()).mind(Problem("p", world.goal))
    run = registry.find("devils-advocate").run
    return asyncio.run(run(world, mind, policy, **options)), mind.work.trace


def test_a_fall_is_taken_back_and_the_remedy_done_instead(scripted):
    """Up by left, right, left. The policy goes left first, so it falls once, on the second step, and returns once."""
    world = Stairs(("left", "right", "left"))
    episode, trace = play(scripted(lambda prompt, k: ""), world, Lefty("left", "right"))
    assert (episode.actions, episode.score) == (("left", "right", "left"), 1.0)
    assert world.resets == 2
    last = [e.data for e in trace.events if "actions" in e.data][-1]
    assert (last["actions"], last["returns"]) == (4, 1)


def test_a_step_that_changes_nothing_does_not_serve(scripted):
    episode, _ = play(scripted(lambda prompt, k: ""), Stairs(("right",)), Lefty("wait", "right"))
    assert (episode.actions, episode.score) == (("right",), 1.0)


def test_when_the_remedy_fails_too_an_earlier_step_is_taken_back(scripted):
    """`wait` is tried, then `left`; both are wrong on the first step, and nothing before it can be taken back."""
    episode, _ = play(scripted(lambda prompt, k: ""), Stairs(("right",)), Lefty("wait", "left"))
    assert (episode.actions, episode.score, episode.final) == (("left",), 0.0, "You fell.")


def test_without_returns_it_is_the_plain_policy(scripted):
    episode, _ = play(scripted(lambda prompt, k: ""), Stairs(("left", "right")), Lefty("left", "right"), returns=0)
    assert (episode.actions, episode.final) == (("left", "left"), "You fell.")


def choosing(prompt: str, k: int) -> str:
    """A model that goes left unless it was warned, and likes what it did unless it fell."""
    if "Which option is best?" in prompt:
        return "Choice: 1"
    warned = "avoid left when You are on step 1." in prompt and "You are on step 1. What do you do next?" in prompt
    return "Method: right" if warned else "Method: left"


def test_a_model_can_play_and_sees_what_failed(scripted):
    episode, _ = play(scripted(choosing), Stairs(("left", "right", "left")))
    assert (episode.actions, episode.score) == (("left", "right", "left"), 1.0)
    assert episode.cost.calls > 0


@pytest.mark.parametrize("calls", range(1, 12))
def test_cut_anywhere_it_returns_the_episode_so_far(scripted, calls):
    episode, _ = play(scripted(choosing), Stairs(("left", "right", "left")), budget=Budget(calls=calls))
    assert episode.cost.calls <= calls
    assert len(episode.steps) <= 3


def test_a_model_that_does_not_choose_needs_a_scripted_policy(organism):
    with pytest.raises(CapabilityError, match=r"act choose.*scripted policy"):
        play(organism, Stairs(("left",)))
