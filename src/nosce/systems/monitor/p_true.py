"""S296 P(True) and P(IK): is this answer right, and do I know it at all?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nosce.control.each import each
from nosce.core.answer import Answer
from nosce.core.artifact import Artifact
from nosce.core.attempt import Attempt
from nosce.core.claim import Claim
from nosce.core.errors import CapabilityError, InputError
from nosce.core.problem import Problem
from nosce.core.registry import estimator, strategy
from nosce.core.signal import Signal
from nosce.inside.probe import Probe, best_layer
from nosce.inside.reading import question_state
from nosce.mind.mind import Mind

P_TRUE = Claim(
    statement="AUROC and ECE of P(True) beat those of the sequence log-probability.",
    endpoint="auroc2", baseline="think", taught=True, fidelity="code",
)  # fmt: skip
P_IK = Claim(
    statement="A probe on the question alone ranks what the model will solve better than the sequence log-probability does.",
    endpoint="auroc2", baseline="think", fidelity="code",
)  # fmt: skip


@estimator("S296", "p-true", needs={"logprobs"}, acts={"verify"}, claim=P_TRUE)
async def p_true(problem: Problem, attempts: Sequence[Attempt], mind: Mind, *, shown: int = 0, checks: int = 1) -> Signal:
    """P(True) of the first attempt: the model is shown its own answer and asked whether it is right.

    Rule: P(True) / (P(True) + P(False)) at the verdict; `shown` other attempts' answers are put beside it (brainstormed
    samples). In [0, 1], higher is surer. Source: S296 "Language Models (Mostly) Know What They Know". Left open and
    filled: no worked examples are shown. On the bundled model the verdict follows a written re-check, which it was taught,
    and other answers cannot be shown: raises CapabilityError for `shown` there.
    """
    if not attempts:
        raise InputError("p-true looks at an attempt; give at least one")
    _can_show(mind, shown)
    return await mind.verify(problem, attempts[0], samples=attempts[1 : 1 + shown], n=checks)


async def fit_p_ik(
    problems: Sequence[Problem], mind: Mind, *, samples: int = 8, layer: int | None = None, l2: float = 10.0
) -> Artifact:
    """A logistic probe from the hidden state at the question's end to the share of `samples` thoughts that are right.

    The layer (after the embedding) is chosen on a held-out fifth unless given. Raises InputError when fewer than 20 of the
    problems have a reference.
    """
    graded = [problem for problem in problems if problem.graded]
    if len(graded) < 20:
        raise InputError(f"p-ik is fitted on problems with a reference answer; got {len(graded)}, expected at least 20")
    drawn = await each(mind.think(problem, n=samples) for problem in graded)
    rows = [(problem, attempts) for problem, attempts in zip(graded, drawn, strict=True) if attempts]
    states = np.stack([question_state(problem, mind) for problem, _ in rows])  # [N, layers + 1, d]
    rates = [float(np.mean([problem.check(a.answer) for a in attempts])) for problem, attempts in rows]
    at = 1 + best_layer(states[:, 1:], rates, l2=l2, seed=mind.work.seed) if layer is None else layer
    return Artifact("p-true", "probe", Probe.fit(states[:, at], rates, layer=at, l2=l2).to_data())


@estimator("S296", "p-true", part="p-ik", needs={"hidden"}, prepare=fit_p_ik, prepares="labelled", claim=P_IK)
async def p_ik(problem: Problem, attempts: Sequence[Attempt], mind: Mind, probe: Artifact) -> Signal:
    """P(I know): will the model solve this question? Read off its hidden state before it tries; attempts are not looked at.

    Rule: σ(w · h + b), h the state of the question's last token, fitted to the solve rate.
    In [0, 1], higher is surer. Source: S296 "Language Models (Mostly) Know What They Know".
    """
    return mind.measure(known(problem, mind, probe))


@strategy("S296", "p-true", part="checked", needs={"logprobs"}, acts={"think", "verify"}, claim=P_TRUE)
async def checked(problem: Problem, mind: Mind, *, shown: int = 0, checks: int = 1) -> Answer:
    """One thought, and P(True) as its confidence; see the estimator `p-true`."""
    _can_show(mind, shown)
    attempts = await mind.think(problem, n=1 + shown)
    mind.answer(attempts[0].answer)
    if attempts[0].answer is None:
        return mind.answer(None, reason="the thought gave no answer")
    signal = await p_true(problem, attempts, mind, shown=shown, checks=checks)
    return mind.answer(attempts[0].answer, signal.value, signal.source, signals=(signal,))


@strategy("S296", "p-true", part="if-known", needs={"hidden"}, acts={"think"}, prepare=fit_p_ik, prepares="labelled", claim=P_IK)
async def if_known(problem: Problem, mind: Mind, probe: Artifact, *, least: float = 0.0) -> Answer:
    """One thought with P(IK) as its confidence; abstain without thinking when P(IK) < `least`; see `p-true/p-ik`."""
    signal = mind.measure(known(problem, mind, probe))
    if signal.value is not None and signal.value < least:
        mind.decide("abstain", "not known", p_ik=round(signal.value, 4), least=least)
        return mind.answer(None, reason="P(IK) is low", signals=(signal,))
    attempt = (await mind.think(problem))[0]
    return mind.answer(attempt.answer, signal.value, "hidden", signals=(signal,))


def known(problem: Problem, mind: Mind, probe: Artifact) -> Signal:
    """P(IK) of a question."""
    fitted = Probe.from_data(probe.data)
    return Signal("p_ik", float(fitted.predict(question_state(problem, mind)[fitted.layer])), "hidden")


def _can_show(mind: Mind, shown: int) -> None:
    if shown and mind.dialect.name != "chat":
        raise CapabilityError("verify with samples shown", mind.model.spec, ["a chat model", "p-true with shown=0"])
