"""S277 Generation–verification gap: how much better is what the model verifies than what it generates?"""

from __future__ import annotations

import numpy as np

from nosce.core.battery import Measure, Row, difference, share
from nosce.core.claim import Claim
from nosce.core.problem import Problem
from nosce.core.registry import battery
from nosce.core.vote import tally
from nosce.metrics.estimate import Floats
from nosce.mind.mind import Mind
from nosce.tasks.checked import checked

CLAIM = Claim(
    statement="Reweighting its own answers by its own verification is right more often than generating alone (the gap is above 0).",
    endpoint="gap", baseline="generation", n=200, seeds=(0, 1), taught=True,
)  # fmt: skip


def relative(reweighted: Floats, generated: Floats) -> float:
    """The gap per share that there was to gain: gap / (1 − generated)."""
    return difference(reweighted, generated) / max(1 - float(generated.mean()), 1e-9)


MEASURES = (
    Measure("generated", "right when it generates", "knows", ("generated",), share),
    Measure("gap", "verification beats generation (gap)", "mends", ("reweighted", "generated"), difference, "higher", 0.0,
            "generation alone", "points", front=True),
    Measure("relative_gap", "the gap, of what was to gain", "mends", ("reweighted", "generated"), relative, "higher", 0.0,
            "generation alone", "share"),
    Measure("selection_gap", "the best-verified answer beats one", "acts", ("selected", "generated"), difference, "higher", 0.0,
            "generation alone", "points"),
    Measure("over_voting", "the best-verified answer beats the vote", "acts", ("selected", "voted"), difference, "higher", 0.0,
            "the same answers' vote", "points", front=True),
)  # fmt: skip


@battery("S277", "generation-verification-gap", items=checked, measures=MEASURES, claim=CLAIM, acts={"think", "verify"})
async def gap(problem: Problem, mind: Mind, *, samples: int = 6) -> Row:
    """Does the model verify better than it generates?

    Rule: `samples` answers y to x, each verified: u(x, y) = P(correct). Generation J = E[right]; the reweighted policy has
    weights w ∝ u, J_w = Σ w right / Σ w; gap = J_w − J in [−1, 1], its relative form gap / (1 − J). Beside it the filter that
    keeps only the surest answer (`selected`), against plain voting over the same answers. Source: S277 "Mind the Gap: Examining
    the Self-Improvement Capabilities of Large Language Models". Left open and filled: the distillation round and the scaling
    over model sizes are training, and not part of the battery. The bundled model was taught to verify.
    """
    attempts = await mind.think(problem, n=samples)
    right = np.array([problem.check(attempt.answer) for attempt in attempts])
    sure = np.array([0.5 if (u := (await mind.verify(problem, attempt)).value) is None else u for attempt in attempts])
    blocs = tally(problem, [attempt.answer for attempt in attempts])
    return {
        "generated": float(right.mean()), "reweighted": float(right @ sure / sure.sum()) if sure.sum() else float(right.mean()),
        "selected": float(right[int(sure.argmax())]), "voted": problem.check(blocs[0].value) if blocs else 0.0,
        "verified": [round(float(u), 4) for u in sure], "answers": [attempt.answer for attempt in attempts],
    }  # fmt: skip
