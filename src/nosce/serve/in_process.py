"""The calls of a wrapped client, carried out in the user's own process."""

from __future__ import annotations

import asyncio
import inspect
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import SimpleNamespace
from typing import Any

from nosce.core.errors import InputError
from nosce.core.streams import fingerprint
from nosce.evidence.calibration_file import Kept
from nosce.evidence.policy import AS_ASKED
from nosce.models.base import Model
from nosce.serve import chunks
from nosce.serve.answering import answered
from nosce.serve.caller import Abilities, Ask, Caller, Rejected
from nosce.serve.config import Limits
from nosce.serve.deciding import check
from nosce.serve.keywords import known, left_out, split
from nosce.serve.replying import completion
from nosce.serve.settings import Settings, budget, read
from nosce.serve.streamed import AsyncStream, Stream
from nosce.serve.waiting import loop


@dataclass
class Thinking:
    """What all calls of one wrapped client share."""

    client: Any
    settings: Settings
    policy: Kept | None
    strong: str | None
    abilities: dict[str, Abilities] = field(default_factory=dict)

    def on(self, client: Any) -> Thinking:
        """The same for another client to the same server."""
        return Thinking(client, self.settings, self.policy, self.strong, self.abilities)

    @cached_property
    def waits(self) -> bool:
        """Whether the client is an asynchronous one."""
        return inspect.iscoroutinefunction(inspect.unwrap(self.client.chat.completions.create))

    def create(self, completions: Any, request: dict[str, Any]) -> Any:
        """The response with its metacognition: awaited where the client is asynchronous."""
        work = self._streamed(completions, request) if request.get("stream") is True else self._created(completions, request)
        return work if self.waits else loop().run(work)

    async def _streamed(self, completions: Any, request: dict[str, Any]) -> Any:
        from openai.types.chat import ChatCompletionChunk

        whole, said = await self._thought(completions, request)
        pieces = [ChatCompletionChunk.construct(**piece) for piece in chunks.chat(whole, chunks.with_usage(request))]
        for piece in pieces:
            if hasattr(piece, "metacognition"):
                _told(piece, said)
        return (AsyncStream if self.waits else Stream)(pieces, said)

    def parse(self, completions: Any, request: dict[str, Any]) -> Any:
        """The parsed response: what is drawn is drawn with the client's own `parse` form of the request."""
        from openai.lib._parsing import parse_chat_completion, type_to_response_format_param, validate_input_tools

        wanted = request.get("response_format")
        tools = validate_input_tools(request["tools"]) if request.get("tools") else request.get("tools")
        plain = {**request, "response_format": type_to_response_format_param(wanted)} if wanted is not None else dict(request)

        async def parsed() -> Any:
            made = await self._created(completions, plain)
            absent: Any = left_out()
            read_ = parse_chat_completion(
                response_format=absent if wanted is None else wanted, chat_completion=made,
                input_tools=absent if tools is None else tools,
            )  # fmt: skip
            return _told(read_, made.metacognition)

        return parsed() if self.waits else loop().run(parsed())

    async def _created(self, completions: Any, request: dict[str, Any]) -> Any:
        from openai.types.chat import ChatCompletion

        whole, said = await self._thought(completions, request)
        return _told(ChatCompletion.construct(**whole), said)

    async def _thought(self, completions: Any, request: dict[str, Any]) -> tuple[dict[str, Any], SimpleNamespace]:
        """(the completion, its metacognition)."""
        body, extra = split(request)
        said = body.pop("metacognition", None) or {}
        if not isinstance(said, dict):
            raise InputError(f"metacognition: expected an object, got {type(said).__name__}")
        settings = read({**self.settings.model_dump(), **said})
        trace_id = secrets.token_hex(12)
        allowed = budget(settings, body.get("reasoning_effort"), Limits())
        roster: dict[str, Model] = {"main": self._caller(completions, body, extra, str(body.get("model", "")))}
        if self.strong:
            roster["strong"] = self._caller(completions, {**body, "model": self.strong}, extra, self.strong)
        if self.policy is not None:
            check(self.policy, str(body.get("model", "")), self.strong or "", AS_ASKED)
        try:
            result = await answered(roster, body, settings, trace_id=trace_id, budget=allowed, policy=self.policy)
        except Rejected as error:
            raise error.cause or error from None
        return completion(result, str(body.get("model", ""))), SimpleNamespace(**result.metacognition)

    def _caller(self, completions: Any, body: Mapping[str, Any], extra: Mapping[str, Any], model: str) -> Caller:
        seen = self.abilities.setdefault(model, Abilities())
        version = fingerprint(model, str(getattr(self.client, "base_url", "")), size=8)
        return Caller(self._ask(completions, extra), body, spec=f"openai:{model}", version=version, abilities=seen)

    def _ask(self, completions: Any, extra: Mapping[str, Any]) -> Ask:
        async def ask(body: dict[str, Any]) -> dict[str, Any]:
            import openai

            named_, more = known(completions.create, body)
            try:
                request = {**named_, **extra, **({"extra_body": more} if more else {})}
                made = completions.create(**request) if self.waits else asyncio.to_thread(completions.create, **request)
                return dict((await made).model_dump(exclude_unset=True))
            except openai.APIStatusError as error:
                raise Rejected(error.status_code, str(error), error) from None
            except openai.OpenAIError as error:
                raise Rejected(0, str(error), error) from None

        return ask


def _told(response: Any, said: SimpleNamespace) -> Any:
    object.__setattr__(response, "metacognition", said)
    return response
