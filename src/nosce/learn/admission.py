"""The admit stage: which groups are learned from.

Judged on raw outcomes: shaped scores differ even where there is nothing to be learned.
"""

from __future__ import annotations

from nosce.learn.rollout import Group


def everyone(group: Group) -> bool:
    """Every group."""
    return True


def mixed(group: Group) -> bool:
    """Groups with both right and wrong rollouts, by the raw outcome (dynamic sampling). Ungraded groups are kept."""
    outcomes = {rollout.outcome for rollout in group}
    return len(outcomes) > 1 or outcomes == {None}
