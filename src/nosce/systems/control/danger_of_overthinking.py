"""S385 The danger of overthinking: of several runs, take the one that least prefers its own thought to the world."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nosce.agents.model_policy import told
from nosce.core.battery import Item, Measure, Row, Source
from nosce.core.claim import Claim
from nosce.core.episode import Step
from nosce.core.errors import BudgetExhausted, InputError
from nosce.core.problem import Problem
from nosce.core.registry import battery
from nosce.environments import environment
from nosce.environments.text import Environment
from nosce.metrics.estimate import Floats
from nosce.mind.cue import Cue
from nosce.mind.dialects.base import Given
from nosce.mind.mind import Mind

RUNS, LONGEST = 4, 10
WORLD = "frozen-lake?size=4&random_map=true"
SCORE = Cue("overthinking-score", 1, {"chat": "{question}"})
ASKED = (
    "Above is what an agent thought and did. How far did it prefer its own thought to what the world told it: planning on without "
    "acting (analysis paralysis), several actions at once without waiting for their result (rogue actions), giving up on its own "
    "prediction (premature disengagement)? Reply with one number in the form\nConfidence: <0 for not at all, to 100 for wholly>%"
)

CLAIM = Claim(
    statement="Of four runs the one with the lowest overthinking score succeeds more often than one taken at random.",
    endpoint="selection", baseline="one of the runs at random", n=60, seeds=(0, 1),
)  # fmt: skip


def items(n: int, seed: int, source: Source) -> list[Item]:
    """Frozen lakes, each with a map of its own. Raises InputError for the bundled model, which acts in no world."""
    if source == "bundled":
        raise InputError("acting in a world of words needs a chat model")
    world = environment(WORLD)
    made = [Problem(f"lake-{seed}-{i}", f"{world.goal} (lake {1000 * seed + i})", family="frozen-lake", level=4) for i in range(n)]
    return [Item(problem, {"world": 1000 * seed + i}) for i, problem in enumerate(made)]


def selection(success: Floats, score: Floats, item: Floats) -> float:
    """Success of the run with the lowest score of each item (ties shared) less the mean over its runs."""
    gains = []
    for one in np.unique(item):
        runs = item == one
        lowest = score[runs] == score[runs].min()
        gains.append(success[runs][lowest].mean() - success[runs].mean())
    return float(np.mean(gains))


def failing(success: Floats, score: Floats) -> float:
    """Correlation of the score with failure."""
    if success.std() == 0 or score.std() == 0:
        raise InputError("all runs end alike or score alike")
    return float(np.corrcoef(score, 1 - success)[0, 1])


MEASURES = (
    Measure("success", "runs that reach the goal", "knows", ("success",), lambda column: float(column.mean())),
    Measure("selection", "won by taking the run that overthinks least", "mends", ("success", "score", "lake"), selection, "higher",
            0.0, "one of the runs at random", "points"),
    Measure("failing", "overthinking goes with failing", "acts", ("success", "score"), failing, "neither", 0.0, "no relation",
            "number"),
    Measure("rogue", "proposals that are no action", "acts", ("rogue",), lambda column: float(column.mean()), "lower"),
)  # fmt: skip


@battery("S385", "danger-of-overthinking", items=items, measures=MEASURES, claim=CLAIM,
         needs={"blackbox", "env"}, acts={"think", "rate"})  # fmt: skip
async def overthinking(problem: Problem, mind: Mind, *, world: int) -> list[Row]:
    """Do runs in which an agent prefers its own thought to the world fail, and is the least such run the best to take?

    Rule: four runs in one world, a thought before every action; each is scored for overthinking from its transcript, in [0, 1], 1
    is worst, by the model itself. Selection = success of the lowest score − mean success of the four.
    Source: S385 "The Danger of Overthinking: Examining the Reasoning-Action Dilemma in Agentic Tasks". Left open and filled: a
    frozen lake in place of software issues; the model is its own judge of transcripts; ten actions at most.
    """
    rows: list[Row] = []
    for _ in range(RUNS):
        steps, ended, rogue = await _run(problem, mind, world)
        score = await _score(problem, mind, steps, ended)
        success = bool(steps) and steps[-1].reward > 0
        rows.append({"success": success, "score": score, "lake": world, "actions": len(steps), "rogue": rogue / max(1, len(steps))})
    return rows


async def _run(problem: Problem, mind: Mind, seed: int) -> tuple[list[Step], str, int]:
    """One run: what was done, the last thing seen, and how many proposals were no action."""
    env: Environment = environment(WORLD)
    seen, steps, rogue = env.reset(seed), list[Step](), 0
    while (actions := env.actions()) and len(steps) < LONGEST:
        asked = Problem(problem.id, f"{env.goal} {seen} What do you do next?", choices=actions)
        attempt = (await mind.think(asked))[0]
        known = attempt.answer in actions
        rogue += not known
        done = env.step(attempt.answer if known and attempt.answer else actions[0])
        steps.append(Step(seen, f"{attempt.text.strip()} → {attempt.answer}", done.reward, done.done))
        seen = done.observation
    return steps, seen, rogue


async def _score(problem: Problem, mind: Mind, steps: Sequence[Step], ended: str) -> float | None:
    if not steps:
        raise BudgetExhausted("no action was taken")
    transcript = Problem(problem.id, told(steps, ended))
    made = await mind.attempts("rate", transcript, Given(instruction=ASKED, cue=SCORE))
    score: float | None = mind.dialect.read("rate", made[0], transcript, Given())
    return score
