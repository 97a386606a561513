"""S161 Faithful Uncertainty: say it in the words that mean how sure you really are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nosce.control.each import each
from nosce.core.answer import Answer
from nosce.core.artifact import Artifact
from nosce.core.attempt import Attempt
from nosce.core.claim import Claim, Pair
from nosce.core.count import Count
from nosce.core.errors import InputError
from nosce.core.problem import Problem
from nosce.core.registry import registry, strategy, study
from nosce.core.signal import Signal
from nosce.core.vote import tally
from nosce.metrics.faithfulness import level_weights
from nosce.mind.engine import UNKNOWN
from nosce.mind.mind import Mind
from nosce.monitor.calibrators import Calibrator, Identity, fit_calibrator, rebuild
from nosce.monitor.hedges import Lexicon
from nosce.tasks.bundled import draw_problems

FRESH = 12  # samples that measure intrinsic certainty, apart from those that chose the words
CONFIDENT = 0.9

CLAIM = Claim(
    statement="Expressed certainty lies nearer to intrinsic certainty than when the same answers are said plainly or not at all.",
    endpoint="conditional_faithfulness", baseline="answer-or-abstain at equal utility", n=150, seeds=(0, 1), fidelity="abstract",
)  # fmt: skip
ERRORS = Claim(
    statement="Confident errors fall: wrong answers lose their confident wording more often than right answers do.",
    endpoint="wrong_hedged", baseline="right answers hedged", n=150, seeds=(0, 1, 2), fidelity="abstract",
)  # fmt: skip


async def fit_words(problems: Sequence[Problem], mind: Mind, *, k: Count = 5) -> Artifact:
    """From other questions, whose references are not looked at: what a share of k votes says of fresh samples, and what each
    hedge is worth where it would be used."""
    drawn = await each(mind.think(problem, n=k + FRESH) for problem in problems)
    rows = [_votes(p, made[:k], made[k:]) for p, made in zip(problems, drawn, strict=True) if made and len(made) == k + FRESH]
    known = [(share, agreed) for value, share, agreed in rows if value is not None]
    if not known:
        raise InputError("faithful-uncertainty is fitted on other questions that the model answers: --calibrate FILE")
    shares = np.repeat([share for share, _ in known], FRESH)
    agreed = np.concatenate([said for _, said in known])
    calibrator = _calibrator(shares, agreed)
    measured = np.array([np.mean(said) for _, said in known])
    lexicon = Lexicon().fit(calibrator.transform([share for share, _ in known]), measured)
    fitted = {"kind": calibrator.kind, "parameters": calibrator.parameters()}
    return Artifact("faithful-uncertainty", "lexicon", {"calibrator": fitted, "meanings": lexicon.data()})


def _calibrator(shares: Any, agreed: Any) -> Calibrator:
    try:
        return fit_calibrator("beta", shares, agreed)
    except InputError:  # every fresh sample agreed, or none did
        return Identity()


def _votes(problem: Problem, votes: Sequence[Attempt], fresh: Sequence[Attempt]) -> tuple[str | None, float, list[bool]]:
    """The plurality answer, its share of the votes, and which fresh samples agree with it; None where there is no answer."""
    blocs = tally(problem, [attempt.answer for attempt in votes])
    if not blocs or blocs[0].value == UNKNOWN:
        return None, 0.0, []
    said = blocs[0].value
    agreed = [a.answer is not None and problem.same(said, a.answer) for a in fresh]
    return said, blocs[0].weight / len(votes), agreed


async def experiment(bench: Any, claim: Claim, seed: int) -> list[Pair]:
    """Per answer given: 1 − |expressed − intrinsic|, hedged against plain, weighted so that levels of certainty count alike."""
    engine = bench.engine(seed)
    words = await engine.prepare(registry.find("faithful-uncertainty"), bench.problems, bench.labelled, claim.options)
    drawn = await each(_measured(engine.mind(problem, "faithful-uncertainty"), words) for problem in bench.problems)
    rows = [row for row in drawn if row is not None]
    given = [(name, said, real, cost) for name, said, real, cost in rows if said is not None and real is not None]
    if not given:
        raise InputError("no question was answered, so nothing was expressed")
    weights = level_weights([real for _, _, real, _ in given])
    return [
        Pair(name, float(w * (1 - abs(said - real))), float(w * real), cost, cost)
        for (name, said, real, cost), w in zip(given, weights, strict=True)
    ]


async def _measured(mind: Mind, words: Artifact) -> tuple[str, float | None, float | None, float]:
    """The question's id, the certainty expressed (None in silence), the intrinsic one by fresh samples, and the tokens spent."""
    problem = mind.work.problem
    answer = await faithful_uncertainty(problem, mind, words)
    cost = float(mind.work.meter.spent.tokens)
    if answer.outcome != "answered":
        return problem.id, None, None, cost
    fresh = await mind.think(problem, n=FRESH)
    real = np.mean([a.answer is not None and problem.same(str(answer.value), a.answer) for a in fresh])
    return problem.id, expressed(answer), float(real), cost


def expressed(answer: Answer) -> float | None:
    """The certainty that the words of an answer convey."""
    return next((signal.value for signal in answer.signals if signal.name == "expressed"), None)


@strategy(
    "S161", "faithful-uncertainty", acts={"think"}, prepare=fit_words, prepares="labelled", claim=CLAIM, experiment=experiment
)
async def faithful_uncertainty(problem: Problem, mind: Mind, words: Artifact, *, k: Count = 5, floor: float = 0.2) -> Answer:
    """Answers plainly, hedges or abstains, so that the certainty in its words is the certainty that repeated sampling shows.

    Rule: conf = share of the other samples that agree with the answer (1 − share that contradict it); s, the plurality's share
    of `k` samples, is mapped to conf by a calibrator fitted on other questions; the wording is the hedge whose fitted meaning is
    nearest; below `floor` nothing is asserted. Scored by cMFG: 1 − |expressed − conf| over assertions, conf by 12 fresh samples,
    averaged over levels of conf. The confidence is the calibrated certainty in [0, 1], higher is surer; the words stand in
    `reason`, what they convey in the signal `expressed`. Source: S161 "Hallucinations Undermine Trust; Metacognition is a Way
    Forward". Left open and filled: the source gives no algorithm; the lexicon and its fit are ours (see `monitor.hedges`), a
    reader takes a hedge for what it was worth before, and a sample without an answer counts as disagreeing. Searching, the
    source's fourth act, is left to strategies with tools. Answer-or-abstain at equal utility gives the same answers, plainly.
    """
    lexicon = Lexicon.of(words.data["meanings"])
    calibrator = rebuild(words.data["calibrator"]["kind"], words.data["calibrator"]["parameters"])
    value, share, _ = _votes(problem, await mind.think(problem, n=k), ())
    if value is None:
        return mind.answer(None, reason="no sample gave an answer, or most said that they do not know")
    certainty = float(calibrator.transform([share])[0])
    intrinsic = mind.measure(Signal("intrinsic_certainty", certainty, "samples"))
    if certainty < floor:
        mind.decide("abstain", "too unsure to assert anything", certainty=round(certainty, 4), floor=floor)
        return mind.answer(None, reason=f"I do not know: I would say the same again with probability {certainty:.2f} alone")
    hedge = lexicon.nearest(certainty)
    said = Signal("expressed", hedge.meaning, "samples")
    mind.decide("answer", hedge.say(value), hedge=hedge.name, expressed=round(hedge.meaning, 4), certainty=round(certainty, 4))
    return mind.answer(value, certainty, "samples", reason=hedge.say(value), signals=(intrinsic, said))


@study("S161", "faithful-uncertainty", part="confident-errors", needs={"blackbox"}, acts={"think"}, claim=ERRORS)
async def confident_errors(mind: Mind, *, seed: int = 0, n: Count = 150) -> dict[str, float]:
    """Share of the wrong answers that are not said with at least 0.9 certainty, against the same share of the right answers.

    Said plainly, all of them would be. The same answers are given (the floor is 0), so that none is lost to silence: 0 is hedging
    at random, 1 hedges every error and nothing else. Source: S161 "Hallucinations Undermine Trust; Metacognition is a Way Forward".
    """
    words = await fit_words(draw_problems(n=n, seed=seed, part="dev"), mind)
    problems = draw_problems(n=n, seed=seed, part="test")
    answers = await each(faithful_uncertainty(problem, mind, words, floor=0.0) for problem in problems)
    hedged: dict[bool, list[bool]] = {True: [], False: []}
    for problem, answer in zip(problems, answers, strict=True):
        if answer is not None and answer.value is not None:
            hedged[problem.check(answer.value) >= 0.5].append((expressed(answer) or 0.0) < CONFIDENT)
    if not (hedged[True] and hedged[False]):
        raise InputError("the answers are all right or all wrong: nothing can be compared")
    shares = {"wrong_hedged": float(np.mean(hedged[False])), "baseline": float(np.mean(hedged[True]))}
    return {**shares, "n": n, "wrong": len(hedged[False]), "right": len(hedged[True])}
