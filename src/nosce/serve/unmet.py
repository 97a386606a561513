"""Questions that memory would gain most from, put before an auditor: asked, and met with no answer, or with one that was disputed.

Only people vouch for a lesson, so what an asker says can mislead nobody but the lot: it draws attention, and earns no belief.
"""

from __future__ import annotations

import random
import time

from nosce.serve.store import Store, packed

_ASKED = """
SELECT l.trace_id, l.key_id, l.frame, l.gist, l.turns, l.text FROM lessons l
WHERE l.unmet=1 AND l.at >= ? AND l.origin <> 'asker' AND l.gist <> '' AND l.turns <> '[]' AND NOT EXISTS (
  SELECT 1 FROM lessons k LEFT JOIN audit a ON a.trace_id = k.trace_id
  WHERE k.key_id = l.key_id AND k.frame = l.frame AND k.gist = l.gist
  AND (k.state = 'approved' OR k.origin = 'audit' OR a.trace_id IS NOT NULL))
"""


def inquire(store: Store, share: float, since: float, chance: random.Random | None = None) -> list[str]:
    """Queue unmet questions for an audit, up to a `share` of all that was answered `since` a time; their traces.

    Each question that went unmet is a ticket, so what is asked often is likely to be drawn; what was drawn, audited or
    approved in any of its wordings is not drawn again. Labels of these teach and move no threshold: they are no fair
    sample. Flooding buys no more than its share of what is asked, and enlarges what is audited.
    """
    with store.transaction() as base:
        answered = base.rows("SELECT COUNT(*) AS n FROM lessons WHERE at >= ? AND origin <> 'asker'", since)[0]["n"]
        drawn = base.rows("SELECT COUNT(*) AS n FROM audit WHERE drawn='unmet' AND at >= ?", since)[0]["n"]
        tickets, seen, queued = base.rows(_ASKED, since), set(), list[str]()
        (chance or random.SystemRandom()).shuffle(tickets)
        for row in tickets:
            about = row["key_id"], row["frame"], row["gist"]
            if len(queued) >= int(share * answered) - drawn:
                break
            if about in seen:
                continue
            seen.add(about)
            queued.append(row["trace_id"])
            data = packed({"outcome": "answered" if row["text"] else "abstained"})
            base.run(
                "INSERT OR IGNORE INTO audit(trace_id, key_id, at, question, answer, data, drawn) VALUES (?,?,?,?,?,?,'unmet')",
                row["trace_id"], row["key_id"], time.time(), row["turns"], row["text"] or None, data,
            )  # fmt: skip
    return queued
