"""S267 Self-reflection in LLM agents: which kind of reflection on a mistake helps to answer again?"""

from __future__ import annotations

import re

from nosce.core.attempt import Attempt
from nosce.core.battery import Measure, Row, difference, share
from nosce.core.claim import Claim
from nosce.core.problem import Problem
from nosce.core.registry import battery
from nosce.mind.cue import Cue
from nosce.mind.dialects.base import Given
from nosce.mind.mind import Mind
from nosce.tasks.checked import checked

WRONG = "An earlier answer of yours to this question was wrong: {answer}."
REFLECT = Cue("reflect-on-a-mistake", 1, {"chat": "{question}"})
KINDS = {
    "keywords": "list the keywords for the kind of mistake that was made.",
    "advice": "give advice on how to avoid such a mistake, in general terms.",
    "explanation": "explain what went wrong, and why.",
    "instructions": "write step-by-step instructions for solving the question.",
    "solution": "write out a correct solution, step by step.",
}
"""What each kind of reflection asks for; `composite` is all of them, `unredacted` all of them with the answer left in."""
HIDDEN = "[hidden]"

CLAIM = Claim(
    statement="After reflecting on a mistake, answers are right more often than after only being told that there was one.",
    endpoint="lead", baseline="told only that the answer was wrong", n=300, seeds=(0, 1), taught=True, fidelity="code",
)  # fmt: skip


RETRY = "told only that the answer was wrong"
MEASURES = (
    Measure("first", "right at first", "knows", ("first",), share),
    Measure("retry", "mended when told that it was wrong", "mends", ("retry",), share),
    Measure("lead", "reflecting on it mends more than being told", "mends", ("reflected", "retry"), difference, "higher", 0.0,
            RETRY, "points", front=True),
    *(Measure(f"{kind}_lead", f"{kind} against a retry", "mends", (kind, "retry"), difference, "higher", 0.0, RETRY, "points")
      for kind in (*KINDS, "composite", "unredacted")),
)  # fmt: skip


@battery("S267", "self-reflection-in-llm-agents", items=checked, measures=MEASURES, claim=CLAIM,
         acts={"think", "lessons|critique", "lessons|revise"})  # fmt: skip
async def self_reflection(problem: Problem, mind: Mind) -> Row:
    """Which of eight kinds of self-reflection mends an answer more often than the bare word that it was wrong?

    Rule: only what was answered wrong is answered again, once per kind, with the reflection beside the question. The reflection
    is the model's own, made when it is shown its wrong attempt and the right answer, which is struck out of it afterwards (but
    in `unredacted`). Lead = mean over the redacted kinds − retry, in [−1, 1].
    Source: S267 "Self-Reflection in LLM Agents: Effects on Problem-Solving Performance". Left open and filled: open questions, not
    multiple choice. The bundled model reads no words: told that it was wrong it does the work again from the first step
    (retry), and its only reflection is its own critique (`explanation`), which names the step to redo.
    """
    first = (await mind.think(problem))[0]
    if problem.check(first.answer) >= 0.5:
        return {"answer": first.answer, "first": True}
    if "lessons" not in mind.dialect.acts:
        found = await mind.critique(problem, first)
        ends = {
            "retry": (await mind.revise(problem, first))[0],
            "explanation": (await mind.revise(problem, first, found if found.fault else None))[0],
        }
        written = {"explanation": str(found.step)}
    else:
        written = await reflections(problem, mind, first)
        ends = {kind: await _again(problem, mind, first, text) for kind, text in written.items()}
        ends["retry"] = await _again(problem, mind, first, "")
    right = {kind: problem.check(end.answer) >= 0.5 for kind, end in ends.items()}
    redacted = [right[kind] for kind in (*KINDS, "composite") if kind in right]
    return {"answer": first.answer, "first": False, **right, "reflected": sum(redacted) / len(redacted), "written": written}


async def reflections(problem: Problem, mind: Mind, attempt: Attempt) -> dict[str, str]:
    """Every kind of reflection on a mistake, the right answer struck out of all but the last."""
    made = {kind: await _reflection(problem, mind, attempt, asked) for kind, asked in KINDS.items()}
    together = "\n".join(made.values())
    hidden = {kind: redact(text, problem) for kind, text in made.items()}
    return {**hidden, "composite": redact(together, problem), "unredacted": together}


async def _reflection(problem: Problem, mind: Mind, attempt: Attempt, asked: str) -> str:
    told = f"The proposed answer is wrong; the right answer is {problem.reference}. Look back at the solution and {asked}"
    made = await mind.attempts("lessons", problem, Given(attempt=attempt, instruction=told, cue=REFLECT))
    return made[0].text.strip()


async def _again(problem: Problem, mind: Mind, attempt: Attempt, reflection: str) -> Attempt:
    notes = [WRONG.format(answer=attempt.answer), *([reflection] if reflection else [])]
    return (await mind.think(problem, notes=notes))[0]


def redact(text: str, problem: Problem) -> str:
    """The text with the right answer struck out wherever it stands by itself, whatever the case."""
    answer = re.escape(str(problem.reference))
    return re.sub(rf"(?<!\w){answer}(?!\w)", HIDDEN, text, flags=re.I)
