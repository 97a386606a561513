"""Thoughts written token by token through a decode session, with a rule that shapes each next-token distribution.

Everything else stays as it is: budget, trace, journal and draw cache see an ordinary model. Each token is drawn from the
same counter-based stream as in a batch, so a rule that changes nothing gives the very same thought.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from nosce.core.errors import CapabilityError
from nosce.core.registry import NEEDS
from nosce.mind.mind import Mind
from nosce.models.base import DecodeSession, Model, Opens, Prompt, Request, Sample
from nosce.models.socrates import sampling

Floats = NDArray[np.float32]
Shape = Callable[[DecodeSession, Sequence[int]], Floats]
"""Takes the session and the tokens written so far; returns the logits [V] from which the next one is drawn."""
Rule = Callable[[DecodeSession], Shape]
"""Makes the shape for one thought; called once a thought, so that a shape may remember."""


class ShapedModel:
    """A model whose every draw goes through a rule. `name` stands for the rule and its parameters in cache keys."""

    def __init__(self, inner: Model, name: str, rule: Rule) -> None:
        self.inner, self._rule = inner, rule
        self.spec, self.version = inner.spec, f"{inner.version}+{name}"
        self.dialect, self.remote = inner.dialect, inner.remote
        self.context, self.capabilities = inner.context, inner.capabilities

    async def sample(self, request: Request) -> list[Sample]:
        """n thoughts, one after the other. Raises CapabilityError when the model opens no sessions."""
        if not isinstance(self.inner, Opens):
            raise CapabilityError("session", self.spec, NEEDS["session"])
        return [await self._one(self.inner, request, key) for key in request.keys]

    def count(self, prompt: Prompt) -> int:
        """Tokens of the prompt."""
        return self.inner.count(prompt)

    async def close(self) -> None:
        """The inner model is closed by whoever opened it."""

    async def _one(self, model: Opens, request: Request, key: int) -> Sample:
        session = model.session(request.prompt)
        start, stops, shape = len(session.tokens), _stops(session, request.stop), self._rule(session)
        most = min(request.max_tokens, self.context - start)
        stream = np.array([sampling.stream(key)])
        written: list[int] = []
        logprobs: list[float] = []
        entropies: list[float] = []
        while len(written) < most and not (written and written[-1] in stops):
            if written:
                session.step(written[-1])
            plain = sampling.Distribution.of(session.logits[None])
            token = _drawn(shape(session, written), stream, len(written), request)
            logprobs.append(round(float(plain.logprobs(np.array([token]))[0]), 5))
            entropies.append(round(float(plain.entropies()[0]), 5))
            written.append(token)
            await asyncio.sleep(0)
        done = bool(written) and written[-1] in stops
        text = session.decode(written[:-1] if done else written)
        return Sample(
            text, "stop" if done else "length", tuple(written), tuple(logprobs), tuple(entropies), None, start, len(written)
        )


def shaped(mind: Mind, name: str, rule: Rule) -> Mind:
    """The same mind, on the same budget and trace, whose model is shaped by a rule."""
    roster = {**mind.roster, mind.role: ShapedModel(mind.model, name, rule)}
    return Mind(roster, mind.work, mind.role)


def _drawn(logits: Floats, stream: NDArray[np.uint64], step: int, request: Request) -> int:
    weights = sampling.tempered(logits[None], np.array([request.temperature], dtype=np.float32))
    if request.top_p < 1:
        weights = sampling.nucleus(weights, np.array([request.top_p], dtype=np.float32))
    return int(sampling.choose(weights, sampling.uniforms(stream, np.array([step])))[0])


def _stops(session: DecodeSession, texts: Sequence[str]) -> frozenset[int]:
    """Token ids that end a thought: stop texts of a single token, and the session's own end tokens where it names them."""
    single = [ids[0] for text in texts if len(ids := session.encode(text)) == 1]
    return frozenset([*single, *getattr(session, "end_ids", ())])
