"""Labelled rows out of a finished run, with whose confidence they hold."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from nosce.core.codec import decode
from nosce.core.errors import InputError
from nosce.evidence.calibration import About
from nosce.evidence.labels import Labelled
from nosce.evidence.rows import Row
from nosce.evidence.signalled import OWN


def recorded_run(folder: Path) -> tuple[Labelled, About]:
    """The graded rows of `nosce solve --out FOLDER`. Raises InputError where there is no such run, or it withheld answers.

    Answers withheld under a promise cannot be told from those that the strategy itself withheld, so such a run is refused.
    """
    summary = _summary(folder / "summary.json")
    if (summary.get("promise") or {}).get("threshold"):
        raise InputError(f"{folder}: that run withheld answers under a promise; calibrate on one made without --risk")
    model = summary["model"]["main"] if isinstance(summary.get("model"), dict) else ""
    about = About(model, summary["strategy"], summary.get("signal", OWN), summary.get("settings", {}), summary.get("spec", ""))
    with (folder / "results.jsonl").open(encoding="utf-8") as lines:
        rows = [decode(Row, line) for line in lines]
    if not any(row.correct is not None for row in rows):
        raise InputError(f"{folder}: no row is graded; calibrate on a run over questions with an answer")
    return Labelled.of(rows), about


def _summary(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return found
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; expected the folder of a finished `nosce solve`") from None
    except (OSError, json.JSONDecodeError) as error:
        raise InputError(f"{path}: cannot be read: {error}") from None
