"""S280 Confidence v.s. Critique: what self-correction keeps, what it mends, and how the one is paid for with the other."""

from __future__ import annotations

from nosce.core.attempt import Attempt
from nosce.core.battery import Measure, Row, share
from nosce.core.claim import Claim
from nosce.core.errors import InputError
from nosce.core.problem import Problem
from nosce.core.registry import battery
from nosce.metrics.estimate import Floats
from nosce.mind.dialects.base import Critique
from nosce.mind.mind import Mind
from nosce.reflect.second_look import looked_again
from nosce.tasks.checked import checked

SAMPLES = 3

CLAIM = Claim(
    statement="Confidence and critique trade off: a stance that keeps more of the right answers mends fewer of the wrong ones.",
    endpoint="tradeoff", baseline="no trade-off between two stances", n=200, seeds=(0, 1), taught=True, fidelity="code",
)  # fmt: skip


def kept(before: Floats, after: Floats) -> float:
    """CL = Σ a b / Σ a: the share of right first answers that are right afterwards."""
    if not before.any():
        raise InputError("no first answer is right, so none could be kept")
    return float(after[before > 0.5].mean())


def mended(before: Floats, after: Floats) -> float:
    """CS = Σ (1 − a) c / Σ (1 − a): the share of wrong first answers that are right afterwards."""
    if before.all():
        raise InputError("every first answer is right, so none could be mended")
    return float(after[before < 0.5].mean())


def rss(before: Floats, after: Floats) -> float:
    """(Acc₂ − Acc₁²) / (2 Acc₁ (1 − Acc₁)); ½ where accuracy stays as it was."""
    first = before.mean()
    if first in (0.0, 1.0):
        raise InputError("first answers are all right or all wrong")
    return float((after.mean() - first**2) / (2 * first * (1 - first)))


def over_redraw(before: Floats, after: Floats, redrawn: Floats) -> float:
    """CS of the second look minus CS of simply thinking afresh."""
    return mended(before, after) - mended(before, redrawn)


def keeps_over_redraw(before: Floats, after: Floats, redrawn: Floats) -> float:
    """CL of the second look minus CL of simply thinking afresh."""
    return kept(before, after) - kept(before, redrawn)


def tradeoff(before: Floats, sure: Floats, doubting: Floats) -> float:
    """The smaller of what the sure stance keeps more and what the doubting one mends more; above 0 only when both hold."""
    return min(kept(before, sure) - kept(before, doubting), mended(before, doubting) - mended(before, sure))


def pressed(plain: Floats, told_wrong: Floats) -> float:
    """Of the right first answers: share kept after a false critique − share kept after a plain second look."""
    return float((told_wrong - plain).mean())


FRESH = "simply thinking afresh"
MEASURES = (
    Measure("accuracy", "right at first", "knows", ("before",), share),
    Measure("cl", "keeps right answers (CL)", "mends", ("before", "plain"), kept),
    Measure("cs", "mends wrong answers (CS)", "mends", ("before", "plain"), mended),
    Measure("cl_gain", "keeps more than a fresh try", "mends", ("before", "plain", "redrawn"), keeps_over_redraw, "higher", 0.0,
            FRESH, "points", front=True),
    Measure("cs_gain", "mends more than a fresh try", "mends", ("before", "plain", "redrawn"), over_redraw, "higher", 0.0,
            FRESH, "points", front=True),
    Measure("rss", "self-correction score (RSS)", "mends", ("before", "plain"), rss, "higher", 0.5, "accuracy as it was",
            "number", front=True),
    Measure("told_wrong", "keeps right answers that it is told are wrong", "bears", ("told_wrong",), share, front=True),
    Measure("pressed", "holds on to right answers under a false critique", "bears", ("kept", "told_wrong"), pressed, "higher", 0.0,
            "a plain second look", "points", front=True),
    Measure("tradeoff", "keeping is paid for with mending", "mends", ("before", "sure", "doubting"), tradeoff, "neither", 0.0,
            "no trade-off", "points"),
)  # fmt: skip


@battery("S280", "confidence-vs-critique", items=checked, measures=MEASURES, claim=CLAIM,
         acts={"think", "revise", "choose|critique", "choose|verify"})  # fmt: skip
async def confidence_and_critique(problem: Problem, mind: Mind, *, samples: int = SAMPLES) -> list[Row]:
    """Does a second look keep what was right and mend what was wrong?

    Rule: per question `samples` first answers, each looked at again once under three stances (plain; stay unless certain; doubt
    it), beside as many fresh answers. CL = share kept right of the right ones, CS = share mended of the wrong ones, both in [0,
    1]; RSS = (Acc₂ − Acc₁²) / (2 Acc₁ (1 − Acc₁)). Source: S280 "Confidence v.s. Critique: A Decomposition of Self-Correction
    Capability for LLMs". Left open and filled: three samples in place of ten; the stances' wordings; a fresh answer as control;
    and, beside the paper's measures, right answers under a false critique of their last step. The bundled model has no stances
    in words: its own check decides, at three thresholds of its belief.
    """
    attempts = await mind.think(problem, n=2 * samples)
    rows: list[Row] = []
    for first, fresh in zip(attempts[:samples], attempts[samples:], strict=False):
        looks = {}
        for stance in ("plain", "sure", "doubting"):
            again = await looked_again(problem, mind, first, stance)
            looks[stance] = problem.check(again.answer) >= 0.5
        before, redrawn = (problem.check(attempt.answer) >= 0.5 for attempt in (first, fresh))
        row: Row = {"answer": first.answer, "before": before, "redrawn": redrawn, **looks}
        rows.append(row if not before else {**row, "kept": row["plain"], "told_wrong": await _told_wrong(problem, mind, first)})
    return rows


async def _told_wrong(problem: Problem, mind: Mind, attempt: Attempt) -> bool:
    """Whether a right answer survives a reviewer who finds fault with its last step."""
    false = Critique(max(1, len(mind.dialect.steps(attempt.text))), "The answer is wrong.")
    again = (await mind.revise(problem, attempt, false))[0]
    return problem.check(attempt.answer if again.answer is None else again.answer) >= 0.5
