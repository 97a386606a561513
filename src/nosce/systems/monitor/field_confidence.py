"""A structured answer, field by field: how many samples agree on each, or how likely its tokens were."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from nosce.core.answer import Answer
from nosce.core.attempt import Attempt
from nosce.core.count import Count
from nosce.core.errors import CapabilityError, InputError
from nosce.core.problem import Problem
from nosce.core.registry import NEEDS, estimator, strategy
from nosce.core.signal import Signal, Source
from nosce.mind.mind import Mind
from nosce.monitor.fields import agreement, fields_of, probability, weakest

By = Literal["auto", "probability", "agreement"]
NO_JSON = "the reply holds no JSON"


@estimator("field-agreement", "field-agreement", family="monitor", looks_at=["samples"], silent=NO_JSON)
async def field_agreement(problem: Problem, attempts: Sequence[Attempt], mind: Mind) -> Signal:
    """Share of the samples that agree on the least agreed field of the first one's JSON; no value where it is none.

    In [0, 1], higher is surer. Every field's share goes into the trace under its JSON path.
    """
    return _weakest("field_agreement", agreement(attempts), "samples", mind)


@estimator(
    "field-probability", "field-probability", family="monitor", needs={"logprobs"}, looks_at=["logprobs", "pieces"], silent=NO_JSON
)
async def field_probability(problem: Problem, attempts: Sequence[Attempt], mind: Mind) -> Signal:
    """Probability of the tokens of the least likely field of the first attempt's JSON; no value where it is none.

    In [0, 1], higher is surer. Every field's probability goes into the trace under its JSON path.
    """
    if not attempts:
        raise InputError("fields are those of an attempt; give at least one")
    return _weakest("field_probability", probability(attempts[0], mind), "logprobs", mind)


@strategy("by-field", "by-field", family="monitor", acts={"think"}, only_for="JSON answers")
async def by_field(problem: Problem, mind: Mind, *, k: Count = 5, by: By = "auto") -> Answer:
    """One JSON answer whose fields each get a confidence of their own; that of the answer is its least sure field's.

    `by`: the `probability` of a field's tokens, or the `agreement` of k samples on its value; `auto`: probability where the
    model gives log-probabilities and the text of its tokens, else agreement. The signals of the answer, and the trace, hold
    each JSON path; the reason names the way, the fallback where one was needed, and its cost.
    """
    able = mind.model.capabilities
    if by == "probability" and not able.logprobs:
        raise CapabilityError("logprobs", mind.model.spec, [NEEDS["logprobs"], "by=agreement"])
    if k < 2:
        raise InputError(f"k={k}: agreement compares samples; give k=2 or more")
    asked = able.logprobs and by != "agreement"
    first = (await mind.think(problem, top=min(20, able.top) if asked else 0))[0]
    found = fields_of(first.text)
    if found is None:
        return mind.answer(None, reason=NO_JSON)
    said = first.text[found.start : found.end]
    mind.answer(said)
    scores = probability(first, mind) if asked else None
    if scores is None and by != "probability":
        return _answered(said, agreement([first, *await mind.think(problem, n=k - 1)]), first, mind, by)
    return _answered(said, scores, first, mind, "probability")


def _answered(said: str, scores: Mapping[str, float] | None, first: Attempt, mind: Mind, by: By) -> Answer:
    source: Source = "logprobs" if by == "probability" else "samples"
    signals = [mind.measure(Signal(path, value, source), first.id) for path, value in (scores or {}).items()]
    extra = mind.work.meter.spent.tokens - first.cost.tokens
    why = "the model gives no log-probabilities of its text: " if by == "auto" else ""
    way = "probability" if by == "probability" else "agreement"
    reason = f"{why}{len(signals)} fields scored by {way} at {extra} tokens beyond the answer"
    return mind.answer(said, weakest(scores or {}), source, reason=reason, signals=signals)


def _weakest(name: str, scores: Mapping[str, float] | None, source: Source, mind: Mind) -> Signal:
    for path, value in (scores or {}).items():
        mind.measure(Signal(path, value, source))
    least = weakest(scores) if scores else None
    return mind.measure(Signal(name, least, "none" if least is None else source))
