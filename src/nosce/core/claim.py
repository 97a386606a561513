"""A published claim as plain data, frozen before it is tested."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from nosce.core.streams import fingerprint

Verdict = Literal["effect seen", "not seen", "unclear"]


@dataclass(frozen=True, slots=True)
class Claim:
    """What `nosce prove` tests: the system against `baseline` on `endpoint`.

    endpoint: name of the primary endpoint (`accuracy`, `tokens`, `auroc2`, `accuracy_at_cost` ...);
    margin: the effect beyond which the claim counts as seen, in the endpoint's unit, signed so that positive is good;
    n, seeds: problems and run seeds; taught: whether the bundled model was trained for the very act measured;
    fidelity: what the implementation follows (`abstract`, `paper`, `code`); data: which bundled set;
    options: parameters of the system and of the baseline.
    """

    statement: str
    endpoint: str = "accuracy_at_cost"
    baseline: str = "self-consistency"
    margin: float = 0.0
    n: int = 300
    seeds: tuple[int, ...] = (0, 1, 2)
    taught: bool = False
    fidelity: Literal["abstract", "paper", "code"] = "abstract"
    analogue_of: str = ""
    families: tuple[str, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)
    baseline_options: dict[str, Any] = field(default_factory=dict)

    @property
    def hash(self) -> str:
        """Digest of every field: what was promised before the run."""
        return fingerprint(self)


@dataclass(frozen=True, slots=True)
class Pair:
    """One paired observation of an experiment: a unit (problem, episode, network), what the system got and the baseline.

    Both are in the endpoint's unit, higher is better; costs are in what the experiment counts (tokens, actions).
    """

    unit: str
    system: float
    baseline: float
    system_cost: float = 0.0
    baseline_cost: float = 0.0
