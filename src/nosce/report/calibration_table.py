"""What a calibration changed and what it promises, for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nosce.evidence.calibration import Calibrated, promised
from nosce.report.terminal import accented, table
from nosce.report.text import count, reach

if TYPE_CHECKING:
    from rich.table import Table

    from nosce.metrics.estimate import Estimate

SHOWN = (
    ("ece", "calibration error (ECE)"), ("smooth_ece", "smooth calibration error"), ("brier", "Brier score"),
    ("log_score", "log score"), ("auroc2", "AUROC2"), ("aurc", "AURC"),
)  # fmt: skip


def calibration_table(made: Calibrated) -> Table:
    """Measures before and after, on the rows that did not fit the calibrator; what got better stands in the accent colour."""
    rows = []
    for name, title in SHOWN:
        before, after = made.before.measures.get(name), made.after.measures.get(name)
        better = before is not None and after is not None and (after.value < before.value) == (name != "auroc2")
        rows.append((title, _told(before), accented(_told(after), better and _told(before) != _told(after))))
    return table((f"on {count(made.n_test)} labelled rows held apart", "before", "after"), rows)


def _told(found: Estimate | None) -> str:
    return "–" if found is None else f"{found.value:.4f} ± {reach(found):.4f}"


def calibration_lines(made: Calibrated) -> list[str]:
    """Which kind was fitted on how much, and each promise in one sentence."""
    saved = made.calibration.calibrator
    tried = ", ".join(f"{kind} {loss:.4f}" for kind, loss in sorted(made.tried.items(), key=lambda item: item[1]))
    groups = f", apart for {', '.join(map(str, saved.groups))}" if saved.groups else ""
    chosen = f" (log score held out: {tried})" if tried else ""
    said = [f"{saved.calibrator.kind}{groups}, fitted on {count(made.n_fit)} rows{chosen}"]
    promises = [promised(t) for t in made.calibration.thresholds]
    return said + (promises or ["No risk was asked for, so nothing is promised: --risk 0.1 asks for one."])
