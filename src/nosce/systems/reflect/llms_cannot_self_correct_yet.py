"""S273 Large language models cannot self-correct reasoning yet: before and after, with no oracle, against votes at equal calls."""

from __future__ import annotations

from nosce.core.battery import Measure, Row, difference, share
from nosce.core.claim import Claim
from nosce.core.problem import Problem
from nosce.core.registry import battery
from nosce.core.vote import tally
from nosce.mind.mind import Mind
from nosce.reflect.second_look import corrected
from nosce.tasks.checked import checked

CLAIM = Claim(
    statement="Two rounds of intrinsic self-correction are right less often than self-consistency at the same number of calls.",
    endpoint="voting_lead", baseline="self-correction as good as voting", n=300, seeds=(0, 1), taught=True,
)  # fmt: skip

MEASURES = (
    Measure("first", "right at first", "knows", ("first",), share),
    Measure("gain", "what correcting itself adds", "mends", ("after", "first"), difference, "higher", 0.0, "the first answer",
            "points", front=True),
    Measure("gain_once", "what the first round of it adds", "mends", ("after_once", "first"), difference, "higher", 0.0,
            "the first answer", "points"),
    Measure("oracle_gain", "what it would add, stopped by the truth", "mends", ("oracle", "first"), difference, "neither", 0.0,
            "the first answer", "points"),
    Measure("voting_lead", "voting beats correcting at equal calls", "mends", ("voted", "after"), difference, "lower", 0.0,
            "self-correction as good as voting", "points", front=True),
)  # fmt: skip


@battery("S273", "llms-cannot-self-correct-yet", items=checked, measures=MEASURES, claim=CLAIM,
         acts={"think", "critique", "revise"})  # fmt: skip
async def self_correction(problem: Problem, mind: Mind, *, rounds: int = 2) -> Row:
    """Is an answer right more often after the model has criticised and improved it, and would votes have done better?

    Rule: y₀ a thought; a round is a critique of y_i and, where it finds fault, a revision y_{i+1}: without any word from outside,
    and ended by the model alone. gain = right(y_last) − right(y₀). The same with an oracle, which keeps the first right answer: how
    earlier gains came about. voting_lead = right(vote) − right(y_last) in [−1, 1], where the vote is over as many thoughts, y₀ the
    first, as the question took calls (1 + 2 · `rounds` where every round revises). Source: S273 "Large Language Models Cannot
    Self-Correct Reasoning Yet". Left open and filled: a critique that finds no fault ends the question, and is not improved upon
    all the same. The bundled model was taught to criticise and to revise; the paper's models were not.
    """
    thoughts = await mind.think(problem, n=1 + 2 * rounds)
    last, calls, right = thoughts[0], 1, [problem.check(thoughts[0].answer) >= 0.5]
    answers = [last.answer]
    for _ in range(rounds):
        again = await corrected(problem, mind, last)
        calls += 1 if again is None else 2
        if again is None:
            break
        last = last if again.answer is None else again
        answers.append(last.answer)
        right.append(problem.check(last.answer) >= 0.5)
    votes = tally(problem, [thought.answer for thought in thoughts[:calls]])
    return {
        "first": right[0], "after_once": right[min(1, len(right) - 1)], "after": right[-1], "oracle": any(right),
        "voted": bool(votes) and problem.check(votes[0].value) >= 0.5, "calls": calls, "answers": answers,
    }  # fmt: skip
