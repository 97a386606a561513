"""S001 SCI: sample until the answer distribution is sharp enough, or abstain."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nosce.control.sharpness import sharpness, votes_sharpness
from nosce.control.voting import counts, plurality
from nosce.core.answer import Answer
from nosce.core.attempt import Attempt
from nosce.core.claim import Claim
from nosce.core.count import Count
from nosce.core.problem import Problem
from nosce.core.registry import strategy, study
from nosce.core.signal import Signal
from nosce.mind.mind import Mind

CLAIM = Claim(
    statement="Questions that end up wrong receive at least twice the samples of those that end up right, and ΔSP "
    "ranks errors with AUROC of at least 0.6.",
    endpoint="auroc2", margin=0.0, baseline="self-consistency", baseline_options={"k": 4},
)  # fmt: skip
DIGITS = Claim(
    statement="MC-dropout on digits: wrong inputs receive at least 2 x the passes of right ones; AUROC of ΔSP ≥ 0.6.",
    endpoint="passes_ratio", baseline="fixed-pass MC-dropout", margin=2.0, n=1397,
    fidelity="code", analogue_of="MNIST (scikit-learn's 8 x 8 digits stand in for it)",
)  # fmt: skip


@strategy("S001", "sci", acts={"think"}, claim=CLAIM)
async def surgical_cognitive_interpreter(
    problem: Problem, mind: Mind, *, target: float = 0.85, floor: float = 0.25, least: Count = 3, most: Count = 16,
    still: float = 0.005,
) -> Answer:  # fmt: skip
    """Stop, sample again or abstain, from the sharpness of the answers drawn so far and its change.

    Rule: SP_t = 1 − H(p_t)/log t over the answers of t draws; stop when ΔSP = SP* − SP_t ≤ 0 (SP* = `target`), or
    when |SP_t − SP_{t−2}| < `still` after 8 draws (the loop has settled), or at `most`; at the end abstain when
    SP < `floor`. Confidence is the share of the votes; SP and ΔSP are signals of the answer. Source: S001 "SCI: A
    Metacognitive Control for Signal Dynamics". Left open and filled: a language model has no fixed set of K classes,
    so entropy is normalised by log of the number of draws, the most it can be.
    """
    attempts: list[Attempt] = await mind.think(problem, n=least)
    track = [_measured(problem, mind, attempts)]
    while track[-1] < target and len(attempts) < most and not _settled(track, still):
        plurality(problem, mind, attempts)
        attempts += await mind.think(problem)
        track.append(_measured(problem, mind, attempts))
    sp = track[-1]
    mind.decide("abstain" if sp < floor else "stop", "sharpness", sp=round(sp, 4), draws=len(attempts))
    answer = plurality(problem, mind, attempts)
    gap = Signal("delta_sp", max(0.0, target - sp), "samples", "uncertainty")
    signals = (Signal("sp", sp, "samples"), gap)
    return mind.answer(
        answer.value, answer.confidence, answer.source, reason="answers too scattered" if sp < floor else "",
        signals=signals, abstain=sp < floor,
    )  # fmt: skip


def _measured(problem: Problem, mind: Mind, attempts: Sequence[Attempt]) -> float:
    silent = sum(attempt.answer is None for attempt in attempts)
    sp = votes_sharpness([*counts(problem, attempts), *[1] * silent])
    mind.measure(Signal("sp", sp, "samples"))
    return sp


def _settled(track: Sequence[float], still: float) -> bool:
    return len(track) >= 7 and abs(track[-1] - track[-3]) < still


@study("S001", "sci", part="digits", needs={"none"}, claim=DIGITS)
async def digits(
    mind: Mind | None = None, *, seed: int = 0, target: float = 0.95, most: Count = 15, temperature: float = 0.5,
    train: int = 400,
) -> dict[str, Any]:  # fmt: skip
    """Do wrong digits receive more MC-dropout passes than right ones, and does ΔSP rank the errors?

    A small network with dropout is trained on `train` of scikit-learn's 8 x 8 digits (a stand-in, never the paper's
    data) and asked about the rest with dropout left on. p_t = softmax(mean logits of t passes / T); continue while
    SP_t < SP* and t < `most`; ΔSP = max(0, SP* − SP). Baseline: `most` passes for all. Returns mean passes on right
    and wrong inputs, their ratio, AUROC of ΔSP (and of SP itself) for errors, accuracy of both. Raises
    CapabilityError without scikit-learn.
    Source: S001 "SCI: A Metacognitive Control for Signal Dynamics".
    """
    from nosce.control.mc_dropout import digit_passes
    from nosce.metrics import auroc2

    logits, labels = digit_passes(seed=seed, train=train, passes=most)  # [passes, N, 10], [N]
    steps, sp, chosen = closed_loop(logits, target, temperature)
    right = chosen == labels
    fixed = logits.mean(axis=0).argmax(axis=-1) == labels
    passes = {"right": float(steps[right].mean()), "wrong": float(steps[~right].mean())}
    return {
        "n": int(labels.size), "passes": passes, "passes_ratio": passes["wrong"] / passes["right"],
        "auroc_delta_sp": float(auroc2(1 - (target - sp).clip(0), right).value),
        "auroc_sp": float(auroc2(sp, right).value),
        "accuracy": float(right.mean()), "accuracy_fixed": float(fixed.mean()),
        "mean_passes": float(steps.mean()), "fixed_passes": most, "data": "scikit-learn digits, a stand-in", "seed": seed,
    }  # fmt: skip


def closed_loop(logits: Any, target: float, temperature: float) -> tuple[Any, Any, Any]:
    """Passes used, SP when stopping and class chosen, each [N], for pass logits [T, N, K]."""
    import numpy as np

    count = np.arange(1, len(logits) + 1)[:, None, None]
    mean = logits.cumsum(axis=0) / count / temperature
    p = np.exp(mean - mean.max(axis=-1, keepdims=True))
    sp = sharpness(p / p.sum(axis=-1, keepdims=True))  # [T, N]
    done = sp >= target
    last = np.where(done.any(axis=0), done.argmax(axis=0), len(logits) - 1)
    here = np.arange(logits.shape[1])
    return last + 1, sp[last, here], mean[last, here].argmax(axis=-1)
