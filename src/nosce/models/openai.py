"""`openai:MODEL@URL[#DIALECT]`: any OpenAI-compatible server, used as far as a probe has seen it work."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from nosce.core.errors import CapabilityError, InputError, ModelError
from nosce.core.streams import fingerprint
from nosce.core.together import all_or_none
from nosce.models import _choices, _estimate
from nosce.models._endpoint import Endpoint, Patience, Refused
from nosce.models.base import Capabilities, Prompt, Request, Sample
from nosce.models.socrates_wire import from_wire, to_wire

if TYPE_CHECKING:
    from nosce.models.probe import Probe

T = TypeVar("T")

HOSTED = "https://api.openai.com/v1"
SEEDS = 2**31 - 1
"""Servers take seeds of 31 bits at least; a stream key is folded into them."""

UNFILTERED = {"top_k": 0, "min_p": 0.0}
"""Switches off the filters that some servers put on by themselves, where the probe saw them accepted."""

Prefill = Literal["", "assistant", "continue_final_message", "prefix"]
"""How a chat server is made to go on from a given beginning: it does so when the last turn is the assistant's; with the
flag of vLLM; with the `prefix` mark; or not at all."""


class OpenAIModel:
    """A model behind chat completions; raw `Prompt.text` goes to `/completions`.

    url: the server's base address (`/v1` is added to a bare host). probe: what was seen to work; without one only plain
    chat is trusted. key: defaults to NOSCE_API_KEY or OPENAI_API_KEY. timeout, deadline (seconds), retries: see
    Patience; every call ends within `deadline`. price: dollars per million (prompt, completion) tokens.
    dialect: `chat`, or `socrates` for a served copy of the bundled model. context: tokens the model can read.
    Token counts are the server's; where it gives none they are estimated, `estimated` counts such samples, and
    `capabilities.usage` is False. Each sample carries the whole prompt's count; money is what the call cost, split
    over its samples.
    """

    remote = True

    def __init__(
        self,
        model: str,
        url: str = HOSTED,
        *,
        probe: Probe | None = None,
        key: str | None = None,
        timeout: float = 60.0,
        deadline: float = 180.0,
        retries: int = 5,
        backoff: float = 0.5,
        concurrency: int = 8,
        price: tuple[float, float] | Mapping[str, Sequence[float]] | None = None,
        dialect: str = "chat",
        context: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        patience = Patience(timeout=timeout, deadline=deadline, retries=retries, base=backoff)
        self.model = model
        self.endpoint = Endpoint(url, key, patience, concurrency, dict(headers or {}))
        self.spec = f"openai:{model}@{self.endpoint.shown}" + (f"#{dialect}" if dialect != "chat" else "")
        self.dialect = dialect
        self.price = _price(price, model)
        self.estimated = 0
        self._limit = "max_tokens"
        self._context = context
        self._ratio = 1.0
        self.adopt(probe)

    def __repr__(self) -> str:
        return f"OpenAIModel({self.spec!r})"

    def adopt(self, probe: Probe | None) -> None:
        """Take over what a probe saw (None: only plain chat is trusted)."""
        self.probe = probe
        seen = probe.capabilities if probe else Capabilities(usage=False)
        self.capabilities = replace(seen, most=probe.most if probe else 1)
        self.version = fingerprint(self.spec, probe.server if probe else "", size=8)
        self.context = self._context or (probe.context if probe else 0) or 8192

    async def check(self) -> None:
        """Refuse an unreachable server or a wrong key before a token is spent. Raises InputError."""
        await self.endpoint.check()

    def count(self, prompt: Prompt) -> int:
        """An upper estimate of the prompt's tokens, scaled up by the worst underestimate that the server's counts showed."""
        return int(_estimate.prompt_tokens(prompt) * self._ratio + 0.999)

    async def close(self) -> None:
        """Close the connections."""
        await self.endpoint.close()

    async def sample(self, request: Request) -> list[Sample]:
        """n samples: in one call where the probe saw that work, else one call per key with its own seed.

        Raises CapabilityError before any call for what this server was not seen to do (continuation, bias, raw text),
        ModelError when a call failed after its retries.
        """
        self._able(request)
        at_once = self.probe.most if self.probe and self.capabilities.n else 1
        groups = [request.keys[i : i + at_once] for i in range(0, request.n, at_once)]
        if len(groups) == 1:
            return await self._group(request, groups[0])
        return [sample for samples in await all_or_none([self._group(request, keys) for keys in groups]) for sample in samples]

    async def _group(self, request: Request, keys: tuple[int, ...]) -> list[Sample]:
        """The draws of some keys; a server that gives fewer choices than asked for is asked again for the rest, one by one."""
        samples = (await self._call(request, keys))[: len(keys)]
        for key in keys[len(samples) :]:
            samples += (await self._call(request, (key,)))[:1]
        return samples

    async def score(self, prompt: Prompt, options: Sequence[str]) -> list[float]:
        """Log-probability of each option as continuation of a raw prompt, by echo; only where the probe saw `score`.

        Tokens that straddle the border count as the option's. Raises CapabilityError without the capability, ModelError
        when the server's list is nonsense.
        """
        if not self.capabilities.score or prompt.messages:
            raise CapabilityError("score", self.spec, "socrates or hf:PATH")
        start = self._raw(prompt)
        ends = [to_wire(o) for o in options] if self.dialect.startswith("socrates") else options
        return list(await asyncio.gather(*(self._score(start, option) for option in ends)))

    async def _score(self, start: str, option: str) -> float:
        body = {"model": self.model, "prompt": start + option, "max_tokens": 1, "logprobs": 1, "echo": True, "temperature": 0}
        return self._read(echoed, await self.endpoint.post("/completions", body), start, option)

    async def _call(self, request: Request, keys: tuple[int, ...]) -> list[Sample]:
        path, body = self.body(request, keys)
        try:
            data = await self.endpoint.post(path, body)
        except Refused as error:
            if "max_completion_tokens" not in str(error) or self._limit not in body:
                raise
            self._limit = "max_completion_tokens"  # newer models refuse the older name
            path, body = self.body(request, keys)
            data = await self.endpoint.post(path, body)
        return self._read(self._samples, data, request)

    def _read(self, reader: Callable[..., T], data: dict[str, Any], *args: Any) -> T:
        try:
            return reader(data, *args)
        except (ValueError, TypeError, AttributeError, KeyError) as error:
            raise ModelError(self.endpoint.redact(f"{self.endpoint.shown}: an answer that cannot be read: {error}")) from None

    def body(self, request: Request, keys: tuple[int, ...]) -> tuple[str, dict[str, Any]]:
        """Path and JSON body of the call that draws `keys`."""
        seen, prompt = self.capabilities, request.prompt
        body: dict[str, Any] = {"model": self.model, "temperature": request.temperature, "top_p": request.top_p}
        body |= {self._limit: request.max_tokens}
        body |= UNFILTERED if self.probe and self.probe.saw("unfiltered") else {}
        body |= {"n": len(keys)} if len(keys) > 1 else {}
        body |= {"stop": list(request.stop[:4])} if request.stop and seen.stop else {}
        body |= {"seed": keys[0] % SEEDS} if seen.seed else {}
        if not prompt.messages:
            return "/completions", body | {"prompt": self._raw(prompt)} | self._wanted(request, chat=False)
        return "/chat/completions", body | self._turns(prompt) | self._wanted(request, chat=True)

    def _raw(self, prompt: Prompt) -> str:
        if not self.dialect.startswith("socrates"):
            return prompt.text + prompt.prefix
        try:
            return to_wire(f"{prompt.text} {prompt.prefix}".strip())
        except ValueError as error:
            raise ModelError(str(error)) from None

    def _wanted(self, request: Request, chat: bool) -> dict[str, Any]:
        if not self.capabilities.logprobs:
            return {}
        top = min(request.top, self.capabilities.top)
        return {"logprobs": True, **({"top_logprobs": top} if top else {})} if chat else {"logprobs": max(top, 1)}

    def _turns(self, prompt: Prompt) -> dict[str, Any]:
        turns = [{"role": m.role, "content": m.content} for m in prompt.messages]
        if not prompt.prefix:
            return {"messages": turns}
        return go_on(turns, prompt.prefix, self.probe.prefill if self.probe else "assistant")

    def _able(self, request: Request) -> None:
        seen, probe, prompt = self.capabilities, self.probe, request.prompt
        local = "socrates or hf:PATH"
        if request.bias:
            raise CapabilityError("bias", self.spec, local)
        if request.steer is not None:
            raise CapabilityError("steer", self.spec, local)
        if prompt.messages and prompt.prefix and not (seen.continuation and probe and probe.prefill):
            raise CapabilityError("continuation", self.spec, "socrates, hf:PATH, or a server whose probe saw it")
        if not prompt.messages and probe and not probe.saw("completions"):
            raise CapabilityError("raw text", self.spec, "a server with /v1/completions")

    def _samples(self, data: dict[str, Any], request: Request) -> list[Sample]:
        echo = request.prompt.prefix if self.probe and self.probe.echoes and request.prompt.messages else ""
        choices = _choices.choices_of(data)
        samples = [_choices.sample_of(c, request.stop, request.top, echo) for c in choices]
        if not self.capabilities.logprobs:
            samples = [replace(s, logprobs=None, top=None) for s in samples]
        if self.dialect.startswith("socrates"):
            samples = [replace(s, text=from_wire(s.text)) for s in samples]
        prompt, total = _choices.usage_of(data)
        if len(samples) > 1 and self.probe and not self.probe.counts_all:
            total = None
        lengths = [self._length(s) for s in samples]
        guessed = prompt is None or (total is None and not all(s.logprobs for s in samples))
        self.estimated += len(samples) if guessed else 0
        guess = _estimate.prompt_tokens(request.prompt)
        self._ratio = max(self._ratio, min((prompt or 0) / guess, 4.0))
        prompt = guess if prompt is None else prompt
        parts = lengths if total is None else _choices.shares(total, lengths)
        share = prompt * self.price[0] / len(samples)
        return [
            replace(s, prompt_tokens=prompt, completion_tokens=part, money=(share + part * self.price[1]) / 1e6)
            for s, part in zip(samples, parts, strict=True)
        ]

    @staticmethod
    def _length(sample: Sample) -> int:
        return len(sample.logprobs) if sample.logprobs else _estimate.tokens_of(sample.text)


def go_on(turns: list[dict[str, Any]], prefix: str, how: Prefill) -> dict[str, Any]:
    """The part of a chat request that asks the server to go on from `prefix`."""
    last: dict[str, Any] = {"role": "assistant", "content": prefix, **({"prefix": True} if how == "prefix" else {})}
    flags = {"continue_final_message": True, "add_generation_prompt": False} if how == "continue_final_message" else {}
    return {"messages": [*turns, last], **flags}


def echoed(data: dict[str, Any], start: str, option: str) -> float:
    """Σ log p of the echoed tokens that reach into `option`. Raises ValueError when they are missing or nonsense."""
    tokens, ends, total, seen = _choices.tokens_of(_choices.choices_of(data)[0]), len(start) + len(option), 0.0, 0
    for token in tokens:
        begins, seen = seen, seen + len(token.text)
        if seen > len(start) and begins < ends:
            if token.logprob is None:
                raise ValueError("no log-probabilities of the echoed prompt")
            total += token.logprob
    if seen < ends:
        raise ValueError("the prompt was not echoed")
    return total


def _price(price: tuple[float, float] | Mapping[str, Sequence[float]] | None, model: str) -> tuple[float, float]:
    found = price.get(model, (0.0, 0.0)) if isinstance(price, Mapping) else price or (0.0, 0.0)
    try:
        prompt, completion = (float(p) for p in found)
    except (TypeError, ValueError):
        raise InputError(f"price {found!r}: expected two numbers, dollars per million prompt and completion tokens") from None
    if not (0 <= prompt < float("inf") and 0 <= completion < float("inf")):
        raise InputError(f"price {found!r}: expected two numbers >= 0")
    return prompt, completion
