"""S181 AnytimeReasoner: a thought that can be cut at any budget, rewarded at every one (BRPO)."""

from __future__ import annotations

from functools import partial

import numpy as np

from nosce.core.answer import Answer
from nosce.core.claim import Claim
from nosce.core.problem import Problem
from nosce.core.registry import recipe
from nosce.learn.context import Context
from nosce.learn.credit import Numbers
from nosce.learn.losses import streams
from nosce.learn.recipe import Recipe
from nosce.learn.rollout import Group, Rollout
from nosce.learn.rollouts import of
from nosce.mind.mind import Mind

SUMMARY = "summary"

CLAIM = Claim(
    statement="Trained at every budget, the mean accuracy over four budgets is higher than after GRPO with as many rollout tokens.",
    endpoint="anytime", baseline="grpo", seeds=(0, 1, 2), fidelity="code",
)  # fmt: skip


@recipe("S181", "anytimereasoner", claim=CLAIM)
def anytimereasoner(*, budgets: int = 4, piece: int = 10, summaries: int = 2, clip: float = 0.2) -> Recipe:
    """A thought is written in S pieces; after each a summary answers at once, and is rewarded for it.

    r_k: share of right summaries after piece k (the thought's own answer once it ended), P_k = 1/S, R_s = Σ_{k≥s} P_k r_k. Piece s
    gets A_s = R_s − [s V1 + (S − s) V2]/S, with V1 = Σ_{i<s} 2^i r_i / Σ_{i<s} 2^i · Σ_{k≥s} P_k (what the thought was worth
    before; 0 at s = 1) and V2 the group's mean R_s. A summary gets its reward less the mean at its budget. For S = 1 the
    piece's advantage is r.
    Source: S181 "Optimizing Anytime Reasoning via Budget Relative Policy Optimization". Left open and filled: pieces of equal
    length in place of sampled budgets; the published division of A_s by S is left to the learning rate.
    """
    told = partial(in_pieces, budgets=budgets, piece=piece, summaries=summaries)
    return Recipe(
        rollout=of(told), credit=partial(brpo, budgets=budgets), loss=partial(streams, low=clip, high=clip, over="token"),
        columns={"anytime": partial(anytime, budgets=budgets)}, acts=frozenset({"think", "extend"}), answer=told,
        golden={"r": [0.0, 1.0], "R": [0.5, 0.5]},
    )  # fmt: skip


async def in_pieces(problem: Problem, mind: Mind, *, budgets: int, piece: int, summaries: int) -> Answer:
    """Write a piece, sum up, write on, until the thought ends or its pieces are used up."""
    thought = (await mind.think(problem, max_tokens=piece))[0]
    for s in range(1, budgets + 1):
        if s > 1:
            thought = (await mind.extend(problem, thought.text, parent=thought, max_tokens=piece))[0]
        if thought.finish != "length":
            return mind.answer(thought.answer)
        at_once = f"{thought.text} <ans>" if mind.dialect.name.startswith("socrates") else f"{thought.text}\nAnswer:"
        said = await mind.models[SUMMARY].extend(problem, at_once, parent=thought, n=summaries, max_tokens=16)
        mind.answer(said[0].answer)
    return mind.answer(said[0].answer)


def rates(rollout: Rollout, budgets: int) -> Numbers:
    """r_k of every budget: the share of right summaries, or whether the thought's own answer is right once it ended."""
    found, s = np.zeros(budgets), 0
    said: dict[int, list[float]] = {}
    for turn in rollout.turns:
        if turn.role == SUMMARY:
            said.setdefault(s, []).append(rollout.problem.check(turn.answer))
        else:
            s += 1
            if turn.finish != "length":
                found[s - 1 :] = rollout.problem.check(turn.answer)
    for at, right in said.items():
        found[at - 1] = float(np.mean(right))
    return found


def anytime(rollout: Rollout, *, budgets: int) -> float:
    """Mean accuracy over the budgets: the area under the curve of accuracy against budget."""
    return float(rates(rollout, budgets).mean())


def pieces(r: Numbers) -> Numbers:
    """A_s [n, S] of a group's r [n, S]."""
    n, many = r.shape
    left = np.cumsum(r[:, ::-1], axis=1)[:, ::-1] / many  # R_s
    gains = np.empty((n, many))
    for s in range(1, many + 1):
        weights = 2.0 ** np.arange(1, s)
        known = r[:, : s - 1] @ weights / weights.sum() * (many - s + 1) / many if s > 1 else np.zeros(n)
        gains[:, s - 1] = left[:, s - 1] - (s * known + (many - s) * left[:, s - 1].mean()) / many
    return gains


def brpo(groups: list[Group], context: Context, *, budgets: int) -> None:
    """Pieces by BRPO, summaries against the mean of the group at their budget."""
    for group in groups:
        r = np.array([rates(rollout, budgets) for rollout in group])
        for rollout, gains in zip(group, pieces(r), strict=True):
            s = 0
            for turn in rollout.turns:
                if turn.role == SUMMARY:
                    turn.reinforce(rollout.problem.check(turn.answer) - float(r[:, s - 1].mean()))
                else:
                    s += 1
                    turn.reinforce(float(gains[s - 1]))
