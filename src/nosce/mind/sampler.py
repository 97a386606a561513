"""Between a mind and its models: draws that were made are not made again."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict, replace
from typing import Protocol

from nosce.core.streams import fingerprint
from nosce.models.base import Model, Request, Sample

CallKey = tuple[str, str, int, str]


class Ledger(Protocol):
    """Where responses are journalled (nosce.stores.journal.Journal)."""

    def started(self, key: str) -> None:
        """A call goes out."""

    def responded(self, key: str, response: str) -> None:
        """Its response came back."""

    def response(self, key: str) -> str | None:
        """The response on record, if any."""

    async def durable(self) -> None:
        """Wait until everything handed in is on disk."""


class Sampler:
    """Samples through an optional draw cache and an optional journal.

    The cache (for comparisons, where strategies share draws) and the journal (for resuming) save compute. What a
    draw costs is charged by the mind in full each time. Key of both: weights, prompt, stream key, parameters. A draw is on
    record by itself, so it is found again whoever asks for it, alone or with others.
    """

    def __init__(self, *, cache: bool = False, journal: Ledger | None = None) -> None:
        self._draws: dict[CallKey, asyncio.Future[Sample]] | None = {} if cache else None
        self._journal = journal

    async def sample(self, model: Model, request: Request) -> list[Sample]:
        """n samples in the order of the request's keys."""
        if self._draws is None:
            return await self._call(model, request)
        parameters = parameter_key(request)
        keys = [(model.version, request.prompt.key, key, parameters) for key in request.keys]
        missing = [key for key in dict.fromkeys(keys) if key not in self._draws]
        if missing:
            await self._fill(model, request, missing, self._draws)
        return [await self._draws[key] for key in keys]

    async def _fill(
        self, model: Model, request: Request, missing: list[CallKey], draws: dict[CallKey, asyncio.Future[Sample]]
    ) -> None:
        loop = asyncio.get_running_loop()
        for key in missing:
            draws[key] = loop.create_future()
        try:
            samples = await self._call(model, replace(request, keys=tuple(key[2] for key in missing)))
        except BaseException as error:
            for key in missing:
                waiting = draws.pop(key)
                if isinstance(error, Exception):
                    waiting.set_exception(error)
                    waiting.exception()  # marks it as seen: the one who called raises it
                else:
                    waiting.cancel()
            raise
        for key, sample in zip(missing, samples, strict=True):
            draws[key].set_result(sample)

    async def _call(self, model: Model, request: Request) -> list[Sample]:
        """Count on record are read, the others asked for together."""
        if self._journal is None:
            return await model.sample(request)
        parameters = parameter_key(request)
        names = [fingerprint(model.version, request.prompt.key, key, parameters) for key in request.keys]
        known = {name: sample_from_json(told) for name in names if (told := self._journal.response(name)) is not None}
        missing = {name: key for name, key in zip(names, request.keys, strict=True) if name not in known}
        if missing:
            drawn = await self._recorded(model, replace(request, keys=tuple(missing.values())), list(missing), self._journal)
            known.update(zip(missing, drawn, strict=False))
        return [known[name] for name in names if name in known]

    async def _recorded(self, model: Model, request: Request, names: list[str], journal: Ledger) -> list[Sample]:
        """Ask, and put each draw on record. While a call is open its first draw stands for it."""
        for name in names[:1] if model.capabilities.n else names:
            journal.started(name)
        samples = await model.sample(request)
        for name, sample in zip(names, samples, strict=False):
            journal.responded(name, sample_to_json(sample))
        if model.remote:
            await journal.durable()
        return samples


def parameter_key(request: Request) -> str:
    """Everything but prompt and keys that decides what a draw is."""
    bias = sorted(request.bias.items())
    return f"{request.max_tokens}|{request.temperature}|{request.top_p}|{request.stop}|{request.top}|{bias}|{request.steer}"


def sample_to_json(sample: Sample) -> str:
    """A sample as one line of JSON."""
    return json.dumps(sample_data(sample), ensure_ascii=False, separators=(",", ":"))


def sample_from_json(text: str) -> Sample:
    """The inverse of `sample_to_json`."""
    return sample_from_data(json.loads(text))


_DEFAULTS = asdict(Sample(""))


def sample_data(sample: Sample) -> dict[str, object]:
    """A sample as plain data, fields at their default left out."""
    data = ((name, getattr(sample, name)) for name in _DEFAULTS)
    return {name: value for name, value in data if name == "text" or value != _DEFAULTS[name]}


def sample_from_data(data: dict[str, object]) -> Sample:
    """The inverse of `sample_data`; lists become tuples again."""
    fixed = {name: _tuples(value) if isinstance(value, list) else value for name, value in data.items()}
    return Sample(**fixed)  # type: ignore[arg-type]  # written by sample_data


def _tuples(value: object) -> object:
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value
