"""What every route of a running server shares."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nosce.core.errors import InputError, JournalError
from nosce.evidence.calibration_file import Kept, read_calibration
from nosce.evidence.policy import AS_ASKED, Policy
from nosce.models.base import Model
from nosce.serve import learning
from nosce.serve.auditing import drawn, put_as, queue
from nosce.serve.config import Config
from nosce.serve.deciding import check
from nosce.serve.exchange import Exchange, Refused
from nosce.serve.keeping import digested, kept_trace
from nosce.serve.keys import Keys
from nosce.serve.lessons import KEEP_DAYS, Lessons
from nosce.serve.limits import Gate
from nosce.serve.meters import Meters
from nosce.serve.passthrough import Passed
from nosce.serve.remembering import draft
from nosce.serve.replying import Result
from nosce.serve.servable import served
from nosce.serve.store import ENDED, STARTED, Store, packed
from nosce.serve.unmet import inquire
from nosce.serve.upstreams import Upstreams


@dataclass(slots=True)
class Service:
    """The configuration, the store and all that hangs on them."""

    config: Config
    store: Store
    keys: Keys
    gate: Gate
    upstreams: Upstreams
    started: float = field(default_factory=time.time)
    meters: Meters = field(default_factory=Meters)
    policy: Kept | None = None
    lessons: Lessons | None = None
    under_way: int = 0
    warming: asyncio.Task[None] | None = None
    _looked: float = 0.0
    _bundled: dict[str, Model] = field(default_factory=dict)

    @classmethod
    def of(cls, config: Config) -> Service:
        """A service on its store. Raises JournalError when the file cannot be used."""
        policy = checked_policy(config)
        store = Store(config.database)
        store.put("INSERT OR REPLACE INTO meta VALUES (?,?)", KEEP_DAYS, str(config.memory.keep_days))
        lessons = Lessons(store, config.memory.keep_days) if config.memory.on else None
        return cls(config, store, Keys(store, config.limits), Gate(store), Upstreams(config), policy=policy, lessons=lessons)

    def bundled(self, name: str) -> Model:
        """A bundled model, loaded when it is first asked."""
        if name not in self._bundled:
            from nosce.models.load import load

            self._bundled[name] = load(name)
        return self._bundled[name]

    def names(self) -> list[str]:
        """The strategies that can be asked for."""
        from nosce.serve.servable import names

        return names()

    async def warm(self) -> None:
        """Wait until what thinking needs is loaded; it is loaded in a thread, so that others are answered meanwhile."""
        if self.warming is not None and not self.warming.done():
            await asyncio.wait({self.warming})

    async def admit(self, exchange: Exchange) -> None:
        """Let a question in by rate and budget, and only while answers can be written down. Raises Refused."""
        if not self.store.writable and not await asyncio.to_thread(self.store.mended):
            why = "the server cannot write its journal (is the disk full?)"
            raise Refused(503, why, "server_error", code="journal", headers={"retry-after": "2"})
        self.gate.check(exchange.caller)

    def begin(self, exchange: Exchange, model: str, strategy: str = "", streamed: bool = False) -> None:
        """Note that a request is under way."""
        who = (exchange.trace_id, exchange.caller.id, time.time(), self.store.process)
        self.store.put(STARTED, *who, exchange.path, model, strategy, int(streamed))
        self.under_way += 1
        self.meters.in_flight.inc()

    def end(self, exchange: Exchange, state: str, passed: Passed, said: Mapping[str, Any] | None = None) -> None:
        """Note how it ended: `said` is the answer's metacognition, where there is one."""
        said = said or {}
        seconds = time.monotonic() - exchange.began
        self.under_way -= 1
        self.gate.spend(exchange.caller, passed.prompt_tokens + passed.completion_tokens, passed.money)
        self.store.keep(
            ENDED, state, passed.status, passed.alias, said.get("outcome"), said.get("confidence"), said.get("calibrated"),
            said.get("source"), said.get("reason") or passed.error, passed.calls, passed.prompt_tokens, passed.completion_tokens,
            round(seconds, 6), passed.money, packed(said) if said else None, exchange.trace_id,
        )  # fmt: skip
        with contextlib.suppress(OSError):  # the counters of several processes are files as well
            self._meter(exchange.path, state, passed, said, seconds)

    def _meter(self, path: str, state: str, passed: Passed, said: Mapping[str, Any], seconds: float) -> None:
        meters = self.meters
        meters.in_flight.dec()
        meters.requests.labels(path, state, str(passed.status)).inc()
        meters.seconds.labels(path, state).observe(seconds)
        meters.tokens.labels(passed.alias, "prompt").inc(max(0, passed.prompt_tokens))
        meters.tokens.labels(passed.alias, "completion").inc(max(0, passed.completion_tokens))
        meters.dollars.labels(passed.alias).inc(max(0.0, passed.money))
        if outcome := said.get("outcome"):
            meters.outcomes.labels(str(said.get("strategy", "")), str(outcome)).inc()
        if (confidence := said.get("confidence")) is not None:
            meters.confidence.labels(str(said.get("strategy", "")), str(bool(said.get("calibrated"))).lower()).observe(confidence)

    def remember(self, exchange: Exchange, body: Mapping[str, Any], result: Result) -> None:
        """Keep an answer's trace, with its texts only where the settings say so, and draw lots for the audit."""
        now, text = time.time(), self.config.trace_text
        self.store.keep(
            "INSERT OR REPLACE INTO traces VALUES (?,?,?,?)", exchange.trace_id, exchange.caller.id, now,
            kept_trace(result.trace, text),
        )  # fmt: skip
        cost, strategy = result.answer.cost, str(result.metacognition["strategy"])
        spent = cost.prompt_tokens + cost.completion_tokens
        for statement, values in digested(result.trace, strategy, exchange.caller.id, now, spent):
            self.store.keep(statement, *values)
        if self.lessons is not None:
            known = result.metacognition.get("lessons", ())
            draft(self.lessons, exchange.caller.id, exchange.trace_id, body, result.answer.value, result.choices, known)
        if drawn(self.config.audit, exchange.path):
            said = result.metacognition
            about = {name: said[name] for name in ("outcome", "calibrated", "strategy")}
            question, answer = (put_as(body), result.answer.value) if text else (None, None)
            queue(self.store, exchange, question=question, answer=answer, raw=said["confidence"], about=about)

    def deciding(self) -> Kept | None:
        """The calibration; auto's with the thresholds that were promoted since (looked up every two seconds)."""
        if isinstance(self.policy, Policy) and time.monotonic() - self._looked > 2:
            self._looked = time.monotonic()
            self.policy.moved.clear()
            self.policy.moved.update(learning.live(self.store))
        return self.policy

    def inquire(self) -> None:
        """Put the day's questions that memory would gain most from into the auditor's inbox, where memory is on."""
        if self.lessons is not None:
            self.store.flush()
            inquire(self.store, self.config.memory.audit, time.time() - 86_400)

    async def keep_house(self) -> None:
        """Every hour, forget what is older than the settings allow, and ask auditors about what went unmet."""
        while True:
            with contextlib.suppress(JournalError):
                await asyncio.to_thread(self.tidy)
                await asyncio.to_thread(self.inquire)
            await asyncio.sleep(3600)

    def tidy(self) -> None:
        """Forget what is older than the settings allow; approved lessons have a time of their own."""
        before = time.time() - self.config.keep_days * 86_400
        self.store.forget(before=before, lessons=False)
        Lessons(self.store).expire(before)

    async def close(self) -> None:
        """Close connections and the store, once what was cut off has been written down."""
        await self.upstreams.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(2):
                while self.under_way:
                    await asyncio.sleep(0.01)
        self.store.close()


def checked_policy(config: Config) -> Kept | None:
    """The calibration of the settings, held against the models that it was made for. Raises InputError."""
    if config.policy is None:
        return None
    kept = read_calibration(config.policy)
    main = config.upstreams[config.first][0]
    strong = config.upstreams[config.strong][0] if config.strong else None
    strategy = "auto" if isinstance(kept, Policy) else kept.calibrator.strategy
    try:
        served(strategy)
        names = main.served[0] or main.model, (strong.served[0] or strong.model) if strong else ""
        check(kept, *names, AS_ASKED if main.served[0] else "socrates")
        if config.risk is not None and not isinstance(kept, Policy):
            kept.promise(config.risk)
    except InputError as error:
        raise InputError(f"{config.policy}: {error}") from None
    return kept
