"""Between a mind and its models: draws that were made are not made again."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
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
    draw costs is charged by the mind in full each time. Cache key: weights, prompt, stream key, parameters.
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
        if self._journal is None:
            return await model.sample(request)
        key = fingerprint(model.version, request.prompt.key, request.keys, parameter_key(request))
        if (known := self._journal.response(key)) is not None:
            return samples_from_json(known)
        self._journal.started(key)
        samples = await model.sample(request)
        self._journal.responded(key, samples_to_json(samples))
        if model.remote:
            await self._journal.durable()
        return samples


def parameter_key(request: Request) -> str:
    """Everything but prompt and keys that decides what a draw is."""
    bias = sorted(request.bias.items())
    return f"{request.max_tokens}|{request.temperature}|{request.top_p}|{request.stop}|{request.top}|{bias}|{request.steer}"


def samples_to_json(samples: Sequence[Sample]) -> str:
    """Samples as one line of JSON."""
    return json.dumps([sample_data(sample) for sample in samples], ensure_ascii=False, separators=(",", ":"))


def samples_from_json(text: str) -> list[Sample]:
    """The inverse of `samples_to_json`."""
    return [sample_from_data(data) for data in json.loads(text)]


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
