"""The best single signal and the ensemble of all, fitted and chosen on dev questions, reported on test questions."""

from __future__ import annotations

import asyncio
from typing import Any

from nosce.evidence.signals.measures import SignalRow
from nosce.evidence.signals.monitoring import monitor
from nosce.evidence.signals.study import plan_signals
from nosce.metrics import Estimate
from nosce.tasks.bundled import draw_problems

DEV, TEST = 1200, 1200


def run() -> dict[str, Any]:
    """Every registered signal on the bundled model and its mixed questions, five samples each."""
    study = plan_signals(draw_problems(n=TEST), calibrate=draw_problems(n=DEV, part="dev"))
    found = asyncio.run(monitor(study))
    assert found.ensemble is not None
    return {
        "n": found.reported_on, "signals": len(found.rows), "single": _row(found.row(found.chosen)),
        "cheaper": _row(found.row(found.cheaper)) if found.cheaper else None,
        "ensemble": {**_row(found.ensemble), "gain": _plain(found.gain)}, "lean": _row(found.lean) if found.lean else None,
        "question_only": _row(found.question),
        "heaviest": [f"{name} {weight:+.3f}" for name, weight in list(found.weights.items())[:8]],
        "all": {row.name: [_plain(row.auroc2), _plain(row.within), round(row.tokens)] for row in found.rows},
    }  # fmt: skip


def _row(row: SignalRow) -> dict[str, Any]:
    return {
        "name": row.name, "auroc2": _plain(row.auroc2), "within": _plain(row.within),
        "over_the_question": _plain(row.versus_within), "ece": _plain(row.ece),
        "ece_calibrated": _plain(row.ece_calibrated), "tokens": round(row.tokens, 1),
    }  # fmt: skip


def _plain(estimate: Estimate | None) -> list[float] | None:
    """Value, low, high."""
    return None if estimate is None else [round(x, 4) for x in (estimate.value, *estimate.interval)]


if __name__ == "__main__":
    print(run())
