"""The watch stage: the numbers of a step, and the early signs that a run goes wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from nosce.learn.rollout import Group, Rollout

Row = Mapping[str, float]


def numbers(groups: Sequence[Group]) -> dict[str, float]:
    """What is always watched, over every rollout of a step.

    pass_rate: mean outcome; reward and reward/CHANNEL: means over the rollouts that have one; same: share of groups whose rewards
    are all equal (nothing to learn from); solved: share of groups with a right answer; length: drawn tokens a rollout; ended:
    share that ended by itself; answered: share with an answer; variety: different answers a group, as a share of its rollouts;
    entropy: mean over drawn tokens, nats; confidence, brier, calibration_gap (mean confidence − mean outcome) where stated.
    """
    rollouts = [rollout for group in groups for rollout in group]
    if not rollouts:
        return {}
    found = {
        "reward": _mean([r.reward for r in rollouts]), "length": _mean([r.length for r in rollouts]),
        "ended": _mean([r.ended for r in rollouts]), "answered": _mean([r.answer is not None for r in rollouts]),
        "same": _mean([len({r.reward for r in group}) == 1 for group in groups]),
        "variety": _mean([len({r.answer for r in group}) / len(group) for group in groups]),
        "entropy": _mean([e for r in rollouts for turn in r.turns for e in turn.entropies]),
        "rollouts": float(len(rollouts)),
    }  # fmt: skip
    if graded := [r for r in rollouts if r.outcome is not None]:
        found["pass_rate"] = _mean([r.outcome for r in graded])
        found["solved"] = _mean([max(r.outcome or 0.0 for r in group) > 0.5 for group in groups])
    for channel in dict.fromkeys(name for r in rollouts for name in r.rewards):
        found[f"reward/{channel}"] = _mean([v for r in rollouts if (v := r.rewards.get(channel)) is not None])
    for signal in dict.fromkeys(name for r in rollouts for name in r.signals):
        found[f"signal/{signal}"] = _mean([r.signals[signal] for r in rollouts if signal in r.signals])
    return found | _stated(rollouts)


def _stated(rollouts: Sequence[Rollout]) -> dict[str, float]:
    pairs = [(r.confidence, r.outcome) for r in rollouts if r.confidence is not None and r.outcome is not None]
    if not pairs:
        return {}
    stated, right = np.array(pairs, dtype=float).T
    return {
        "confidence": float(stated.mean()), "brier": float(np.mean((stated - right) ** 2)),
        "calibration_gap": float(stated.mean() - right.mean()),
    }  # fmt: skip


def _mean(values: Sequence[float | None]) -> float:
    return float(np.mean([float(v) for v in values if v is not None])) if len(values) else float("nan")


def alarms(history: Sequence[Row], window: int = 10) -> list[str]:
    """Warnings, from the rows of the log so far: the mean of the last `window` steps against that of the first.

    Collapse: entropy under a fifth of where it began while answers within a group become the same and few are right; confidence
    in itself rises while fewer are right. Hacking: the reward rises by 0.1 or more while the pass rate falls by 0.05.
    Also: hardly any group teaches anything, answers are cut off, thoughts double in length, draws of the sampler and of
    the trainer come apart.
    """
    if len(history) < 2 * window:
        return []
    first, last = history[:window], history[-window:]

    def was(name: str) -> float:
        return _mean([row[name] for row in first if name in row])

    def now(name: str) -> float:
        return _mean([row[name] for row in last if name in row])

    found = []
    falling = now("pass_rate") < was("pass_rate") - 0.05
    if now("entropy") < 0.2 * was("entropy") and now("variety") < 0.75 * was("variety") and not now("pass_rate") > was("pass_rate"):
        fell = f"entropy fell from {was('entropy'):.3f} to {now('entropy'):.3f}"
        found.append(f"collapse: {fell} and no more are right; lower lr or add kl")
    if now("reward") > was("reward") + 0.1 and falling:
        found.append(
            f"reward hacking: reward rose from {was('reward'):.2f} to {now('reward'):.2f}, the pass rate fell from "
            f"{was('pass_rate'):.2f} to {now('pass_rate'):.2f}; look at the rollouts"
        )
    if now("signal/self_certainty") > 1.2 * was("signal/self_certainty") and falling:
        found.append("collapse: surer of itself and less often right; stop here, or mix in a checked reward")
    if now("same") > 0.9:
        found.append(f"nothing to learn from: in {now('same'):.0%} of the groups all rewards are equal; choose other levels")
    if now("ended") < 0.7 and now("ended") < was("ended") - 0.1:
        found.append(f"cut off: only {now('ended'):.0%} of the rollouts end by themselves; raise max_tokens")
    if now("length") > 2 * was("length"):
        found.append(f"longer and longer: {was('length'):.0f} tokens a rollout at first, {now('length'):.0f} now")
    if now("drift") > 0.05:
        found.append(f"drift: sampler and trainer disagree by {now('drift'):.3f} nats a token; they do not hold the same weights")
    return found
