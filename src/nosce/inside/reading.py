"""Reading the hidden state at the end of a question or of an attempt, paid for like any other reading."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nosce.control.each import each
from nosce.core.attempt import Attempt
from nosce.core.cost import Cost
from nosce.core.errors import BudgetExhausted, CapabilityError, InputError
from nosce.core.problem import Problem
from nosce.core.registry import NEEDS
from nosce.mind.dialects.base import Given
from nosce.mind.mind import Mind
from nosce.models.base import Embedder, Prompt


def question_state(problem: Problem, mind: Mind, act: str = "think") -> NDArray[np.float32]:
    """Hidden states [layers + 1, d] of the last token of the prompt of `act`: what the model knows as it begins.

    The prompt's tokens and one call are charged. Raises CapabilityError without hidden states, BudgetExhausted when
    the prompt does not fit into the budget.
    """
    return _last(mind.dialect.render(act, problem, Given()).prompt, mind, "reading the question")


def attempt_state(problem: Problem, mind: Mind, attempt: Attempt) -> NDArray[np.float32]:
    """Hidden states [layers + 1, d] of the last token of an attempt, read after its question.

    The tokens of both and one call are charged. Raises as `question_state` does.
    """
    act = attempt.act if attempt.act == "direct" else "extend"
    return _last(mind.dialect.render(act, problem, Given(prefix=attempt.text)).prompt, mind, "reading the attempt")


async def labelled_states(
    problems: Sequence[Problem], mind: Mind, *, samples: int = 1, least: int = 20
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """States [N, layers + 1, d] and rightness [N] of `samples` thoughts about each labelled problem.

    Attempts without an answer are left out. Raises InputError when fewer than `least` are left, or all are right or all wrong.
    """
    graded = [problem for problem in problems if problem.graded]
    drawn = await each(mind.think(problem, n=samples) for problem in graded)
    rows = [(p, a) for p, attempts in zip(graded, drawn, strict=True) for a in attempts or () if a.answer is not None]
    right = np.array([problem.check(attempt.answer) >= 0.5 for problem, attempt in rows], dtype=bool)
    if len(rows) < least or right.all() or not right.any():
        raise InputError(
            f"{len(rows)} answered attempts at labelled problems, {int(right.sum())} of them right; fitting takes at least "
            f"{least}, right ones and wrong ones"
        )
    return np.stack([attempt_state(problem, mind, attempt) for problem, attempt in rows]).astype(np.float64), right


def _last(prompt: Prompt, mind: Mind, doing: str) -> NDArray[np.float32]:
    if not isinstance(mind.model, Embedder):
        raise CapabilityError("hidden", mind.model.spec, NEEDS["hidden"])
    pay(mind, mind.model.count(prompt), doing)
    return mind.model.hidden(prompt)[:, -1]


def pay(mind: Mind, tokens: int, doing: str = "reading it") -> None:
    """Charge one call that reads `tokens` and writes none. Raises BudgetExhausted when that does not fit into the budget."""
    meter = mind.work.meter
    if meter.fits(tokens, 1, 1)[0] == 0:
        meter.exhausted = True
        raise BudgetExhausted(f"{doing} does not fit into the budget")
    meter.settle(Cost(), Cost(prompt_tokens=tokens, calls=1))
