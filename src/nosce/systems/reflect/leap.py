"""S131 LeaP: parallel paths of thought tell each other where they stand, and go on from there."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Literal

from nosce.control.pieces import room
from nosce.control.voting import plurality
from nosce.core.answer import Answer
from nosce.core.attempt import Attempt
from nosce.core.claim import Claim
from nosce.core.draws import Draws
from nosce.core.problem import Problem
from nosce.core.registry import strategy
from nosce.mind.dialects.base import Given
from nosce.mind.mind import Mind
from nosce.reflect.second_look import written
from nosce.reflect.true_critique import plain_steps

Routing = Literal["dispersed", "clustered", "hybrid"]

PEERS = "\nOthers who work on the same question have come to this:\n{summaries}\nI weigh that against my own work and go on.\n\n"
SUMMARISE = "Say in at most 60 words what this thought has established so far, and what it is about to do."

CLAIM = Claim(
    statement="Paths that share summaries while they think beat a vote over independent paths at equal tokens.",
    endpoint="accuracy_at_cost", baseline="self-consistency", fidelity="paper",
)  # fmt: skip


@strategy("S131", "leap", needs={"continuation"}, acts={"think", "extend"}, claim=CLAIM)
async def learning_from_peers(
    problem: Problem, mind: Mind, *, paths: Draws = 4, every: int | None = None, peers: int = 2, turns: int = 4,
    routing: Routing = "dispersed",
) -> Answer:  # fmt: skip
    """Paths think in parallel; every T tokens each reads summaries of the others before it goes on; the paths vote.

    Rule: `paths` thoughts are written T = `every` tokens at a time. A path that has not ended drops the step it is in the middle of
    and is summarised; it receives the summaries of k = `peers` others, chosen by similarity 1 − Lev(s_i, s_j) / max length over
    words: the least similar (`dispersed`), the most similar (`clustered`) or half of each (`hybrid`). Paths that have ended leave;
    one that is left alone hears nothing. After `turns` turns the rest are finished without further talk. Plurality of the
    paths; confidence is its share. Source: S131 "Learning from Peers in Reasoning Models". Left open and filled: T is 512 tokens
    for a model of words, of which the summary is a separate call. The bundled model writes no summaries: the last step
    that a path has finished is its summary, shown to others as a note (T is 24 tokens).
    """
    worded = "distil" in mind.dialect.acts
    tokens = every or (512 if worded else 24)
    thoughts = await mind.think(problem, n=paths, max_tokens=tokens)
    for turn in range(turns):
        plurality(problem, mind, thoughts)
        open_ = [i for i, thought in enumerate(thoughts) if thought.finish == "length"]
        if not open_:
            break
        texts = {i: _whole(mind, thoughts[i]) for i in open_}
        shared = await _shared(problem, mind, [thoughts[i] for i in open_], peers, routing) if len(open_) > 1 else [()]
        last = turn == turns - 1
        gone = await asyncio.gather(*(
            _go_on(problem, mind, thoughts[i], texts[i], heard, None if last else tokens, worded=worded)
            for i, heard in zip(open_, shared, strict=True)
        ))  # fmt: skip
        for i, thought in zip(open_, gone, strict=True):
            thoughts[i] = thought
    return plurality(problem, mind, thoughts)


def _whole(mind: Mind, thought: Attempt) -> str:
    """The thought without the step that it is in the middle of."""
    if "distil" in mind.dialect.acts:
        kept, end, _ = thought.text.rpartition("\n")
        return kept + end or thought.text
    return written(mind, plain_steps(mind, thought)[:-1])


async def _shared(
    problem: Problem, mind: Mind, thoughts: Sequence[Attempt], peers: int, routing: Routing
) -> list[tuple[str, ...]]:  # fmt: skip
    """What each path hears."""
    if "distil" in mind.dialect.acts:
        told = [mind.write("distil", problem, attempts=[t], instruction=SUMMARISE, max_tokens=256) for t in thoughts]
        summaries = [text[0] for text in await asyncio.gather(*told)]
    else:
        summaries = [next(iter(plain_steps(mind, thought)[:-1][-1:]), "") for thought in thoughts]
    return [tuple(summaries[j] for j in route(summaries, i, peers, routing) if summaries[j]) for i in range(len(summaries))]


def route(summaries: Sequence[str], own: int, peers: int, routing: Routing) -> list[int]:
    """Whose summaries the path `own` hears, at most `peers` of them; ties in order."""
    others = [j for j in range(len(summaries)) if j != own]
    nearest = sorted(others, key=lambda j: -similarity(summaries[own], summaries[j]))
    farthest = sorted(others, key=lambda j: similarity(summaries[own], summaries[j]))
    if routing == "hybrid":
        chosen = [*farthest[: -(-peers // 2)], *nearest[: peers // 2]]
        return list(dict.fromkeys(chosen))
    return (farthest if routing == "dispersed" else nearest)[:peers]


def similarity(a: str, b: str) -> float:
    """1 − Lev(a, b) / max(|a|, |b|) over words, in [0, 1]; 1 for two empty texts."""
    one, two = a.split(), b.split()
    row = list(range(len(two) + 1))
    for i, word in enumerate(one, 1):
        before, row[0] = row[0], i
        for j, other in enumerate(two, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (word != other))
    return 1 - row[-1] / max(len(one), len(two), 1)


async def _go_on(
    problem: Problem, mind: Mind, thought: Attempt, text: str, heard: tuple[str, ...], tokens: int | None, *, worded: bool
) -> Attempt:  # fmt: skip
    """The path T tokens further, with what it heard in its text, or as notes where it writes no words."""
    if worded and heard:
        text += PEERS.format(summaries="\n".join(f"- {summary}" for summary in heard))
    if not room(problem, mind, text):
        return thought
    given = Given(attempt=thought, prefix=text, notes=() if worded else heard)
    return (await mind.attempts("extend", problem, given, max_tokens=tokens))[0]
