"""`replay:FILE`: samples that were recorded, served again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from nosce.core.codec import decode
from nosce.core.errors import InputError, ModelError
from nosce.core.streams import fingerprint
from nosce.core.trace import Trace
from nosce.models import _estimate
from nosce.models.base import Capabilities, Prompt, Request, Sample

Key = tuple[str, int]
"""(prompt.key, stream key) of one draw."""

Records = Mapping[Key, Sample | Sequence[Sample]]
Draw = Callable[[Prompt, int], Sample]


class ReplayModel:
    """Serves recorded draws by (prompt.key, stream key), whatever else is asked.

    Where a draw is on record with several lengths (a budget cut it in one of the runs), the longest within the
    request's `max_tokens` is served. Prompt token counts are those on record. `scores` holds recorded
    log-probabilities by (prompt.key, option). Raises ModelError naming a draw that is not on record.
    """

    remote = False

    def __init__(
        self,
        records: Records,
        *,
        scores: Mapping[tuple[str, str], float] | None = None,
        dialect: str = "chat",
        context: int = 1 << 20,
        spec: str = "replay",
        version: str | None = None,
        capabilities: Capabilities | None = None,
    ) -> None:
        self.spec, self.dialect, self.context = spec, dialect, context
        self._draws = {key: (held,) if isinstance(held, Sample) else tuple(held) for key, held in records.items()}
        self._scores = dict(scores or {})
        self._counts = {key: held[0].prompt_tokens for (key, _), held in self._draws.items()}
        self._draw: Draw | None = None
        self.version = version or fingerprint(*self._draws, size=8)
        self.capabilities = capabilities or self._seen()

    @classmethod
    def of(cls, function: Draw, **options: Any) -> ReplayModel:
        """A model whose draws are computed by `function(prompt, stream key)`: for benchmarks and closed-form tests."""
        model = cls(
            {}, **{"spec": "replay:function", "capabilities": Capabilities(n=True, seed=True, continuation=True), **options}
        )
        model._draw = function
        return model

    @classmethod
    def of_traces(cls, traces: Iterable[Trace], **options: Any) -> ReplayModel:
        """A model that serves what the traces sampled."""
        return cls(**{**gather(record for trace in traces for record in recorded(trace)), **options})

    @classmethod
    def read(cls, path: str | Path, **options: Any) -> ReplayModel:
        """Read traces, or lines `{"prompt_key", "key", "sample"}`. Raises InputError with the number of the bad line."""
        return cls(**{"spec": f"replay:{path}", **gather(_read(Path(path))), **options})

    async def sample(self, request: Request) -> list[Sample]:
        """The recorded draws, in the order of the request's keys."""
        if self._draw is not None:
            return [self._draw(request.prompt, key) for key in request.keys]
        name = request.prompt.key
        return [self._recorded(name, key, request) for key in request.keys]

    async def score(self, prompt: Prompt, options: Sequence[str]) -> list[float]:
        """The recorded log-probabilities of the options."""
        name = prompt.key
        missing = [option for option in options if (name, option) not in self._scores]
        if missing:
            raise ModelError(f"{self.spec}: no score on record for option {missing[0]!r} of prompt {name} ({_shown(prompt)})")
        return [self._scores[name, option] for option in options]

    def count(self, prompt: Prompt) -> int:
        """The recorded count, else an upper estimate."""
        return (self._counts.get(prompt.key) if self._counts else None) or _estimate.prompt_tokens(prompt)

    async def close(self) -> None:
        """Nothing is held."""

    def _recorded(self, name: str, key: int, request: Request) -> Sample:
        held = self._draws.get((name, key))
        if held is None:
            why = "another draw of it is" if name in self._counts else "the prompt is new"
            raise ModelError(f"{self.spec}: draw {key} of prompt {name} is not on record ({why}): {_shown(request.prompt)}")
        if len(held) == 1:
            return held[0]
        fitting = [s for s in held if s.completion_tokens <= request.max_tokens]
        return max(fitting or held[:1], key=lambda s: s.completion_tokens)

    def _seen(self) -> Capabilities:
        samples = [s for held in self._draws.values() for s in held]
        tops = [max(map(len, s.top), default=0) for s in samples if s.top is not None]
        return Capabilities(
            logprobs=bool(samples) and all(s.logprobs is not None for s in samples), top=max(tops, default=0),
            n=True, seed=True, continuation=True, score=bool(self._scores),
        )  # fmt: skip


def recorded(trace: Trace) -> Iterator[dict[str, Any]]:
    """The records of a trace: events whose data holds `prompt` with `key` and `sample`, or with `scores`."""
    for event in trace.events:
        if "prompt" in event.data and ("sample" in event.data or "scores" in event.data):
            yield event.data


def gather(records: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Records as arguments of ReplayModel. Raises InputError for a record that does not fit."""
    draws: dict[Key, tuple[Sample, ...]] = {}
    scores: dict[tuple[str, str], float] = {}
    dialect: dict[str, Any] = {}
    for record in records:
        name = record.get("prompt_key") or record.get("prompt")
        if not isinstance(name, str) or not ("sample" in record or "scores" in record):
            raise InputError("no record of a draw; expected prompt_key, key and sample")
        if "dialect" in record:
            dialect = {"dialect": record["dialect"]}
        if "scores" in record:
            scores |= {(name, str(option)): float(value) for option, value in record["scores"].items()}
        if "sample" in record:
            _add(draws, (name, _key(record)), decode(Sample, record["sample"]))
    return {"records": draws, "scores": scores, **dialect}


def _key(record: Mapping[str, Any]) -> int:
    if not isinstance(record.get("key"), int):
        raise InputError(f"a record whose key is {record.get('key')!r}; expected the stream key, a whole number")
    return int(record["key"])


def _add(draws: dict[Key, tuple[Sample, ...]], key: Key, sample: Sample) -> None:
    held = draws.get(key, ())
    if sample not in held:
        draws[key] = (*held, sample)


def _read(path: Path) -> Iterator[Mapping[str, Any]]:
    try:
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield from _line(line, f"{path}, line {number}")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"cannot read {path}: {getattr(error, 'strerror', None) or error}; expected traces or samples as JSONL"
        ) from None


def _line(line: str, where: str) -> list[Mapping[str, Any]]:
    try:
        data = json.loads(line)
        records = list(recorded(Trace.from_json(line))) if isinstance(data, dict) and "events" in data else [data]
        if not all(isinstance(r, dict) for r in records):
            raise InputError("expected an object with prompt_key, key and sample, or a trace")
        gather(records[:1])
    except (json.JSONDecodeError, InputError) as error:
        raise InputError(f"{where}: {error}") from None
    return list(records)


def _shown(prompt: Prompt) -> str:
    text = " ".join((prompt.messages[-1].content if prompt.messages else prompt.text).split())
    return repr(text if len(text) <= 60 else text[:57] + "...")
