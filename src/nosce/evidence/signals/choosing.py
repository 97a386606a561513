"""Which signal to use, and what all of them together are worth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from nosce.core.artifact import Artifact
from nosce.core.registry import System
from nosce.evidence.rows import measured
from nosce.evidence.signals.measures import SignalRow, Table, row_of
from nosce.evidence.signals.observe import Seen
from nosce.evidence.signals.serve import looks_at
from nosce.metrics import Estimate, auroc2, auroc2_difference
from nosce.monitor.ensemble import Ensemble

QUESTION, ENSEMBLE, LEAN = "question only", "ensemble", "ensemble of the samples"


def costs_of(system: System, kept: Sequence[Seen], artifact: Artifact | None) -> tuple[float, float, float]:
    """Mean tokens a question of the answer and this signal alone, those beyond one attempt, and the share of fitting in them."""
    prepared = artifact.cost.tokens / len(kept) if artifact else 0.0
    base = [s.whole if "samples" in looks_at(system) else s.single for s in kept]
    whole = float(np.mean([b + s.asked[system.name] for b, s in zip(base, kept, strict=True)])) + prepared
    return whole, whole - float(np.mean([s.single for s in kept])), prepared


def choose(there: Table, rows: Sequence[SignalRow]) -> tuple[str, float, str | None]:
    """The signal with the best AUROC2 on the choosing split, and the cheapest that is not shown to be worse there."""
    full = [row for row in rows if np.isnan(there.column(row.name)).mean() < 0.1] or list(rows)
    levels = {row.name: measured(lambda row=row: auroc2(*_present(there, row.name))) for row in full}  # type: ignore[misc]
    best = max(full, key=lambda row: (levels[row.name].value if levels[row.name] else 0.0, -row.tokens))  # type: ignore[union-attr]
    level = levels[best.name]

    def as_good(row: SignalRow) -> bool:
        has = ~np.isnan(there.column(row.name)) & ~np.isnan(there.column(best.name))
        difference = auroc2_difference(there.column(best.name)[has], there.column(row.name)[has], there.right[has])
        return difference.interval[0] <= 0

    rivals = [row for row in full if row.tokens < 0.8 * best.tokens and as_good(row)]
    cheapest = min(rivals, key=lambda row: (round(row.tokens), -levels[row.name].value), default=None)  # type: ignore[union-attr]
    return best.name, level.value if level else float("nan"), cheapest.name if cheapest else None


def _present(table: Table, name: str) -> tuple[Any, Any]:
    has = ~np.isnan(table.column(name))
    return table.column(name)[has], table.right[has]


def ensembled(
    systems: Sequence[System], seed: int, there: Table, here: Table, rows: Sequence[SignalRow], kept: Sequence[Seen], chosen: str,
    name: str = ENSEMBLE,
) -> tuple[Ensemble | None, SignalRow | None, Estimate | None]:  # fmt: skip
    """The ensemble of those of these signals that differ between the questions, fitted on the choosing split, and what it gains
    over the chosen one; nothing where they are fewer than two."""
    names = [row.name for row in rows if np.unique(_present(there, row.name)[0]).size > 1]
    if len(names) < 2:
        return None, None, None
    made = Ensemble.fit(names, np.column_stack([there.column(n) for n in names]), there.right, seed=seed)
    sure = made.predict(names, np.column_stack([here.column(n) for n in names]))
    used = [s for s in systems if s.name in made.names]
    base = "whole" if any("samples" in looks_at(s) for s in used) else "single"
    prepared = sum(row.prepared for row in rows if row.name in made.names)
    tokens = float(np.mean([getattr(s, base) + sum(s.asked[u.name] for u in used) for s in kept])) + prepared
    costs = (tokens, tokens - float(np.mean([s.single for s in kept])), prepared)
    there, here = there.with_column(name, made.held_out), here.with_column(name, sure)
    row = row_of(name, "", "several", there, here, QUESTION, costs)
    has = ~np.isnan(here.column(chosen))
    gain = measured(lambda: auroc2_difference(sure[has], here.column(chosen)[has], here.right[has]))
    return made, replace(row, n=len(here.right)), gain


def free(rows: Sequence[SignalRow], kept: Sequence[Seen]) -> list[SignalRow]:
    """The signals that cost nothing beyond the samples: no further question to the model, nothing fitted first."""
    return [row for row in rows if row.prepared == 0 and not any(s.asked[row.name] for s in kept)]
