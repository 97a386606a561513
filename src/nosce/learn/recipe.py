"""A recipe: the stages of one way to train, frozen, with vetted defaults.

    curriculum → rollout → signals → reward → credit → admit → augment → loss → outer → watch

Every stage is a plain function; what a recipe leaves out has a default that makes the whole GRPO. A recipe is registered as a
function of its parameters that returns one:

    @recipe("no-std", "no-std")
    def no_std(*, clip: float = 0.2) -> Recipe:
        '''GRPO without the division by the spread of the rewards.'''
        return Recipe(credit=centred, loss=partial(streams, low=clip, high=clip))

    def centred(groups: list[Group], context: Context) -> None:
        for group in groups:
            rewards = rewards_of(group)
            for rollout, reward in zip(group, rewards, strict=True):
                rollout.reinforce(reward - rewards.mean())
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nosce.core.problem import Problem
from nosce.learn import admission, curricula, losses, rewards, rollouts
from nosce.learn.credit import group_relative
from nosce.learn.rollout import Group, Rollout, Turn

if TYPE_CHECKING:
    from nosce.learn.batch import Batch
    from nosce.learn.context import Context, Strategy

Curriculum = Callable[["Context", int], Sequence[Problem]]
RolloutStage = Callable[[Problem, "Context", int], Awaitable[Group]]
Signals = Callable[[Rollout, "Context"], Mapping[str, float]]
Reward = Callable[[Group, "Context"], Mapping[str, Sequence[float | None]]]
Credit = Callable[[list[Group], "Context"], None]
Admit = Callable[[Group], bool]
Augment = Callable[[list[Group], "Context"], Sequence[Turn]]
Loss = Callable[[Any, "Batch"], tuple[Any, dict[str, Any]]]
Outer = Callable[[list[Group], "Context"], None]
Column = Callable[[Rollout], float | None]
Watch = Callable[[list[Group], "Context"], Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class Settings:
    """What every recipe has, and `--set` may change.

    batch: problems a step; group: rollouts of each; rounds: how often more problems are drawn to replace groups that were not
    admitted; updates: optimizer steps on one batch of rollouts (whole groups are never split); lr: AdamW's rate; warmup: steps
    in which it rises; temperature: of the draws, and of the distribution that is trained; max_tokens: of one draw;
    clip_norm: largest norm of a gradient; tokens_at_once: tokens of one forward pass (memory), no effect on the result.
    """

    batch: int = 16
    group: int = 8
    rounds: int = 1
    updates: int = 1
    lr: float = 2e-4
    warmup: int = 5
    temperature: float = 1.0
    max_tokens: int | None = None
    clip_norm: float = 1.0
    tokens_at_once: int = 4096


def nothing(groups: list[Group], context: Context) -> Sequence[Turn]:
    """The augment stage that adds no turns."""
    return ()


def unmoved(groups: list[Group], context: Context) -> None:
    """The outer stage that changes nothing."""


def unmeasured(rollout: Rollout, context: Context) -> Mapping[str, float]:
    """The signals stage that measures nothing."""
    return {}


def unwatched(groups: list[Group], context: Context) -> Mapping[str, float]:
    """The watch stage that adds nothing to what is always watched."""
    return {}


@dataclass(frozen=True, slots=True)
class Recipe:
    """The stages, in the order in which they run in every step.

    curriculum(context, n): the next n problems (n may be 0: a recipe that learns from `augment` alone).
    rollout(problem, context, k): k rollouts of it, made by Minds (see nosce.learn.rollouts).
    signals(rollout, context): what is measured about each rollout, before rewards.
    reward(group, context): channels by name, one value a rollout; None where a channel says nothing.
    credit(groups, context): writes the streams of the turns.
    admit(group): whether a group is learned from. Judge the raw `outcome`, never the shaped reward.
    augment(groups, context): further turns to learn from, e.g. examples with a cross-entropy weight.
    loss(logp, batch): scalar and its parts, from log-probabilities [N] alone and the batch's streams (nosce.learn.losses).
    outer(groups, context): runs after the update; may change context.state (kept in checkpoints) or context.settings.
    watch(groups, context): further numbers for the log; a key that begins with `warn_` and is > 0 is said aloud.

    needs: what is scored before the update and found in turn.extra: `ref` (log-probabilities under the starting weights; filled
    into batch.ref), `self_certainty` (KL from uniform to the model's next-token distribution), `entropy`.
    reads: what the loss sees besides log-probabilities: `logits` [N, V], `hidden` [N, d] or `head` (logits whose gradient ends in
    the output matrix) in the batch. Such a recipe runs on local engines alone.
    labels: whether problems must have a checker. acts: mental acts that the model must have; teaches: those that it need not
    have beforehand. answer: how the trained model is to be asked, a strategy (None: one thought).
    columns: further numbers that a measurement takes of each rollout (tool calls, deferrals), by name.
    tokens: control tokens that the tokenizer must have.
    weights: of the reward channels in the sum. golden: vectors that hold it in place (rewards → advantages).
    """

    curriculum: Curriculum = curricula.shuffled
    rollout: RolloutStage = rollouts.think
    signals: Signals = unmeasured
    reward: Reward = rewards.correct
    credit: Credit = group_relative
    admit: Admit = admission.everyone
    augment: Augment = nothing
    loss: Loss = losses.streams
    outer: Outer = unmoved
    watch: Watch = unwatched
    settings: Settings = field(default_factory=Settings)
    weights: Mapping[str, float] = field(default_factory=dict)
    needs: frozenset[str] = frozenset()
    reads: frozenset[str] = frozenset()
    acts: frozenset[str] = frozenset({"think"})
    teaches: frozenset[str] = frozenset()
    answer: Strategy | None = None
    columns: Mapping[str, Column] = field(default_factory=dict)
    tokens: tuple[str, ...] = ()
    labels: bool = True
    golden: Mapping[str, Any] = field(default_factory=dict)
