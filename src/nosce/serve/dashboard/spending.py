"""`/ui/tokens`: what was spent, and what voting would have cost."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from nosce.serve.dashboard.door import Visitor, serving, visitor
from nosce.serve.dashboard.pages import Page, page
from nosce.serve.dashboard.period import Period, since
from nosce.serve.dashboard.plot import Plot, amounts
from nosce.serve.dashboard.said import short
from nosce.serve.store import Store

router = APIRouter(route_class=Page)
VOTES = (4, 8, 16, 32)
MOST = 5000
"""The newest answers that are compared; more are not read."""

_THOUGHTS = (
    "SELECT r.trace_id, r.at, r.strategy, r.prompt_tokens + r.completion_tokens AS spent, "
    "MAX(json_extract(e.value, '$[3].sample.prompt_tokens')) AS prompt, "
    "AVG(json_extract(e.value, '$[3].sample.completion_tokens')) AS thought "
    "FROM (SELECT * FROM requests WHERE state='done' AND strategy<>'' AND at >= ? AND {own} ORDER BY at DESC LIMIT ?) r "
    "JOIN traces t ON t.trace_id = r.trace_id, json_each(t.trace, '$.events') e "
    "WHERE json_extract(e.value, '$[1]')='sampled' AND json_extract(e.value, '$[3].act') IN ('think', 'direct') GROUP BY r.trace_id"
)


@dataclass(frozen=True, slots=True)
class Thought:
    """One answer: what it cost, and what one thought about the same question cost (prompt, mean completion)."""

    at: float
    strategy: str
    spent: int
    prompt: int
    completion: float

    def voting(self, k: int) -> float:
        """Tokens of a vote among k thoughts: the prompt once, as servers bill n samples of one request, and k thoughts."""
        return self.prompt + k * self.completion


@dataclass(frozen=True, slots=True)
class Saved:
    """Sums over answers: how many, tokens spent, tokens that voting would have cost."""

    n: int
    spent: float
    voting: float

    @property
    def saved(self) -> float:
        """What voting would have cost more; negative where it would have cost less."""
        return self.voting - self.spent

    @property
    def share(self) -> float | None:
        """The share of voting's cost that was saved."""
        return self.saved / self.voting if self.voting else None


def thoughts(store: Store, who: Visitor, since: float, most: int = MOST) -> list[Thought]:
    """The newest answers since a time that were thought about, from their traces; all their calls are in what they spent."""
    where, values = who.own()
    rows = store.aside(_THOUGHTS.format(own=where), since, *values, most)
    return [Thought(r["at"], r["strategy"], r["spent"], r["prompt"], r["thought"]) for r in rows if r["thought"]]


def saved(found: Iterable[Thought], k: int) -> Saved:
    """Sums against a vote among k."""
    rows = list(found)
    return Saved(len(rows), float(sum(t.spent for t in rows)), float(sum(t.voting(k) for t in rows)))


@router.get("/ui/tokens")
def tokens(request: Request, who: Annotated[Visitor, Depends(visitor)], days: int = 0, votes: int = 16) -> HTMLResponse:
    """Tokens spent over time beside what voting would have cost; by strategy and by upstream."""
    store, k = serving(request).store, votes if votes in VOTES else 16
    period = Period.of(days or since(store, who))
    found = thoughts(store, who, period.start)
    by_strategy = defaultdict[str, list[Thought]](list)
    for thought in found:
        by_strategy[thought.strategy].append(thought)
    ranked = sorted(((name, saved(group, k)) for name, group in by_strategy.items()), key=lambda pair: -pair[1].spent)
    return page(
        request, who, "tokens.html", room="tokens", period=period, k=k, votes=VOTES, total=saved(found, k), strategies=ranked,
        upstreams=_upstreams(store, who, period), chart=_chart(found, k, period) if found else None, capped=len(found) == MOST,
    )  # fmt: skip


def _chart(found: list[Thought], k: int, period: Period) -> Any:
    pieces = [saved([t for t in found if period.start + i * period.step <= t.at < period.start + (i + 1) * period.step], k)
              for i in range(period.pieces)]  # fmt: skip
    most = max(max(piece.spent, piece.voting) for piece in pieces)
    plot = Plot(period.axis(), amounts("tokens", most, short), f"Tokens spent and what voting among {k} would have cost", "wide")
    said = [f"{period.name(i)}: {p.spent:,.0f} spent, voting among {k}: {p.voting:,.0f}" for i, p in enumerate(pieces)]
    plot.bars([(i + 0.12, i + 0.88, 0, p.voting, said[i]) for i, p in enumerate(pieces)], "voting")
    return plot.bars([(i + 0.12, i + 0.88, 0, p.spent, said[i]) for i, p in enumerate(pieces)], "answered").svg()


def _upstreams(store: Store, who: Visitor, period: Period) -> list[Any]:
    where, values = who.own()
    return store.aside(
        "SELECT upstream, COUNT(*) AS n, TOTAL(calls) AS calls, TOTAL(prompt_tokens) AS prompt, "
        "TOTAL(completion_tokens) AS completion, "
        f"TOTAL(money) AS money, AVG(seconds) AS seconds FROM requests WHERE at >= ? AND upstream<>'' AND {where} "
        "GROUP BY upstream ORDER BY prompt + completion DESC", period.start, *values,
    )  # fmt: skip
