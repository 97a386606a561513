"""Where a training run stands, as its stages see it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from nosce.core.answer import Answer
from nosce.core.attempt import Attempt
from nosce.core.errors import BudgetExhausted, InputError, ModelError, OutOfScope
from nosce.core.problem import Problem
from nosce.core.streams import stream_key
from nosce.core.trace import Event
from nosce.learn.rollout import Rollout, Turn
from nosce.mind.engine import Engine as Minds
from nosce.mind.engine import best_so_far
from nosce.mind.mind import Mind
from nosce.mind.sampler import Sampler
from nosce.models.base import Model, Request, Sample

if TYPE_CHECKING:
    from nosce.learn.engine import Engine
    from nosce.learn.recipe import Settings

Strategy = Callable[[Problem, Mind], Awaitable[Answer]]


class Recorder(Sampler):
    """Samples, and keeps every draw of the model in training with the very tokens it read."""

    def __init__(self, engine: Engine) -> None:
        super().__init__()
        self.engine = engine
        self.seen: dict[tuple[str, int], tuple[tuple[int, ...], Request, Sample]] = {}

    async def sample(self, model: Model, request: Request) -> list[Sample]:
        """n samples in the order of the request's keys. InputError for a nucleus: its draws have no ratio."""
        if model is self.engine.model and request.top_p < 1:
            raise InputError(f"top_p={request.top_p} in training: a cut distribution has no importance ratio; leave it at 1")
        samples = await super().sample(model, request)
        if model is self.engine.model:
            ids = tuple(self.engine.encode(request.prompt))
            for key, sample in zip(request.keys, samples, strict=True):
                self.seen[request.prompt.key, key] = (ids, request, sample)
        return samples

    def turn(self, event: Event) -> Turn | None:
        """The turn of one `sampled` event of a trace; None when another model spoke or nothing was said."""
        data = event.data
        found = self.seen.get((data["prompt"], data["key"]))
        if found is None or not found[2].token_ids:
            return None
        ids, request, sample = found
        bias = tuple(sorted((self.engine.token(text), value) for text, value in request.bias.items()))
        return Turn(
            ids, sample.token_ids, True, request.temperature, bias, sample.logprobs or (), sample.entropies or (),
            data["role"], data["act"], sample.text, data.get("answer"), sample.finish, event.node, event.parent,
        )  # fmt: skip


@dataclass(slots=True)
class Context:
    """What a stage may look at.

    engine: the model in training; problems: those to learn from; step: number of the current one, from 0; steps: how many there
    will be; state: plain data that recipes keep between steps, saved with every checkpoint; roster: other roles' models.
    """

    engine: Engine
    problems: Sequence[Problem]
    settings: Settings
    seed: int = 0
    step: int = 0
    steps: int = 1
    state: dict[str, Any] = field(default_factory=dict)
    roster: Mapping[str, Model] = field(default_factory=dict)
    recorder: Recorder = field(init=False)

    def __post_init__(self) -> None:
        self.recorder = Recorder(self.engine)

    def rng(self, what: str) -> np.random.Generator:
        """A generator that depends on the seed, the step and a name alone, so that a resumed run draws the same."""
        return np.random.default_rng(stream_key(self.seed, self.step, what))

    def mind(self, problem: Problem, index: int = 0) -> Mind:
        """A fresh mind on a problem, with draws of its own for this step and index."""
        roster = {**self.roster, "main": self.engine.model}
        seed = stream_key(self.seed, self.step, index)
        return Minds(roster, sampler=self.recorder, seed=seed, temperature=self.settings.temperature).mind(problem)

    async def play(self, strategy: Strategy, problem: Problem, index: int = 0) -> Rollout:
        """One whole run of a strategy as a rollout; every draw it makes is a turn, whatever its role."""
        mind = self.mind(problem, index)
        try:
            answer = await strategy(problem, mind)
        except (BudgetExhausted, ModelError, OutOfScope) as error:
            answer = best_so_far(mind, str(error))
        events = list(mind.work.trace.of("sampled"))
        value = answer.value if answer.outcome == "answered" else None
        return self.rollout(mind, events, value, answer.confidence, index)

    def attempts(self, mind: Mind, attempts: Sequence[Attempt], first: int = 0) -> list[Rollout]:
        """Each attempt as a rollout of its own: the draws that led to it, along its parents."""
        events = {event.node: event for event in mind.work.trace.events}
        made = []
        for index, attempt in enumerate(attempts, first):
            line: list[Event] = []
            node: str | None = attempt.id
            while node is not None:
                if events[node].kind == "sampled":
                    line.append(events[node])
                node = events[node].parent
            made.append(self.rollout(mind, line[::-1], attempt.answer, None, index))
        return made

    def rollout(
        self, mind: Mind, events: Sequence[Event], answer: str | None, confidence: float | None = None, index: int = 0
    ) -> Rollout:
        """A rollout from the sampled events of a mind's trace, checked where there is something to check against."""
        problem = mind.work.problem
        turns = [turn for event in events if (turn := self.recorder.turn(event)) is not None]
        outcome = problem.check(answer) if problem.graded else None
        return Rollout(problem, turns, answer, confidence, outcome, index=index, trace=mind.work.trace)

    def forget(self) -> None:
        """Drop the record of draws: the step is over."""
        self.recorder.seen.clear()
