"""The steps that rollouts wrote, and which of them stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nosce.learn.rollout import Rollout
from nosce.mind.dialects import dialect_of

if TYPE_CHECKING:
    from nosce.models.base import Model


def stated(rollout: Rollout, model: Model) -> list[str]:
    """The steps of the rollout's last thought as the families write them, without numbers."""
    text = next((turn.text for turn in reversed(rollout.turns) if turn.act in ("think", "extend", "revise")), "")
    from nosce.tasks.families import bare

    return [bare(step) for step in dialect_of(model).steps(text)]


def standing(rollout: Rollout, model: Model) -> float | None:
    """Share of the stated steps before the first wrong one, in [0, 1]; None without steps or outside the bundled families."""
    from nosce.tasks.families import judge, parse

    item, steps = parse(rollout.problem.text, rollout.problem.context), stated(rollout, model)
    if item is None or not steps:
        return None
    fault = judge(item, steps, rollout.answer or "").fault
    return 1.0 if not fault else (fault - 1) / len(steps)
