"""S016 Multitask confidence fine-tuning: can a model be taught to say how sure it is, and does that carry over?"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nosce.core.attempt import Attempt
from nosce.core.claim import Claim
from nosce.core.count import Count
from nosce.core.errors import CapabilityError, InputError
from nosce.core.problem import Problem
from nosce.core.registry import study
from nosce.core.vote import tally
from nosce.metrics.estimate import Floats
from nosce.mind.dialects import dialect_of
from nosce.mind.dialects.base import Given
from nosce.mind.mind import Mind
from nosce.models.base import Prompt

if TYPE_CHECKING:
    from nosce.learn.engine import Engine
    from nosce.learn.rollout import Turn

CLAIM = Claim(
    statement="Fine-tuned on stating a confidence and on comparing two questions, the model states its confidence in families that "
    "it was not tuned on with a lower expected calibration error than before.",
    endpoint="ece_drop", baseline="before tuning", n=160, seeds=(0, 1, 2), taught=True,
)  # fmt: skip
TUNED, HELD = ("arithmetic", "lists"), ("countdown", "logic")
ASKED = "Which of these two questions are you more likely to answer correctly?"


@dataclass(frozen=True)
class Known:
    """A question and the model's commonest answer: the first attempt that gives it, its share of the votes, whether it is right."""

    problem: Problem
    attempt: Attempt
    share: float
    right: float


@study("S016", "multitask-confidence-fine-tuning", needs={"gradients"}, acts={"think", "rate"}, claim=CLAIM)
async def multitask_confidence(
    mind: Mind | None, *, seed: int = 0, n: Count = 160, held: int = 160, samples: int = 10, steps: int = 30, batch: int = 32
) -> dict[str, Any]:  # fmt: skip
    """Does tuning on one's own rights and wrongs calibrate stated confidence, and does it carry over to other families and tasks?

    Rule: `samples` thoughts a question; questions whose commonest answer has a like share of them (10 bins) share a target, the
    bin's empirical accuracy + U(−0.05, 0.05). Two tasks: state the target of one's answer; of two questions, say which has the
    higher target. Three models are tuned for equally many steps: on `stating`, on `comparing`, on `both`. Asked about the same
    answers to questions of other families: `ece` and `auroc` of the statement, and `pairs`, how often the question that is
    answered right is chosen out of one right and one wrong (both orders). Returns these for each model and for `before`, and
    `ece_drop` = before − both; −1 to 1, positive is better.
    Source: S016 "Improving Metacognition and Uncertainty Communication in Language Models". Left open and filled: sizes;
    confidence is asked about answers given before tuning, the same for all models. The bundled model was taught to state it.
    """
    if mind is None:
        raise CapabilityError("a model", "this study", ["--model socrates"])
    from nosce.learn.engine import open_engine
    from nosce.learn.imitation import fine_tune

    spec, rng = mind.model.spec, np.random.default_rng(seed)
    before = open_engine(spec)
    learn, test = _questions(spec, n, held, seed)
    known, asked = await answered(before, learn, samples, seed), await answered(before, test, 1, seed)
    aims = targets(np.array([k.share for k in known]), np.array([k.right for k in known]), rng)
    stating = [stated(before, k, aim) for k, aim in zip(known, aims, strict=True)]
    drawn = rng.integers(len(known), size=(n, 2))
    comparing = [compared(before, known[i].problem, known[j].problem, aims[i] < aims[j]) for i, j in drawn]
    found = {f"{name} before": value for name, value in (await measured(before, asked, seed)).items()}
    for name, lessons in (("stating", stating), ("comparing", comparing), ("both", stating + comparing)):
        tuned = await fine_tune(open_engine(spec), lessons, steps=steps, n=batch, seed=seed)
        found |= {f"{measure} {name}": value for measure, value in (await measured(tuned, asked, seed)).items()}
    return {"ece_drop": found["ece before"] - found["ece both"], "n": len(asked), **found}


def _questions(spec: str, n: int, held: int, seed: int) -> tuple[list[Problem], list[Problem]]:
    """Questions to tune on, and those of other kinds."""
    from nosce.tasks.bundled import draw_problems
    from nosce.tasks.plain_words import INVENTED, KINDS, plain_words

    if spec.startswith("socrates"):
        return draw_problems(TUNED, (1, 2, 3, 4, 5), n, seed, "train"), draw_problems(HELD, (1, 2, 3, 4, 5), held, seed)
    kinds = [kind for kind in KINDS if kind != INVENTED]
    return plain_words(n, seed, ("word problems", *kinds[::2])), plain_words(held, seed, kinds[1::2])


async def answered(engine: Engine, problems: Sequence[Problem], samples: int, seed: int) -> list[Known]:
    """Every question thought through `samples` times, without those never answered; InputError if all are right, or wrong."""
    from nosce.learn.context import Context
    from nosce.learn.recipe import Settings

    minds = [Context(engine, problems, Settings(), seed).mind(problem) for problem in problems]
    drawn = await asyncio.gather(*(mind.think(mind.work.problem, n=samples) for mind in minds))
    found = [known for problem, attempts in zip(problems, drawn, strict=True) if (known := commonest(problem, attempts))]
    if len({known.right > 0.5 for known in found}) < 2:
        raise InputError(f"{engine.spec} got all of {len(problems)} questions right or all wrong; there is nothing to tell apart")
    return found


def commonest(problem: Problem, attempts: Sequence[Attempt]) -> Known | None:
    """The commonest answer, by the problem's own notion of what is the same."""
    blocs = tally(problem, [attempt.answer for attempt in attempts])
    if not blocs:
        return None
    own = attempts[blocs[0].members[0]]
    return Known(problem, own, len(blocs[0].members) / len(attempts), problem.check(own.answer))


def targets(share: Floats, right: Floats, rng: np.random.Generator | None = None, bins: int = 10) -> Floats:
    """The empirical accuracy of each question's bin of shares, + U(−0.05, 0.05) where a generator is given, in [0, 1]."""
    place = np.minimum((share * bins - 1e-9).astype(int), bins - 1)
    noise = rng.uniform(-0.05, 0.05, size=len(share)) if rng is not None else np.zeros(len(share))
    found: Floats = np.clip(np.array([right[place == k].mean() for k in place]) + noise, 0.0, 1.0)
    return found


def stated(engine: Engine, known: Known, aim: float) -> Turn:
    """The statement to learn."""
    from nosce.learn.gold import example

    bundled = engine.spec.startswith("socrates")
    text = f"<r{min(int(aim * 10), 9)}>" if bundled else f"Confidence: {aim:.0%}"
    return example(known.problem, engine, text=text, act="rate", given=Given(attempt=known.attempt))


def pair(engine: Engine, one: Problem, two: Problem) -> tuple[Prompt, tuple[str, str]]:
    """The comparison as a prompt, and its two replies."""
    dialect = dialect_of(engine.model)
    if engine.spec.startswith("socrates"):
        rows = (dialect.render("think", problem, Given()).prompt.text.removesuffix(" <think>") for problem in (one, two))
        return Prompt(text=f"{' '.join(rows)} <foresee>"), ("<s1>", "<s2>")
    given = Given(options=(one.text, two.text))
    return dialect.render("judge", Problem("pair", ASKED), given).prompt, ("Choice: 1", "Choice: 2")


def compared(engine: Engine, one: Problem, two: Problem, second: bool) -> Turn:
    """The comparison to learn."""
    from nosce.learn.imitation import lesson

    prompt, replies = pair(engine, one, two)
    return lesson(engine, prompt, replies[int(second)])


async def measured(engine: Any, asked: Sequence[Known], seed: int) -> dict[str, float]:
    """ECE and AUROC of the stated confidence, and the share of pairs of a right and a wrong answer in which the right is chosen."""
    from nosce.metrics import auroc2, ece

    said = [await confidence(engine, known) for known in asked]
    kept = [(value, known.right > 0.5) for value, known in zip(said, asked, strict=True) if value is not None]
    values, right = np.array([c for c, _ in kept]), np.array([r for _, r in kept])
    won = np.mean([await _chosen(engine, one.problem, two.problem) for one, two in pairs(asked, seed)])
    return {"ece": ece(values, right).value, "auroc": auroc2(values, right).value, "pairs": float(won)}


async def confidence(engine: Any, known: Known) -> float | None:
    """The confidence stated in an answer; of the bundled model, the expectation over its ten ratings."""
    from nosce.learn.context import Context
    from nosce.learn.recipe import Settings

    mind = Context(engine, (), Settings()).mind(known.problem)
    if not engine.spec.startswith("socrates"):
        return (await mind.rate(known.problem, known.attempt)).value
    prompt = mind.dialect.render("rate", known.problem, Given(attempt=known.attempt)).prompt
    p = np.exp(logits_of(engine, prompt, [f"<r{i}>" for i in range(10)]))
    return float(p @ (np.arange(10) + 0.5) / 10 / p.sum())


def logits_of(engine: Any, prompt: Prompt, tokens: Sequence[str]) -> Floats:
    """Logits of some tokens after a prompt, the greatest at 0."""
    logits = np.asarray(engine.model.session(prompt).logits, dtype=np.float64)
    found: Floats = logits[[engine.token(token) for token in tokens]]
    found -= found.max()
    return found


def pairs(asked: Sequence[Known], seed: int, most: int = 80) -> list[tuple[Known, Known]]:
    """At most `most` pairs of one right and one wrong answer, the right one first."""
    right, wrong = ([k for k in asked if (k.right > 0.5) is kind] for kind in (True, False))
    rng = np.random.default_rng(seed)
    many = range(min(most, len(right) * len(wrong)))
    return [(right[int(rng.integers(len(right)))], wrong[int(rng.integers(len(wrong)))]) for _ in many]


async def _chosen(engine: Any, right: Problem, wrong: Problem) -> float:
    """1 where the right one is preferred over both orders together, ½ at a tie."""
    ahead, behind = [await _replies(engine, *pair(engine, *order)) for order in ((right, wrong), (wrong, right))]
    gain = float(ahead[0] - ahead[1] + behind[1] - behind[0])
    return 0.5 if gain == 0 else float(gain > 0)


async def _replies(engine: Any, prompt: Prompt, replies: tuple[str, str]) -> Floats:
    bundled = engine.spec.startswith("socrates")
    return logits_of(engine, prompt, replies) if bundled else np.array(await engine.model.score(prompt, replies))
