"""S233 Mind Your Step: where does thinking make answers worse?"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from nosce.core.battery import Item, Measure, Row, Source, difference, share
from nosce.core.claim import Claim
from nosce.core.problem import Problem
from nosce.core.registry import battery
from nosce.metrics.estimate import Floats
from nosce.mind.mind import Mind
from nosce.tasks.bundled import draw_problems
from nosce.tasks.grammars import grammar_questions

CLAIM = Claim(
    statement="On tasks where deliberation hurts people, answering at once beats thinking.",
    endpoint="thinking_costs", baseline="always think", n=300, seeds=(0, 1), taught=False,
    analogue_of="implicit statistical learning: for the bundled model, facts recalled in one step", fidelity="abstract",
)  # fmt: skip
HELPED = ("arithmetic", "lists", "logic")


def items(n: int, seed: int, source: Source) -> list[Item]:
    """Half are tasks where deliberation hurts people, half where it helps; they come in turn."""
    half = -(-n // 2)
    helped = draw_problems(families=HELPED, levels=(2, 3, 4), n=half, seed=seed)
    hurt = grammar_questions(half, seed) if source == "general" else draw_problems(("facts",), (1, 2, 3, 4, 5), half, seed)
    mixed = [one for pair in zip(hurt, helped, strict=True) for one in pair][:n]
    kinds = {name: i for i, name in enumerate(dict.fromkeys(p.family for p in mixed))}
    hurts = {p.id for p in hurt}
    return [Item(replace(p, tools=()), {"hurts": p.id in hurts, "kind": kinds[p.family]}) for p in mixed]


def routed(direct: Floats, thought: Floats, kind: Floats) -> float:
    """Right answers with the better way for each kind of task, chosen without the item itself, less always thinking."""
    right = np.empty_like(direct)
    for one in np.unique(kind):
        at = kind == one
        others = (direct[at].sum() - direct[at]) > (thought[at].sum() - thought[at])
        right[at] = np.where(others, direct[at], thought[at])
    return float(right.mean() - thought.mean())


MEASURES = (
    Measure("thinking_costs", "thinking costs where it hurts people", "acts", ("direct_hurt", "thought_hurt"), difference,
            "neither", 0.0, "always think", "points"),
    Measure("thinking_helps", "thinking helps where it helps people", "acts", ("thought_helped", "direct_helped"), difference,
            "neither", 0.0, "never think", "points"),
    Measure("router", "gained by thinking only where it pays", "acts", ("direct", "thought", "kind"), routed, "higher", 0.0,
            "always think", "points"),
    Measure("thought", "right with thinking", "knows", ("thought",), share),
)  # fmt: skip


@battery("S233", "mind-your-step", items=items, measures=MEASURES, claim=CLAIM, acts={"think", "direct"})
async def mind_your_step(problem: Problem, mind: Mind, *, hurts: bool, kind: int) -> Row:
    """Where does thinking make answers worse than saying them at once?

    Rule: every question answered at once and with written thought; thinking costs = accuracy at once − accuracy with thought, in
    [−1, 1], on tasks where deliberation hurts people (strings of an artificial grammar), beside tasks where it helps. The router
    thinks only on kinds of tasks where it paid on the other items.
    Source: S233 "Mind Your Step (by Step): Chain-of-Thought can Reduce Performance on Tasks where Thinking Makes Humans Worse".
    Left open and filled: of its three cases the first; seeing and exceptions are left out. The bundled model reads no strings;
    there recalling a fact, which no deliberation can improve, stands in.
    """
    at_once = problem.check((await mind.direct(problem))[0].answer) >= 0.5
    thought = problem.check((await mind.think(problem))[0].answer) >= 0.5
    where = "hurt" if hurts else "helped"
    return {"direct": at_once, "thought": thought, "kind": kind, f"direct_{where}": at_once, f"thought_{where}": thought}
