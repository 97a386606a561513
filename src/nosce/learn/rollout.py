"""What is trained on: turns of tokens, the rollouts they belong to, and groups of rollouts of one problem.

Tokens in, tokens out: a turn holds the ids that the model read and the ids that it drew. Nothing is tokenised again, so what is
trained is what was sampled, its end-of-text token included.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from nosce.core.problem import Problem
from nosce.core.trace import Trace

Floats = NDArray[np.float32]


@dataclass(slots=True, eq=False)
class Turn:
    """One stretch of tokens that the model wrote (`sampled`) or that it is shown as an example.

    prompt, tokens: ids read, ids written. `logprobs` and `entropies` are the sampler's, at temperature 1 (empty where there are
    none); `temperature` and `bias` (id, value) are how the tokens were drawn, and training scores them under that same
    distribution. `node` and `parent` place the turn in its trace. Turns with the same `bundle` are always scored in one piece, for
    losses that compare them.

    Four streams of one number a token are what an algorithm writes, and all that the trainer reads:
    `advantage` (how much better than expected), `rl` (weight of the policy-gradient term), `ce` (weight of the
    cross-entropy term) and `kl` (weight of the distance from the reference). All begin at 0. `extra` holds whatever else
    a loss of its own reads, by name.
    """

    prompt: tuple[int, ...]
    tokens: tuple[int, ...]
    sampled: bool = True
    temperature: float = 1.0
    bias: tuple[tuple[int, float], ...] = ()
    logprobs: tuple[float, ...] = ()
    entropies: tuple[float, ...] = ()
    role: str = "main"
    act: str = "think"
    text: str = ""
    answer: str | None = None
    finish: str = "stop"
    node: str = ""
    parent: str | None = None
    bundle: int | None = None
    advantage: Floats = field(init=False)
    rl: Floats = field(init=False)
    ce: Floats = field(init=False)
    kl: Floats = field(init=False)
    extra: dict[str, Floats] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("advantage", "rl", "ce", "kl"):
            setattr(self, name, np.zeros(len(self.tokens), dtype=np.float32))

    def reinforce(self, advantage: float | Floats, *, kl: float = 0.0, where: slice = slice(None)) -> None:
        """Give tokens an advantage (and a weight in the distance from the reference); a turn drawn greedily has none."""
        if self.sampled and self.temperature > 0:
            self.advantage[where], self.rl[where], self.kl[where] = advantage, 1.0, kl

    def imitate(self, weight: float | Floats = 1.0, where: slice = slice(None)) -> None:
        """Make tokens more likely, by cross-entropy."""
        self.ce[where] = weight

    @property
    def learned(self) -> bool:
        """Whether any stream has weight here."""
        return bool(self.rl.any() or self.ce.any() or self.kl.any() or self.extra)

    @property
    def silent(self) -> bool:
        """Whether the streams have nothing to say here: no advantage, nothing to imitate, no distance to keep."""
        told = (self.advantage * self.rl).any() or self.ce.any() or self.kl.any()
        return not (told or set(self.extra) - {"old", "ref"})


@dataclass(slots=True, eq=False)
class Rollout:
    """One try at a problem: its turns, how it ended, and what was measured about it.

    `outcome` is the problem's own check of the answer in [0, 1], None where there is nothing to check against; it is never
    shaped. `rewards` are named channels; a None channel says nothing about this rollout. `confidence` is what the strategy
    stated. `index` numbers the rollouts of a group.
    """

    problem: Problem
    turns: list[Turn]
    answer: str | None = None
    confidence: float | None = None
    outcome: float | None = None
    rewards: dict[str, float | None] = field(default_factory=dict)
    signals: dict[str, float] = field(default_factory=dict)
    weights: dict[str, float] = field(default_factory=dict)
    index: int = 0
    trace: Trace | None = None

    @property
    def reward(self) -> float:
        """Weighted sum of the channels that say something (weight 1 unless `weights` names another)."""
        said = ((name, value) for name, value in self.rewards.items() if value is not None)
        return float(sum(self.weights.get(name, 1.0) * value for name, value in said))

    @property
    def length(self) -> int:
        """Tokens that were drawn."""
        return sum(len(turn.tokens) for turn in self.turns if turn.sampled)

    @property
    def ended(self) -> bool:
        """Whether every thought ended by itself."""
        return all(turn.finish != "length" for turn in self.turns if turn.act in ("think", "direct", "extend", "revise"))

    def reinforce(self, advantage: float, *, kl: float = 0.0) -> None:
        """The same advantage for every token that was drawn."""
        for turn in self.turns:
            turn.reinforce(advantage, kl=kl)


Group = list[Rollout]
"""Rollouts of one problem that are compared with each other."""


def rewards_of(group: Group) -> NDArray[np.float64]:
    """Total reward of each rollout."""
    return np.array([rollout.reward for rollout in group], dtype=np.float64)
