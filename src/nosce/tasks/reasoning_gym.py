"""Every data set of reasoning-gym, graded by its own scorer (extra `nosce[envs]`)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from typing import Any

from nosce.core.equivalence import Equivalence
from nosce.core.errors import CapabilityError, InputError, unknown
from nosce.core.matching import Exact
from nosce.core.problem import Problem

_NOT_ALONE = frozenset({"composite"})  # a mixture of other sets, nothing without arguments
_GRIDS = frozenset({"arc_agi", "rearc"})  # their scorers compare tuples, which JSON turns into lists


def names() -> tuple[str, ...]:
    """The data sets, in alphabetical order. Raises CapabilityError without the extra."""
    _require()
    from reasoning_gym.factory import DATASETS

    return tuple(sorted(set(DATASETS) - _NOT_ALONE))


def gym_problems(name: str, n: int = 50, seed: int = 0, config: Mapping[str, Any] | None = None) -> list[Problem]:
    """`n` problems of one data set, the same for the same seed; `config` are the set's own parameters.

    The reference is the set's entry (answer and metadata) as plain JSON. Raises InputError for an unknown set or
    parameter and for n < 1.
    """
    if n < 1:
        raise InputError(f"reasoning-gym:{name}: n={n}; expected at least 1")
    text = json.dumps(dict(config or {}), sort_keys=True)
    data = _dataset(name, n, seed, text)
    equivalence = Equivalence("reasoning-gym", {"dataset": name, "config": text})
    return [
        Problem(
            f"{name}-{seed}-{index}", str(data[index]["question"]).strip(), family=name,
            reference=_plain(data[index]), equivalence=equivalence,
        )
        for index in range(n)
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class GymScore:
    """Graded by the data set's own `score_answer`; two answers are the same when their texts are.

    `config` is the set's parameters as JSON text. A scorer that fails on odd text has not been given a right answer: 0.
    """

    dataset: str
    config: str = "{}"

    def key(self, answer: str) -> str:
        """The plain text."""
        return Exact().key(answer)

    def same(self, a: str, b: str) -> bool:
        """Whether the plain texts are equal."""
        return self.key(a) == self.key(b)

    def grade(self, answer: str, reference: Any, problem: Problem) -> float:
        """The set's score, cut to [0, 1]; `reference` is the entry."""
        if not isinstance(reference, Mapping) or "metadata" not in reference:
            raise InputError(f"{problem.id}: reference is no entry of reasoning-gym's {self.dataset}")
        entry = _tuples(reference) if self.dataset in _GRIDS else dict(reference)
        scorer = _dataset(self.dataset, 1, 0, self.config)
        try:
            score = float(scorer.score_answer(answer, entry))
        except Exception:  # the sets' scorers raise all sorts on text that is no answer
            return 0.0
        return min(max(score, 0.0), 1.0) if score == score else 0.0


@lru_cache(maxsize=256)
def _dataset(name: str, size: int, seed: int, config: str) -> Any:
    if name not in names():
        raise unknown("reasoning-gym data set", name, names())
    import reasoning_gym

    try:
        return reasoning_gym.create_dataset(name, size=size, seed=seed, **json.loads(config))
    except (TypeError, AssertionError, ValueError) as error:
        raise InputError(f"reasoning-gym:{name} with {config}: {error or 'parameters out of range'}") from None


def _require() -> None:
    if find_spec("reasoning_gym") is None:
        raise CapabilityError("reasoning-gym", "this installation", "the extra nosce[envs]: pip install 'nosce[envs]'")


def _plain(entry: Mapping[str, Any]) -> dict[str, Any]:
    """The entry without its question, as plain JSON data (other types become lists or text)."""
    from pydantic import TypeAdapter

    kept = {"answer": entry["answer"], "metadata": entry["metadata"]}
    plain: dict[str, Any] = TypeAdapter(Any).dump_python(kept, mode="json", fallback=str)
    return plain


def _tuples(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _tuples(part) for name, part in value.items()}
    return tuple(_tuples(part) for part in value) if isinstance(value, list | tuple) else value
