"""S027 PDR: parallel drafts, a distilled workspace, a refined answer."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Literal

import numpy as np

from nosce.control.voting import plurality
from nosce.core.answer import Answer
from nosce.core.attempt import Attempt
from nosce.core.claim import Claim
from nosce.core.errors import InputError
from nosce.core.problem import Problem
from nosce.core.registry import strategy
from nosce.core.streams import stream_key
from nosce.core.vote import tally
from nosce.mind.mind import Mind
from nosce.models.base import Prompt

Distiller = Literal["summary", "top-k", "random-k"]

CLAIM = Claim(
    statement="At a matched sequential token budget, drafts distilled into a bounded workspace and refined beat one long "
    "thought; the context never exceeds the bound.",
    endpoint="accuracy_at_cost", baseline="self-consistency", taught=True, options={"drafts": 4, "rounds": 2},
)  # fmt: skip


@strategy("S027", "pdr", acts={"think"}, claim=CLAIM)
async def parallel_distill_refine(
    problem: Problem, mind: Mind, *, rounds: int = 2, drafts: int = 4, kept: int = 3, limit: int = 128,
    distiller: Distiller | None = None,
) -> Answer:  # fmt: skip
    """Rounds of parallel drafts, each distilled into a bounded workspace on which the next round is conditioned.

    Rule: S^r = M drafts given C^{r−1}; C^r = D(S^r) with |C| ≤ κ = `limit` tokens, rebuilt each round, C^0 empty; the last
    round (after `rounds` of drafts) is one draft, and it is the answer. D is `summary` (the act distil), `top-k` (the
    `kept` commonest answers) or `random-k` (`kept` answers at random, drawn anew for each next draft); by default
    `summary` where the model has the act, else `top-k`, whose notes are candidate answers. `drafts=1` is sequential
    refinement. Confidence is the share of the last drafts and the final one that give the final answer.
    Source: S027 "Rethinking Thinking Tokens: LLMs as Improvement Operators". Left open and filled: whole notes are kept
    while they fit into κ. The bundled model was taught to use notes of answers, so it is no test of that skill.
    """
    how: Distiller = distiller or ("summary" if "distil" in mind.dialect.acts else "top-k")
    if rounds < 1 or drafts < 1:
        raise InputError(f"rounds={rounds}, drafts={drafts}: expected at least 1 of each")
    earlier: list[Attempt] = []
    for turn in range(rounds):
        spaces = await workspaces(problem, mind, earlier, how, drafts, kept, limit, turn)
        earlier = await _drafts(problem, mind, spaces)
        plurality(problem, mind, earlier)
    final = (await _drafts(problem, mind, await workspaces(problem, mind, earlier, how, 1, kept, limit, rounds)))[0]
    together = plurality(problem, mind, [*earlier, final])
    if final.answer is None:
        return together
    blocs = tally(problem, [final.answer, *(a.answer for a in earlier)])
    agree = next(len(bloc.members) for bloc in blocs if 0 in bloc.members)
    return mind.answer(final.answer, agree / (1 + len(earlier)), "samples")


async def workspaces(
    problem: Problem, mind: Mind, earlier: Sequence[Attempt], how: Distiller, count: int, kept: int, limit: int, turn: int
) -> list[tuple[str, ...]]:
    """The notes for each of `count` drafts; empty in the first round. `random-k` differs from draft to draft."""
    if not earlier:
        return [()] * count
    if how == "summary":
        notes = await mind.write("distil", problem, attempts=earlier, max_tokens=limit)
        return [tuple(note for note in notes if note)] * count
    answers = [a.answer for a in earlier if a.answer not in (None, "unknown")]
    if how == "top-k":
        return [bounded(mind, [bloc.value for bloc in tally(problem, answers)[:kept]], limit)] * count
    if how != "random-k":
        raise InputError(f"distiller {how!r}: expected summary, top-k or random-k")
    rng = np.random.default_rng(stream_key(mind.work.seed, problem.id, "pdr", turn))
    picks = [rng.permutation(len(answers))[:kept] for _ in range(count)]
    return [bounded(mind, [str(answers[i]) for i in pick], limit) for pick in picks]


def bounded(mind: Mind, notes: Sequence[str], limit: int) -> tuple[str, ...]:
    """The first notes that fit into `limit` tokens together."""
    fitting: list[str] = []
    for note in notes:
        limit -= mind.model.count(Prompt(text=note))
        if limit < 0:
            break
        fitting.append(note)
    return tuple(fitting)


async def _drafts(problem: Problem, mind: Mind, spaces: Sequence[tuple[str, ...]]) -> list[Attempt]:
    """One draft for each workspace, in order; equal workspaces share a request."""
    wanted = {notes: spaces.count(notes) for notes in dict.fromkeys(spaces)}
    drawn = await asyncio.gather(*(mind.think(problem, n=n, notes=notes) for notes, n in wanted.items()))
    return [attempt for group in drawn for attempt in group]
