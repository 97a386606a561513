"""S101 Self-Braking Tuning against the plain alternative: cutting every thought at the same length."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from nosce.core.claim import Claim
from nosce.core.registry import recipe, registry
from nosce.learn.recipe import Recipe
from nosce.learn.rollout import Rollout
from nosce.mind.dialects.socrates import answer
from nosce.models.socrates.tokenizer import SocratesTokenizer

CLAIM = Claim(
    statement="Braked where its overthinking score passes 0.2, a model that overthinks is right more often than one that is not "
    "braked and whose thoughts are cut at the length that spends as many tokens.",
    endpoint="accuracy at as many tokens", baseline="sbt", seeds=(0, 1, 2), fidelity="paper", taught=True,
    options={"start": "socrates", "steps": 80, "tokens": 500_000, "beside": ()}, baseline_options={"first": 1.0},
    analogue_of="reasoning models that overthink by themselves (here: first taught to, in the same run)",
)  # fmt: skip
LENGTHS = tuple(range(5, 185, 5))


@recipe("S101", "sbt", part="truncation", claim=CLAIM, trained_as="sbt/dynamic")
def truncation(*, first: float = 0.5, again: int = 3, examples: int = 32) -> Recipe:
    """The dynamic form (SBT-D), measured beside thoughts that are cut at a fixed length.

    Columns `tokens@N` and `right@N`: what a thought would have cost and answered if it had been cut after N tokens. It answers
    with the last answer that it had finished by then; where it was cut within its first, with what stands there.
    Source: S101 "Let LLMs Break Free from Overthinking via Self-Braking Tuning". Left open and filled: the comparison is the
    field's usual one, not the paper's.
    """
    braked: Recipe = registry.find("sbt/dynamic", "recipe").run(first=first, again=again, examples=examples)
    cuts: dict[str, Callable[[Rollout], float]] = {f"tokens@{n}": partial(spent, most=n) for n in LENGTHS}
    return replace(braked, columns={**braked.columns, **cuts, **{f"right@{n}": partial(right, most=n) for n in LENGTHS}})


def spent(rollout: Rollout, *, most: int) -> float:
    """Tokens of a thought that is cut after `most`."""
    return float(min(rollout.length, most))


def right(rollout: Rollout, *, most: int) -> float:
    """Whether the thought, cut after `most` tokens, has answered rightly."""
    whole = tuple(token for turn in rollout.turns for token in turn.tokens)
    text = SocratesTokenizer().decode(whole[:most])
    if len(whole) > most and "<ans>" in text:
        before, _, last = text.rpartition("<ans>")
        text = before if "<" not in last and "<ans>" in before else text
    return rollout.problem.check(answer(text))
