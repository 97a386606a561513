"""A caller's own chat request as a model: what it asked is drawn as it was asked, everything else is said after its turns."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from nosce.core.errors import ModelError
from nosce.core.together import all_or_none
from nosce.mind.dialects.as_asked import LONGEST
from nosce.models import _choices, _estimate
from nosce.models.base import Capabilities, Prompt, Request, Sample
from nosce.serve.conversation import beside, called, turns

Ask = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]
"""Sends a chat request's body and gives the answer's. Raises Rejected or ModelError."""

_LIMITS = ("max_completion_tokens", "max_tokens")
_OF_ONE_ANSWER = (
    "tools", "tool_choice", "parallel_tool_calls", "functions", "function_call", "response_format", "n", "stop", "logprobs",
    "top_logprobs", "logit_bias", "seed", "temperature", "top_p", "audio", "modalities", "prediction", "store", "verbosity",
    *_LIMITS,
)  # fmt: skip
"""Fields that belong to the answer that was asked for, and to no other act."""

_NEVER = ("stream", "stream_options", "metacognition")
_OWN = ("think", "direct", "revise")
_AT_ONCE = 8
_ROOM_TO_THINK = 4096


class Rejected(ModelError):
    """The server refused the request for good; `status`, `answer` and `wait` (its `retry-after`) are its own."""

    def __init__(self, status: int, answer: bytes | str, cause: BaseException | None = None, wait: str = "") -> None:
        text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
        super().__init__(f"the upstream answers {status}: {' '.join(text.split())[:240]}")
        self.status, self.answer, self.cause, self.wait = status, answer, cause, wait

    @property
    def brief(self) -> str:
        """What may be noted of it: nothing of the answer, which may repeat what was asked."""
        return f"the upstream answers {self.status}"


@dataclass(slots=True)
class Abilities:
    """What a server was seen to do; None until it was tried. Shared by all requests to it.

    Until several choices were seen in one answer, a budget reserves a call for each.
    """

    logprobs: bool | None = None
    n: bool | None = None
    temperature: bool | None = None
    thinks: bool = False


class Caller:
    """One chat request as something that can be sampled. It lives as long as the request.

    `choices` holds the raw choice of every draw by its stream key, `usages` what each call cost by the server's count.
    """

    remote = True
    dialect = "as-asked"

    def __init__(
        self, ask: Ask, body: Mapping[str, Any], *, spec: str, version: str, abilities: Abilities,
        price: tuple[float, float] = (0.0, 0.0), context: int = 1 << 20,
    ) -> None:  # fmt: skip
        self.spec, self.version, self.context, self.price = spec, version, context, price
        self.abilities, self._ask = abilities, ask
        self.body = {name: value for name, value in body.items() if name not in _NEVER}
        self.turns = turns(self.body.get("messages") or [])
        self.longest = next((v for n in _LIMITS if isinstance(v := self.body.get(n), int) and v > 0), LONGEST)
        self.choices: dict[int, dict[str, Any]] = {}
        self.usages: list[dict[str, Any]] = []
        self.first: dict[str, Any] = {}
        self.error: ModelError | None = None
        self.estimated = False
        self.warmth: float | None = None
        self._drawn = 0
        self._learn()

    def _learn(self) -> None:
        """Take over what was seen of the server since."""
        seen = self.abilities
        self.capabilities = Capabilities(
            logprobs=seen.logprobs is not False, top=20, n=seen.n is True, most=_AT_ONCE, seed=True, continuation=False
        )

    async def sample(self, request: Request) -> list[Sample]:
        """The draws of the request's keys; the very first is the caller's request as it came, with no more than `n` added."""
        own, seen = request.prompt.text in _OWN, self.abilities.n
        first = own and self._drawn == 0
        self._drawn += request.n if own else 0
        keys = list(request.keys)
        try:
            if request.n == 1 or seen is False or (first and seen is None):
                rest = keys
                got: list[Sample] = []
            else:
                self.abilities.n = False  # unless it is seen to do it
                got = await self._call(request, keys, first=first)
                self.abilities.n = len(got) == len(keys)
                rest = keys[len(got) :]
            calls = [self._call(request, [key], first=first and not got and i == 0, at=i) for i, key in enumerate(rest)]
            return got + [sample for one in await all_or_none(calls) for sample in one[:1]]
        except ModelError as error:
            self.error = self.error or error
            raise
        finally:
            self._learn()

    def count(self, prompt: Prompt) -> int:
        """An upper estimate of the prompt's tokens."""
        return _estimate.prompt_tokens(prompt)

    async def close(self) -> None:
        """Nothing is held."""

    async def _call(self, request: Request, keys: Sequence[int], *, first: bool, at: int = 0) -> list[Sample]:
        data = await self._asked(request, len(keys), first, at)
        try:
            choices = _choices.choices_of(data)[: len(keys)]
            samples = [_sample(choice, request.top) for choice in choices]
        except (ValueError, TypeError, AttributeError, KeyError) as error:
            raise ModelError(f"{self.spec}: an answer that cannot be read: {error}") from None
        self.first = self.first or data
        self.choices.update(zip(keys, choices, strict=False))
        if request.prompt.text in _OWN and self.abilities.logprobs is None:
            self.abilities.logprobs = any(sample.logprobs for sample in samples)
        return self._priced(request.prompt, samples, data)

    async def _asked(self, request: Request, n: int, first: bool, at: int) -> dict[str, Any]:
        """The server's answer; what was added to the caller's request is left out when the server refuses it."""
        body, added = self.prepared(request, n, first, at)
        try:
            return await self._ask(body)
        except Rejected as error:
            if error.status not in (400, 404, 422) or not added:
                raise
            said = str(error)
            drop = [name for name in added if name in said] or added
            if "max_completion_tokens" in said and "max_tokens" in body:
                body["max_completion_tokens"] = body.pop("max_tokens")
            self._forgo([name for name in drop if name != "max_tokens"])
            return await self._ask({name: value for name, value in body.items() if name not in drop})

    def _forgo(self, names: Sequence[str]) -> None:
        if "logprobs" in names or "top_logprobs" in names:
            self.abilities.logprobs = False
        if "temperature" in names:
            self.abilities.temperature = False

    def prepared(self, request: Request, n: int, first: bool, at: int) -> tuple[dict[str, Any], list[str]]:
        """The body that draws n samples, and the names of the fields that the caller did not send."""
        own = request.prompt.text in _OWN
        kept = self.body if own else {name: v for name, v in self.body.items() if name not in _OF_ONE_ANSWER}
        body = {**kept, "messages": beside(self.body.get("messages") or [], request.prompt.messages, self.turns)}
        body.pop("n", None)
        added = self._limited(body, request, own)
        if n > 1:
            body["n"], added = n, [*added, "n"]
        if own and self.warmth is not None and "temperature" not in body and self.abilities.temperature is not False:
            body["temperature"], added = self.warmth, [*added, "temperature"]
        warm = (not own) or (not first and not self.body.get("temperature", 1))
        if warm and self.abilities.temperature is not False:
            body["temperature"], added = request.temperature, [*added, "temperature"]
        if own and not first and isinstance(self.body.get("seed"), int):
            body["seed"] = (self.body["seed"] + request.keys[0]) % (2**31 - 1)
        if (own or request.top) and self.abilities.logprobs is not False and not body.get("logprobs"):
            body["logprobs"], added = True, [*added, "logprobs"]
        if request.top and body.get("logprobs"):
            body["top_logprobs"], added = request.top, [*added, "top_logprobs"]
        return body, added

    def _limited(self, body: dict[str, Any], request: Request, own: bool) -> list[str]:
        most = request.max_tokens + (0 if own or not self.abilities.thinks else _ROOM_TO_THINK)
        if own and most >= self.longest:
            return []
        name = next((n for n in _LIMITS if n in self.body), "max_tokens")
        body[name] = most
        return [] if name in self.body else [name]

    def _priced(self, prompt: Prompt, samples: list[Sample], data: dict[str, Any]) -> list[Sample]:
        asked, total = _choices.usage_of(data)
        lengths = [len(s.logprobs) if s.logprobs else _estimate.tokens_of(s.text) for s in samples]
        self.estimated = self.estimated or asked is None or total is None
        asked = _estimate.prompt_tokens(prompt) if asked is None else asked
        parts = lengths if total is None else _choices.shares(total, lengths)
        self.usages.append(_usage(data, asked, sum(parts)))
        details = self.usages[-1].get("completion_tokens_details")
        self.abilities.thinks |= isinstance(details, dict) and bool(_choices.count(details.get("reasoning_tokens")))
        share = asked * self.price[0] / max(1, len(samples))
        return [
            replace(s, prompt_tokens=asked, completion_tokens=part, money=(share + part * self.price[1]) / 1e6)
            for s, part in zip(samples, parts, strict=True)
        ]


def _sample(choice: dict[str, Any], top: int) -> Sample:
    message = choice.get("message")
    calls = called(message) if isinstance(message, dict) else ""
    sample = _choices.sample_of(choice, (), top)
    return replace(sample, text=calls) if calls else sample


def _usage(data: Mapping[str, Any], prompt: int, completion: int) -> dict[str, Any]:
    held = data.get("usage")
    kept = dict(held) if isinstance(held, dict) else {}
    return {**kept, "prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
