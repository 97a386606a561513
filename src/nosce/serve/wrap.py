"""`nosce.wrap(client)`: the same client, the same calls, each response with `.metacognition`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from nosce.core.errors import InputError
from nosce.evidence.calibration import Calibration
from nosce.evidence.calibration_file import Kept, named, read_calibration
from nosce.evidence.policy import AS_ASKED
from nosce.serve.deciding import check
from nosce.serve.in_process import Thinking
from nosce.serve.servable import served
from nosce.serve.settings import read
from nosce.serve.standing_in import Overlaid, Through

T = TypeVar("T")


def wrap(
    client: T, *, strategy: str = "auto", risk: float | None = None, budget: str | Mapping[str, float] | None = None,
    policy: str | Path | Kept | None = None, strong: str | None = None, ask: bool = False, **options: Any,
) -> T:  # fmt: skip
    """The client, with metacognition: `client.chat.completions.create(...)` thinks by `strategy` and says how sure it is.

    client: `openai.OpenAI` or `openai.AsyncOpenAI` (or anything of that shape); it is not changed, and everything but
    `chat.completions.create` and `.parse` goes straight to it, raw responses too. risk: at most this share of
    the answered wrong, which needs a `policy`: the file that `nosce serve calibrate` wrote for auto, or `nosce calibrate` for
    another strategy; without one answers are uncalibrated, nothing is promised, and each says so. budget: per call, as
    `tokens=4000,calls=8`. strong: the name of a stronger model at the same server, for what stays doubtful. A single call can
    say otherwise with `extra_body={"metacognition": {...}}`. Raises InputError for settings that cannot work, before
    anything is sent.

    Each response has `.metacognition`: confidence, source, calibrated, outcome, reason, cost, signals, trace_id. An
    abstention has `message.content` None and says why in `message.refusal`. A stream (`stream=True`) begins when the answer
    stands, since until then it may be withheld; the stream and its last chunk have `.metacognition`.
    """
    if not hasattr(getattr(getattr(client, "chat", None), "completions", None), "create"):
        raise InputError(f"{type(client).__name__} has no chat.completions.create; give an openai.OpenAI or AsyncOpenAI")
    held = read_calibration(Path(policy)) if isinstance(policy, str | Path) else policy
    spent = None if budget is None else budget if isinstance(budget, str) else dict(budget)
    settings = read({"strategy": strategy, "ask": ask, "options": options}, risk=risk, budget=spent)
    served(strategy)
    if isinstance(held, Calibration):
        check(held, named(held.spec)[0], "", AS_ASKED, strategy)
    return _Wrapped(client, Thinking(client, settings, held, strong))  # type: ignore[return-value]  # it stands in for it


class _Wrapped(Through):
    """A client whose chat completions think."""

    def __init__(self, client: Any, thinking: Thinking) -> None:
        super().__init__(client)
        object.__setattr__(self, "_thinking", thinking)

    @property  # type: ignore[misc]  # so that isinstance(wrapped, OpenAI) holds
    def __class__(self) -> Any:
        return type(self._inside)

    @property
    def chat(self) -> Any:
        """The chat resource."""
        completions = _Completions(self._inside.chat.completions, self._thinking)
        return Overlaid(self._inside.chat, completions=completions)

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


class _Completions(Through):
    """`create` and `parse`, thinking."""

    def __init__(self, inside: Any, thinking: Thinking) -> None:
        super().__init__(inside)
        object.__setattr__(self, "_thinking", thinking)

    def create(self, **request: Any) -> Any:
        """A chat completion, or the stream of one: it begins when the answer stands."""
        return self._thinking.create(self._inside, request)

    def parse(self, **request: Any) -> Any:
        """A chat completion whose content is parsed as the client's own `parse` does."""
        return self._thinking.parse(self._inside, request)
