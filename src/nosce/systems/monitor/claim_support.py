"""A long answer, claim by claim: what the samples, the model itself, or the given passage say to each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from nosce.core.answer import Answer
from nosce.core.attempt import Attempt
from nosce.core.count import Count
from nosce.core.errors import CapabilityError, InputError
from nosce.core.problem import Problem
from nosce.core.registry import estimator, strategy
from nosce.core.signal import Signal, Source
from nosce.mind.mind import Mind
from nosce.monitor.claims import Supports, claims, contained, support
from nosce.monitor.measure import measure
from nosce.monitor.statistics import Statistics

By = Literal["auto", "samples", "verify", "passage", "judge"]
OPTIONS = ("The passage supports the claim.", "The passage does not support the claim.")


@measure("claim-support", needs={"samples"})
def claim_support(stats: Statistics, *, supports: Supports = contained) -> float:
    """Mean over the claims of the first attempt of how far the other samples support them.

    Rule: claims are sentences; `supports` says how far a text supports a claim, by default the share of its content words
    found there. In [0, 1], higher is surer. uqlm's long-text scorers with sentences for units.
    """
    said = claims(stats.attempts[0].text)
    return float(support(said, [a.text for a in stats.attempts[1:]], supports).mean()) if said else 0.0


@estimator("claim-support", "claim-support", part="verify", family="monitor", acts={"verify"})
async def claim_verify(problem: Problem, attempts: Sequence[Attempt], mind: Mind) -> Signal:
    """Mean over the claims of the first attempt of the model's own P(True) of each.

    One check a claim, so the cost grows with the length of the answer. In [0, 1], higher is surer.
    """
    sure, source = _mean(await _verified(problem, _first(attempts), mind))
    return mind.measure(Signal("claim_verify", sure, source))


@estimator("passage-support", "passage-support", family="monitor", silent="no question comes with a passage (context)")
async def passage_support(
    problem: Problem, attempts: Sequence[Attempt], mind: Mind, *, supports: Supports = contained
) -> Signal:
    """Mean over the claims of the first attempt of how far the question's passage supports them; no value without a passage.

    Costs nothing by default (lexical containment). In [0, 1], higher is surer: grounded, which is not the same as true.
    """
    said = claims(_first(attempts).text)
    if not problem.context or not said:
        return mind.measure(Signal("passage_support", None, "none"))
    scores = support(said, [problem.context], supports)[:, 0]
    return mind.measure(Signal("passage_support", float(scores.mean()), "verifier"))


@strategy("by-claim", "by-claim", family="monitor", acts={"think"}, only_for="long answers")
async def by_claim(
    problem: Problem, mind: Mind, *, k: Count = 5, by: By = "auto", supports: Supports = contained
) -> Answer:
    """One thought whose sentences each get a confidence of their own; that of the answer is their mean.

    `by`: how far the other k − 1 `samples` support a claim, the model's own P(True) of it (`verify`), how far the question's
    `passage` supports it, or whether the model finds that it does (`judge`); `auto`: the passage where there is one, else
    samples. `supports` compares texts: lexical containment, or from Python any entailment model. The signals of the answer,
    and the trace, hold each claim with its confidence; the reason names the way and its cost.
    """
    way = ("passage" if problem.context else "samples") if by == "auto" else by
    if way in ("passage", "judge") and not problem.context:
        raise InputError(f"{problem.id} has no passage; give a context, or by=samples")
    if way == "samples" and k < 2:
        raise InputError(f"k={k}: claims are scored by other samples; give k=2 or more")
    if way in ("verify", "judge") and way not in mind.dialect.acts:
        raise CapabilityError(f"act {way}", mind.model.spec, ["by=samples"])
    attempts = await mind.think(problem, n=k if way == "samples" else 1)
    first = attempts[0]
    mind.answer(first.answer)
    if way in ("verify", "judge"):
        signals = await (_verified if way == "verify" else _judged)(problem, first, mind)
    else:
        signals = [mind.measure(signal, first.id) for signal in _scored(problem, attempts, way, supports)]
    extra = mind.work.meter.spent.tokens - first.cost.tokens
    reason = f"{len(signals)} claims scored by {way} at {extra} tokens beyond the answer"
    return mind.answer(first.answer or first.text.strip() or None, *_mean(signals), reason=reason, signals=signals)


def _mean(signals: Sequence[Signal]) -> tuple[float | None, Source]:
    """The mean of those that have a value, and where it comes from."""
    known = [signal for signal in signals if signal.value is not None]
    return (float(np.mean([signal.value for signal in known])), known[0].source) if known else (None, "none")


def _scored(problem: Problem, attempts: Sequence[Attempt], way: str, supports: Supports) -> list[Signal]:
    said = claims(attempts[0].text)
    texts = [problem.context or ""] if way == "passage" else [a.text for a in attempts[1:]]
    if not texts:  # the budget left no second sample
        return []
    source: Source = "verifier" if way == "passage" else "samples"
    return [Signal(claim, float(row.mean()), source) for claim, row in zip(said, support(said, texts, supports), strict=True)]


async def _verified(problem: Problem, attempt: Attempt, mind: Mind) -> list[Signal]:
    """P(True) of each claim, named by it."""
    found = []
    for claim in claims(attempt.text):
        checked = await mind.verify(problem, Attempt(attempt.id, claim, claim, attempt.act))
        found.append(Signal(claim, checked.value, checked.source))
    return found


async def _judged(problem: Problem, attempt: Attempt, mind: Mind) -> list[Signal]:
    """1 where the model finds that the passage supports the claim, 0 where it finds that it does not."""
    found = []
    for claim in claims(attempt.text):
        picked = await mind.judge(Problem(problem.id, f"Claim: {claim}", context=problem.context), OPTIONS)
        value = None if picked is None else float(picked == 0)
        found.append(mind.measure(Signal(claim, value, "none" if value is None else "verbal"), attempt.id))
    return found


def _first(attempts: Sequence[Attempt]) -> Attempt:
    if not attempts:
        raise InputError("claims are those of an attempt; give at least one")
    return attempts[0]
