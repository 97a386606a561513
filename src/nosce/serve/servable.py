"""Which strategies can answer single requests over a chat server."""

from __future__ import annotations

from nosce.core.errors import InputError
from nosce.core.registry import System, registry

_SERVED = frozenset({"blackbox", "logprobs", "roster"})


def served(name: str) -> System:
    """The system that a request names. Raises InputError when it cannot be served: it needs preparing, or a local model."""
    from nosce.evidence.plan import playable

    system = playable(name)
    if not servable(system):
        why = "it prepares on questions, words them itself or needs a local model"
        raise InputError(f"{system.name} cannot be served: {why}; try nosce/auto")
    return system


def servable(system: System) -> bool:
    """Whether a system can answer single requests over a chat server."""
    ready = system.prepare is None or bool(system.options.get("unprepared"))
    own = bool(system.options.get("cues"))  # it words the question itself, and a caller's stands as it was asked
    return system.kind in ("strategy", "memory") and ready and not own and system.needs <= _SERVED and system.id != "null"


def names() -> list[str]:
    """The strategies that can be asked for, `auto` first."""
    found = [system.name for system in registry if servable(system)]
    return sorted(dict.fromkeys(found), key=lambda name: (name != "auto", name))
