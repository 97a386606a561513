"""`/v1/feedback`, the audit and what was learned from it."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field, model_validator

from nosce.core.equivalence import Equivalence
from nosce.serve import learning
from nosce.serve.exchange import Refused
from nosce.serve.keys import Caller
from nosce.serve.service import Service
from nosce.serve.store import Store

router = APIRouter(prefix="/v1", tags=["feedback"])
_LOOKS, _PAUSE = 5, 0.025  # what was handed in is on disk after 20 ms


class Feedback(BaseModel):
    """What became of an answer: whether it was correct, a score in [0, 1], or the right answer."""

    model_config = ConfigDict(extra="forbid")

    trace_id: str = Field(min_length=1, max_length=64)
    correct: bool | None = None
    score: float | None = Field(None, ge=0, le=1)
    answer: str | None = Field(None, max_length=20_000)

    @model_validator(mode="after")
    def _one(self) -> Feedback:
        if sum(value is not None for value in (self.correct, self.score, self.answer)) != 1:
            raise ValueError("give one of correct, score and answer")
        return self


class Label(BaseModel):
    """An auditor's verdict: how right the answer is, in [0, 1], and the right one where the auditor knows it."""

    model_config = ConfigDict(extra="forbid")

    score: float = Field(ge=0, le=1)
    right_answer: str | None = Field(None, min_length=1, max_length=2000)


def who(request: Request, *, admin: bool = False) -> Caller:
    """Who asks. Raises Refused where an administrator is needed."""
    caller: Caller = request.scope["caller"]
    if admin and caller.role != "admin":
        raise Refused(403, "that takes an administrator's key", code="not_admin")
    return caller


def serving(request: Request) -> Service:
    """The running server."""
    service: Service = request.app.state.service
    return service


@router.post("/feedback")
async def feedback(given: Feedback, request: Request) -> dict[str, Any]:
    """Say how an answer turned out: once per trace, by the key that asked. Volunteered labels are kept and move nothing."""
    service, caller = serving(request), who(request)
    state = await _ended(service.store, given.trace_id, caller.id)
    if state != "done":
        why = "is still under way" if state == "started" else f"came to no answer ({state})"
        raise Refused(409, f"that request {why}, so there is nothing to be right or wrong", code="no_answer")
    score = _score(service, given)
    values = (given.trace_id, caller.id, time.time(), score, given.answer if service.config.trace_text else None)
    await asyncio.to_thread(_kept, service, given, values)
    return {"trace_id": given.trace_id, "score": score}


def _kept(service: Service, given: Feedback, values: tuple[Any, ...]) -> None:
    """Write it down, and learn from it; in a thread of its own, for the file may be in other hands for a while."""
    sql = "INSERT OR IGNORE INTO feedback(trace_id, key_id, at, score, answer) VALUES (?,?,?,?,?)"
    if not service.store.now([(sql, values)]):
        raise Refused(409, "that trace has its feedback already", code="already_given")
    if service.lessons is not None:
        _, key_id, _, score, _ = values
        if score is not None and score < 0.5:
            service.lessons.complained(given.trace_id, key_id)
        if given.answer or (score or 0) >= 0.5:
            service.lessons.volunteered(given.trace_id, key_id, given.answer)


async def _ended(store: Store, trace_id: str, key_id: str) -> str:
    """How a request of this key stands; waited for a moment, for another process may have yet to write that it has ended.

    Raises Refused where there is none: for another key's as for none at all.
    """
    await store.durable()
    row = None
    for _ in range(_LOOKS):
        row = store.one("SELECT state FROM requests WHERE trace_id=? AND key_id=?", trace_id, key_id)
        if row is not None and row["state"] != "started":
            break
        await asyncio.sleep(_PAUSE)
    if row is None:
        raise Refused(404, "this key asked nothing under that trace_id", code="unknown_trace")
    return str(row["state"])


def _score(service: Service, given: Feedback) -> float | None:
    if given.answer is None:
        return given.score if given.correct is None else float(given.correct)
    row = service.store.one("SELECT trace FROM traces WHERE trace_id=?", given.trace_id)
    events = json.loads(row["trace"])["events"] if row else []
    said = next((event[3].get("value") for event in events if event[1] == "answered"), None)
    if said is None:
        return None  # the answer's text was not kept, or there was none
    return float(Equivalence("number").same(str(said), given.answer))


@router.get("/audit")
def audit(
    request: Request, state: Annotated[str, Query(pattern="^(open|labelled)$")] = "open",
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> dict[str, Any]:  # fmt: skip
    """The answers drawn for the audit, oldest first: by lot (`drawn` = `lot`), or because memory would gain from them (`unmet`)."""
    who(request, admin=True)
    serving(request).inquire()
    rows = serving(request).store.rows("SELECT * FROM audit WHERE state=? ORDER BY at LIMIT ?", state, limit)
    return {"object": "list", "data": [dict(row) for row in rows]}


@router.post("/audit/{trace_id}")
def label(trace_id: str, given: Label, request: Request) -> dict[str, Any]:
    """Label a drawn answer, a withheld one too. Each label moves the shadow threshold; none moves the live one.

    Where memory is on, an answer found right becomes a lesson of the key that asked, as does the auditor's own answer.
    """
    service, caller = serving(request), who(request, admin=True)
    values = (given.score, time.time(), caller.id, trace_id)
    if not service.store.now([("UPDATE audit SET state='labelled', score=?, labelled=?, by=? WHERE trace_id=?", values)]):
        raise Refused(404, "that trace was not drawn for the audit", code="unknown_trace")
    if service.lessons is not None:
        service.lessons.audited(trace_id, given.score, caller.id, given.right_answer)
    risk = service.config.risk
    return {"trace_id": trace_id, "shadow": learning.shadow(service.store, risk) if risk is not None else None}


@router.get("/policies")
def policies(request: Request) -> dict[str, Any]:
    """The thresholds that audited labels gave: in the shadow, live and retired, newest first."""
    who(request, admin=True)
    rows = serving(request).store.rows("SELECT * FROM policies ORDER BY id DESC LIMIT 100")
    return {"object": "list", "data": [{**dict(row), "data": json.loads(row["data"])} for row in rows]}


@router.post("/policies/{number}/promote")
def promote(number: int, request: Request) -> dict[str, Any]:
    """Let a shadow threshold decide from now on."""
    service = serving(request)
    who(request, admin=True)
    if not 0 < number < 2**31:
        raise Refused(404, "there is no such threshold", code="unknown_policy")
    learning.promote(service.store, number)
    return {"id": number, "state": "live"}


@router.delete("/traces/{trace_id}")
async def forget(trace_id: str, request: Request) -> dict[str, Any]:
    """Delete all that is kept of one of this key's own requests."""
    service, caller = serving(request), who(request)
    if await _ended(service.store, trace_id, caller.id) == "started":
        raise Refused(409, "that request is still under way; delete it when it has ended", code="under_way")
    found = await asyncio.to_thread(service.store.forget, trace_id=trace_id, key_id=caller.id)
    return {"trace_id": trace_id, "deleted": bool(found)}
