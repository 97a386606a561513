"""S327 DSC: spend votes by how hard the question ranks among its peers."""

from __future__ import annotations

from collections.abc import Sequence

from nosce.control.difficulty import difficulties
from nosce.control.each import each
from nosce.control.stopping import beta_majority
from nosce.control.voting import counts, plurality
from nosce.core.answer import Answer
from nosce.core.artifact import Artifact
from nosce.core.attempt import Attempt
from nosce.core.claim import Claim
from nosce.core.count import Count
from nosce.core.problem import Problem
from nosce.core.registry import strategy
from nosce.mind.mind import Mind
from nosce.monitor.likelihood import sequence_confidence

CLAIM = Claim(
    statement="Accuracy within noise of a fixed-k majority vote at fewer tokens than adaptive consistency and early-stopping "
    "self-consistency, the ranking charged.",
    endpoint="tokens", baseline="adaptive-consistency", baseline_options={"most": 40}, taught=True, fidelity="code",
)  # fmt: skip


async def rank(
    problems: Sequence[Problem], mind: Mind, *, batch: int = 8, rounds: int = 5, window: Count = 4, run: int = 32,
    neighbours: int = 16, settled: float = 0.95, most: Count = 40,
) -> Artifact:  # fmt: skip
    """Order the questions by difficulty, find where they get easy, and foretell how many votes each of the rest needs.

    From the hardest down every question is pre-sampled (`window` thoughts) until `run` questions in a row each agree with
    themselves; all that are easier get a single vote. The artifact holds, per question of the hard part, its pre-samples'
    answers and the size of its first request: the mean need of the `neighbours` next easier questions (see `need`).
    """
    hard = await difficulties(problems, mind, batch=batch, rounds=rounds)
    order = sorted(problems, key=lambda problem: hard[problem.id])  # easy → hard
    votes: dict[str, list[str | None]] = {}
    streak, rest = 0, list(order)
    while rest and streak < run:
        chunk = [rest.pop() for _ in range(min(run, len(rest)))]
        drawn = await each(mind.think(problem, n=window) for problem in chunk)
        for problem, attempts in zip(chunk, drawn, strict=True):
            attempts = attempts or []
            votes[problem.id] = [attempt.answer for attempt in attempts]
            streak = (streak + 1 if counts(problem, attempts) == [window] else 0) if streak < run else streak
    sampled = [problem for problem in order if problem.id in votes]
    needs = [need(counts(p, _prepared(votes[p.id])), window, settled, most) for p in sampled]
    plan = {p.id: {"votes": votes[p.id], "first": _first(needs, i, neighbours, window)} for i, p in enumerate(sampled)}
    return Artifact("dsc", "ranking", {"difficulty": hard, "hard": plan})


@strategy("S327", "dsc", acts={"think", "foresee"}, prepare=rank, claim=CLAIM)
async def difficulty_adaptive_self_consistency(
    problem: Problem, mind: Mind, ranking: Artifact | None, *, window: Count = 4, settled: float = 0.95, most: Count = 40
) -> Answer:
    """One greedy vote for a question that ranks as easy; else votes in windows until the lead is settled.

    Rule: the pre-samples are the first votes; stop when P(p > ½ | a, b) = ∫_½^1 Beta(a+1, b+1) ≥ `settled` for leader a and
    runner-up b, or at L = `most` votes; the first request has the size that the neighbours in the ranking need, later ones
    `window`. Confidence is the share of the votes (the likelihood for a single vote).
    Source: S327 "Make Every Penny Count: Difficulty-Adaptive Self-Consistency for Cost-Efficient Reasoning". Left open and
    filled: questions run at once, so a neighbour's need is foretold from its own pre-samples instead of read off its
    finished vote. The source's code looks at a question's true need before sampling; this does not. A question that is not
    in the ranking counts as hard. The bundled model ranks by `foresee`, an act it was taught.
    """
    data = ranking.data if ranking is not None else {"difficulty": {}, "hard": {}}
    if problem.id in data["difficulty"] and problem.id not in data["hard"]:
        mind.decide("stop", "ranks as easy: one vote")
        single = (await mind.think(problem, temperature=0.0))[0]
        return mind.answer(single.answer, sequence_confidence(single), "logprobs")
    plan = data["hard"].get(problem.id, {"votes": [], "first": window})
    attempts, size = _prepared(plan["votes"]), max(1, plan["first"] - len(plan["votes"]))
    while len(attempts) < most and posterior(counts(problem, attempts)) < settled:
        if attempts:
            plurality(problem, mind, attempts)
        attempts += await mind.think(problem, n=min(size, most - len(attempts)))
        size = window
    mind.decide("stop", "the vote is settled or full", votes=len(attempts), posterior=posterior(counts(problem, attempts)))
    return plurality(problem, mind, attempts)


def posterior(votes: Sequence[int]) -> float:
    """P(p > ½) of the leader against the runner-up; 0 without votes."""
    return beta_majority(votes[0], votes[1] if len(votes) > 1 else 0) if votes else 0.0


def need(votes: Sequence[int], window: int, settled: float, most: int) -> int:
    """Votes after which a lead of these proportions would be settled, in whole windows, at most `most`."""
    if not votes:
        return most
    second = votes[1] if len(votes) > 1 else 0
    for times in range(1, most // window + 1):
        if beta_majority(votes[0] * times, second * times) >= settled:
            return times * window
    return most


def _first(needs: Sequence[int], index: int, neighbours: int, window: int) -> int:
    """Mean need of the next easier questions of the hard part, rounded to whole windows."""
    easier = needs[max(0, index - neighbours) : index]
    return window if not easier else max(window, window * round(sum(easier) / len(easier) / window))


def _prepared(answers: Sequence[str | None]) -> list[Attempt]:
    return [Attempt(f"prepared-{i}", "", answer, draw=-1) for i, answer in enumerate(answers)]
