"""A model, or a roster of them, at work on one problem under one budget, writing one trace."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from nosce.core.answer import Answer, Outcome
from nosce.core.attempt import Attempt
from nosce.core.cost import Cost
from nosce.core.decision import Action, Decision
from nosce.core.errors import BudgetExhausted, InputError, ModelError
from nosce.core.problem import Problem
from nosce.core.signal import Signal, Source
from nosce.core.streams import stream_key
from nosce.core.trace import Trace
from nosce.mind.acts import Acts
from nosce.mind.dialects import dialect_of
from nosce.mind.dialects.base import Dialect, Given, Rendered
from nosce.mind.meter import Meter
from nosce.mind.sampler import Sampler, sample_data
from nosce.models.base import Model, Prompt, Request, Sample
from nosce.tools import tool

T = TypeVar("T")


@dataclass(slots=True)
class Work:
    """What all roles working on one problem share."""

    problem: Problem
    trace: Trace
    meter: Meter = field(default_factory=Meter)
    sampler: Sampler = field(default_factory=Sampler)
    seed: int = 0
    temperature: float | None = None
    draws: Counter[str] = field(default_factory=Counter)
    attempts: list[Attempt] = field(default_factory=list)
    best: Answer | None = None


class Mind(Acts):
    """The object level as a strategy sees it: acts to call, a budget that holds, a trace that writes itself.

    Acts (see `Acts`) sample the model of this mind's role. `models[role]` is a mind of another role on the same work; a
    role that the roster does not name is played by `main`. When the budget ends, acts raise BudgetExhausted and the
    runner returns the best answer so far, so a strategy need not think about it.
    """

    def __init__(self, roster: Mapping[str, Model], work: Work, role: str = "main") -> None:
        self.roster, self.work, self.role = roster, work, role
        self.model: Model = roster.get(role) or roster["main"]
        self.dialect: Dialect = dialect_of(self.model)

    @property
    def models(self) -> Mapping[str, Mind]:
        """A mind per role; any role may be asked for."""
        return _Roles(self)

    # -- what is done -------------------------------------------------------------------------------------------------

    async def attempts(
        self,
        act: str,
        problem: Problem,
        given: Given,
        *,
        n: int = 1,
        temperature: float | None = None,
        max_tokens: int | None = None,
        top: int = 0,
        **shaping: Any,
    ) -> list[Attempt]:
        """n attempts of one act, in draw order; fewer when the budget ends, none raises BudgetExhausted.

        `shaping` goes into the request as it is: `bias`, `steer`, `top_p`.
        """
        rendered = self.dialect.render(act, problem, given)
        rendered = replace(rendered, top=max(top, rendered.top), max_tokens=max_tokens or rendered.max_tokens)
        drawn = await self.draw(rendered, n=n, temperature=temperature, **shaping)
        parent = given.attempt.id if given.attempt else None
        made = [self._attempt(act, problem, given, parent, *item) for item in drawn]
        if problem.tools and act in ("think", "direct", "extend", "revise"):
            made = list(await asyncio.gather(*(self._with_tools(problem, attempt, rendered.top) for attempt in made)))
        self.work.attempts.extend(made)
        return made

    async def draw(
        self, rendered: Rendered, *, n: int = 1, temperature: float | None = None, **shaping: Any
    ) -> list[tuple[Rendered, int, int, Sample]]:
        """n raw samples with their draw index and stream key, within budget; as many requests as the budget asks for."""
        work, able, prompt_tokens = self.work, self.model.capabilities, self.model.count(rendered.prompt)
        most = min(rendered.max_tokens, self.model.context - prompt_tokens)
        if most <= 0:
            raise BudgetExhausted(f"the prompt has {prompt_tokens} tokens; {self.model.spec} reads {self.model.context}")
        warmth = next(t for t in (temperature, rendered.temperature, work.temperature, 0.7) if t is not None)
        if n < 1:
            raise InputError(f"{n} draws asked for; expected at least 1")
        got: list[tuple[Rendered, int, int, Sample]] = []
        while len(got) < n:
            wanted = min(n - len(got), able.most or n)
            fit, length = work.meter.fits(prompt_tokens, most, wanted, separate=not able.n)
            if fit == 0:
                work.meter.exhausted = True
                if got:
                    break
                raise BudgetExhausted("the next call does not fit into the budget")
            first = work.draws[rendered.prompt.key]
            work.draws[rendered.prompt.key] += fit
            keys = tuple(
                stream_key(work.seed, work.problem.id, rendered.prompt.key, first + i) for i in range(fit)
            )
            request = Request(rendered.prompt, keys, length, warmth, stop=rendered.stop, top=rendered.top, **shaping)
            samples = await self._paid(request, prompt_tokens)
            got += [(rendered, first + i, keys[i], sample) for i, sample in enumerate(samples)]
        return got

    async def _paid(self, request: Request, prompt_tokens: int) -> list[Sample]:
        meter, requests = self.work.meter, 1 if self.model.capabilities.n else request.n
        held = Cost(prompt_tokens * requests, request.max_tokens * request.n, requests)
        spent = Cost()
        meter.hold(held)
        try:
            left = meter.seconds_left()
            call = self.work.sampler.sample(self.model, request)
            samples = await (call if left == float("inf") else asyncio.wait_for(call, left))
            spent = Cost(
                max(s.prompt_tokens for s in samples) * requests,
                sum(s.completion_tokens for s in samples),
                requests,
                money=sum(s.money for s in samples),
            )
            return samples
        except TimeoutError:
            meter.exhausted, spent = True, held
            raise BudgetExhausted("the time is up") from None
        finally:
            meter.settle(held, spent)

    def _attempt(
        self, act: str, problem: Problem, given: Given, parent: str | None, rendered: Rendered, draw: int, key: int, s: Sample
    ) -> Attempt:
        answer = self.dialect.read(act, s, problem, given) if act in ("think", "direct", "extend", "revise") else None
        data = {"act": act, "role": self.role, "prompt": rendered.prompt.key, "key": key, "sample": sample_data(s)}
        if draw == 0:
            data.update(asked=prompt_text(rendered.prompt), dialect=self.model.dialect)
            data["dialect"] = self.dialect.name  # so that the trace can be replayed
        if answer is not None:
            data["answer"] = answer
        node = self.work.trace.add("sampled", data, parent)
        text = self.dialect.join(given.prefix, s.text) if act == "extend" else s.text
        return Attempt(
            node, text, answer, act, self.role, parent, draw, s.finish, s.token_ids, s.logprobs,
            s.entropies, s.top, Cost(s.prompt_tokens, s.completion_tokens, 1, money=s.money),
        )  # fmt: skip

    async def _with_tools(self, problem: Problem, attempt: Attempt, top: int, most: int = 8) -> Attempt:
        act = attempt.act
        for _ in range(most):
            cut = attempt.finish == "length"  # in the middle of a call, perhaps: half an argument is none
            call = None if cut else self.dialect.pending(attempt.text)
            if call is None or call[0] not in problem.tools:
                return attempt
            result = self.run_tool(*call, parent=attempt.id)
            given = Given(attempt=attempt, prefix=self.dialect.resume(attempt.text, result))
            rendered = replace(self.dialect.render("extend", problem, given), top=top)
            try:
                drawn = await self.draw(rendered)
            except BudgetExhausted:
                return attempt
            except ModelError as error:  # e.g. a result that the model's vocabulary cannot say
                self.work.trace.add("failed", {"error": str(error)}, attempt.id)
                return attempt
            going_on = self._attempt("extend", problem, given, attempt.id, *drawn[0])
            attempt = replace(going_on, act=act, draw=attempt.draw, logprobs=_joined(attempt.logprobs, going_on.logprobs),
                              entropies=_joined(attempt.entropies, going_on.entropies),
                              top=_joined(attempt.top, going_on.top), cost=attempt.cost + going_on.cost)  # fmt: skip
        return attempt

    def run_tool(self, name: str, argument: str, parent: str | None = None) -> str:
        """Run a tool of the problem and record it; an error of the tool is its result, as text."""
        self.work.meter.charge_tool()
        result = tool(name)(argument)
        self.work.trace.add("used", {"tool": name, "argument": argument, "result": result}, parent)
        return result

    # -- what is noted ------------------------------------------------------------------------------------------------

    def measure(self, signal: Signal, parent: str | None = None) -> Signal:
        """Record a signal and return it."""
        data = {"name": signal.name, "value": signal.value, "source": signal.source, "direction": signal.direction}
        self.work.trace.add("measured", data, parent)
        return signal

    def decide(self, action: Action, reason: str, /, **data: Any) -> Decision:
        """Record a decision and its reason, and return it."""
        decision = Decision(action, reason, data)
        self.work.trace.add("decided", {"action": action, "reason": reason, **data}, None)
        return decision

    def answer(
        self,
        value: str | None,
        confidence: float | None = None,
        source: Source = "none",
        *,
        reason: str = "",
        signals: Sequence[Signal] = (),
        abstain: bool = False,
    ) -> Answer:
        """The answer so far, with what it cost. A value of None, or `abstain`, is an abstention.

        The latest one is remembered: it is what comes back if the budget ends later.
        """
        outcome: Outcome = "abstained" if value is None or abstain else "answered"
        if confidence is None:
            source = "none"
        if value is None and not reason:
            reason = "no attempt gave an answer"
        work = self.work
        cost = replace(work.meter.spent, seconds=round(time.monotonic() - work.meter.started, 6))
        work.best = Answer(
            work.problem.id, value, confidence, source, outcome, None, reason, work.meter.exhausted, tuple(signals),
            cost, work.trace.id,
        )  # fmt: skip
        return work.best


class _Roles(Mapping[str, Mind]):
    def __init__(self, mind: Mind) -> None:
        self._mind = mind

    def __getitem__(self, role: str) -> Mind:
        return Mind(self._mind.roster, self._mind.work, role)

    def __iter__(self) -> Any:
        return iter(self._mind.roster)

    def __len__(self) -> int:
        return len(self._mind.roster)


def prompt_text(prompt: Prompt) -> str:
    """The prompt as a person would read it."""
    said = "\n".join(f"[{m.role}] {m.content}" for m in prompt.messages) or prompt.text
    return said + (f"\n[prefix] {prompt.prefix}" if prompt.prefix else "")


def _joined(a: tuple[T, ...] | None, b: tuple[T, ...] | None) -> tuple[T, ...] | None:
    return None if a is None or b is None else a + b
