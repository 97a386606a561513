"""What a server serves and what it allows: from flags, or from the `[serve]` part of a TOML file."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from nosce.core.errors import InputError, unknown

_NAME = re.compile(r"[A-Za-z0-9][\w.:-]{0,63}")
_SPEC = re.compile(r"openai:(?P<model>.+?)@(?P<url>https?://[^/\s]+\S*)")
LOOPBACK = ("127.0.0.1", "localhost", "::1", "[::1]")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Upstream(_Strict):
    """One model behind the proxy.

    model: `openai:MODEL@URL`, or the name of a bundled model. key_env: the environment variable that holds its key.
    price: dollars per million (prompt, completion) tokens. fallback: aliases tried when this one fails.
    timeout: seconds until a whole answer (between two pieces, for a stream). connections: at once.
    """

    model: str
    key_env: str = ""
    price: tuple[float, float] = (0.0, 0.0)
    fallback: tuple[str, ...] = ()
    timeout: float = Field(600.0, gt=0)
    retries: int = Field(2, ge=0, le=10)
    connections: int = Field(4096, ge=1)
    headers: dict[str, str] = Field(default_factory=dict)

    @property
    def served(self) -> tuple[str, str]:
        """(model, base address) of a server; ("", "") for a bundled model."""
        found = _SPEC.fullmatch(self.model)
        return (found["model"], _based(found["url"])) if found else ("", "")

    @property
    def key(self) -> str:
        """The upstream's own key, from its environment variable."""
        return os.environ.get(self.key_env, "") if self.key_env else ""


class Limits(_Strict):
    """What one caller may do. None leaves a quantity unlimited; a key may carry tighter ones of its own.

    requests: per minute. tokens_per_day, dollars_per_day: summed over all calls. body: bytes of a request. max_tokens: of
    one completion. calls, tokens: the most that one question may spend, whatever budget its caller asks for.
    """

    requests: int | None = Field(None, ge=1)
    tokens_per_day: int | None = Field(None, ge=1)
    dollars_per_day: float | None = Field(None, gt=0)
    body: int = Field(32 << 20, ge=1024)
    max_tokens: int | None = Field(None, ge=1)
    calls: int = Field(32, ge=1)
    tokens: int | None = Field(None, ge=1)


class Memory(_Strict):
    """What may be remembered. Off unless an operator switches it on, for three reasons: a lesson keeps the text of a question
    and an answer; whatever is put before later questions is a way to attack them; and what is remembered goes stale.

    keep_days: how long an approved lesson is recalled and kept. most: lessons beside one question. audit: at most this share of
    all questions is put before an auditor because nothing was answered, or the asker disagreed.
    """

    on: bool = False
    keep_days: float = Field(90.0, gt=0)
    most: int = Field(3, ge=1, le=16)
    audit: float = Field(0.1, ge=0, le=1)


class Config(_Strict):
    """Everything a server needs to know. `strong` is the alias that doubtful questions are passed on to."""

    upstreams: dict[str, tuple[Upstream, ...]]
    strong: str | None = None
    host: str = "127.0.0.1"
    port: int = Field(8710, ge=0, le=65535)
    hosts: tuple[str, ...] = ()
    database: Path = Path("nosce.db")
    policy: Path | None = None
    risk: float | None = Field(None, gt=0, lt=1)
    trace_text: bool = False
    audit: float = Field(0.02, ge=0, le=1)
    keep_days: float = Field(30.0, gt=0)
    memory: Memory = Memory()
    limits: Limits = Limits()

    @model_validator(mode="after")
    def _consistent(self) -> Config:
        if not self.upstreams:
            raise ValueError("no upstream; name one, or use --demo for the bundled model")
        for name, replicas in self.upstreams.items():
            _check_alias(name, replicas, self.upstreams)
        if self.strong is not None and self.strong not in self.upstreams:
            raise ValueError(f"strong = {self.strong!r} is no upstream; known: {', '.join(self.upstreams)}")
        if self.memory.on and not self.trace_text:
            raise ValueError("memory keeps questions and answers: switch on trace_text as well (--trace-text)")
        return self

    @property
    def first(self) -> str:
        """The alias that `nosce/…` models use unless told otherwise."""
        return next(iter(self.upstreams))

    @property
    def address(self) -> str:
        """Where it listens, as it stands in an address."""
        host = self.host.strip("[]")
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    @property
    def local(self) -> bool:
        """Whether only this machine can connect."""
        return self.host in LOOPBACK


def _check_alias(name: str, replicas: tuple[Upstream, ...], known: dict[str, tuple[Upstream, ...]]) -> None:
    from nosce.models.load import BUNDLED

    if not _NAME.fullmatch(name) or name == "nosce":
        raise ValueError(f"upstream {name!r}: a name is letters, digits and .:_- and not `nosce`")
    for upstream in replicas:
        if upstream.model not in BUNDLED and not upstream.served[0]:
            raise ValueError(
                f"upstream {name}: {upstream.model!r} is none; write openai:MODEL@URL, e.g. openai:m@http://127.0.0.1:8080/v1"
            )
        if strange := [alias for alias in upstream.fallback if alias not in known]:
            raise ValueError(f"upstream {name}: fallback {strange[0]!r} is no upstream; known: {', '.join(known)}")
        if upstream.key_env and not os.environ.get(upstream.key_env):
            raise ValueError(f"upstream {name}: the environment has no {upstream.key_env}; set it to the upstream's key")


def _based(url: str) -> str:
    scheme, _, rest = url.rstrip("/").partition("://")
    return f"{scheme}://{rest}" if "/" in rest else f"{scheme}://{rest}/v1"


def upstream_flag(text: str) -> tuple[str, Upstream]:
    """`NAME=openai:MODEL@URL` as a name and an upstream. Raises InputError for anything else."""
    name, equals, spec = text.partition("=")
    if not equals or not name.strip() or not spec.strip():
        raise InputError(f"--upstream {text!r}: expected NAME=openai:MODEL@URL, e.g. small=openai:llama-3@http://127.0.0.1:8080/v1")
    return name.strip(), Upstream(model=spec.strip(), key_env=_usual_key())


def _usual_key() -> str:
    return next((name for name in ("NOSCE_API_KEY", "OPENAI_API_KEY") if os.environ.get(name)), "")


def configure(path: Path | None = None, upstreams: tuple[str, ...] = (), demo: bool = False, **given: Any) -> Config:
    """The configuration of a file, with flags over it. The same upstream name given twice is two replicas; `demo` adds
    the bundled model, under its name.

    Raises InputError naming file, field and what was expected.
    """
    data = _section(path) if path else {}
    data["upstreams"] = {name: _replicas(name, value) for name, value in dict(data.get("upstreams") or {}).items()}
    named: dict[str, list[Any]] = {}
    for text in upstreams:
        name, upstream = upstream_flag(text)
        named.setdefault(name, []).append(upstream)
    data["upstreams"] |= named | ({"socrates": [Upstream(model="socrates")]} if demo else {})
    data |= {name: value for name, value in given.items() if value is not None}
    try:
        return Config.model_validate(data)
    except ValidationError as error:
        raise InputError(f"{path or 'nosce serve'}: {_first(error)}") from None


def _replicas(name: str, value: Any) -> Any:
    return value if isinstance(value, list) else [value]


def _section(path: Path) -> dict[str, Any]:
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"--config {path}: {error.strerror or error}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"--config {path}: not TOML: {error}") from None
    section = data.get("serve", {})
    if not isinstance(section, dict):
        raise InputError(f"--config {path}: expected a section [serve]")
    return dict(section)


def _first(error: ValidationError) -> str:
    fault = error.errors()[0]
    if fault["type"] == "extra_forbidden":
        return str(unknown("field", str(fault["loc"][-1]), _fields(fault["loc"])))
    where = ".".join(str(part) for part in fault["loc"])
    return f"{where}: {fault['msg']}" if where else str(fault["msg"]).removeprefix("Value error, ")


def _fields(where: tuple[int | str, ...]) -> list[str]:
    """The fields that could stand where an unknown one does."""
    sections: dict[str, type[BaseModel]] = {"upstreams": Upstream, "limits": Limits, "memory": Memory}
    section = sections.get(str(where[0]), Config) if len(where) > 1 else Config
    return list(section.model_fields)
