"""When two answers are the same, and how right one is."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

from nosce.core.errors import InputError, unknown

if TYPE_CHECKING:
    from nosce.core.problem import Problem

KINDS = {
    "exact": "nosce.core.matching:Exact",
    "choice": "nosce.core.matching:Choice",
    "number": "nosce.core.matching:Number",
    "set": "nosce.core.matching:Set",
    "sequence": "nosce.core.matching:Sequence",
    "json": "nosce.core.matching:JsonFields",
    "regex": "nosce.core.matching:Regex",
    "math": "nosce.core.matching:Math",
    "callable": "nosce.core.matching:Callable",
    "countdown": "nosce.tasks.families.matching:Countdown",
    "reasoning-gym": "nosce.tasks.reasoning_gym:GymScore",
}
"""Where each kind lives; looked up when first used, so that a kind may need a library the core does not have."""


class Matcher(Protocol):
    """What a kind of equivalence can do. `options` are the keyword arguments of its constructor."""

    def key(self, answer: str) -> str:
        """A canonical form: answers with equal keys are the same answer."""

    def same(self, a: str, b: str) -> bool:
        """Whether two answers are the same; at least as wide as equality of keys."""

    def grade(self, answer: str, reference: Any, problem: Problem) -> float:
        """How right the answer is, in [0, 1]."""


@cache
def _matcher(kind: str, options: tuple[tuple[str, Any], ...]) -> Matcher:
    if kind not in KINDS:
        raise unknown("equivalence", kind, KINDS)
    module, _, name = KINDS[kind].partition(":")
    try:
        matcher: Matcher = getattr(import_module(module), name)(**dict(options))
    except TypeError as error:
        raise InputError(f"equivalence {kind!r} with options {dict(options)}: {error}") from None
    return matcher


def _frozen(value: Any) -> Any:
    return tuple(_frozen(part) for part in value) if isinstance(value, list | tuple) else value


@dataclass(frozen=True, slots=True)
class Equivalence:
    """A kind of sameness with its options, as plain data: `Equivalence("number", {"tolerance": 1e-6})`."""

    kind: str = "exact"
    options: dict[str, Any] = field(default_factory=dict, hash=False)

    @property
    def matcher(self) -> Matcher:
        """The implementation. Raises InputError for an unknown kind, CapabilityError when its library is missing."""
        return _matcher(self.kind, tuple((name, _frozen(self.options[name])) for name in sorted(self.options)))

    def key(self, answer: str) -> str:
        """A canonical form for voting."""
        return self.matcher.key(answer)

    def same(self, a: str, b: str) -> bool:
        """Whether two answers are the same."""
        return self.matcher.same(a, b)

    def grade(self, answer: str, reference: Any, problem: Problem) -> float:
        """How right the answer is, in [0, 1]."""
        return self.matcher.grade(answer, reference, problem)
