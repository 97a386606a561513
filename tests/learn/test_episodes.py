"""Training through a world: an episode is a rollout, every choice a turn."""

from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from tests.servers import tiny

from nosce.core.problem import Problem
from nosce.environments.text import Environment, Outcome
from nosce.learn.context import Context
from nosce.learn.hf import HFEngine
from nosce.learn.recipe import Recipe, Settings
from nosce.learn.rollouts import episodes
from nosce.learn.trainer import Trainer


@dataclass
class Corridor:
    """Three rooms in a row; the treasure is in the last one."""

    name: str = "corridor"
    goal: str = "Find the treasure."
    room: int = 0

    def reset(self, seed: int) -> str:
        self.room, self.seed = 0, seed
        return "You are in room 0."

    def actions(self) -> tuple[str, ...]:
        return () if self.room == 2 else ("go on", "wait")

    def step(self, action: str) -> Outcome:
        self.room += action == "go on"
        return Outcome(f"You are in room {self.room}.", float(self.room == 2), self.room == 2)

    def clone(self) -> Environment:
        return replace(self)

    def best_action(self) -> str:
        return "go on"

    def dangers(self) -> tuple[str, ...]:
        return ()


@pytest.fixture(scope="module")
def chat(tmp_path_factory: pytest.TempPathFactory) -> HFEngine:
    return HFEngine(str(tiny.write(tmp_path_factory.mktemp("chat") / "model")))


PROBLEMS = [Problem(f"w{i}", "Find the treasure.") for i in range(2)]


def test_every_choice_of_an_episode_is_a_turn_and_its_score_the_outcome(chat: HFEngine, tmp_path: Path) -> None:
    """Four groups of three through the trainer; what was drawn is what is learned from, and all of a group face one world."""
    worlds: list[Corridor] = []

    def world(problem: Problem) -> Environment:
        worlds.append(Corridor())
        return worlds[-1]

    seen: list[tuple[int, int, float | None]] = []

    def lengths(group, context):  # type: ignore[no-untyped-def]  # as a user would write it
        seen.extend((len(r.turns), len(r.answer.split(", ")), r.outcome) for r in group)
        return {"outcome": [r.outcome + 0.1 * len(r.turns[0].tokens) for r in group]}

    recipe = Recipe(rollout=episodes(world, max_steps=4), reward=lengths, acts=frozenset({"choose"}), labels=False)
    trainer = Trainer(recipe, chat, PROBLEMS, 2, settings=Settings(batch=2, group=3, max_tokens=6))
    rows = trainer.run()
    assert len(rows) == 2
    assert len(worlds) == len(seen) == 12
    assert all(turns == actions for turns, actions, _ in seen)
    assert {outcome for _, _, outcome in seen} <= {0.0, 1.0}
    assert all((outcome == 1.0) == (world.room == 2) for (_, _, outcome), world in zip(seen, worlds, strict=True))
    assert len({world.seed for world in worlds}) == 2
    assert rows[0]["drift"] < 1e-3
    assert any(row["grad_norm"] > 0 for row in rows)


def test_the_same_step_plays_the_same_episodes(chat: HFEngine) -> None:
    import asyncio

    def play() -> list[tuple[str | None, int]]:
        context = Context(chat, PROBLEMS, Settings(max_tokens=6), seed=3)
        group = asyncio.run(episodes(lambda problem: Corridor(), max_steps=3)(PROBLEMS[0], context, 3))
        return [(r.answer, r.length) for r in group]

    assert play() == play()
