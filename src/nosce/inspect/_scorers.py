"""Scorers that keep how sure the answer was, and tell silence from error."""

from __future__ import annotations

import math
import re
from typing import Any

from inspect_ai.scorer import CORRECT, INCORRECT, NOANSWER, Score, Scorer, Target, accuracy, scorer, stderr
from inspect_ai.solver import TaskState

from nosce.inspect._metrics import MARKS, aurc, auroc2, brier, coverage, ece, selective_accuracy
from nosce.inspect._problems import ANSWER, problem_of
from nosce.mind.dialects import chat_reading

METRICS = [accuracy(), stderr(), coverage(), selective_accuracy(), auroc2(), ece(), brier(), aurc()]
_STATED = re.compile(r"confidence\W*?(\d+(?:\.\d+)?)\s*%?", re.I)
_SILENT = ("unknown", "i don't know", "i do not know", "cannot tell")


@scorer(metrics=METRICS)
def confident(kind: str | None = None) -> Scorer:
    """Right or wrong by our equivalences; confidence from our solver, else as stated in the reply (`Confidence: 80%`).

    `kind`: when two answers are the same (number, exact, choice, math …; guessed from the target). An answer that was withheld, or
    says that it does not know, scores NOANSWER.
    """

    async def score(state: TaskState, target: Target) -> Score:
        answer, silent, about = _said(state, kind)
        grade = problem_of(state, kind).check(answer)
        if silent:
            graded = None if answer is None else float(grade >= 0.5)
            return Score(value=NOANSWER, answer=answer, metadata={**about, "graded": graded})
        return Score(value=CORRECT if grade >= 0.5 else INCORRECT, answer=answer, metadata=about)

    return score


@scorer(metrics=METRICS)
def with_confidence(scorer: Scorer, kind: str | None = None) -> Scorer:
    """Any scorer's verdict, with the confidence beside it and silence told from error."""

    async def score(state: TaskState, target: Target) -> Score:
        answer, silent, about = _said(state, kind)
        judged = await scorer(state, target)
        assert judged is not None
        more = {**(judged.metadata or {}), **about}
        if not silent:
            return judged.model_copy(update={"metadata": more})
        grade = MARKS.get(judged.value) if isinstance(judged.value, str) else judged.value
        more["graded"] = None if answer is None else grade
        return judged.model_copy(update={"value": NOANSWER, "metadata": more})

    return score


def _said(state: TaskState, kind: str | None) -> tuple[str | None, bool, dict[str, Any]]:
    """The answer (given or withheld), whether it was silence, and what the score's metadata says: how sure it was, and more."""
    kept = (state.metadata or {}).get(ANSWER)
    if kept is not None:
        silent = kept["outcome"] != "answered"
        answer = kept["withheld"] if silent else kept["answer"]
        about = {name: kept[name] for name in ("confidence", "outcome", "reason", "source", "tokens", "calls")}
        return answer, silent, {**about, "answered": not silent}
    text = state.output.completion
    answer = chat_reading.answer(text, problem_of(state, kind), bare=True)
    silent = answer is None or answer.strip().lower() in _SILENT or text.strip().lower().startswith(_SILENT)
    return None if silent else answer, silent, {"confidence": _stated(text), "source": "verbal", "answered": not silent}


def _stated(text: str) -> float | None:
    """A stated confidence in [0, 1]; None without the word."""
    if _STATED.search(text) is None:
        return None
    found = chat_reading.percent(text[_STATED.search(text).start() :], "confidence")  # type: ignore[union-attr]  # it was found
    return None if found is None or math.isnan(found) else found
