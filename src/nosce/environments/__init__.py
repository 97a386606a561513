"""Worlds that can be acted in, in words."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any
from urllib.parse import parse_qsl

from nosce.core.errors import InputError, unknown
from nosce.environments.text import Environment

WORLDS = {
    "frozen-lake": "nosce.environments.frozen_lake:FrozenLake",
    "minigrid": "nosce.environments.minigrid:MiniGrid",
}
"""Where each world lives; looked up when first used, for they need the extra `nosce[envs]`."""


def environment(spec: str) -> Environment:
    """The world of a name and its parameters: `frozen-lake?size=8&slippery=true`, `minigrid?task=LavaGapS5`.

    Raises InputError for an unknown world or parameter, CapabilityError without the extra.
    """
    name, _, query = spec.partition("?")
    if name not in WORLDS:
        raise unknown("environment", name, WORLDS)
    module, _, maker = WORLDS[name].partition(":")
    make: Callable[..., Environment] = getattr(import_module(module), maker)
    try:
        return make(**{key: _scalar(value) for key, value in parse_qsl(query)})
    except TypeError as error:
        raise InputError(f"environment {spec!r}: {str(error).partition('() ')[2] or error}") from None


def _scalar(text: str) -> Any:
    if text in ("true", "false"):
        return text == "true"
    return int(text) if text.isdigit() else text
