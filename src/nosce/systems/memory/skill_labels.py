"""S395 Metacognitive skill labels: which skill does the question call for, and how were questions of that skill solved?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from nosce.control.each import each
from nosce.core.answer import Answer
from nosce.core.artifact import Artifact
from nosce.core.claim import Claim
from nosce.core.errors import BudgetExhausted
from nosce.core.problem import Problem
from nosce.core.registry import memory
from nosce.core.streams import stream_key
from nosce.mind.cue import Cue
from nosce.mind.dialects.base import Given
from nosce.mind.mind import Mind
from nosce.monitor.likelihood import sequence_confidence
from nosce.reflect.demonstrations import SHOTS, Demonstration, after

NAME_SKILL = Cue("name-the-skill", 1, {
    "chat": "{question}\n\nDo not solve it. Name the one skill that it takes, in the form\nSkill: <name>"})  # fmt: skip
GROUP = Cue("group-the-skills", 1, {
    "chat": "{question}\n\nPut these skills into a few families of like ones. One family a line, in the form\n"
            "<family>: <skill>, <skill>, …"})  # fmt: skip

CLAIM = Claim(
    statement="After solved examples of the skill that the question calls for, it is right more often than after random ones.",
    endpoint="accuracy", baseline="metacognitive-skill-labels", baseline_options={"matched": False},
)  # fmt: skip


async def labelled_skills(problems: Sequence[Problem], mind: Mind, *, practice: int = 64) -> Artifact:
    """Skills with solved questions: a fine label for each, then families of labels named in one call, and solutions of its own.

    A label that no family takes up is a family of its own. Where the model's own solution is wrong the right answer alone is kept.
    """
    made = [one for one in await each(_solved(problem, mind) for problem in problems[:practice]) if one is not None]
    families = await _families(mind, sorted({skill for skill, _ in made}))
    skills: dict[str, list[list[str]]] = {}
    for skill, shown in made:
        skills.setdefault(families.get(skill, skill), []).append([shown.question, shown.steps, shown.answer])
    return Artifact("metacognitive-skill-labels", "skills", {"skills": skills})


async def _solved(problem: Problem, mind: Mind) -> tuple[str, Demonstration] | None:
    try:
        named = (await mind.attempts("recall", problem, Given(cue=NAME_SKILL)))[0].text
        thought = (await mind.think(problem))[0]
    except BudgetExhausted:
        return None
    skill = named.strip().rpartition("\n")[2].rpartition(":")[2].strip(" .*").lower()
    steps = "\n".join(mind.dialect.steps(thought.text)) if problem.check(thought.answer) >= 0.5 else ""
    return (skill, Demonstration(problem.text, steps, str(problem.reference))) if skill else None


async def _families(mind: Mind, skills: Sequence[str]) -> dict[str, str]:
    """The family of each skill that the model put into one."""
    if len(skills) < 2:
        return {}
    listed = Problem("skills", "\n".join(skills))
    lines = (await mind.attempts("recall", listed, Given(cue=GROUP)))[0].text.splitlines()
    found: dict[str, str] = {}
    for line in lines:
        family, _, members = line.strip().lstrip("-* ").partition(":")
        found |= {m.strip(" .").lower(): family.strip().lower() for m in members.split(",") if m.strip(" .").lower() in skills}
    return found


@memory("S395", "metacognitive-skill-labels", acts={"think", "recall", "choose"}, cues=(NAME_SKILL, GROUP, SHOTS),
        prepare=labelled_skills, prepares="labelled", claim=CLAIM)  # fmt: skip
async def skill_labels(
    problem: Problem, mind: Mind, kept: Artifact | None, *, shots: int = 3, matched: bool = True
) -> Answer:  # fmt: skip
    """Name the skill that the question takes, from the list, and think after random solved questions of that skill.

    Rule: on labelled questions a fine skill each, then coarse families of them; at test s = the model's choice from the list of
    families, and `shots` solved questions drawn from those of s, as a few-shot prompt. `matched=False` draws them from all
    skills. Confidence is the thought's likelihood.
    Source: S395 "Metacognitive Capabilities of LLMs: An Exploration in Mathematical Problem Solving". Left open and
    filled: solutions are the model's own where they are right. The bundled model names no skills and refuses.
    """
    skills: Mapping[str, list[list[str]]] = kept.data["skills"] if kept is not None else {}
    named = await mind.choose(problem, list(skills)) if matched and skills else None
    mind.decide("recall", "solved questions of a skill", skill=named)
    pool = skills[named] if named is not None and named in skills else [one for ones in skills.values() for one in ones]
    rng = np.random.default_rng(stream_key(mind.work.seed, problem.id, "skill-labels"))
    drawn = [Demonstration(*pool[i]) for i in rng.permutation(len(pool))[:shots]]
    thought = (await mind.think(problem, cue=after(drawn)))[0]
    return mind.answer(thought.answer, sequence_confidence(thought), "logprobs")
