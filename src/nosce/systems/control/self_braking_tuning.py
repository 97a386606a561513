"""S101 Self-Braking Tuning: a model that goes on after it has the answer learns to stop itself."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from nosce.core.answer import Answer
from nosce.core.claim import Claim
from nosce.core.problem import Problem
from nosce.core.registry import recipe
from nosce.learn.context import Context
from nosce.learn.recipe import Augment, Recipe, Settings, unmoved
from nosce.learn.rollout import Group, Rollout, Turn
from nosce.mind.dialects import dialect_of
from nosce.mind.dialects.socrates import answer as stated
from nosce.mind.mind import Mind

if TYPE_CHECKING:
    from nosce.learn.engine import Engine

Form = Literal["exact", "dynamic"]
GROUND = {"start": "socrates", "steps": 80, "tokens": 500_000, "beside": ()}
"""The taught model, which knows how a re-check goes, on the levels of the other claims; twice as long, for two stages."""

PROMISED: dict[str, Any] = {
    "endpoint": "saved tokens", "baseline": "sbt", "margin": 0.4, "seeds": (0, 1, 2), "fidelity": "paper", "taught": True,
    "options": GROUND, "baseline_options": {"first": 1.0},
    "analogue_of": "reasoning models that overthink by themselves (here: first taught to, in the same run)",
}  # fmt: skip
EXACT = Claim(
    "Braked one solution after the first, a model that overthinks spends at most 60% of the tokens of one that is not braked.",
    **PROMISED,
)
DYNAMIC = Claim(
    "Braked where its overthinking score passes 0.2, a model that overthinks spends at most 60% of the tokens of one that is not "
    "braked.", **PROMISED,
)  # fmt: skip
ROOM = 180
"""Tokens of the longest thought of the bundled model here; its dialect gives an ordinary one 120."""


@dataclass(frozen=True)
class Marks:
    """How a dialect goes over a solution again, and how it says that it is enough; `step` cuts a text into steps."""

    step: str
    again: str
    done: str
    brake: str


SOCRATES = Marks(r"(?:<check> )?<(?:s\d+|ans)>.*?(?=(?:<check> )?<(?:s\d+|ans)>|$)", "<check> ", "<ok> ", "<yes>")
CHAT = Marks(r".*?\n", "Let me go over this once more.\n", "", "It comes out the same again, so this is enough thinking.\n")


@dataclass(frozen=True)
class Trace:
    """Thinking `steps`, of which the first `right` reach the right answer, and the `ending` that states it after the thought."""

    steps: tuple[str, ...]
    right: int
    ending: str = ""


@recipe("S101", "sbt", claim=EXACT)
def exact(*, first: float = 0.5, again: int = 3, examples: int = 32) -> Recipe:
    """Own thoughts that go on after the right answer are cut one solution later, and the cut is taught (SBT-E).

    Overthinking score of a thought = 0.1 κ + 0.9 (1 − η), in [0, 1], higher is worse: η = steps to the first right answer / steps,
    κ = share of its words that only say that it is gone over again. Above 0.2 it is braked: the first solution, one more, the
    first step of the next without a loss (seen, not learned), a brake, the answer. Cross-entropy on `examples` right thoughts a
    step. The share `first` of the steps makes it overthink: right thoughts are followed by 1 to `again` repetitions and imitated
    whole; with `first` = 1 nothing is ever braked.
    Source: S101 "Let LLMs Break Free from Overthinking via Self-Braking Tuning". Left open and filled: this model does not
    overthink by itself, so the run begins by teaching it to; steps are found by their marks, not by a large model; the bundled
    model brakes by a mark, the verdict of its re-checks, as it has no words.
    """
    return _recipe(partial(taught, form="exact", first=first, again=again, n=examples))


@recipe("S101", "sbt", part="dynamic", claim=DYNAMIC)
def dynamic(*, first: float = 0.5, again: int = 3, examples: int = 32) -> Recipe:
    """Own thoughts are cut at the step where their overthinking score passes 0.2, and the cut is taught (SBT-D).

    Steps are kept while the score so far is below 0.2 and seen without a loss while it is below 0.25 (one at least); then come the
    brake and the answer. All else is as in the main part.
    Source: S101 "Let LLMs Break Free from Overthinking via Self-Braking Tuning". Left open and filled: as there.
    """
    return _recipe(partial(taught, form="dynamic", first=first, again=again, n=examples))


def _recipe(augment: Augment) -> Recipe:
    return Recipe(
        rollout=tried, credit=unmoved, augment=augment, answer=at_length, columns={"again": repeats}, settings=Settings(group=2),
        golden={"right": 2, "steps": 4, "words": 9, "score": 0.1 / 9 + 0.9 * 0.5},
    )  # fmt: skip


async def tried(problem: Problem, context: Context, k: int) -> Group:
    """k thoughts with room for several solutions each."""
    mind = context.mind(problem)
    return context.attempts(mind, await mind.think(problem, n=k, **_room(mind)))


async def at_length(problem: Problem, mind: Mind) -> Answer:
    """One such thought."""
    return mind.answer((await mind.think(problem, **_room(mind)))[0].answer)


def _room(mind: Mind) -> dict[str, Any]:
    return {"max_tokens": ROOM} if mind.dialect.name.startswith("socrates") else {}


def taught(groups: list[Group], context: Context, *, form: Form, first: float, again: int, n: int) -> list[Turn]:
    """n of the right thoughts, drawn evenly: made to overthink in the first stage, braked in the second."""
    rng, engine = context.rng("again"), context.engine
    said = SOCRATES if dialect_of(engine.model).name.startswith("socrates") else CHAT
    traces = [(r.turns[0], trace) for g in groups for r in g if r.ended and (trace := thought(r, said))]
    made = []
    for i in rng.permutation(len(traces))[:n]:
        own, trace = traces[i]
        if context.step < first * context.steps:
            whole = overthought(trace, int(rng.integers(1, again + 1)), said)
            made.append(turn(own, engine, (whole, (), trace.ending)))
        else:
            made.append(turn(own, engine, braked(trace, form, said)))
    return made


def thought(rollout: Rollout, said: Marks) -> Trace | None:
    """A rollout's thought in steps; None where it never comes to the right answer."""
    text, problem = rollout.turns[0].text if rollout.turns else "", rollout.problem
    if said is SOCRATES:
        steps = tuple(f"{step.strip()} " for step in re.findall(said.step, text))
        right = (k for k, step in enumerate(steps, 1) if "<ans>" in step and problem.check(stated(step)) > 0.5)
        return Trace(steps, found) if (found := next(right, 0)) else None
    thinking, mark, ending = text.rpartition("Answer:")
    if (rollout.outcome or 0.0) < 0.5 or not mark:
        return None
    steps = tuple(re.findall(said.step, thinking))
    right = (k for k, step in enumerate(steps, 1) if ending.strip() in step)
    return Trace(steps, next(right, len(steps)), mark + ending) if steps else None


def overthought(trace: Trace, again: int, said: Marks) -> tuple[str, ...]:
    """The steps up to the right answer, and the same again, `again` times or (bundled model) as often as there is room."""
    own = trace.steps[: trace.right]
    once = tuple(f"{step}{said.done}" for step in (said.again + own[0], *own[1:]))
    if said is SOCRATES:
        size, more = (len(re.findall(r"<\w+>|\w|[^\w\s]", "".join(steps))) for steps in (own, once))
        again = min(again, max(0, ROOM - size) // more)
    return (*own, *(once * again))


def score(trace: Trace, kept: int, said: Marks) -> float:
    """0.1 κ + 0.9 (1 − η) of the first `kept` steps."""
    steps = trace.steps[:kept]
    marked = sum(step.startswith(said.again) for step in steps) * len(said.again.split())
    return 0.1 * marked / sum(len(step.split()) for step in steps) + 0.9 * (1 - min(1.0, trace.right / kept))


Cut = tuple[Sequence[str], Sequence[str], str]
"""Steps that are learned, steps that are only seen, and the ending."""


def braked(trace: Trace, form: Form, said: Marks, most: float = 0.2, shown: float = 0.25) -> Cut:
    """A thought above `most` cut and given a brake; one at or below it stays whole."""
    many = len(trace.steps)
    if score(trace, many, said) <= most:
        return trace.steps, (), trace.ending
    if form == "exact":
        kept = min(2 * trace.right, many)
        seen = min(kept + 1, many)
    else:
        scores = [score(trace, k, said) for k in range(1, many + 1)]
        kept = next(k for k, value in enumerate(scores) if value > most)
        seen = max(kept + 1, next((k for k, value in enumerate(scores) if value >= shown), many))
    return trace.steps[:kept], trace.steps[kept:seen], said.brake + trace.ending


def turn(own: Turn, engine: Engine, cut: Cut) -> Turn:
    """The reply after the prompt of a thought; what is only seen has no loss."""
    learned, seen, ending = ("".join(part) for part in cut)
    end = -len(engine.write("")) or None
    parts = [engine.write(learned)[:end], engine.write(seen)[:end], engine.write(ending)]
    found = Turn(own.prompt, tuple(token for part in parts for token in part), sampled=False, text=learned + seen + ending)
    found.imitate()
    found.imitate(0.0, slice(len(parts[0]), len(parts[0]) + len(parts[1])))
    return found


def repeats(rollout: Rollout) -> float:
    """How often a thought goes over it again."""
    text = " ".join(turn.text for turn in rollout.turns)
    return float(max(text.count(said.again.strip()) for said in (SOCRATES, CHAT)))
