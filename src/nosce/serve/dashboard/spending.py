"""`/ui/tokens`: what was spent, and what voting would have cost."""

from __future__ import annotations

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
_SUMS = ("spent", "prompt", "thought")
_PRODUCTS = tuple((a, b) for i, a in enumerate(_SUMS) for b in _SUMS[i:])


@dataclass(frozen=True, slots=True)
class Saved:
    """Sums over answers: how many, tokens spent, tokens that voting would have cost; the share saved with its 95% interval."""

    n: int
    spent: float
    voting: float
    low: float = 0.0
    high: float = 0.0

    @property
    def saved(self) -> float:
        """What voting would have cost more; negative where it would have cost less."""
        return self.voting - self.spent

    @property
    def share(self) -> float | None:
        """The share of voting's cost that was saved."""
        return self.saved / self.voting if self.voting else None


@dataclass(frozen=True, slots=True)
class Tally:
    """Answers of one strategy in one piece of a period: their number, and sums and sums of products of _SUMS.

    `prompt` and `thought` are what one thought about a question cost: its prompt, and the mean of its answers' lengths.
    """

    piece: int
    strategy: str
    n: int
    sums: dict[str, float]
    products: dict[tuple[str, str], float]


def tallies(store: Store, who: Visitor, period: Period) -> list[Tally]:
    """The answers of a period that were thought about; all their calls are in what they spent."""
    where, values = who.own()
    sums = ", ".join(f"TOTAL({name}) AS {name}" for name in _SUMS)
    products = ", ".join(f"TOTAL(1.0 * {a} * {b}) AS {a}_{b}" for a, b in _PRODUCTS)
    rows = store.aside(
        f"SELECT {period.sql} AS piece, strategy, COUNT(*) AS n, {sums}, {products} FROM thoughts "
        f"WHERE at >= ? AND {where} GROUP BY 1, 2", period.start, *values,
    )  # fmt: skip
    return [
        Tally(row["piece"], row["strategy"], row["n"], {name: row[name] for name in _SUMS},
              {(a, b): row[f"{a}_{b}"] for a, b in _PRODUCTS}) for row in rows
    ]  # fmt: skip


def saved(found: Iterable[Tally], k: int) -> Saved:
    """Sums against a vote among k: the prompt once, as servers bill n samples of one request, and k thoughts.

    The interval is that of a ratio of sums over independent answers: R = Σ spent / Σ voting, with variance Σ (spent − R voting)² /
    (Σ voting)².
    """
    rows = list(found)
    n = sum(row.n for row in rows)
    total = {name: sum(row.sums[name] for row in rows) for name in _SUMS}
    mixed = {pair: sum(row.products[pair] for row in rows) for pair in _PRODUCTS}
    voting = total["prompt"] + k * total["thought"]
    if not voting:
        return Saved(n, total["spent"], voting)
    ratio = total["spent"] / voting
    squares = mixed["prompt", "prompt"] + 2 * k * mixed["prompt", "thought"] + k * k * mixed["thought", "thought"]
    crossed = mixed["spent", "prompt"] + k * mixed["spent", "thought"]
    reach = 1.96 * max(0.0, mixed["spent", "spent"] - 2 * ratio * crossed + ratio**2 * squares) ** 0.5 / voting
    return Saved(n, total["spent"], voting, 1 - ratio - reach, 1 - ratio + reach)


@router.get("/ui/tokens")
def tokens(request: Request, who: Annotated[Visitor, Depends(visitor)], days: int = 0, votes: int = 16) -> HTMLResponse:
    """Tokens spent over time beside what voting would have cost; by strategy and by upstream."""
    store, k = serving(request).store, votes if votes in VOTES else 16
    period = Period.of(days or since(store, who))
    found = tallies(store, who, period)
    names = sorted({row.strategy for row in found})
    ranked = sorted(((name, saved([r for r in found if r.strategy == name], k)) for name in names), key=lambda p: -p[1].spent)
    return page(
        request, who, "tokens.html", room="tokens", period=period, k=k, votes=VOTES, total=saved(found, k), strategies=ranked,
        upstreams=_upstreams(store, who, period), chart=_chart(found, k, period) if found else None,
    )  # fmt: skip


def _chart(found: list[Tally], k: int, period: Period) -> Any:
    pieces = [saved([row for row in found if row.piece == i], k) for i in range(period.pieces)]
    most = max(max(piece.spent, piece.voting) for piece in pieces)
    plot = Plot(period.axis(), amounts("tokens", most, short), f"Tokens spent and what voting among {k} would have cost", "wide")
    said = [f"{period.name(i)}: {p.spent:,.0f} spent, voting among {k}: {p.voting:,.0f}" for i, p in enumerate(pieces)]
    plot.bars([(i + 0.12, i + 0.88, 0, p.voting, said[i]) for i, p in enumerate(pieces)], "voting")
    return plot.bars([(i + 0.26, i + 0.74, 0, p.spent, said[i]) for i, p in enumerate(pieces)], "answered").svg()


def _upstreams(store: Store, who: Visitor, period: Period) -> list[Any]:
    where, values = who.own()
    return store.aside(
        "SELECT upstream, COUNT(*) AS n, TOTAL(calls) AS calls, TOTAL(prompt_tokens) AS prompt, "
        "TOTAL(completion_tokens) AS completion, TOTAL(state IN ('failed','interrupted')) AS failed, "
        f"TOTAL(money) AS money, AVG(seconds) AS seconds FROM requests WHERE at >= ? AND upstream<>'' AND {where} "
        "GROUP BY upstream ORDER BY prompt + completion DESC", period.start, *values,
    )  # fmt: skip
