"""Rates and daily budgets of callers.

A rate is kept by each process for itself. A day is one for all processes: it is overdrawn by no more than what was under way
when it was used up, and what other processes let in within the next two seconds. A request costs what its upstreams counted
(what was estimated, where they did not), whether it was answered, failed or was hung up on; one that a killed process left half
done costs nothing.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from nosce.serve.exchange import Refused
from nosce.serve.keys import Caller
from nosce.serve.store import Store

_FRESH = 2.0  # seconds for which the sums of a day are trusted; what this process spent since is added to them
_DAY = 86_400.0


@dataclass(slots=True)
class _Bucket:
    level: float
    at: float


@dataclass(slots=True)
class _Spent:
    read: float
    tokens: int
    money: float


@dataclass(slots=True)
class Gate:
    """Lets a caller's request through, or refuses it with 429 and the seconds to wait."""

    store: Store
    _buckets: dict[str, _Bucket] = field(default_factory=dict)
    _spent: dict[str, _Spent] = field(default_factory=dict)

    def check(self, caller: Caller) -> None:
        """Raises Refused when the caller asks too often, or has used up the day."""
        limits = caller.limits
        if limits.requests is not None:
            self._rate(caller.id, limits.requests)
        if limits.tokens_per_day is not None or limits.dollars_per_day is not None:
            spent = self._today(caller.id)
            if spent.tokens >= (limits.tokens_per_day or float("inf")) or spent.money >= (limits.dollars_per_day or float("inf")):
                raise Refused(
                    429, "the budget of this key for the day is used up", "insufficient_quota", code="insufficient_quota",
                    headers={"retry-after": str(int(_DAY - time.time() % _DAY) + 1)},
                )  # fmt: skip

    def spend(self, caller: Caller, tokens: int, money: float) -> None:
        """Count what this process spent since the sums were read."""
        if (spent := self._spent.get(caller.id)) is not None:
            spent.tokens += tokens
            spent.money += money

    def _rate(self, key: str, per_minute: int) -> None:
        now = time.monotonic()
        bucket = self._buckets.setdefault(key, _Bucket(float(per_minute), now))
        bucket.level = min(float(per_minute), bucket.level + (now - bucket.at) * per_minute / 60)
        bucket.at = now
        if bucket.level < 1:
            wait = (1 - bucket.level) * 60 / per_minute
            raise Refused(
                429, f"more than {per_minute} requests a minute", "requests", code="rate_limit_exceeded",
                headers={"retry-after": str(int(wait) + 1)},
            )  # fmt: skip
        bucket.level -= 1

    def _today(self, key: str) -> _Spent:
        """Today's sums (UTC), read every two seconds."""
        spent, now = self._spent.get(key), time.monotonic()
        if spent is None or now - spent.read > _FRESH:
            since = time.time() // _DAY * _DAY
            row = self.store.one(
                "SELECT COALESCE(SUM(prompt_tokens + completion_tokens), 0) AS tokens, COALESCE(SUM(money), 0) AS money "
                "FROM requests WHERE key_id=? AND at>=?", key, since,
            )  # fmt: skip
            spent = self._spent[key] = _Spent(now, int(row["tokens"]) if row else 0, float(row["money"]) if row else 0.0)
        return spent
