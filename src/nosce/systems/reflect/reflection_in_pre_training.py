"""S276 Rethinking reflection in pre-training: does a chain with a planted error still end in the right answer?"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from nosce.core.battery import Item, Measure, Row, Source, share
from nosce.core.claim import Claim, Pair
from nosce.core.errors import InputError
from nosce.core.problem import Problem
from nosce.core.registry import battery
from nosce.metrics.estimate import Floats
from nosce.mind.mind import Mind
from nosce.models.load import BUNDLED, load
from nosce.reflect.second_look import mended_as_own, written
from nosce.reflect.true_critique import plain_steps
from nosce.tasks.planted import planted

LEVELS = (2, 3, 4)
WORDS = re.compile(r"\b(?:wait|mistake|wrong|incorrect|error|actually|re-?check|let me (?:check|redo|verify))\b", re.I)
"""Words by which a text says that it looks back."""

CLAIM = Claim(
    statement="A later checkpoint of pre-training ends more chains with a planted error in the right answer than an earlier one.",
    endpoint="recovered", baseline="the earlier checkpoint", n=600, seeds=(0, 1), options={"early": "socrates-weak"},
    fidelity="paper",
)  # fmt: skip


def items(n: int, seed: int, source: Source) -> list[Item]:
    """Worked solutions with one step gone wrong on the way, and all that follows from it."""
    made = (planted(source, seed, i, LEVELS, midway=True) for i in range(n))
    return [
        Item(replace(p.problem, id=f"{p.problem.id}-corrupt"), {"steps": p.steps, "wrong": p.wrong, "fault": p.fault}) for p in made
    ]


def relative(recovered: Floats, clean: Floats) -> float:
    """Recovered of what the same chains give when they are cut before the error."""
    if not clean.any():
        raise InputError("no chain is finished rightly even without the error")
    return float(recovered.mean() / clean.mean())


async def experiment(bench: Any, claim: Claim, seed: int) -> list[Pair]:
    """Per chain: whether `main` recovers, against the role `early` (for the bundled model the checkpoint that the claim names).

    Raises InputError for another model without that role.
    """
    main = bench.roster["main"]
    early = bench.roster.get("early") or (load(str(claim.options["early"])) if main.spec in BUNDLED else None)
    if early is None:
        raise InputError("name an earlier checkpoint of the same model: --model main=…,early=…")
    drawn = items(claim.n, seed, "bundled" if main.dialect.startswith("socrates") else "general")

    async def one(item: Item, model: Any) -> tuple[float, float]:
        mind = replace(bench, roster={"main": model}).engine(seed).mind(item.problem, "reflection-in-pre-training")
        row = await recovery(item.problem, mind, **item.given)
        return float(row["recovered"]), float(mind.work.meter.spent.tokens)

    late, before = [await asyncio.gather(*(one(item, model) for item in drawn)) for model in (main, early)]
    return [Pair(i.problem.id, a, b, c, d) for i, (a, c), (b, d) in zip(drawn, late, before, strict=True)]


ERROR_FREE = "the same chains, cut before the error"
MEASURES = (
    Measure("recovered", "a chain with an error still ends right", "mends", ("recovered",), share, front=True),
    Measure("clean", "the chain ends right when cut before the error", "knows", ("clean",), share),
    Measure("relative", "recovered, of what is right without the error", "mends", ("recovered", "clean"), relative, "higher", 1.0,
            ERROR_FREE, "share"),
    Measure("own", "a wrong chain of its own ends right when gone over", "mends", ("own",), share),
    Measure("explicit", "says that it looks back", "monitors", ("explicit",), share, "neither"),
)  # fmt: skip


@battery("S276", "reflection-in-pre-training", items=items, measures=MEASURES, claim=CLAIM, experiment=experiment,
         needs={"continuation"}, acts={"think", "extend"})  # fmt: skip
async def recovery(
    problem: Problem, mind: Mind, *, steps: Sequence[str], wrong: str, fault: int, tries: int = 4
) -> Row:
    """How often does the model reach the right answer from a chain of thought in which an error was planted?

    Rule: a correct chain is corrupted in one step, what follows is worked out from there to a wrong answer, and the model goes on
    (situational reflection); recovered = share that ends right, in [0, 1]. Beside it the chain cut before the error, and a wrong
    chain of the model's own (of up to `tries` thoughts the first that ends wrong; left out where there is none). A model of words
    goes on after the wrong answer and "Wait", and reflection is explicit where it says so. The claim compares checkpoints.
    Source: S276 "Rethinking Reflection in Pre-Training". Left open and filled: explicit reflection is found by its words, not by a
    model; own chains are wrong in this model, not in every checkpoint. The bundled model has no word for "Wait" and commits
    itself when it answers, so its chains are cut before the answer.
    """
    prefix = _put(mind, steps, wrong)
    end = (await mind.extend(problem, prefix))[0]
    clean = await mended_as_own(problem, mind, written(mind, steps[: fault - 1]))
    row: Row = {
        "shown": prefix, "answer": end.answer, "recovered": problem.check(end.answer) >= 0.5, "clean": problem.check(clean) >= 0.5,
    }  # fmt: skip
    if "choose" in mind.dialect.acts:
        row["explicit"] = bool(WORDS.search(end.text[len(prefix) :]))
    thoughts = [t for t in await mind.think(problem, n=tries) if t.answer is not None and problem.check(t.answer) < 0.5]
    if thoughts and (own := plain_steps(mind, thoughts[0])):
        row["own"] = problem.check(await mended_as_own(problem, mind, _put(mind, own, str(thoughts[0].answer)))) >= 0.5
    return row


def _put(mind: Mind, steps: Sequence[str], wrong: str) -> str:
    """The chain to go on from: with its wrong answer and a word to stop at, where the model has words."""
    if "choose" not in mind.dialect.acts:
        return written(mind, steps)
    return f"{written(mind, steps, wrong)}\nWait"
