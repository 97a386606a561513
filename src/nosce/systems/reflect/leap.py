"""S131 LeaP: parallel paths of thought tell each other where they stand, and go on from there."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from nosce.control.pieces import room
from nosce.control.voting import plurality
from nosce.core.answer import Answer
from nosce.core.attempt import Attempt
from nosce.core.battery import Item, Measure, Row, Source, difference, share
from nosce.core.claim import Claim
from nosce.core.count import Count
from nosce.core.problem import Problem
from nosce.core.registry import battery, strategy
from nosce.mind.dialects.base import Given
from nosce.mind.mind import Mind
from nosce.reflect.second_look import written
from nosce.reflect.true_critique import plain_steps
from nosce.tasks.planted import planted

Routing = Literal["dispersed", "clustered", "hybrid"]

PEERS = "\nOthers who work on the same question have come to this:\n{summaries}\nI weigh that against my own work and go on.\n\n"
SUMMARISE = "Say in at most 60 words what this thought has established so far, and what it is about to do."

VOTE = Claim(
    statement="Paths that share summaries while they think beat a vote over independent paths at equal tokens.",
    endpoint="accuracy_at_cost", baseline="self-consistency", fidelity="paper",
)  # fmt: skip
TRAP = Claim(
    statement="A path that was given a bad beginning ends right more often when it hears peers that began well.",
    endpoint="recovery", baseline="the same path, hearing nobody", n=300, seeds=(0, 1), fidelity="paper",
)  # fmt: skip


@strategy("S131", "leap", needs={"continuation"}, acts={"think", "extend"}, claim=VOTE)
async def learning_from_peers(
    problem: Problem, mind: Mind, *, paths: Count = 4, every: int | None = None, peers: int = 2, turns: int = 4,
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
    return written(mind, _finished(mind, thought))


def _finished(mind: Mind, thought: Attempt) -> list[str]:
    """The steps of a thought but the one that it is in the middle of."""
    steps = plain_steps(mind, thought)
    return steps[:-1] if thought.finish == "length" else steps


async def _shared(
    problem: Problem, mind: Mind, thoughts: Sequence[Attempt], peers: int, routing: Routing
) -> list[tuple[str, ...]]:  # fmt: skip
    """What each path hears."""
    if "distil" in mind.dialect.acts:
        told = [mind.write("distil", problem, attempts=[t], instruction=SUMMARISE, max_tokens=256) for t in thoughts]
        summaries = [text[0] for text in await asyncio.gather(*told)]
    else:
        summaries = [next(iter(_finished(mind, thought)[-1:]), "") for thought in thoughts]
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


def items(n: int, seed: int, source: Source) -> list[Item]:
    """Questions with a beginning in which one step is wrong, and what follows from it."""
    made = (planted(source, seed, i, (2, 3, 4), midway=True) for i in range(n))
    return [Item(replace(p.problem, id=f"{p.problem.id}-trap"), {"steps": p.steps[: p.fault]}) for p in made]


MEASURES = (
    Measure("free", "right without a beginning forced on it", "knows", ("free",), share),
    Measure("trap", "what a bad beginning costs", "bears", ("free", "alone"), difference, "lower", 0.0, "no beginning forced on it",
            "points"),
    Measure("recovery", "peers help out of a bad beginning", "mends", ("heard", "alone"), difference, "higher", 0.0,
            "the same path, hearing nobody", "points"),
)  # fmt: skip


@battery("S131", "leap", part="prefix-trap", items=items, measures=MEASURES, claim=TRAP, needs={"continuation"},
         acts={"think", "extend"})  # fmt: skip
async def prefix_trap(problem: Problem, mind: Mind, *, steps: Sequence[str], peers: int = 2, every: int | None = None) -> Row:
    """Does a path that was begun badly end right, and does it more often when it hears from peers?

    Rule: the beginning, up to and with a planted wrong step, is forced on a path, which goes on alone, or after the summaries of
    `peers` paths that began by themselves and are T = `every` tokens on their way. trap = right(free) − right(alone), recovery =
    right(heard) − right(alone), in [−1, 1]. Source: S131 "Learning from Peers in Reasoning Models". Left open and filled: the
    beginning is a worked solution gone wrong by program.
    """
    worded = "distil" in mind.dialect.acts
    begun = Attempt("", written(mind, steps), None)
    others = await mind.think(problem, n=peers, max_tokens=every or (512 if worded else 24))
    heard = (await _shared(problem, mind, [begun, *others], peers, "dispersed"))[0] if others else ()
    free = (await mind.think(problem))[0]
    alone = await _go_on(problem, mind, begun, begun.text, (), None, worded=worded)
    told = await _go_on(problem, mind, begun, begun.text, heard, None, worded=worded)
    right = {name: problem.check(end.answer) >= 0.5 for name, end in (("free", free), ("alone", alone), ("heard", told))}
    return {"answer": told.answer, "notes": list(heard), **right}
