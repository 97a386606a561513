"""Introspective tips: what failed once is a tip the next time, and what the model writes is shown to it."""

import asyncio
from collections.abc import Sequence

import pytest
from tests.worlds import Stairs

from nosce.core.cost import Budget
from nosce.core.episode import Episode, Step
from nosce.core.problem import Problem
from nosce.core.registry import registry
from nosce.environments.policies import avoided
from nosce.mind.engine import Engine


class Lefty:
    """Left, unless a note speaks against it."""

    def __init__(self) -> None:
        self.read: list[tuple[str, ...]] = []

    def propose(self, observation: str, actions: Sequence[str], notes: Sequence[str], rng: object) -> str:
        self.read.append(tuple(notes))
        return "right" if "left" in avoided(notes, observation) else "left"


def play(model, world, policy=None, budget: Budget | None = None, **options) -> Episode:
    mind = Engine({"main": model}, budget or Budget()).mind(Problem("p", world.goal))
    return asyncio.run(registry.find("introspective-tips").run(world, mind, policy, **options))


@pytest.mark.parametrize(("episodes", "score", "final"), [(1, 0, "You fell."), (2, 0, "You fell."), (3, 1, "You are on step 3.")])
def test_one_failure_is_unlearned_per_episode(scripted, episodes, score, final):
    """Up by right, left, right: two steps where left is wrong, so it takes two failed episodes and the third succeeds."""
    episode = play(scripted(lambda prompt, k: ""), Stairs(("right", "left", "right")), Lefty(), episodes=episodes)
    assert (episode.score, episode.final) == (score, final)


def test_only_the_newest_tips_are_shown(scripted):
    policy = Lefty()
    play(scripted(lambda prompt, k: ""), Stairs(("right", "right", "right")), policy, episodes=3, most=1)
    assert policy.read[0] == ()
    assert max(map(len, policy.read)) == 1


def writing(log: list[str]):
    def reply(prompt: str, k: int) -> str:
        log.append(prompt)
        if "general lessons" in prompt:
            return "Looking back:\n- go right on the stairs"
        return "Method: right" if "go right on the stairs" in prompt else "Method: left"

    return reply


def test_a_model_reads_what_happened_and_plays_by_its_own_tip(scripted):
    log: list[str] = []
    episode = play(scripted(writing(log)), Stairs(("right",)), episodes=2)
    assert (episode.actions, episode.score) == (("right",), 1.0)
    chosen, looked_back, again = log
    assert "You are on step 0. → left\nYou fell. Score: 0." in looked_back
    assert "Notes" not in chosen
    assert "Notes:\n- go right on the stairs" in again


def test_an_experts_episode_is_looked_at_before_the_first(scripted):
    expert = Episode("stairs", 0, (Step("You are on step 0.", "right", 1.0, True),), "Climb.", "You are on step 1.")
    log: list[str] = []
    assert play(scripted(writing(log)), Stairs(("right",)), episodes=1, demonstrations=(expert,)).score == 1.0
    assert "You are on step 0. → right\nYou are on step 1. Score: 1." in log[0]


@pytest.mark.parametrize("calls", [1, 2, 3])
def test_cut_anywhere_it_returns_the_last_whole_episode(scripted, calls):
    episode = play(scripted(writing([])), Stairs(("right",)), budget=Budget(calls=calls))
    assert episode.cost.calls <= calls
    assert episode.actions == (("left",) if calls < 3 else ("right",))
