"""The loss stage: a scalar from log-probabilities and streams, whatever wrote them. Works on any tensor with torch's methods.

Every part is a sum over this piece divided by a count over the whole update, so pieces add up to the same gradient however the
update is cut; the parts returned beside the loss add up likewise.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from nosce.learn.batch import Batch

Over = Literal["token", "sequence"] | int
Ratio = Callable[[Any, "Batch"], Any]
Written = Callable[..., tuple[Any, dict[str, Any]]]


def streams_alone(loss: Written) -> Written:
    """Mark a loss to which a turn adds nothing, neither value nor gradient, where advantage · rl, ce and kl are all 0 and no
    vector of its own is there: such turns count in every mean and are not run through the network."""
    setattr(loss, "streams_alone", True)  # noqa: B010  # a function has no such attribute to a type checker
    return loss


def hears_all(loss: Any) -> bool:
    """Whether a loss wants every turn, weight or not: all do but those marked by `streams_alone`."""
    return not getattr(getattr(loss, "func", loss), "streams_alone", False)


def token_ratio(logp: Any, batch: Batch) -> Any:
    """π(token) / π_old(token), [N]."""
    return (logp - batch.old).exp()


def turn_ratio(logp: Any, batch: Batch) -> Any:
    """exp of the mean log-ratio over the token's turn, [N]: one ratio for a whole turn (GSPO, ReMA)."""
    ones = logp.detach() * 0 + 1
    mean = batch.by_turn(logp - batch.old) / batch.by_turn(ones).clamp(min=1)
    return mean.exp()[batch.turn]


def weigh(batch: Batch, over: Over) -> Any:
    """The `rl` weight of each token: a mean over all tokens (`token`), over each rollout's tokens and then over rollouts
    (`sequence`: GRPO as published), or over rollouts as if each had the same length (a whole number: Dr. GRPO)."""
    counts = batch.counts
    if over == "token":
        return batch.rl / counts.rl
    return batch.rl * batch.share / counts.rollouts if over == "sequence" else batch.rl / (counts.rollouts * int(over))


def policy_gradient(
    logp: Any, batch: Batch, *, low: float = 0.2, high: float = 0.2, over: Over = "sequence", ratio: Ratio = token_ratio
) -> tuple[Any, dict[str, Any]]:
    """−Σ w · min(ρA, clip(ρ, 1 − low, 1 + high) A): the clipped surrogate; `low` and `high` infinite leave it unclipped."""
    weight, rho, gain = weigh(batch, over), ratio(logp, batch), batch.advantage
    clipped = rho.clamp(1 - low, 1 + high)
    kept = (rho * gain).minimum(clipped * gain)
    cut = ((rho * gain > clipped * gain).to(logp.dtype) * weight).sum()
    return -(weight * kept).sum(), {"clipped": cut.detach()}


def cross_entropy(logp: Any, batch: Batch) -> Any:
    """−Σ w · log π, over the tokens with a `ce` weight."""
    return -(batch.ce * logp).sum() / batch.counts.ce


def distance(logp: Any, batch: Batch) -> Any:
    """Σ w · (e^Δ − Δ − 1) with Δ = log π_ref − log π: an unbiased, non-negative estimate of KL(π ‖ π_ref)."""
    gap = batch.ref - logp
    return (batch.kl * (gap.exp() - gap - 1)).sum() / batch.counts.kl


@streams_alone
def streams(
    logp: Any, batch: Batch, *, low: float = 0.2, high: float = 0.2, over: Over = "sequence", ratio: Ratio = token_ratio
) -> tuple[Any, dict[str, Any]]:
    """The default: clipped policy gradient + cross-entropy + distance from the reference, each over its own count."""
    policy, parts = policy_gradient(logp, batch, low=low, high=high, over=over, ratio=ratio)
    imitation = cross_entropy(logp, batch)
    total = policy + imitation
    parts |= {"policy_loss": policy.detach(), "ce_loss": imitation.detach()}
    if batch.ref is not None:
        far = distance(logp, batch)
        total = total + far
        parts["kl_loss"] = far.detach()
    return total, parts
