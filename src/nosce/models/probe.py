"""What an endpoint really does, found out by asking it, and remembered."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from nosce.core.errors import InputError
from nosce.core.streams import fingerprint
from nosce.models.base import Capabilities, Model, as_dict
from nosce.models.openai import OpenAIModel, Prefill

FORMAT = 2
"""Raised when the questions change, so that older probes are not used."""


@dataclass(frozen=True, slots=True)
class Feature:
    """One thing a server may do: whether it was seen, and what was seen."""

    name: str
    seen: bool
    evidence: str


@dataclass(frozen=True, slots=True)
class Probe:
    """What was seen of a model. A feature that was not seen is not trusted, whatever the documentation says.

    top: alternatives per token that came back when 20 (then fewer) were asked for. prefill: how a chat goes on from a
    given beginning, empty when it does not. most: choices it gives in one call; counts_all: whether its completion tokens
    are then those of all choices (some count one alone). echoes: whether it then repeats that beginning. context: tokens the server
    says it reads, 0 when it does not say. server: digest of how the server calls itself. taken: Unix time.
    """

    spec: str
    features: tuple[Feature, ...] = ()
    top: int = 0
    prefill: Prefill = ""
    echoes: bool = False
    most: int = 1
    counts_all: bool = True
    context: int = 0
    server: str = ""
    taken: float = 0.0
    calls: int = 0
    capabilities: Capabilities = field(default_factory=Capabilities)

    def saw(self, name: str) -> bool:
        """Whether the feature was seen."""
        return any(f.name == name and f.seen for f in self.features)

    @property
    def age(self) -> float:
        """Seconds since the probe was taken."""
        return max(0.0, time.time() - self.taken)

    def rows(self) -> list[tuple[str, str, str]]:
        """The features as (name, `seen` or `not seen`, evidence), for a table."""
        return [(f.name, "seen" if f.seen else "not seen", f.evidence) for f in self.features]


async def probe(spec: str, *, fresh: bool = True, **options: Any) -> Probe:
    """Probe the model that `spec` names (about 25 short calls on a server; none on a local model).

    With fresh=False a cached probe is returned where there is one. Raises InputError when the server cannot be reached
    or refuses the key.
    """
    from nosce.models.load import load

    model = load(spec, **options)
    try:
        if not isinstance(model, OpenAIModel):
            return local(model)
        held = None if fresh else cached(model)
        return held or await probe_model(model)
    finally:
        await model.close()


async def probe_model(model: OpenAIModel) -> Probe:
    """Probe a server and keep what was seen. Raises InputError when it cannot be reached or refuses the key."""
    from nosce.models._inquiry import Inquiry

    await model.check()
    seen = await Inquiry(model).run()
    keep(model, seen)
    return seen


def local(model: Model) -> Probe:
    """A local model's own report, in the form of a probe."""
    told = {name: value for name, value in as_dict(model.capabilities).items() if name != "most"}
    features = tuple(Feature(name, bool(value), f"reported by the model: {value}") for name, value in told.items())
    return Probe(
        model.spec, features, top=model.capabilities.top, context=model.context, server=model.version, taken=time.time(),
        capabilities=model.capabilities,
    )  # fmt: skip


def folder() -> Path:
    """Where probes are kept: $NOSCE_CACHE, else $XDG_CACHE_HOME/nosce, else ~/.cache/nosce."""
    if chosen := os.environ.get("NOSCE_CACHE"):
        return Path(chosen) / "probes"
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "nosce" / "probes"


def place(model: OpenAIModel) -> Path:
    """The file of a model's probe; the name is a digest of address, model and the names of extra headers."""
    return folder() / f"{fingerprint(FORMAT, model.spec, sorted(model.endpoint.headers), size=12)}.json"


def keep(model: OpenAIModel, seen: Probe) -> None:
    """Write a probe to the cache; a cache that cannot be written is no error."""
    path = place(model)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(f".{os.getpid()}.tmp")
        draft.write_text(json.dumps(asdict(seen), indent=1), encoding="utf-8")
        draft.replace(path)
    except OSError:
        return


def cached(model: OpenAIModel, most: float = 30 * 86400) -> Probe | None:
    """The probe on record, unless it is unreadable, of another format or older than `most` seconds."""
    try:
        data = json.loads(place(model).read_text(encoding="utf-8"))
        found = read(data)
    except (OSError, ValueError, TypeError, KeyError, InputError):
        return None
    return found if found.spec == model.spec and found.age <= most else None


def read(data: dict[str, Any]) -> Probe:
    """The inverse of `dataclasses.asdict`. Raises KeyError or TypeError for other data."""
    features = tuple(Feature(**f) for f in data["features"])
    return Probe(**{**data, "features": features, "capabilities": Capabilities(**data["capabilities"])})


def table(seen: Iterable[Feature]) -> str:
    """Features as plain text, one a line."""
    return "\n".join(f"{f.name:<14}{'seen' if f.seen else 'not seen':<10}{f.evidence}" for f in seen)
