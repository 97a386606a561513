"""What a caller may say about how to think: `metacognition` in a request, keywords of `nosce.wrap`."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from nosce.core.cost import Budget
from nosce.core.errors import InputError
from nosce.serve.config import Limits

EFFORTS = {"none": 1, "minimal": 1, "low": 2, "medium": 6, "high": 16, "xhigh": 32, "max": 32}
"""Calls that each `reasoning_effort` allows where no budget is given."""

Kind = Literal["exact", "number", "choice", "set", "sequence", "json"]


class Settings(BaseModel):
    """strategy: its name. budget: as `tokens=4000,calls=8`, or an object. risk: at most this share of the answered wrong.

    ask: a question back instead of an abstention. equivalence: when two answers are the same. options: the strategy's own
    parameters. events: what happens on the way as chunks of a chat's stream, not as its comments. upstream: the alias to use.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    strategy: str = Field("auto", max_length=80)
    budget: str | dict[str, float] | None = None
    risk: float | None = Field(None, gt=0, lt=1)
    ask: bool = False
    equivalence: Kind | None = None
    options: dict[str, Any] = Field(default_factory=dict)
    seed: int = 0
    events: bool = False
    upstream: str | None = None

    @field_validator("budget")
    @classmethod
    def _readable(cls, value: str | dict[str, float] | None) -> str | None:
        if value is None:
            return None
        text = value if isinstance(value, str) else ",".join(f"{name}={number:.12g}" for name, number in value.items())
        Budget.parse(text)
        return text


def read(given: dict[str, Any], **over: Any) -> Settings:
    """The settings, `over` laid over them. Raises InputError naming the field and what was expected."""
    try:
        return Settings.model_validate({**given, **{n: v for n, v in over.items() if v is not None}})
    except ValidationError as error:
        fault = error.errors()[0]
        where = ".".join(["metacognition", *(str(part) for part in fault["loc"])])
        raise InputError(f"{where}: {str(fault['msg']).removeprefix('Value error, ')}") from None


def budget(settings: Settings, effort: object, limits: Limits) -> Budget:
    """What one question may spend: the caller's budget, else what its effort allows, clamped to the server's limits."""
    asked = Budget.parse(str(settings.budget)) if settings.budget else Budget(calls=EFFORTS.get(str(effort)))
    calls = min(asked.calls or limits.calls, limits.calls)
    tokens = asked.tokens if limits.tokens is None else min(asked.tokens or limits.tokens, limits.tokens)
    return Budget(tokens, asked.completion_tokens, calls, asked.tool_calls, asked.asks, asked.seconds, asked.money)
