"""What audited answers teach: a threshold tried in the shadow, and an alarm when the confidence no longer tells the truth."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from nosce.core.errors import InputError
from nosce.serve.store import Store, packed

FEWEST = 20
"""Audited labels below which nothing is concluded."""

LEVEL = 0.999
_LABELS = (
    "SELECT raw, score FROM audit WHERE state='labelled' AND drawn='lot' AND raw IS NOT NULL AND score IS NOT NULL "
    "ORDER BY labelled"
)


@dataclass(frozen=True, slots=True)
class Drift:
    """How far the stated confidence lies from the truth on audited answers: mean of right − confidence, and its interval.

    The interval is a confidence sequence at LEVEL, valid at any time: `alarm` says that it leaves 0 out.
    """

    labels: int
    gap: float
    low: float
    high: float
    alarm: bool


def drift(store: Store) -> Drift:
    """The drift of all audited labels, those of withheld answers included."""
    from nosce.metrics.confidence_sequence import confidence_sequence

    rows = store.rows(_LABELS)
    if len(rows) < FEWEST:
        return Drift(len(rows), 0.0, -1.0, 1.0, False)
    gaps = np.array([(row["score"] >= 0.5) - row["raw"] for row in rows], dtype=np.float64)
    low, high = confidence_sequence((gaps + 1) / 2, level=LEVEL).interval
    return Drift(len(rows), float(gaps.mean()), 2 * low - 1, 2 * high - 1, not 2 * low - 1 <= 0 <= 2 * high - 1)


def shadow(store: Store, risk: float) -> dict[str, Any] | None:
    """Put a threshold for this risk into the shadow, from audited labels alone; None while there are too few.

    A volunteered label never counts: it is biased, and abstentions earn none. The threshold keeps the risk by the same
    exact test as a calibration's. It changes no answer until somebody promotes it.
    """
    from nosce.control.risk import select_threshold

    rows = store.rows(_LABELS)
    if len(rows) < FEWEST:
        return None
    stated, right = np.array([row["raw"] for row in rows]), np.array([row["score"] >= 0.5 for row in rows])
    found = select_threshold(np.clip(stated, 0, 1), right, alpha=risk)
    data = {"risk": risk, "least": found.threshold, "promised": found.promised, "reason": found.reason, "coverage": found.coverage}
    store.now(
        [
            ("UPDATE policies SET state='retired' WHERE state='shadow'", ()),
            ("INSERT INTO policies(at, state, labels, data) VALUES (?,?,?,?)", (time.time(), "shadow", len(rows), packed(data))),
        ]
    )
    return data


def promote(store: Store, number: int) -> None:
    """Let a shadow threshold decide from now on. Raises InputError for one that is not there or promises nothing."""
    row = store.one("SELECT * FROM policies WHERE id=? AND state='shadow'", number)
    if row is None:
        raise InputError(f"there is no threshold {number} in the shadow")
    if json.loads(row["data"])["least"] is None:
        raise InputError(f"threshold {number} promises nothing: {json.loads(row['data'])['reason']}")
    store.now(
        [
            ("UPDATE policies SET state='retired' WHERE state='live'", ()),
            ("UPDATE policies SET state='live', at=? WHERE id=?", (time.time(), number)),
        ]
    )


def live(store: Store) -> dict[float, float]:
    """The promoted thresholds: the least P(right) that is answered, by risk."""
    rows = store.rows("SELECT data FROM policies WHERE state='live'")
    return {data["risk"]: data["least"] for row in rows if (data := json.loads(row["data"]))["least"] is not None}
