"""S076 First try: stop at the first candidate answer unless the question is one where reflecting pays."""

from __future__ import annotations

from collections import Counter
from typing import Any, Literal

from nosce.control.each import each
from nosce.control.pieces import prolonged
from nosce.core.answer import Answer
from nosce.core.attempt import Attempt
from nosce.core.claim import Claim
from nosce.core.count import Count
from nosce.core.errors import CapabilityError
from nosce.core.problem import Problem
from nosce.core.registry import strategy, study
from nosce.mind.dialects.base import Given
from nosce.mind.mind import Mind
from nosce.models.base import Sample
from nosce.monitor.likelihood import sequence_confidence
from nosce.reflect.second_look import corrected

Kind = Literal["confirmatory", "corrective", "damaging", "wandering"]

STOP = Claim(
    statement="Stopping at the first candidate where the question does not call for reflection cuts tokens by at least 20% "
    "with at most 3 points of accuracy lost against reflecting always.",
    endpoint="tokens", baseline="first-try", baseline_options={"doubt": -1.0}, margin=0.2, taught=True, fidelity="paper",
)  # fmt: skip
TRACES = Claim(
    statement="Most reflections after a first answer leave it unchanged.", endpoint="confirmatory", margin=0.5, n=120,
    taught=True, fidelity="paper", analogue_of="reflection inside a reasoning model's thought (here: critique and revision)",
)  # fmt: skip


@strategy("S076", "first-try", needs={"continuation"}, acts={"think", "foresee"}, claim=STOP)
async def first_try(
    problem: Problem, mind: Mind, *, doubt: float = 0.5, candidates: int = 3, piece: int = 128, most: int = 8
) -> Answer:
    """Write in pieces until a candidate answer stands there; go on reflecting only where the question calls for it.

    Rule: a gate looks at the question alone: when 1 − P(solve), as foreseen, exceeds `doubt`, up to `candidates` candidates
    are awaited, else one. The thought is written in pieces of `piece` tokens, at most `most` of them, and truncated at the
    last candidate awaited. A thought that ends by itself with fewer is reflected upon by critique and revision, while
    that finds fault (on the bundled model always so: its thoughts end with their answer, and both acts were taught).
    Source: S076 "First Try Matters: Revisiting the Role of Reflection in Reasoning Models". Left open and filled: the
    source trains two small classifiers, one on sentences that hold a candidate, one on questions that reflection repairs
    (threshold .05); here a stated answer is parsed and the act foresee stands for the second.
    """
    allowed = candidates if 1 - (await mind.foresee(problem)).solve > doubt else 1
    mind.decide("act", "candidates awaited", candidates=allowed)
    thought = (await mind.think(problem, max_tokens=piece))[0]
    found = _note(problem, mind, thought, allowed)
    for _ in range(most - 1):
        if len(found) >= allowed or thought.finish != "length":
            break
        longer = await prolonged(problem, mind, thought, thought.text, piece)
        if longer is None:
            break
        thought = longer
        found = _note(problem, mind, thought, allowed)
    if found and thought.finish != "length" and {"critique", "revise"} <= mind.dialect.acts:
        for _ in range(allowed - len(found)):
            again = await corrected(problem, mind, thought)
            if again is None or again.answer is None:
                break
            thought = again
            mind.answer(thought.answer, sequence_confidence(thought), "logprobs")
        return mind.answer(thought.answer or found[-1], sequence_confidence(thought), "logprobs")
    return mind.answer(found[-1] if found else None, sequence_confidence(thought), "logprobs")


def candidate_answers(problem: Problem, mind: Mind, text: str) -> list[str]:
    """Every answer that a line of the thought states, in order."""
    said = (mind.dialect.read("think", Sample(line), problem, Given()) for line in text.splitlines())
    return [answer for answer in said if answer is not None]


def _note(problem: Problem, mind: Mind, thought: Attempt, allowed: int) -> list[str]:
    found = candidate_answers(problem, mind, thought.text)[:allowed]
    if found:
        mind.answer(found[-1], sequence_confidence(thought), "logprobs")
    return found


@study("S076", "first-try", part="reflections", needs={"blackbox"}, acts={"think", "critique", "revise"}, claim=TRACES)
async def reflections(mind: Mind | None, *, seed: int = 0, n: Count = 120) -> dict[str, Any]:
    """What reflection does to a first answer: how often it confirms, corrects, damages or wanders, and what it costs.

    On n bundled problems: think, then reflect once. confirmatory: the answer stays; corrective: wrong to right;
    damaging: right to wrong; wandering: wrong to another wrong one. Returns shares, first and last accuracy, and the
    share of completion tokens spent after the first answer. Raises CapabilityError without a model.
    Source: S076 "First Try Matters: Revisiting the Role of Reflection in Reasoning Models".
    """
    if mind is None:
        raise CapabilityError("a model", "this study", ["--model socrates"])
    from nosce.tasks.bundled import draw_problems

    problems = draw_problems(n=n, seed=seed)
    firsts = await each(mind.think(problem) for problem in problems)
    before = mind.work.meter.spent.completion_tokens
    pairs = [(p, found[0]) for p, found in zip(problems, firsts, strict=True) if found and found[0].answer is not None]
    lasts = await each(corrected(problem, mind, attempt) for problem, attempt in pairs)
    after = mind.work.meter.spent.completion_tokens
    ends = [
        last.answer if last and last.answer is not None else first.answer for (_, first), last in zip(pairs, lasts, strict=True)
    ]
    kinds = Counter(kind_of(p, str(first.answer), str(end)) for (p, first), end in zip(pairs, ends, strict=True))
    return {
        "n": len(pairs), "confirmatory": kinds["confirmatory"] / max(1, len(pairs)),
        "shares": {kind: kinds[kind] / max(1, len(pairs)) for kind in sorted(kinds)},
        "first_accuracy": _accuracy([(p, first.answer) for p, first in pairs]),
        "last_accuracy": _accuracy([(p, end) for (p, _), end in zip(pairs, ends, strict=True)]),
        "reflection_token_share": (after - before) / max(1, after), "seed": seed,
    }  # fmt: skip


def kind_of(problem: Problem, first: str, last: str) -> Kind:
    """What a reflection did to an answer."""
    if problem.same(first, last):
        return "confirmatory"
    was, now = problem.check(first) >= 0.5, problem.check(last) >= 0.5
    if was == now:
        return "confirmatory" if was else "wandering"
    return "corrective" if now else "damaging"


def _accuracy(answers: list[tuple[Problem, str | None]]) -> float:
    return sum(problem.check(answer) for problem, answer in answers) / max(1, len(answers))
