"""What of the statistics only a model can tell, asked for once and paid for like any other reading."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from nosce.core.attempt import Attempt
from nosce.core.problem import Problem
from nosce.inside.reading import pay
from nosce.mind.dialects.base import Given
from nosce.mind.mind import Mind
from nosce.models.base import Rereads
from nosce.monitor.equivalence import Ints, numbered
from nosce.monitor.similarity import Embed, Floats, hashed_ngrams, relevances, unit
from nosce.monitor.statistics import Statistics


async def observe(
    problem: Problem, attempts: Sequence[Attempt], mind: Mind, needs: Collection[str] = (), *, judge: bool = False, **given: Any
) -> Statistics:
    """The statistics of a question's attempts, with what `needs` (of statistics.NEEDS) wants of the model.

    `pieces` costs nothing; `prior` and `layers` one reading of the attempt each (what an attempt has no tokens for is left
    out); `judge` asks the model which answers mean the same, at most once for each attempt and class. `given` are further
    fields of Statistics (`embed`, `entails`, `view`, …).
    """
    if "pieces" in needs:
        looked_at = attempts if "samples" in needs else attempts[:1]
        rows = [relevance(attempt, mind, given.get("embed", hashed_ngrams)) for attempt in looked_at]
        if all(row is not None for row in rows):
            given["relevance"] = rows
    if "prior" in needs and attempts:
        given["prior"] = prior(problem, attempts[0], mind)
    if "layers" in needs and attempts:
        given["layers"] = layers(problem, attempts[0], mind)
    if judge:
        given["judged"] = await judged(problem, attempts, mind)
    return Statistics(problem, attempts, **given)


def relevance(attempt: Attempt, mind: Mind, embed: Embed = hashed_ngrams) -> Floats | None:
    """How much each token of an attempt matters [T]: 1 − cosine of its text with and without it; None where tokens have no text.

    The text of tokens is the model's own where it is local, else that of the alternatives that were drawn.
    """
    ids, model = attempt.token_ids, mind.model
    if isinstance(model, Rereads) and ids and len(ids) == len(attempt.logprobs or ()):
        if len(ids) == 1:
            return np.array([0.5])
        without = [model.decode([*ids[:t], *ids[t + 1 :]]) for t in range(len(ids))]
        vectors = unit(embed([model.decode(ids), *without]))
        return np.asarray(np.clip(1.0 - vectors[1:] @ vectors[0], 0.0, 2.0))
    pieces = drawn(attempt)
    return None if pieces is None else relevances(pieces, embed)


def drawn(attempt: Attempt) -> list[str] | None:
    """The text of each token, found among its alternatives by its log-probability; None where one is not among them."""
    if not attempt.top or len(attempt.top) != len(attempt.logprobs or ()):
        return None
    found = []
    for row, logprob in zip(attempt.top, attempt.logprobs or (), strict=True):
        text = next((text for text, other in row if abs(other - logprob) < 2e-5), None)
        if text is None:
            return None
        found.append(text)
    return found


def prior(problem: Problem, attempt: Attempt, mind: Mind) -> Floats | None:
    """Log-probability of each token [T] given only those before it and the last token of the prompt, which opens the answer."""
    return None if (read := _reread(problem, attempt, mind, keep=1)) is None else read[0]


def layers(problem: Problem, attempt: Attempt, mind: Mind) -> Floats | None:
    """1 where a hidden state [layers + 1, T], read through the head, prefers what the last one prefers, else 0."""
    read = _reread(problem, attempt, mind)
    return None if read is None else np.asarray(read[1] == read[1][-1], dtype=np.float64)


def _reread(problem: Problem, attempt: Attempt, mind: Mind, keep: int | None = None) -> tuple[Floats, Ints] | None:
    ids, model = attempt.token_ids, mind.model
    if not isinstance(model, Rereads) or not ids or len(ids) != len(attempt.logprobs or ()):
        return None
    act = attempt.act if attempt.act in ("think", "direct") else "think"
    prompt = mind.dialect.render(act, problem, Given()).prompt
    pay(mind, len(ids) + (keep or model.count(prompt)))
    logprobs, preferred = model.reread(prompt, ids, keep=keep)
    return np.asarray(logprobs, dtype=np.float64), preferred


async def judged(problem: Problem, attempts: Sequence[Attempt], mind: Mind) -> Ints:
    """Classes [n] of answers that mean the same by the model's own judgement (act `judge`).

    Answers that the problem's Equivalence calls the same are not asked about; each other one is held against one answer of
    every class until it is judged the same. An attempt without an answer is alone.
    """
    heads: list[tuple[int, str]] = []
    found: list[int] = []
    for i, attempt in enumerate(attempts):
        number = None if attempt.answer is None else await _class_of(problem, attempt.answer, heads, mind)
        if number is None:
            number = i
            if attempt.answer is not None:
                heads.append((i, attempt.answer))
        found.append(number)
    return numbered(np.array(found))


async def _class_of(problem: Problem, answer: str, heads: Sequence[tuple[int, str]], mind: Mind) -> int | None:
    known = next((number for number, head in heads if problem.same(answer, head)), None)
    if known is not None:
        return known
    for number, head in heads:
        text = (
            f"Two answers were given to this question: {problem.text}\nFirst answer: {head}\nSecond answer: {answer}\n"
            "Do they mean the same?"
        )
        if await mind.judge(Problem(problem.id, text), ("They mean the same.", "They mean different things.")) == 0:
            return number
    return None
