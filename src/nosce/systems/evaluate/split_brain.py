"""S003 Computational split-brain: knows each step, and cannot carry them out together."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from nosce.core.battery import Item, Measure, Row, Source, difference, share
from nosce.core.claim import Claim
from nosce.core.equivalence import Equivalence
from nosce.core.problem import Problem
from nosce.core.registry import battery
from nosce.mind.mind import Mind
from nosce.reflect.true_critique import item_of
from nosce.tasks.bundled import draw_problems

CLAIM = Claim(
    statement="Whole computations fail whose every step is carried out rightly when put alone.",
    endpoint="gap", baseline="as competent as it comprehends", margin=0.02, n=240, seeds=(0, 1), taught=False,
)  # fmt: skip


def items(n: int, seed: int, source: Source) -> list[Item]:
    """Chains of two steps or more, of the middle and hard levels, with their single steps as questions."""
    problems = draw_problems(families=("arithmetic",), levels=(3, 4, 5), n=2 * n, seed=seed)
    chains = [(problem, alone(problem)) for problem in problems]
    return [Item(problem, {"steps": steps}) for problem, steps in chains if len(steps) > 1][:n]


def alone(problem: Problem) -> list[Problem]:
    """Each step of the worked solution, `37+48=85`, as a question of its own."""
    made = []
    for i, step in enumerate(item_of(problem).steps):
        left, _, right = step.partition("=")
        made.append(replace(problem, id=f"{problem.id}-{i}", text=left, reference=right, equivalence=Equivalence("number")))
    return made


MEASURES = (
    Measure("gap", "comprehends but cannot carry out", "knows", ("comprehends", "executes"), difference, "lower", 0.0,
            "as competent as it comprehends", "points"),
    Measure("comprehends", "every step right when put alone", "knows", ("comprehends",), share),
    Measure("executes", "the whole right", "knows", ("executes",), share),
    Measure("step", "single steps right", "knows", ("step",), share),
    Measure("articulates", "says the principle rightly", "knows", ("articulates",), share, "higher", 0.25, "chance"),
)  # fmt: skip
RULES = (
    "work from left to right, but multiply and divide before adding and taking away",
    "work strictly from right to left, one sign after the other",
    "add and take away first, then multiply and divide",
    "put all numbers in order of size first",
)


@battery("S003", "computational-split-brain-syndrome", items=items, measures=MEASURES, claim=CLAIM, acts={"think"})
async def split_brain(problem: Problem, mind: Mind, *, steps: Sequence[Problem]) -> list[Row]:
    """Does the model fail at computations of which it masters the principle and every step?

    Rule: the whole computation in one thought (executes), each of its steps as a question of its own (comprehends: all right),
    and, for a model that judges, the principle as a forced choice of four. Gap = share comprehended − share executed, paired, in
    [−1, 1]; 0 is as competent as it comprehends.
    Source: S003 "Comprehension Without Competence: Architectural Limits of LLMs in Symbolic Computation and Reasoning". Left open
    and filled: arithmetic chains stand for symbolic tasks; the geometry of hidden states is left out.
    """
    whole = problem.check((await mind.think(problem))[0].answer) >= 0.5
    single = [step.check((await mind.think(step))[0].answer) >= 0.5 for step in steps]
    said = await _principle(problem, mind)
    first: Row = {"executes": whole, "comprehends": all(single), "articulates": said, "step": single[0]}
    return [first, *({"step": right} for right in single[1:])]


async def _principle(problem: Problem, mind: Mind) -> bool | None:
    """Whether the model picks the rule of precedence; the options are turned by the question, so that no place is favoured."""
    if "judge" not in mind.dialect.acts:
        return None
    turn = len(re.sub(r"\D", "", problem.text)) % len(RULES)
    options = [*RULES[turn:], *RULES[:turn]]
    asked = Problem(f"{problem.id}-principle", f"How is a computation such as {problem.text} to be worked out?")
    chosen = await mind.judge(asked, options)
    return chosen is not None and options[chosen] == RULES[0]
