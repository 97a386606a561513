"""`nosce.wrap(client)`: the same client, the same calls, each response with `.metacognition`."""

from __future__ import annotations

import asyncio
import concurrent.futures
import inspect
import secrets
import threading
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar

from nosce.core.errors import InputError
from nosce.core.streams import fingerprint
from nosce.evidence.calibration import Calibration
from nosce.evidence.calibration_file import Kept, named, read_calibration
from nosce.evidence.policy import AS_ASKED
from nosce.models.base import Model
from nosce.serve import answering
from nosce.serve.caller import Abilities, Ask, Caller, Rejected
from nosce.serve.config import Limits
from nosce.serve.deciding import check
from nosce.serve.settings import Settings, budget, read

T = TypeVar("T")


def wrap(
    client: T, *, strategy: str = "auto", risk: float | None = None, budget: str | Mapping[str, float] | None = None,
    policy: str | Path | Kept | None = None, strong: str | None = None, ask: bool = False, **options: Any,
) -> T:  # fmt: skip
    """The client, with metacognition: `client.chat.completions.create(...)` thinks by `strategy` and says how sure it is.

    client: `openai.OpenAI` or `openai.AsyncOpenAI` (or anything of that shape); it is not changed, and everything but
    `chat.completions.create` and `.parse` goes straight to it, streams and raw responses too. risk: at most this share of
    the answered wrong, which needs a `policy`: the file that `nosce serve calibrate` wrote for auto, or `nosce calibrate` for
    another strategy; without one answers are uncalibrated, nothing is promised, and each says so. budget: per call, as
    `tokens=4000,calls=8`. strong: the name of a stronger model at the same server, for what stays doubtful. A single call can
    say otherwise with `extra_body={"metacognition": {...}}`. Raises InputError for settings that cannot work, before
    anything is sent.

    Each response has `.metacognition`: confidence, source, calibrated, outcome, reason, cost, signals, trace_id. An
    abstention has `message.content` None and says why in `message.refusal`.
    """
    if not hasattr(getattr(getattr(client, "chat", None), "completions", None), "create"):
        raise InputError(f"{type(client).__name__} has no chat.completions.create; give an openai.OpenAI or AsyncOpenAI")
    held = read_calibration(Path(policy)) if isinstance(policy, str | Path) else policy
    spent = None if budget is None else budget if isinstance(budget, str) else dict(budget)
    settings = read({"strategy": strategy, "ask": ask, "options": options}, risk=risk, budget=spent)
    answering.served(strategy)
    if isinstance(held, Calibration):
        check(held, named(held.spec)[0], "", AS_ASKED, strategy)
    return _Wrapped(client, _Thinking(client, settings, held, strong))  # type: ignore[return-value]  # it stands in for it


class _Through:
    """Stands in for an object: what it does not have itself comes from there."""

    def __init__(self, inside: Any) -> None:
        object.__setattr__(self, "_inside", inside)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inside, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._inside, name, value)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *dir(self._inside)})

    def __repr__(self) -> str:
        return f"nosce.wrap({self._inside!r})"


class _Wrapped(_Through):
    """A client whose chat completions think."""

    def __init__(self, client: Any, thinking: _Thinking) -> None:
        super().__init__(client)
        object.__setattr__(self, "_thinking", thinking)

    @property  # type: ignore[misc]  # so that isinstance(wrapped, OpenAI) holds
    def __class__(self) -> Any:
        return type(self._inside)

    @property
    def chat(self) -> Any:
        """The chat resource."""
        completions = _Completions(self._inside.chat.completions, self._thinking)
        return _Overlaid(self._inside.chat, completions=completions)

    def with_options(self, **options: Any) -> Any:
        """The same client with other options, wrapped too."""
        other = self._inside.with_options(**options)
        return _Wrapped(other, self._thinking.on(other))

    copy = with_options

    def __enter__(self) -> Any:
        self._inside.__enter__()
        return self

    def __exit__(self, *raised: Any) -> Any:
        return self._inside.__exit__(*raised)

    async def __aenter__(self) -> Any:
        await self._inside.__aenter__()
        return self

    async def __aexit__(self, *raised: Any) -> Any:
        return await self._inside.__aexit__(*raised)


class _Overlaid(_Through):
    """An object with some attributes in other hands."""

    def __init__(self, inside: Any, **over: Any) -> None:
        super().__init__(inside)
        object.__setattr__(self, "__dict__", {**self.__dict__, **over})


class _Completions(_Through):
    """`create` and `parse`, thinking."""

    def __init__(self, inside: Any, thinking: _Thinking) -> None:
        super().__init__(inside)
        object.__setattr__(self, "_thinking", thinking)

    def create(self, **request: Any) -> Any:
        """A chat completion; a stream goes straight through."""
        if request.get("stream"):
            return self._inside.create(**request)
        return self._thinking.create(self._inside, request)

    def parse(self, **request: Any) -> Any:
        """A chat completion whose content is parsed as the client's own `parse` does."""
        return self._thinking.parse(self._inside, request)


@dataclass
class _Thinking:
    """What all calls of one wrapped client share."""

    client: Any
    settings: Settings
    policy: Kept | None
    strong: str | None
    abilities: dict[str, Abilities] = field(default_factory=dict)

    def on(self, client: Any) -> _Thinking:
        """The same for another client to the same server."""
        return _Thinking(client, self.settings, self.policy, self.strong, self.abilities)

    @cached_property
    def waits(self) -> bool:
        """Whether the client is an asynchronous one."""
        return inspect.iscoroutinefunction(inspect.unwrap(self.client.chat.completions.create))

    def create(self, completions: Any, request: dict[str, Any]) -> Any:
        """The response with its metacognition: awaited where the client is asynchronous."""
        work = self._created(completions, request)
        return work if self.waits else _loop().run(work)

    def parse(self, completions: Any, request: dict[str, Any]) -> Any:
        """The parsed response: what is drawn is drawn with the client's own `parse` form of the request."""
        from openai.lib._parsing import parse_chat_completion, type_to_response_format_param, validate_input_tools

        wanted = request.get("response_format")
        tools = validate_input_tools(request["tools"]) if request.get("tools") else request.get("tools")
        plain = {**request, "response_format": type_to_response_format_param(wanted)} if wanted is not None else dict(request)

        async def parsed() -> Any:
            made = await self._created(completions, plain)
            left_out: Any = _left_out()
            read_ = parse_chat_completion(
                response_format=left_out if wanted is None else wanted, chat_completion=made,
                input_tools=left_out if tools is None else tools,
            )  # fmt: skip
            return _told(read_, made.metacognition)

        return parsed() if self.waits else _loop().run(parsed())

    async def _created(self, completions: Any, request: dict[str, Any]) -> Any:
        from openai.types.chat import ChatCompletion

        body, extra = _split(request)
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
            result = await answering.answered(roster, body, settings, trace_id=trace_id, budget=allowed, policy=self.policy)
        except Rejected as error:
            raise error.cause or error from None
        made = ChatCompletion.construct(**answering.completion(result, str(body.get("model", ""))))
        return _told(made, result.metacognition)

    def _caller(self, completions: Any, body: Mapping[str, Any], extra: Mapping[str, Any], model: str) -> Caller:
        seen = self.abilities.setdefault(model, Abilities())
        version = fingerprint(model, str(getattr(self.client, "base_url", "")), size=8)
        return Caller(self._ask(completions, extra), body, spec=f"openai:{model}", version=version, abilities=seen)

    def _ask(self, completions: Any, extra: Mapping[str, Any]) -> Ask:
        async def ask(body: dict[str, Any]) -> dict[str, Any]:
            import openai

            known, more = _known(completions.create, body)
            try:
                request = {**known, **extra, **({"extra_body": more} if more else {})}
                made = completions.create(**request) if self.waits else asyncio.to_thread(completions.create, **request)
                return dict((await made).model_dump(exclude_unset=True))
            except openai.APIStatusError as error:
                raise Rejected(error.status_code, str(error), error) from None
            except openai.OpenAIError as error:
                raise Rejected(0, str(error), error) from None

        return ask


_EXTRA = ("extra_headers", "extra_query", "timeout")


def _left_out() -> Any:
    """What the installed openai package takes for an argument that is not given."""
    import openai

    return getattr(openai, "omit", openai.NOT_GIVEN)


def _split(request: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """(the body, what is no part of it), with what was left out left out and pydantic objects as plain data."""
    from openai import NotGiven, Omit

    given = {name: value for name, value in request.items() if not isinstance(value, NotGiven | Omit)}
    extra = {name: given.pop(name) for name in _EXTRA if name in given}
    body = {**given, **dict(given.pop("extra_body", None) or {})}
    body.pop("extra_body", None)
    return {name: _plain(value) for name, value in body.items() if value is not None or name == "stop"}, extra


def _plain(value: Any) -> Any:
    if hasattr(value, "model_dump"):
        return value.model_dump(exclude_unset=True)
    if isinstance(value, Mapping):
        return {k: _plain(v) for k, v in value.items()}
    return [_plain(v) for v in value] if isinstance(value, list | tuple) else value


def _known(create: Any, body: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The body as keywords that `create` has, and the rest for `extra_body`."""
    names = _names(inspect.unwrap(create))
    return {n: v for n, v in body.items() if n in names}, {n: v for n, v in body.items() if n not in names}


def _names(create: Any) -> frozenset[str]:
    return frozenset(inspect.signature(create).parameters)


def _told(response: Any, metacognition: Any) -> Any:
    said = metacognition if isinstance(metacognition, SimpleNamespace) else SimpleNamespace(**metacognition)
    object.__setattr__(response, "metacognition", said)
    return response


class _Loop:
    """An event loop in a thread of its own, for clients that do not wait: it works inside a notebook's running loop too."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._loop.set_default_executor(concurrent.futures.ThreadPoolExecutor(32, thread_name_prefix="nosce-call"))
        threading.Thread(target=self._loop.run_forever, name="nosce-wrap", daemon=True).start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """The work's result; an interrupt cancels the work."""
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise


_LOOP: list[_Loop] = []
_MAKING = threading.Lock()


def _loop() -> _Loop:
    with _MAKING:
        if not _LOOP:
            _LOOP.append(_Loop())
        return _LOOP[0]
