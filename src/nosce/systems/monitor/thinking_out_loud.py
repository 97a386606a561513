"""S012 Thinking Out Loud: does reasoning in writing make a model know better when it is right, and when it does not know?"""

from __future__ import annotations

from nosce.core.battery import Item, Measure, Row, Source, share
from nosce.core.claim import Claim
from nosce.core.errors import InputError
from nosce.core.problem import Problem
from nosce.core.registry import battery
from nosce.metrics import ece, spearman
from nosce.metrics.estimate import Floats
from nosce.mind.mind import Mind
from nosce.monitor.asking import gave_up
from nosce.tasks.bundled import draw_problems
from nosce.tasks.families import FAMILIES
from nosce.tasks.plain_words import INVENTED, KINDS, plain_words

CLAIM = Claim(
    statement="Confidence is better calibrated after reasoning in writing than after answering at once.",
    endpoint="calibration_gain", baseline="answering at once", n=240, seeds=(0, 1), taught=True, fidelity="paper",
    analogue_of="instruct, distilled and reinforced variants of a model (one model thinking and not thinking stands in for them)",
)  # fmt: skip


def items(n: int, seed: int, source: Source) -> list[Item]:
    """Three in four need reasoning; the fourth asks what nobody can know."""
    few = max(1, n // 4)
    if source == "bundled":
        reasoning = draw_problems([name for name in FAMILIES if name != "facts"], n=n - few, seed=seed)
        strangers = draw_problems(["facts"], (6,), few, seed)
    else:
        reasoning = plain_words(n - few, seed, ("word problems", *(kind for kind in KINDS if kind not in (INVENTED, "capitals"))))
        strangers = plain_words(few, seed, (INVENTED,))
    return [Item(p, {"known": True}) for p in reasoning] + [Item(p, {"known": False}) for p in strangers]


def gain(thought: Floats, right: Floats, fast: Floats, fast_right: Floats) -> float:
    """ECE when answering at once − ECE after thinking: above 0, thinking calibrates."""
    return ece(fast, fast_right > 0.5).value - ece(thought, right > 0.5).value


def calibration(confidence: Floats, right: Floats) -> float:
    """Expected calibration error in ten bins."""
    return ece(confidence, right > 0.5).value


def shorter_surer(length: Floats, confidence: Floats, level: Floats) -> float:
    """−Spearman's ρ of length and confidence within levels (mean over levels): above 0, shorter is surer."""
    found = []
    for one in sorted(set(level)):
        own = level == one
        if own.sum() >= 5 and length[own].std() > 0 and confidence[own].std() > 0:
            found.append(-spearman(length[own], confidence[own]).value)
    if not found:
        raise InputError("no level has five answers of different lengths and confidence")
    return float(sum(found) / len(found))


def tax(fast_unknown: Floats, unknown: Floats) -> float:
    """Share of "I don't know" at once − after thinking: above 0 is the reasoning tax."""
    return float((fast_unknown - unknown).mean())


MEASURES = (
    Measure("ece_thinking", "calibration error after thinking", "monitors", ("confidence", "right"), calibration, "lower",
            unit="number"),
    Measure("calibration_gain", "thinking improves calibration (ECE)", "monitors", ("confidence", "right", "fast_confidence",
            "fast_right"),
            gain, "higher", 0.0, "answering at once", "number", front=True),
    Measure("shorter_surer", "shorter thoughts, surer (−ρ within levels)", "monitors", ("length", "confidence", "level"),
            shorter_surer,
            "neither", 0.0, "no relation", "number"),
    Measure("unknown", "says that it does not know what nobody can", "acts", ("unknown",), share, front=True),
    Measure("tax", "thinking costs \"I don't know\"", "acts", ("fast_unknown", "unknown"), tax, "lower", 0.0,
            "answering at once", "points"),
)  # fmt: skip


@battery("S012", "thinking-out-loud", items=items, measures=MEASURES, claim=CLAIM, acts={"think", "direct", "rate"})
async def thinking_out_loud(problem: Problem, mind: Mind, *, known: bool = True) -> Row:
    """Is stated confidence truer after reasoning in writing, and is the "I don't know" still said?

    Rule: the same question answered with and without written reasoning, each with a stated confidence in [0, 1]. ECE in ten
    bins of either; −ρ of the thought's length and its confidence; on questions about what nobody can know, the share of "I
    don't know" either way. Source: S012 "Thinking Out Loud: Do Reasoning Models Know When They're Right?". Left open and
    filled: the paper compares variants of a model; within one model, thinking against not thinking stands in for it (and
    `--against` compares two). Length and confidence are related within levels, so that difficulty alone cannot relate them. The
    bundled model was taught to rate.
    """
    thought, fast = (await mind.think(problem))[0], (await mind.direct(problem))[0]
    if not known:
        return {"answer": thought.answer, "unknown": gave_up(thought.answer), "fast_unknown": gave_up(fast.answer)}
    row: Row = {"answer": thought.answer, "fast_answer": fast.answer, "length": thought.cost.completion_tokens}
    for name, attempt in (("", thought), ("fast_", fast)):
        if not gave_up(attempt.answer):
            row |= {f"{name}right": problem.check(attempt.answer) >= 0.5, f"{name}confidence": (await mind.rate(problem,
            attempt)).value}
    return row
