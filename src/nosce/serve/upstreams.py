"""The models behind the proxy: which replica is asked, when it is asked again, and when another is."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from nosce.serve.caller import Abilities
from nosce.serve.config import Config, Upstream
from nosce.serve.transport import Failed, Reply, Transport

AGAIN = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
"""Statuses after which another try, or another replica, may do better."""
_REST = 1.0  # seconds a replica rests after its first failure; doubled by each further one, at most _LONGEST
_LONGEST = 30.0
_WAIT = 0.25  # seconds, the base of the jittered wait before the same replica is asked again


@dataclass(slots=True)
class Replica:
    """One server of an alias, and how it has been doing."""

    alias: str
    settings: Upstream
    failures: int = 0
    rests_until: float = 0.0
    asked: int = 0
    failed: int = 0
    last_error: str = ""
    model: str = field(init=False)
    base: str = field(init=False)

    def __post_init__(self) -> None:
        self.model, self.base = self.settings.served

    @property
    def local(self) -> bool:
        """Whether it is a bundled model in this process."""
        return not self.base

    @property
    def healthy(self) -> bool:
        """Whether it may be asked now."""
        return time.monotonic() >= self.rests_until

    def headers(self, caller: Mapping[str, str]) -> dict[str, str]:
        """What is sent to it: its own key, never the caller's."""
        sent = {"content-type": "application/json", "accept-encoding": "identity", **caller, **self.settings.headers}
        return {**sent, "authorization": f"Bearer {key}"} if (key := self.settings.key) else sent

    def well(self) -> None:
        """It answered."""
        self.asked += 1
        self.failures, self.rests_until = 0, 0.0

    def ill(self, why: str) -> None:
        """It failed: it rests for a while, the longer the more often it failed in a row."""
        self.asked, self.failed, self.failures, self.last_error = self.asked + 1, self.failed + 1, self.failures + 1, why
        rest = min(_LONGEST, _REST * 2 ** (self.failures - 1))
        self.rests_until = time.monotonic() + random.uniform(rest / 2, rest)


class Upstreams:
    """Every replica by alias, and one pool of connections to all."""

    def __init__(self, config: Config) -> None:
        self.replicas = {name: [Replica(name, one) for one in replicas] for name, replicas in config.upstreams.items()}
        self.abilities = {name: Abilities() for name in config.upstreams}
        self.transport = Transport(max(one.connections for all_ in config.upstreams.values() for one in all_))

    def order(self, alias: str) -> Iterator[Replica]:
        """The replicas to ask in turn: the alias's healthy ones by chance, then its fallbacks', then those that rest."""
        own = [r for r in self.replicas[alias] if r.base]
        others = [r for one in own for name in one.settings.fallback for r in self.replicas[name] if r.base]
        everyone = list({id(r): r for r in [*random.sample(own, len(own)), *others]}.values()) if others or own[1:] else own
        yield from [r for r in everyone if r.healthy]
        yield from [r for r in everyone if not r.healthy]

    def tries(self, alias: str) -> Iterator[tuple[Replica, float]]:
        """(replica, seconds to wait before asking it): each once, then again with growing jittered waits."""
        order = list(self.order(alias))
        yield from ((replica, 0.0) for replica in order)
        rounds = max((replica.settings.retries for replica in order), default=0)
        for again in range(rounds):
            yield from ((r, random.uniform(0, _WAIT * 2**again)) for r in order if again < r.settings.retries)

    async def close(self) -> None:
        """Close the connections."""
        await self.transport.close()


__all__ = ["AGAIN", "Failed", "Replica", "Reply", "Upstreams"]
