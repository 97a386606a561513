"""What whoever is called at night must know first: is it well, is its confidence true, does it keep to the promised risk."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from nosce.metrics.confidence_sequence import confidence_sequence
from nosce.serve.dashboard.door import Visitor
from nosce.serve.dashboard.drifting import EARLY, Running, running
from nosce.serve.dashboard.said import points
from nosce.serve.dashboard.truth import FEWEST, audited, promised
from nosce.serve.learning import LEVEL as ALARM
from nosce.serve.service import Service
from nosce.serve.store import Store

State = Literal["well", "warned", "alarm", "unknown"]
RECENT = 900
"""Seconds back in which failures are counted."""

FAILING = (3, 0.05)
"""Failures, and their share of what ended, from which on the server counts as failing."""

LEVEL = 0.95
"""Of the interval of the share wrong; it holds however often somebody looks."""


@dataclass(frozen=True, slots=True)
class Sign:
    """One vital sign: its question, its state, the answer in a few words, what that rests on, and where to look further."""

    asks: str
    state: State
    says: str
    rests: str
    to: str


@dataclass(frozen=True, slots=True)
class Signs:
    """The three signs, in the order in which one wants to know them; `labels` says which labels the last two rest on."""

    all: list[Sign]
    labels: tuple[int, float]


def signs(service: Service, who: Visitor, before: Signs | None = None) -> Signs:
    """The signs now; those that rest on labels are worked out anew only where there are new labels since `before`."""
    row = service.store.one("SELECT COUNT(*) AS n, MAX(labelled) AS last FROM audit WHERE state='labelled'")
    labels = (row["n"], row["last"] or 0.0) if row else (0, 0.0)
    same = before is not None and before.labels == labels
    resting = before.all[1:] if before is not None and same else [truth(service, who), risk(service, who)]
    return Signs([health(service, who), *resting], labels)


def headline(found: list[Sign]) -> str:
    """The worst of them in one line."""
    for state in ("alarm", "warned"):
        if bad := [sign.says for sign in found if sign.state == state]:
            return ", and ".join([bad[0], *(says[0].lower() + says[1:] for says in bad[1:])])
    if all(sign.state == "well" for sign in found):
        return "It runs well, and no alarm rings"
    return "It runs well; of its confidence too little is known"


def health(service: Service, who: Visitor) -> Sign:
    """Whether answers can be given and written down, and how many of the last quarter of an hour failed."""
    asks, to = "Is it well?", "/?show=failed"
    ended, failed = _recent(service.store, who, time.time() - RECENT)
    lately = f"{failed:,} of {ended:,} failed in 15 minutes" if ended else "nothing asked in 15 minutes"
    replicas = [one for all_ in service.upstreams.replicas.values() for one in all_]
    resting = [one for one in replicas if not one.healthy]
    up = len(replicas) - len(resting)
    ups = "its upstream is up" if up == len(replicas) == 1 else f"{up} of {len(replicas)} upstreams up"
    why = f"{resting[0].last_error}; " if resting and who.admin else ""  # it may name hosts that are not for everybody
    if not service.store.writable:
        return Sign(asks, "alarm", "Answers cannot be written down", f"is the disk full? {lately}", to)
    if len(resting) == len(replicas):
        return Sign(asks, "alarm", "No upstream answers", f"{why}{lately}", to)
    if resting:
        names = ", ".join(sorted({one.alias for one in resting}))
        return Sign(asks, "warned", f"{names} does not answer", f"{why}{ups}; {lately}", to)
    if failed >= FAILING[0] and failed >= FAILING[1] * ended:
        return Sign(asks, "warned", "Requests are failing", f"{lately}; {ups}", to)
    return Sign(asks, "well", "It runs well", f"{ups}; {lately}", to)


def truth(service: Service, who: Visitor) -> Sign:
    """Whether the stated confidence is true on audited answers: the alarm of the drift page."""
    asks, to = "Is its confidence true?", "/ui/drift"
    labels = audited(service.store, who)
    seen = running(labels)
    if seen is None:
        return Sign(asks, "unknown", "Too few audits to say", f"{labels.sure.n} of {FEWEST} labels", _more(who))
    way = "overconfident" if seen.mean[-1] < 0 else "underconfident"
    if seen.alarm:
        return Sign(asks, "alarm", f"It is {way}", _gap(seen, labels.sure.n, ALARM), to)
    early = running(labels, level=EARLY)
    if early is not None and early.alarm:
        return Sign(asks, "warned", f"It may be {way}", _gap(early, labels.sure.n, EARLY), to)
    return Sign(asks, "well", "No alarm", _gap(seen, labels.sure.n, ALARM), to)


def _more(who: Visitor) -> str:
    """Where one sees how more labels come about."""
    return "/ui/audit" if who.admin else "/ui/confidence"


def _gap(seen: Running, n: int, level: float) -> str:
    interval = f"{points(float(seen.low[-1]))} to {points(float(seen.high[-1]))}"
    return f"right minus stated: {points(float(seen.mean[-1]))} points, {interval} at any look ({100 * level:g}%, n = {n:,})"


def risk(service: Service, who: Visitor) -> Sign:
    """Whether audited answers keep to the risk that the calibration promised of those that are given."""
    asks, strategy = "Is it within the promised risk?", promised(service)
    if not strategy:
        why = "no --risk is set" if service.policy is not None else "no calibration; nosce serve calibrate makes one"
        return Sign(asks, "unknown", "Nothing is promised", why, "/ui/confidence")
    most, to = float(service.config.risk or 0), f"/ui/confidence?of={strategy}"
    wrong = _wrong(service.store, who, most)
    if wrong.size < FEWEST:
        return Sign(asks, "unknown", "Too few audits to say", f"{wrong.size} of {FEWEST} labels of given answers", _more(who))
    low, high = confidence_sequence(wrong, level=LEVEL).interval
    between = f"{low:.0%} to {high:.0%} at any look ({LEVEL:.0%}, n = {wrong.size:,})"
    share = f"{wrong.mean():.1%} wrong, {between}; promised: at most {most:.0%}"
    if low > most:
        return Sign(asks, "alarm", "More is wrong than was promised", share, to)
    if high <= most:
        return Sign(asks, "well", "Yes", share, to)
    if wrong.mean() <= most:
        return Sign(asks, "well", "So far, yes", share, to)
    return Sign(asks, "warned", "More is wrong than promised, perhaps by chance", share, to)


def _wrong(store: Store, who: Visitor, most: float) -> Any:
    """Of each audited answer that was given under this promise, in the order of labels: 1 where it was wrong."""
    where, values = who.own("a.key_id")
    rows = store.rows(
        "SELECT a.score FROM audit a JOIN requests r ON r.trace_id = a.trace_id WHERE a.state='labelled' AND a.drawn='lot' "
        "AND a.score IS NOT NULL "
        "AND json_extract(a.data, '$.outcome')='answered' AND json_extract(a.data, '$.calibrated') "
        f"AND json_extract(r.data, '$.risk')=? AND {where} ORDER BY a.labelled", most, *values,
    )  # fmt: skip
    return np.array([float(row["score"] < 0.5) for row in rows], dtype=np.float64)


def _recent(store: Store, who: Visitor, since: float) -> tuple[int, int]:
    """(requests that ended, of them failed) since a time; a client that hung up is no failure."""
    where, values = who.own()
    row = store.aside(
        "SELECT TOTAL(state<>'started') AS ended, TOTAL(state IN ('failed','interrupted') OR outcome='failed') AS failed "
        f"FROM requests WHERE at >= ? AND {where}", since, *values,
    )[0]  # fmt: skip
    return int(row["ended"]), int(row["failed"])
