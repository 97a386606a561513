"""Questions that memory would gain most from, put before an auditor: asked, and met with no answer, or with one that was disputed.

Only people vouch for a lesson, so what an asker says can mislead nobody but the lot: it draws attention, and earns no belief.
"""

from __future__ import annotations

import math
import random
import time
from sqlite3 import Row

from nosce.serve.store import Store, Transaction, packed

MOST = 20_000
"""Unmet questions among which is drawn, the newest first."""

_ASKED = f"""
SELECT l.trace_id, l.key_id, l.frame, l.gist, l.turns, l.text FROM lessons l
WHERE l.unmet=1 AND l.at >= ? AND l.origin <> 'asker' AND l.gist <> '' AND l.turns <> '[]' AND NOT EXISTS (
  SELECT 1 FROM lessons k LEFT JOIN audit a ON a.trace_id = k.trace_id
  WHERE k.key_id = l.key_id AND k.frame = l.frame AND k.gist = l.gist
  AND (k.state = 'approved' OR k.origin = 'audit' OR a.trace_id IS NOT NULL))
ORDER BY l.id DESC LIMIT {MOST}
"""

_QUEUED = """
INSERT OR IGNORE INTO audit(trace_id, key_id, at, question, answer, data, drawn) SELECT ?, ?, ?, ?, ?, ?, 'unmet'
WHERE NOT EXISTS (
  SELECT 1 FROM lessons k JOIN audit a ON a.trace_id = k.trace_id WHERE k.key_id = ? AND k.frame = ? AND k.gist = ?)
"""  # unless another process was faster


def inquire(store: Store, share: float, since: float, chance: random.Random | None = None) -> list[str]:
    """Queue unmet questions for an audit, up to a `share` of all that was answered `since` a time; their traces.

    A question that went unmet n times, in any words, is drawn with a weight of √n: what is asked often is worth more, and
    repeating it buys little. What was drawn, audited or approved is not drawn again. Labels of these teach and move no
    threshold: they are no fair sample.
    """
    if _room(store, share, since) <= 0:
        return []
    chosen: dict[tuple[str, str, str], list[Row]] = {}
    for row in store.rows(_ASKED, since):
        chosen.setdefault((row["key_id"], row["frame"], row["gist"]), []).append(row)
    drawn = chance or random.SystemRandom()
    rings = {about: drawn.expovariate(math.sqrt(len(rows))) for about, rows in chosen.items()}  # the first to ring is drawn first
    with store.transaction() as base:
        room, queued = _room(base, share, since), list[str]()
        for about in sorted(rings, key=rings.__getitem__):
            if len(queued) >= room:
                break
            row = chosen[about][0]
            data = packed({"outcome": "answered" if row["text"] else "abstained"})
            said = row["trace_id"], row["key_id"], time.time(), row["turns"], row["text"] or None, data
            queued += [row["trace_id"]] if base.run(_QUEUED, *said, *about) else []
    return queued


def _room(base: Store | Transaction, share: float, since: float) -> int:
    """How many more may be queued."""
    answered = base.rows("SELECT COUNT(*) AS n FROM lessons WHERE at >= ? AND origin <> 'asker'", since)[0]["n"]
    drawn = base.rows("SELECT COUNT(*) AS n FROM audit WHERE drawn='unmet' AND at >= ?", since)[0]["n"]
    return int(share * answered) - int(drawn)
