"""Reading the hidden state at the end of a question, paid for like any other reading."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nosce.core.cost import Cost
from nosce.core.errors import BudgetExhausted, CapabilityError
from nosce.core.problem import Problem
from nosce.core.registry import NEEDS
from nosce.mind.dialects.base import Given
from nosce.mind.mind import Mind
from nosce.models.base import Embedder


def question_state(problem: Problem, mind: Mind, act: str = "think") -> NDArray[np.float32]:
    """Hidden states [layers + 1, d] of the last token of the prompt of `act`: what the model knows as it begins.

    The prompt's tokens and one call are charged. Raises CapabilityError without hidden states, BudgetExhausted when
    the prompt does not fit into the budget.
    """
    if not isinstance(mind.model, Embedder):
        raise CapabilityError("hidden", mind.model.spec, NEEDS["hidden"])
    prompt = mind.dialect.render(act, problem, Given()).prompt
    pay(mind, mind.model.count(prompt))
    return mind.model.hidden(prompt)[:, -1]


def pay(mind: Mind, tokens: int) -> None:
    """Charge one call that reads `tokens` and writes none. Raises BudgetExhausted when that does not fit into the budget."""
    meter = mind.work.meter
    if meter.fits(tokens, 1, 1)[0] == 0:
        meter.exhausted = True
        raise BudgetExhausted("reading the question does not fit into the budget")
    meter.settle(Cost(), Cost(prompt_tokens=tokens, calls=1))
