"""The mental acts: what a strategy may ask of a model, whatever its dialect."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from nosce.core.attempt import Attempt
from nosce.core.problem import Problem
from nosce.core.signal import Signal, Source
from nosce.mind.cue import Cue
from nosce.mind.dialects.base import Critique, Dialect, Foresight, Given


class _Sampling(Protocol):
    dialect: Dialect

    async def attempts(self, act: str, problem: Problem, given: Given, *, n: int = 1, **sampling: Any) -> list[Attempt]: ...

    def measure(self, signal: Signal, parent: str | None = None) -> Signal: ...


class Acts:
    """Every act is refused with a CapabilityError by a dialect that does not have it.

    Common keywords of the sampling acts: `n` draws, `temperature`, `max_tokens`, `bias` (token text → logit), `top`.
    """

    async def think(
        self: _Sampling, problem: Problem, *, n: int = 1, notes: Sequence[str] = (), cue: Cue | None = None, **sampling: Any
    ) -> list[Attempt]:
        """Reason in writing, then answer. `notes` are shown beside the question."""
        return await self.attempts("think", problem, Given(notes=notes, cue=cue), n=n, **sampling)

    async def direct(
        self: _Sampling, problem: Problem, *, n: int = 1, notes: Sequence[str] = (), cue: Cue | None = None, **sampling: Any
    ) -> list[Attempt]:
        """Answer at once, without thinking."""
        return await self.attempts("direct", problem, Given(notes=notes, cue=cue), n=n, **sampling)

    async def extend(
        self: _Sampling, problem: Problem, prefix: str, *, parent: Attempt | None = None, n: int = 1, **sampling: Any
    ) -> list[Attempt]:
        """Go on from a prefix of a thought; the attempts' text includes the prefix."""
        return await self.attempts("extend", problem, Given(attempt=parent, prefix=prefix), n=n, **sampling)

    async def revise(
        self: _Sampling, problem: Problem, attempt: Attempt, critique: Critique | None = None, *, n: int = 1,
        notes: Sequence[str] = (), cue: Cue | None = None, **sampling: Any,
    ) -> list[Attempt]:  # fmt: skip
        """Answer again in the light of an attempt and, where given, a critique of it."""
        given = Given(attempt=attempt, critique=critique, notes=notes, cue=cue)
        return await self.attempts("revise", problem, given, n=n, **sampling)

    async def verify(
        self: _Sampling, problem: Problem, attempt: Attempt, *, samples: Sequence[Attempt] = (), n: int = 1, **sampling: Any
    ) -> Signal:
        """P(correct) of an attempt, in [0, 1], higher is surer; the mean over n checks.

        `samples` are other attempts shown beside it. Source: `logprobs` where the model gives them, else `verbal`.
        """
        return await _probability(self, "verify", problem, Given(attempt=attempt, attempts=samples), n, sampling)

    async def rate(self: _Sampling, problem: Problem, attempt: Attempt, *, n: int = 1, **sampling: Any) -> Signal:
        """Stated confidence in an attempt, in [0, 1], higher is surer; the mean over n statements."""
        return await _probability(self, "rate", problem, Given(attempt=attempt), n, sampling)

    async def foresee(self: _Sampling, problem: Problem, **sampling: Any) -> Foresight:
        """Before trying: the probability of solving it and the length of the thought it would take."""
        read = await _read(self, "foresee", problem, Given(), 1, sampling)
        seen = next((r for r in read if r is not None), None)
        self.measure(Signal("foresee", seen.solve if seen else None, "verbal" if seen else "none"))
        return seen or Foresight(0.5, None)

    async def critique(
        self: _Sampling, problem: Problem, attempt: Attempt, *, instruction: str = "", **sampling: Any
    ) -> Critique:
        """The first wrong step of an attempt and why; step None when none is found."""
        given = Given(attempt=attempt, instruction=instruction)
        found: Critique = (await _read(self, "critique", problem, given, 1, sampling))[0]
        return found

    async def judge(self: _Sampling, problem: Problem, options: Sequence[str], *, n: int = 1, **sampling: Any) -> int | None:
        """Index of the best of the options (answers, arguments) by the model's own judgement; None when it is undecided."""
        read = await _read(self, "judge", problem, Given(options=options), n, sampling)
        votes = [r for r in read if r is not None]
        return max(votes, key=votes.count) if votes else None

    async def choose(self: _Sampling, problem: Problem, options: Sequence[str], **sampling: Any) -> str | None:
        """One of the named options (`name: description` each), or None when the reply names none."""
        chosen: str | None = (await _read(self, "choose", problem, Given(options=options), 1, sampling))[0]
        return chosen

    async def write(
        self: _Sampling, act: str, problem: Problem, *, attempts: Sequence[Attempt] = (), attempt: Attempt | None = None,
        notes: Sequence[str] = (), options: Sequence[str] = (), instruction: str = "", n: int = 1, **sampling: Any,
    ) -> list[str]:  # fmt: skip
        """The acts whose result is text: plan, decompose, distil, lessons, propose, argue, ask, recall, use."""
        given = Given(attempt, attempts, None, notes, "", options, instruction)
        return [str(text) for text in await _read(self, act, problem, given, n, sampling)]


async def _read(
    mind: _Sampling, act: str, problem: Problem, given: Given, n: int, sampling: Mapping[str, Any]
) -> list[Any]:
    made = await mind.attempts(act, problem, given, n=n, **sampling)
    return [mind.dialect.read(act, attempt, problem, given) for attempt in made]


async def _probability(
    mind: _Sampling, act: str, problem: Problem, given: Given, n: int, sampling: Mapping[str, Any]
) -> Signal:
    made = await mind.attempts(act, problem, given, n=n, **sampling)
    read = [mind.dialect.read(act, attempt, problem, given) for attempt in made]
    values = [value for value in read if value is not None]
    source: Source = "none" if not values else "logprobs" if made[0].top is not None else "verbal"
    parent = given.attempt.id if given.attempt else None
    return mind.measure(Signal(act, sum(values) / len(values) if values else None, source), parent)
