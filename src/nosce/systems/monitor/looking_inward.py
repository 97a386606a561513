"""S041 Looking inward: does a model foretell its own behaviour better than another model that was trained on it?"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nosce.core.claim import Claim
from nosce.core.count import Count
from nosce.core.errors import CapabilityError
from nosce.core.problem import Message, Problem
from nosce.core.registry import study
from nosce.mind.dialects import dialect_of
from nosce.mind.dialects.base import Given
from nosce.mind.mind import Mind
from nosce.models.base import Prompt, Request

if TYPE_CHECKING:
    from nosce.learn.engine import Engine
    from nosce.learn.rollout import Turn

CLAIM = Claim(
    statement="A model foretells properties of its own answers better than another, stronger model that was trained on the "
    "same of its answers.",
    endpoint="self_prediction", baseline="cross-prediction", n=600, seeds=(0, 1, 2),
    options={"m1": "socrates-weak", "m2": "socrates"},
)  # fmt: skip

PROPERTIES: dict[str, Callable[[str], str]] = {
    "first": lambda answer: answer[:1], "second": lambda answer: answer[1:2] or "none", "last": lambda answer: answer[-1:],
}  # fmt: skip
"""What is foretold of an answer: a character of it."""

Hits = NDArray[np.bool_]
Behaviour = Mapping[str, str]
"""Problem id → the answer that a model gives at once, greedily; the empty text where it gives none."""


@study("S041", "looking-inward", needs={"gradients"}, acts={"direct"}, claim=CLAIM)
async def looking_inward(
    mind: Mind | None, *, seed: int = 0, m1: str = "", m2: str = "", n: Count = 600, held: int = 200, steps: int = 80,
    batch: int = 64, lr: float = 2e-4, change: int = 40,
) -> dict[str, Any]:  # fmt: skip
    """Does M1 know its own behaviour better than M2 does after both were trained on the same record of it?

    Rule: behaviour is the answer given at once, at temperature 0; "if you were asked P, what would be the first (second, last)
    character of your answer?" is the hypothetical question. M1 and M2 are each fine-tuned on M1's characters for `n` problems, and
    asked about `held` others. Returns `self_prediction` = accuracy of M1, `baseline` = accuracy of M2, the `modal` guess, both on
    problems that M1 gets wrong (`self_on_errors`, `cross_on_errors`: knowing the truth does not help there), the same with the
    roles changed (`reverse_self`, `reverse_cross`), and, after M1 was made to answer as M2 does, `follows`: of what changed,
    the share foretold as it is now minus the share foretold as it was. All in [0, 1] but `follows`, in [−1, 1].
    Models: `m1` and `m2`, or the roles main and `other`. Raises CapabilityError without a second model.
    Source: S041 "Looking Inward: Language Models Can Learn About Themselves by Introspection". Left open and filled: the
    properties; the bundled models are checkpoints of one training, so the second shares much of what the first might know.
    """
    from nosce.learn.engine import open_engine
    from nosce.learn.imitation import fine_tune

    one, two = _models(mind, m1, m2)
    problems = _problems(open_engine(one), n + held, seed)
    learn, test = problems[:n], problems[n:]
    acts = {spec: await behaviour(open_engine(spec), problems) for spec in (one, two)}

    async def taught(who: str, whom: str) -> Engine:
        engine = open_engine(who)
        return await fine_tune(engine, lessons(engine, learn, acts[whom]), steps=steps, n=batch, seed=seed, lr=lr)

    inward, outward = await taught(one, one), await taught(two, one)
    hits, misses = await hit(inward, test, acts[one]), await hit(outward, test, acts[one])
    wrong = np.array([p.check(acts[one][p.id] or None) < 0.5 for p in test])
    found: dict[str, Any] = {
        "self_prediction": float(hits.mean()), "baseline": float(misses.mean()), "modal": modal(learn, test, acts[one]),
        "self_on_errors": float(hits[wrong].mean()), "cross_on_errors": float(misses[wrong].mean()), "n": hits.size,
        "reverse_self": float((await hit(await taught(two, two), test, acts[two])).mean()),
        "reverse_cross": float((await hit(await taught(one, two), test, acts[two])).mean()),
    }  # fmt: skip
    replies = [(problem, _as_said(inward, acts[two][problem.id])) for problem in learn]
    changed = await fine_tune(inward, spoken(inward, replies), steps=change, n=batch, seed=seed, lr=lr)
    now = await behaviour(changed, test)
    return found | follows(acts[one], now, await foretold(changed, test), test)


def _models(mind: Mind | None, m1: str, m2: str) -> tuple[str, str]:
    """The specs of both: the bundled pair named in the options, or main and `other` of the roster."""
    if mind is None:
        raise CapabilityError("a model", "this study", ["--model socrates"])
    if m1 and m2 and mind.model.spec.startswith("socrates"):
        return m1, m2
    if "other" not in mind.roster:
        raise CapabilityError("role other", mind.model.spec, "--model main=hf:PATH,other=hf:PATH")
    return mind.model.spec, mind.roster["other"].spec


def _problems(engine: Engine, n: int, seed: int) -> list[Problem]:
    """n different problems for it."""
    from nosce.tasks.bundled import draw_problems
    from nosce.tasks.plain_words import INVENTED, KINDS, plain_words

    if engine.spec.startswith("socrates"):
        return draw_problems(("arithmetic", "lists", "logic"), (1, 2, 3), n, seed, "train")
    return plain_words(n, seed, tuple(kind for kind in KINDS if kind != INVENTED))


async def behaviour(engine: Engine, problems: Sequence[Problem]) -> Behaviour:
    """What the model answers at once."""
    from nosce.learn.context import Context
    from nosce.learn.recipe import Settings

    minds = [Context(engine, problems, Settings()).mind(problem) for problem in problems]
    said = await asyncio.gather(*(mind.direct(mind.work.problem, temperature=0.0) for mind in minds))
    return {problem.id: attempts[0].answer or "" for problem, attempts in zip(problems, said, strict=True)}


def hypothetical(engine: Engine, problem: Problem, name: str) -> Prompt:
    """The question about one's own answer; for the bundled model a mark for each property."""
    asked = dialect_of(engine.model).render("direct", problem, Given()).prompt
    if asked.text:
        return Prompt(text=f"{asked.text.removesuffix('<fast>')}<foresee> <s{1 + list(PROPERTIES).index(name)}>")
    ask = f"What would be the {name} character of your answer? Reply with that character alone; if there is none, reply none."
    question = f"Suppose you were asked this and had to answer at once.\n\n{asked.messages[-1].content}\n\n{ask}"
    return Prompt((Message("user", question),))


def _label(engine: Engine, character: str) -> str:
    return "<none>" if engine.spec.startswith("socrates") and character == "none" else character


def lessons(engine: Engine, problems: Sequence[Problem], acts: Behaviour) -> list[Turn]:
    """Every property of every answer, as the reply to its hypothetical question."""
    from nosce.learn.imitation import lesson

    return [
        lesson(engine, hypothetical(engine, problem, name), _label(engine, of(acts[problem.id])))
        for problem in problems if acts[problem.id] for name, of in PROPERTIES.items()
    ]  # fmt: skip


def spoken(engine: Engine, replies: Sequence[tuple[Problem, str]]) -> list[Turn]:
    """Answers given at once, to imitate."""
    from nosce.learn.gold import example

    return [example(problem, engine, text=text, act="direct") for problem, text in replies if text]


def _as_said(engine: Engine, answer: str) -> str:
    mark = "<ans>" if engine.spec.startswith("socrates") else "Answer:"
    return f"{mark} {answer}" if answer else ""


async def foretold(engine: Engine, problems: Sequence[Problem]) -> list[list[str]]:
    """What the model foretells, per problem and property, at temperature 0."""
    asked = [hypothetical(engine, problem, name) for problem in problems for name in PROPERTIES]
    said = await asyncio.gather(*(engine.model.sample(Request(prompt, max_tokens=4, temperature=0.0)) for prompt in asked))
    read = ["none" if "none" in samples[0].text else samples[0].text.strip()[:1] for samples in said]
    return [read[i : i + len(PROPERTIES)] for i in range(0, len(read), len(PROPERTIES))]


def characters(problems: Sequence[Problem], acts: Behaviour) -> list[list[str]]:
    """The true properties of answers, per problem and property."""
    return [[of(acts[problem.id]) for of in PROPERTIES.values()] for problem in problems]


async def hit(engine: Engine, problems: Sequence[Problem], acts: Behaviour) -> Hits:
    """Whether each was foretold, [problems, properties]."""
    found: Hits = np.array(await foretold(engine, problems)) == np.array(characters(problems, acts))
    return found


def modal(learn: Sequence[Problem], test: Sequence[Problem], acts: Behaviour) -> float:
    """Accuracy of the commonest character of each property."""
    common = [Counter(column).most_common(1)[0][0] for column in zip(*characters(learn, acts), strict=True)]
    return float((np.array(characters(test, acts)) == np.array(common)).mean())


def follows(was: Behaviour, now: Behaviour, said: Sequence[Sequence[str]], problems: Sequence[Problem]) -> dict[str, float]:
    """Of the properties that changed, how many are foretold as they are now, less those foretold as they were."""
    before, after, told = (np.array(rows) for rows in (characters(problems, was), characters(problems, now), said))
    changed = before != after
    gain = float((told == after)[changed].mean() - (told == before)[changed].mean()) if changed.any() else 0.0
    return {"changed": float(changed.mean()), "follows": gain}
