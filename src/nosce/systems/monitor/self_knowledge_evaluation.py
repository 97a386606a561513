"""S242 Can I understand what I create? A model's answers to questions of its own making."""

from __future__ import annotations

from nosce.core.battery import Item, Measure, Row, Source, difference, share
from nosce.core.claim import Claim
from nosce.core.problem import Problem
from nosce.core.registry import battery
from nosce.mind.dialects.chat_reading import labelled
from nosce.mind.mind import Mind
from nosce.tasks.bundled import draw_problems
from nosce.tasks.plain_words import INVENTED, KINDS, plain_words

CLAIM = Claim(
    statement="Models contradict themselves about what they made: the share of own questions answered otherwise lies above 5%.",
    endpoint="contradicts", baseline="full understanding", margin=0.05, n=80, seeds=(0, 1), fidelity="abstract",
)  # fmt: skip


def items(n: int, seed: int, source: Source) -> list[Item]:
    """A question of ours as the pattern for one of its own."""
    if source == "bundled":
        return [Item(problem) for problem in draw_problems(n=n, seed=seed, levels=(1, 2, 3))]
    return [Item(p) for p in plain_words(n, seed, ("word problems", *(kind for kind in KINDS if kind != INVENTED)), (1, 2, 3, 4))]


MEASURES = (
    Measure("consistency", "answers its own questions as it made them", "knows", ("consistent",), share, front=True),
    Measure("contradicts", "contradicts what it made", "monitors", ("contradicts",), share, "lower", 0.0, "full understanding"),
    Measure("ours", "right on matched questions of ours", "knows", ("ours",), share),
    Measure("gap", "does better on ours than on its own", "monitors", ("ours", "consistent"), difference, "neither", 0.0,
            "the same on both", "points"),
    Measure("formed", "made a question with an answer at all", "knows", ("formed",), share),
)  # fmt: skip


@battery("S242", "self-knowledge-evaluation", items=items, measures=MEASURES, claim=CLAIM, acts={"propose", "think"})
async def own_questions(problem: Problem, mind: Mind) -> Row:
    """Does the model answer the questions that it made up itself as it said they are answered?

    Rule: shown a question of ours, the model writes a new one of the same kind with its answer a; in a prompt of its own it
    answers that question, a'. Consistency = share with a' the same as a (by the kind's equivalence), beside accuracy on the
    pattern itself. Source: S242 "Can I understand what I create? Self-Knowledge Evaluation of Large Language Models". Left open
    and filled: our own patterns; fine-tuning on what was made is training, and no part of the battery.
    """
    text = (await mind.write("propose", problem))[0]
    made = (await mind.think(problem))[0]
    row: Row = {"ours": problem.check(made.answer) >= 0.5, "made": text}
    question, answer = labelled(text, "question"), labelled(text, "answer")
    if not question or not answer:
        return {**row, "formed": False}
    own = Problem(f"{problem.id}-own", question, family=problem.family, reference=answer, equivalence=problem.equivalence)
    again = (await mind.think(own))[0]
    same = again.answer is not None and own.same(again.answer, answer)
    return {**row, "formed": True, "again": again.answer, "consistent": same, "contradicts": not same}
