"""Which estimators can work with what is there, and why the others cannot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nosce.core.errors import CapabilityError, InputError
from nosce.core.registry import System, registry
from nosce.mind.engine import Engine
from nosce.monitor.statistics import NEEDS as OBSERVED

Refused = dict[str, str]
GIVEN = ("nli", "entails")
"""What no model brings: it comes from the caller."""


def wanted(names: str | Sequence[str]) -> list[System]:
    """The estimators of these names (`a,b` or a list); every registered one for `all`. Raises InputError for an unknown name."""
    if names == "all":
        return [system for system in registry if system.kind == "estimator"]
    chosen = [name.strip() for name in (names.split(",") if isinstance(names, str) else names) if name.strip()]
    if not chosen:
        raise InputError("no signal is named; give --signals all, or some by name: --signals a,b")
    return list({system.name: system for system in (registry.find(name, "estimator") for name in chosen)}.values())


def served(
    systems: Sequence[System], engine: Engine | None, *, samples: int, labelled: bool, given: Mapping[str, Any],
    recorded: frozenset[str] = frozenset(),
) -> tuple[list[System], Refused]:  # fmt: skip
    """Those that can work, and for each of the others why not. No token is spent.

    `engine` is None for recorded attempts, of which `recorded` says what they hold (of statistics.NEEDS).
    """
    refused: Refused = {}
    for system in systems:
        why = _recorded(system, recorded, given) if engine is None else _live(system, engine, samples, labelled, given)
        if why:
            refused[system.name] = why
    return [system for system in systems if system.name not in refused], refused


def insist(refused: Refused, able: Sequence[System]) -> None:
    """Raises InputError when signals that were asked for by name cannot be had, naming those that can."""
    if not refused:
        return
    named = "; ".join(f"{name}: {why}" for name, why in refused.items())
    raise InputError(f"cannot be had here: {named}. With what is there these signals work: {listed(able)}")


def listed(systems: Sequence[System], most: int = 16) -> str:
    """Their names in a line; the first few where there are many."""
    names = [system.name for system in systems]
    more = f" and {len(names) - most} more (--signals all)" if len(names) > most else ""
    return (", ".join(names[:most]) or "none") + more


def looks_at(system: System) -> frozenset[str]:
    """What an estimator needs of the attempts (of statistics.NEEDS)."""
    return frozenset(system.options.get("looks_at", ()))


def _live(system: System, engine: Engine, samples: int, labelled: bool, given: Mapping[str, Any]) -> str:
    try:
        engine.check(system)
    except (CapabilityError, InputError) as refusal:
        return str(refusal)
    if system.prepare is not None and system.prepares == "labelled" and not labelled:
        return "is fitted on labelled questions first; give answers, or --calibrate FILE"
    if "samples" in looks_at(system) and samples < 2:
        return f"compares samples; give --samples 2 or more, not {samples}"
    able = engine.roster["main"].capabilities
    if "samples" in looks_at(system) and not able.sampling:
        return f"compares samples, and {engine.roster['main'].spec} gives the same text at every draw (`nosce models probe` saw it)"
    read_off = {"top": 2, "entropies": 2, "pieces": 1} if engine.roster["main"].remote else {"top": 2}
    if lacking := sorted(need for need in looks_at(system) & set(read_off) if able.top < read_off[need]):
        return f"needs {OBSERVED[lacking[0]]}, and {engine.roster['main'].spec} gives {able.top or 'no'} alternatives"
    return _not_given(system, given)


def _recorded(system: System, recorded: frozenset[str], given: Mapping[str, Any]) -> str:
    if "measure" not in system.options:
        return "works with the model at hand, not on recorded attempts; give the questions and --model SPEC"
    if lacking := sorted(looks_at(system) - recorded - set(GIVEN)):
        return f"needs {OBSERVED[lacking[0]]}, and the recorded attempts hold none"
    return _not_given(system, given)


def _not_given(system: System, given: Mapping[str, Any]) -> str:
    if looks_at(system) & set(GIVEN) and "entails" not in given:
        return f"needs {OBSERVED['entails']}: give --nli PATH, an NLI classifier of transformers"
    return ""

