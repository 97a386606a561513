"""S331 Self-Discover: for each kind of task the model composes a structure of reasoning once, and then fills it in."""

from __future__ import annotations

from collections.abc import Sequence

from nosce.core.answer import Answer
from nosce.core.artifact import Artifact
from nosce.core.claim import Claim
from nosce.core.problem import Problem
from nosce.core.registry import strategy
from nosce.mind.cue import Cue
from nosce.mind.dialects.base import Given
from nosce.mind.mind import Mind
from nosce.monitor.likelihood import sequence_confidence

MODULES = (
    "break the question into smaller ones", "work step by step and write each result down",
    "restate what is given and what is asked", "look for the rule behind the examples", "try a simpler case first",
    "work backwards from what is asked", "list the possibilities and rule them out", "make a table or a drawing of the situation",
    "question every assumption", "argue for the opposite and see whether it fails", "recall facts and formulas that bear on it",
    "estimate the size of the answer", "look at it as an expert of the field would", "check each step by another way",
    "keep track of units and names", "turn the words into symbols",
)  # fmt: skip
"""Atomic modules of reasoning, in our own words."""
TASK = "Questions of one task:\n{question}\n\n"
SELECT = Cue("self-discover-select", 1, {
    "chat": f"{TASK}Which of the ways of reasoning below does this task call for? Name those alone, one per line."})  # fmt: skip
ADAPT = Cue("self-discover-adapt", 1, {
    "chat": f"{TASK}Reword each way of reasoning in the notes to say what to do in this very task. One per line."})  # fmt: skip
COMPOSE = Cue("self-discover-compose", 1, {
    "chat": f"{TASK}Turn the notes into a plan that fits every question of this task: a JSON object whose keys are steps and whose "
            "values are empty. Do not solve anything."})  # fmt: skip
FILL = Cue("self-discover-fill", 1, {
    "chat": "{question}\n\nFill in this plan, step by step, and follow it to the answer:\n{plan}"})  # fmt: skip

CLAIM = Claim(
    statement="Thoughts that fill in a structure found once for each task are right more often than a vote of the same cost.",
    endpoint="accuracy_at_cost", baseline="self-consistency",
)  # fmt: skip


async def structures(problems: Sequence[Problem], mind: Mind, *, shown: int = 3) -> Artifact:
    """For each family of problems a structure, from `shown` of its questions, without their answers: select, adapt, compose."""
    found: dict[str, str] = {}
    for family in dict.fromkeys(problem.family for problem in problems):
        texts = [problem.text for problem in problems if problem.family == family][:shown]
        task = Problem(f"task-{family}", "\n".join(texts))
        selected = await _said(mind, task, Given(options=MODULES, cue=SELECT))
        adapted = await _said(mind, task, Given(notes=[selected], cue=ADAPT))
        found[family] = await _said(mind, task, Given(notes=[adapted], cue=COMPOSE))
    return Artifact("self-discover", "structures", {"structures": found})


async def _said(mind: Mind, task: Problem, given: Given) -> str:
    return (await mind.attempts("plan", task, given))[0].text.strip()


@strategy("S331", "self-discover", acts={"think", "plan"}, cues=(SELECT, ADAPT, COMPOSE, FILL), prepare=structures, claim=CLAIM)
async def self_discover(problem: Problem, mind: Mind, found: Artifact | None) -> Answer:
    """Fill in, for this question, the structure that was composed for its kind of task.

    Rule: once a task: select the modules of reasoning that it calls for, adapt their wording to it, and compose them into a plan
    of named steps (three calls, on questions alone); then one call a question, which follows the plan. A question of a task
    without a plan is thought about plainly. Confidence is the thought's likelihood.
    Source: S331 "Self-Discover: Large Language Models Self-Compose Reasoning Structures". Left open and filled: the modules are
    ours; a task is a family of questions; what three calls cost is spread over its questions. The wordings are the
    mechanism, and the bundled model neither plans nor reads a plan: it refuses.
    """
    plan = found.data["structures"].get(problem.family) if found is not None else None
    thought = (await mind.think(problem, cue=FILL.filled(plan=plan) if plan else None))[0]
    return mind.answer(thought.answer, sequence_confidence(thought), "logprobs")
