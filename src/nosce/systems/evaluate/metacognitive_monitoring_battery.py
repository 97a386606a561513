"""S158 The Metacognitive Monitoring Battery: after every answer, keep it or withdraw it, bet on it or decline."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nosce.core.battery import Item, Measure, Row, Source, share
from nosce.core.claim import Claim
from nosce.core.errors import InputError
from nosce.core.problem import Problem
from nosce.core.registry import battery
from nosce.metrics import phi, validity_screen, withdraw_delta
from nosce.metrics.estimate import Floats
from nosce.mind.mind import Mind
from nosce.monitor.asking import BET, KEEP, TRY, asked, gave_up
from nosce.tasks.bundled import draw_problems
from nosce.tasks.forced_choice import forced_choice

CLAIM = Claim(
    statement="Withdrawals follow mistakes: the mean over domains of withdraw-Δ lies above that of a model that keeps blindly (0).",
    endpoint="withdraw_delta", baseline="always keep, always withdraw, or at random", n=240, seeds=(0, 1), taught=True,
    fidelity="code",
)  # fmt: skip


def items(n: int, seed: int, source: Source) -> list[Item]:
    """Domains in turn: the bundled families, or six paradigms in plain words."""
    problems = draw_problems(n=n, seed=seed) if source == "bundled" else forced_choice(n, seed)
    domains = {domain: i for i, domain in enumerate(dict.fromkeys(p.family for p in problems))}
    return [Item(problem, {"track": domains[problem.family]}) for problem in problems]


def over_tracks(decided: Floats, right: Floats, track: Floats) -> float:
    """Unweighted mean over tracks of (share of `yes` when right − when wrong); tracks without both kinds are left out."""
    deltas = []
    for one in np.unique(track):
        yes, good = decided[track == one] > 0.5, right[track == one] > 0.5
        if good.any() and not good.all():
            deltas.append(yes[good].mean() - yes[~good].mean())
    if not deltas:
        raise InputError("no domain has both right and wrong answers")
    return float(np.mean(deltas))


def together(kept: Floats, bet: Floats) -> float:
    """Phi of the two decisions: do withdrawal and betting say the same?"""
    return phi(kept, bet).value


def remarks(rows: Sequence[Row]) -> list[str]:
    """The response-validity screen, and which of the three published profiles the decisions fit."""
    held = [row for row in rows if None not in (row["right"], row["kept"], row["bet"])]
    kept, right, bet = (np.array([float(row[name]) for row in held]) for name in ("kept", "right", "bet"))
    try:
        screen, delta = validity_screen(kept, right, bet=bet), withdraw_delta(kept, right)
    except InputError as error:
        return [f"Not screened: {error}."]
    why = f": {'; '.join(screen.reasons)}" if screen.reasons else ""
    return [f"Responses are {screen.verdict}{why}.", f"Profile: {delta['profile']}, {delta['kept']:.0%} kept."]


MEASURES = (
    Measure("accuracy", "right answers", "knows", ("right",), share, front=True),
    Measure("withdraw_delta", "withdraws its mistakes", "acts", ("kept", "right", "track"), over_tracks, "higher", 0.0,
            "a model blind to its mistakes", "points", front=True),
    Measure("bet_delta", "bets on what is right", "acts", ("bet", "right", "track"), over_tracks, "higher", 0.0,
            "bets made blindly", "points", front=True),
    Measure("prospective_delta", "tries what it can solve", "monitors", ("tries", "right", "track"), over_tracks, "higher", 0.0,
            "choices made blindly before trying", "points", front=True),
    Measure("kept", "answers kept", "acts", ("kept",), share, "neither"),
    Measure("keep_bet", "keeping and betting agree", "monitors", ("kept", "bet"), together, "higher", 0.0, "no agreement",
            "number"),
)  # fmt: skip


@battery("S158", "metacognitive-monitoring-battery", items=items, measures=MEASURES, remarks=remarks, claim=CLAIM,
         acts={"think", "choose|verify", "choose|rate", "choose|foresee"})  # fmt: skip
async def monitoring(problem: Problem, mind: Mind, *, track: int = 0) -> Row:
    """Does the model withdraw what it got wrong, keep what it got right, and bet accordingly?

    Rule: before answering, ANSWER or PASS (in a prompt of its own); one answer; then KEEP or WITHDRAW, and BET or DECLINE.
    Withdraw-Δ of a domain = share kept of the right answers − share kept of the wrong ones, in [−1, 1], 0 is blind; the score is
    its unweighted mean over domains. Answers that say "I don't know" are no forced choice and are left out.
    Source: S158 "The Metacognitive Monitoring Battery: A Cross-Domain Benchmark for LLM Self-Monitoring". Left open and filled:
    our own items; passing before the answer is asked on every item, not in one track. The bundled model is asked by its acts
    (foresee, a written check, a rating), which it was taught, and its replies are cut where both options are worth the same.
    """
    tries = await asked(mind, problem, TRY)
    attempt = (await mind.think(problem))[0]
    row: Row = {"track": track, "answer": attempt.answer, "tries": tries}
    if gave_up(attempt.answer):
        return {**row, "right": None, "kept": None, "bet": None}
    right = problem.check(attempt.answer) >= 0.5
    kept, bet = await asked(mind, problem, KEEP, attempt), await asked(mind, problem, BET, attempt)
    return {**row, "right": right, "kept": kept, "bet": bet}
