"""S319 Relevant or random: do examples of one's own help because they are alike, or because they are right?"""

from __future__ import annotations

from nosce.core.battery import Measure, Row, difference, share
from nosce.core.claim import Claim
from nosce.core.count import Count
from nosce.core.problem import Problem
from nosce.core.registry import battery
from nosce.mind.mind import Mind
from nosce.reflect.demonstrations import SHOTS, WRITE, About, Demonstration, after, crossed, own_demonstrations
from nosce.tasks.checked import checked

CLAIM = Claim(
    statement="After random examples of its own the model is right no less often (within 3 points) than after relevant ones.",
    endpoint="random_lead", baseline="relevant examples", margin=-0.03, n=300, seeds=(0, 1),
)  # fmt: skip

MEASURES = (
    Measure("zero", "right without examples", "knows", ("zero",), share),
    Measure("relevant_gain", "relevant examples of its own against none", "mends", ("relevant", "zero"), difference, "higher", 0.0,
            "no examples", "points"),
    Measure("random_gain", "random examples of its own against none", "mends", ("random", "zero"), difference, "higher", 0.0,
            "no examples", "points"),
    Measure("random_lead", "random examples against relevant ones", "mends", ("random", "relevant"), difference, "neither", 0.0,
            "relevant examples", "points"),
    Measure("accuracy_matters", "examples as written against the same with wrong answers", "mends", ("right", "crossed"),
            difference, "neither", 0.0, "wrong answers in the examples", "points"),
)  # fmt: skip


@battery("S319", "relevant-or-random", items=checked, measures=MEASURES, claim=CLAIM,
         acts={"think", "propose"}, cues=(WRITE, SHOTS))  # fmt: skip
async def relevant_or_random(problem: Problem, mind: Mind, *, k: Count = 3) -> Row:
    """Is it the relevance of self-made examples that helps, or that they are right?

    Rule: the question without examples, after k worked examples of the same kind, after k from unrelated fields, and after both
    with their answers crossed (each example ends in the next one's answer). random_lead = right(random) − right(relevant), in
    [−1, 1]; accuracy_matters = mean over both kinds of right(as written) − right(crossed). A kind of which fewer than
    two examples can be read counts nowhere. Source: S319 "Relevant or Random: Can LLMs Truly Perform Analogical Reasoning?".
    Left open and filled: wrongness by crossing the answers; the fields of random examples are the model's choice. The bundled
    model refuses: it writes no questions and reads no examples.
    """
    zero = (await mind.think(problem))[0]
    row: Row = {"answer": zero.answer, "zero": problem.check(zero.answer) >= 0.5}
    written, wrong = [], []
    abouts: tuple[About, ...] = ("relevant", "random")
    for about in abouts:
        shown = await own_demonstrations(problem, mind, k, about)
        if len(shown) < 2:
            continue
        row[about] = await _right(problem, mind, shown)
        written.append(row[about])
        wrong.append(await _right(problem, mind, crossed(shown)))
    if written:
        row |= {"right": sum(written) / len(written), "crossed": sum(wrong) / len(wrong)}
    return row


async def _right(problem: Problem, mind: Mind, shown: list[Demonstration]) -> bool:
    return problem.check((await mind.think(problem, cue=after(shown)))[0].answer) >= 0.5
