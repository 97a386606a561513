"""One OpenAI-compatible server: calls that end in bounded time, with their own retries, and no secret in any error."""

from __future__ import annotations

import asyncio
import email.utils
import json
import os
import random
import re
import time
from dataclasses import dataclass, field
from typing import Any

from nosce.core.errors import InputError, ModelError
from nosce.models._http import BodyTooLarge, bounded_client, http_library

KEY_VARIABLES = ("NOSCE_API_KEY", "OPENAI_API_KEY")
RETRIED = frozenset({408, 409, 425, 429})
SECRET = re.compile(r"\b(?:sk|pk|key|Bearer)[-_ ][A-Za-z0-9*_.\-]{6,}")


class Refused(ModelError):
    """The server answered with an error that another try would not change; `status` is its HTTP code."""

    def __init__(self, reason: str, status: int) -> None:
        super().__init__(reason)
        self.status = status


class Unreachable(ModelError):
    """No answer came at all."""


class _Again(Exception):
    """This try failed in a way that another may not; `wait` is what the server asked for, in seconds."""

    def __init__(self, reason: str, wait: float | None = None, kind: type[ModelError] = ModelError) -> None:
        super().__init__(reason)
        self.wait, self.kind = wait, kind


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to try.

    timeout: seconds for one try; deadline: seconds for a call with all its tries and waits (the wait for a free slot
    is not counted: every slot is freed within a deadline). The wait before try k is uniform in
    [0, min(cap, base · 2^k)], and never shorter than the server's Retry-After.
    """

    timeout: float = 60.0
    deadline: float = 180.0
    retries: int = 5
    base: float = 0.5
    cap: float = 20.0

    def __post_init__(self) -> None:
        for name in ("timeout", "deadline", "base", "cap"):
            if not 0 < getattr(self, name) < float("inf"):
                raise InputError(f"{name}={getattr(self, name)}: expected a positive number of seconds")
        if self.retries < 0:
            raise InputError(f"retries={self.retries}: expected 0 or more")

    def wait(self, tried: int, asked: float | None) -> float:
        """Seconds before the next try after `tried` failures."""
        return max(random.uniform(0, min(self.cap, self.base * 2**tried)), asked or 0.0)


@dataclass(slots=True)
class Endpoint:
    """A server's base URL with the means to call it.

    `key` is read from NOSCE_API_KEY or OPENAI_API_KEY when it is None; it appears in no repr, error or log.
    Raises ModelError with a one-line reason (Refused where the server refused for good).
    """

    url: str
    key: str | None = field(default=None, repr=False)
    patience: Patience = Patience()
    concurrency: int = 8
    headers: dict[str, str] = field(default_factory=dict, repr=False)
    retried: int = 0
    _client: Any = field(default=None, init=False, repr=False)
    _loop: asyncio.AbstractEventLoop | None = field(default=None, init=False, repr=False)
    _slots: asyncio.Semaphore | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        if not re.match(r"https?://[^/\s]+", self.url):
            raise InputError(f"{self.url!r} is not a server's address; expected e.g. http://127.0.0.1:8080/v1")
        if self.concurrency < 1:
            raise InputError(f"concurrency={self.concurrency}: expected 1 or more")
        scheme, _, rest = self.url.rstrip("/").partition("://")
        self.url = f"{scheme}://{rest}" if "/" in rest else f"{scheme}://{rest}/v1"
        if self.key is None:
            self.key = next((value for name in KEY_VARIABLES if (value := os.environ.get(name))), None)

    @property
    def shown(self) -> str:
        """The address without credentials or query."""
        return re.sub(r"//[^/@]*@", "//", self.url).partition("?")[0]

    def redact(self, text: str) -> str:
        """The text on one line of at most 240 characters, without keys and credentials."""
        secrets = [self.key, self.url.partition("://")[2].rpartition("@")[0], *self.headers.values()]
        for secret in secrets:
            if secret and len(secret) > 3:
                text = text.replace(secret, "[hidden]")
        return SECRET.sub("[hidden]", " ".join(text.split()))[:240]

    async def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """The JSON object that the server answers to `body`, after retries."""
        return await self._call("POST", path, body)

    async def get(self, path: str) -> dict[str, Any]:
        """The JSON object at `path`, after retries."""
        return await self._call("GET", path, None)

    async def stream(self, path: str, body: dict[str, Any]) -> str:
        """The raw text of a streamed answer (server-sent events), after retries."""
        return (await self._retrying("POST", path, body))[1]

    async def check(self) -> None:
        """Refuse an unreachable server or a wrong key before a token is spent. Raises InputError."""
        quick = Patience(min(self.patience.timeout, 10), min(self.patience.deadline, 20), 1, self.patience.base)
        probe = Endpoint(self.url, self.key, quick, 1, self.headers)
        try:
            await probe.get("/models")
        except Refused as error:
            if error.status in (401, 403):
                raise InputError(str(error)) from None
        except Unreachable as error:
            raise InputError(str(error)) from None
        except ModelError:
            return  # it is there; some servers cannot list their models
        finally:
            await probe.close()

    async def close(self) -> None:
        """Close the connections."""
        client, self._client = self._client, None
        if client is not None and self._loop is asyncio.get_running_loop():
            await client.close()

    async def _call(self, method: str, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
        return (await self._retrying(method, path, body))[0]

    async def _retrying(self, method: str, path: str, body: dict[str, Any] | None) -> tuple[dict[str, Any], str]:
        async with self._slot():
            ends = time.monotonic() + self.patience.deadline
            for tried in range(self.patience.retries + 1):
                try:
                    return await self._try(method, path, body, ends - time.monotonic())
                except _Again as error:
                    reason, kind, wait = str(error), error.kind, self.patience.wait(tried, error.wait)
                left = ends - time.monotonic()
                if tried == self.patience.retries:
                    raise kind(f"{self.shown}: {reason}; gave up after {tried + 1} tries")
                if wait >= left:
                    raise kind(f"{self.shown}: {reason}; gave up: the next try is {wait:.0f} s away, {left:.0f} s are left")
                self.retried += 1
                await asyncio.sleep(wait)
        raise AssertionError("unreachable")

    async def _try(self, method: str, path: str, body: dict[str, Any] | None, left: float) -> tuple[dict[str, Any], str]:
        import openai

        response_type = http_library().Response
        limit = min(self.patience.timeout, max(left, 0.001))
        try:
            async with asyncio.timeout(limit):
                if method == "GET":
                    response = await self._client.get(path, cast_to=response_type)
                else:
                    response = await self._client.post(path, cast_to=response_type, body=body)
        except (TimeoutError, openai.APITimeoutError):
            raise _Again(f"no whole answer within {limit:.1f} s", None, Unreachable) from None
        except openai.APIStatusError as error:
            raise self._refusal(error) from None
        except (openai.OpenAIError, BodyTooLarge, OSError, RuntimeError, UnicodeError) as error:
            raise _Again(self.redact(self._cause(error)), None, Unreachable) from None
        return self._read(response, streamed=bool(body and body.get("stream")))

    def _read(self, response: Any, streamed: bool) -> tuple[dict[str, Any], str]:
        text = str(response.text)
        if streamed:
            return {}, text
        try:
            data = json.loads(text)
        except (ValueError, RecursionError):
            raise _Again(f"the answer is not JSON ({len(text)} characters)") from None
        if not isinstance(data, dict):
            raise _Again("the answer is not a JSON object")
        if "error" in data and data["error"] and "choices" not in data:
            raise _Again(self.redact(f"the server reports: {data['error']}"))
        return data, text

    def _refusal(self, error: Any) -> Exception:
        status, said = int(error.status_code), self.redact(_message(error))
        if status in (401, 403):
            names = " or ".join(KEY_VARIABLES)
            return Refused(f"{self.shown}: the key was refused ({status}); set {names}", status)
        quota = status == 429 and "insufficient_quota" in said
        if (status in RETRIED or status >= 500) and not quota:
            return _Again(f"the server answers {status}: {said}", _retry_after(error.response.headers))
        return Refused(f"{self.shown}: the server answers {status}: {said}", status)

    def _cause(self, error: BaseException) -> str:
        cause: BaseException = error.__cause__ or error
        if isinstance(cause, BodyTooLarge):
            return str(cause)
        kind = type(cause).__name__
        hint = "; is the server running?" if kind in ("ConnectError", "ConnectionRefusedError") else ""
        return f"the connection failed ({kind}: {cause}){hint}"

    def _slot(self) -> asyncio.Semaphore:
        loop = asyncio.get_running_loop()
        if self._client is None or self._slots is None or self._loop is not loop:
            from openai import AsyncOpenAI

            self._loop, self._slots = loop, asyncio.Semaphore(self.concurrency)
            self._client = AsyncOpenAI(
                api_key=self.key or "none", base_url=self.url, max_retries=0, timeout=self.patience.timeout,
                default_headers={"Accept-Encoding": "identity", **self.headers}, http_client=bounded_client(self.concurrency),
            )  # fmt: skip
        return self._slots


def _message(error: Any) -> str:
    body = error.body
    for name in ("error", "detail"):
        if isinstance(body, dict) and body.get(name):
            body = body[name]
    if isinstance(body, dict):
        code = f" [{body['code']}]" if isinstance(body.get("code"), str) else ""
        return f"{body.get('message', body)}{code}"
    return str(body) if body else "no reason given"


def _retry_after(headers: Any) -> float | None:
    """Seconds from `retry-after-ms` or `retry-after` (a number or an HTTP date), or None."""
    try:
        if milliseconds := headers.get("retry-after-ms"):
            return _seconds(float(milliseconds) / 1000)
        value = headers.get("retry-after") or ""
        if re.fullmatch(r"\s*[\d.]+\s*", value):
            return _seconds(float(value))
        return _seconds(email.utils.parsedate_to_datetime(value).timestamp() - time.time()) if value else None
    except (ValueError, OverflowError, TypeError):
        return None


def _seconds(value: float) -> float | None:
    return max(0.0, value) if value < 1e9 else None
