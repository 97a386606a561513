"""Would the model's other attempts support what this one says?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nosce.core.attempt import Attempt
from nosce.core.errors import InputError
from nosce.core.problem import Problem
from nosce.core.registry import estimator
from nosce.core.signal import Signal
from nosce.mind.mind import Mind

ASKED = "Is the sentence supported by the passage above?\nSentence: {sentence}"
OPTIONS = ("It is supported.", "It is not supported.")


@estimator("selfcheck-prompt", "selfcheck-prompt", family="monitor", acts={"judge"}, looks_at=("samples",))
async def selfcheck_prompt(problem: Problem, attempts: Sequence[Attempt], mind: Mind, *, most: int = 8) -> Signal:
    """Share of sentence and sample pairs in which the model finds the sentence of the attempt supported by the sample.

    Rule: the steps of the attempt, at most `most` of them evenly spread, against every other attempt; undecided counts half.
    In [0, 1], higher is surer; no value for a single attempt. SelfCheckGPT's prompt variant is 1 minus it.
    """
    if not attempts or most < 1:
        raise InputError(f"selfcheck-prompt: {len(attempts)} attempts, most={most}; expected at least 1 of each")
    steps = mind.dialect.steps(attempts[0].text) or [attempts[0].text]
    chosen = [steps[i] for i in np.unique(np.linspace(0, len(steps) - 1, min(most, len(steps))).astype(int))]
    found = [await _supported(problem, sentence, other, mind) for sentence in chosen for other in attempts[1:]]
    value = float(np.mean(found)) if found else None
    return mind.measure(Signal("selfcheck_prompt", value, "none" if value is None else "samples"), attempts[0].id)


async def _supported(problem: Problem, sentence: str, sample: Attempt, mind: Mind) -> float:
    picked = await mind.judge(Problem(problem.id, ASKED.format(sentence=sentence), context=sample.text), OPTIONS)
    return 0.5 if picked is None else float(picked == 0)
