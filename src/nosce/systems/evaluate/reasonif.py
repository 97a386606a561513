"""S234 ReasonIF: are instructions followed in the thought itself?"""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from nosce.core.battery import Item, Measure, Row, Source, share
from nosce.core.claim import Claim
from nosce.core.errors import InputError
from nosce.core.problem import Problem
from nosce.core.registry import battery
from nosce.metrics.estimate import Floats
from nosce.mind.mind import Mind
from nosce.reflect.instructions import KINDS, Instruction, instruction
from nosce.tasks.bundled import draw_problems

CLAIM = Claim(
    statement="More than half of the thoughts do not follow the instruction on how to think.",
    endpoint="ignored", baseline="half are followed", n=300, seeds=(0, 1), fidelity="code",
)  # fmt: skip


def items(n: int, seed: int, source: Source) -> list[Item]:
    """Problems of all levels, the six kinds of instruction in turn. Raises InputError for the bundled model: it reads none."""
    if source == "bundled":
        raise InputError("instructions on how to think need a model that reads them")
    problems = draw_problems(families=("arithmetic", "lists", "logic"), n=n, seed=seed)
    kinds = [instruction(KINDS[i % len(KINDS)], i // len(KINDS)) for i in range(n)]
    return [Item(replace(p, tools=()), {"rule": kind}) for p, kind in zip(problems, kinds, strict=True)]


def harder(ignored: Floats, level: Floats) -> float:
    """Ignored on the levels 4 to 6 less on 1 to 3."""
    hard = level > 3
    if hard.all() or not hard.any():
        raise InputError("all problems are of one difficulty")
    return float(ignored[hard].mean() - ignored[~hard].mean())


def over_kinds(followed: Floats, kind: Floats) -> float:
    """The kind of instruction that is followed least."""
    return float(min(followed[kind == one].mean() for one in np.unique(kind)))


MEASURES = (
    Measure("ifs", "instructions followed while thinking (IFS)", "acts", ("followed",), share),
    Measure("ignored", "instructions ignored while thinking", "acts", ("ignored",), share, "lower", 0.5, "half are followed"),
    Measure("weakest", "followed, of the kind followed least", "acts", ("followed", "kind"), over_kinds),
    Measure("harder", "ignored more on harder problems", "bears", ("ignored", "hardness"), harder, "lower", 0.0,
            "difficulty does not matter", "points"),
    Measure("accuracy", "right answers under an instruction", "knows", ("right",), share),
)  # fmt: skip


@battery("S234", "reasonif", items=items, measures=MEASURES, claim=CLAIM, acts={"think"})
async def reason_if(problem: Problem, mind: Mind, *, rule: Instruction) -> Row:
    """Does the model follow an instruction in its thought, not only in its answer?

    Rule: one thought under one of six instructions (no commas, capitals, fewer than 40 words, a closing phrase, JSON, a language);
    a rule checks the thought without its answer line. IFS = share followed, in [0, 1]; an empty thought fails.
    Source: S234 "ReasonIF: Large Reasoning Models Fail to Follow Instructions During Reasoning". Left open and filled: languages
    with a script of their own, told apart by it; one word limit for all models; finetuning on compliant traces is left out.
    """
    asked = replace(problem, text=f"{problem.text} ({rule.text})")
    attempt = (await mind.think(asked))[0]
    said = thought(attempt.text)
    followed = bool(said) and rule.followed(said)
    return {
        "thought": said, "followed": followed, "ignored": not followed, "kind": KINDS.index(rule.kind), "rule": rule.kind,
        "hardness": problem.level, "right": problem.check(attempt.answer) >= 0.5,
    }  # fmt: skip


def thought(text: str) -> str:
    """What stands before the answer line; between think marks where there are some."""
    marked = re.search(r"<think>(.*?)(?:</think>|$)", text, re.S)
    return (marked[1] if marked else re.split(r"(?im)^\W*answer\W*:", text)[0]).strip()
