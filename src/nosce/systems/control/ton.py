"""S025 TON: learn when not to think."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from nosce.core.claim import Claim
from nosce.core.problem import Problem
from nosce.core.registry import recipe
from nosce.learn import curricula
from nosce.learn.context import Context
from nosce.learn.credit import per_group, standardised
from nosce.learn.gold import example, solution
from nosce.learn.losses import streams
from nosce.learn.recipe import Recipe
from nosce.learn.rollout import Group, Rollout, Turn
from nosce.mind.dialects import dialect_of

CLAIM = Claim(
    statement="Thought dropout and GRPO save at least 40% of the tokens of GRPO that always thinks.",
    endpoint="tokens", baseline="grpo", margin=0.4, seeds=(0, 1, 2, 3, 4), fidelity="code",
    analogue_of="selective reasoning of vision–language models (here: text)",
    options={"start": "socrates", "learn": "family:arithmetic,lists,logic,facts?level=1&n=400&split=train", "first": 0.5,
             "test": "family:arithmetic,lists,logic,facts?level=1&n=120&split=test", "steps": 80, "tokens": 300_000},
)  # fmt: skip


@recipe("S025", "ton", claim=CLAIM)
def ton(*, dropout: float = 0.5, first: float = 0.25, clip: float = 0.2, examples: int = 64) -> Recipe:
    """Learn when not to think: thoughts are dropped from examples first, then outcome rewards find out where they are needed.

    First (share `first` of the steps) imitate solutions whose thought is left out with probability `dropout`, so that answering
    at once becomes something the model may do; then GRPO on outcome + format. Nothing rewards shortness. An empty thought
    goes straight to its answer.
    Source: S025 "Think or Not? Selective Reasoning via Reinforcement Learning for Vision-Language Models". Left open and filled:
    gold solutions of the families in place of a teacher's traces.
    """
    return Recipe(
        curriculum=partial(later, first=first), augment=partial(dropped, first=first, dropout=dropout, n=examples),
        reward=formatted, credit=per_group(standardised), loss=partial(streams, low=clip, high=clip, over="sequence"),
        columns={"skipped": skipped}, golden={"outcome": [1.0, 0.0, 0.0], "format": [1.0, 1.0, 0.0], "rewards": [2.0, 1.0, 0.0]},
    )  # fmt: skip


def later(context: Context, n: int, *, first: float) -> Sequence[Problem]:
    """No problems to try in the first stage."""
    return [] if context.step < first * context.steps else curricula.shuffled(context, n)


def dropped(groups: list[Group], context: Context, *, first: float, dropout: float, n: int) -> Sequence[Turn]:
    """In the first stage, n solutions to imitate, some without their thought."""
    if context.step >= first * context.steps:
        return ()
    rng, dialect = context.rng("dropout"), dialect_of(context.engine.model)
    chosen = [context.problems[int(i)] for i in rng.integers(len(context.problems), size=n)]
    made = []
    for problem in chosen:
        text = solution(problem, dialect.name)
        empty = rng.random() < dropout
        made.append(example(problem, context.engine, text=text[text.rindex(_mark(dialect.name)) :] if empty else text))
    return made


def _mark(dialect: str) -> str:
    """What the answer begins with."""
    return "<ans>" if dialect.startswith("socrates") else "Answer:"


def formatted(group: Group, context: Context) -> Mapping[str, Sequence[float | None]]:
    """The outcome, and 1 for a thought, empty or not, that ends in an answer."""
    return {"outcome": [r.outcome for r in group], "format": [float(r.answer is not None and r.ended) for r in group]}


def skipped(rollout: Rollout) -> float:
    """1 where the answer came without a thought."""
    text = rollout.turns[0].text.strip() if rollout.turns else ""
    return float(text.startswith(("<ans>", "Answer:")))
