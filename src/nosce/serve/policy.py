"""The file that says when an answer of `auto` is sure enough: a ladder, and the labelled rows that its promises rest on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from nosce.control.ladder import Ladder, Seen, Table, fit_ladder
from nosce.control.ladder_risk import LadderPromise, promise
from nosce.core.artifact import Artifact
from nosce.core.errors import InputError

_FORMAT, _VERSION = "nosce-policy", 1


@dataclass(frozen=True)
class Policy:
    """A fitted ladder for one model (and a stronger one), and what it takes to promise any risk.

    `placing` places the order of testing, `testing` is tested: see `nosce.control.ladder.promise`. `moved` holds, by risk,
    the least P(right) that audited answers of live traffic have since put in the place of the promised one.
    """

    ladder: Ladder
    placing: Table
    testing: Table
    model: str
    strong: str = ""
    moved: dict[float, float] = field(default_factory=dict)
    _promises: dict[float, LadderPromise] = field(default_factory=dict)

    @classmethod
    def fit(cls, fitting: Sequence[Seen], testing: Sequence[Seen], model: str, strong: str = "") -> Policy:
        """A ladder from one split, its table for promises from the other."""
        ladder = fit_ladder(fitting)
        return cls(ladder, Table.of(ladder, fitting), Table.of(ladder, testing), model, strong)

    @property
    def artifact(self) -> Artifact:
        """What the strategy `auto` takes."""
        return Artifact("auto", "ladder", self.ladder.data(), model=self.model)

    def promise(self, risk: float) -> LadderPromise:
        """What can be promised at this risk; worked out once."""
        if risk not in self._promises:
            self._promises[risk] = promise(self.testing, self.ladder.rungs, self.placing, alpha=risk)
        return self._promises[risk]

    def options(self, risk: float | None) -> tuple[dict[str, Any], str | None]:
        """The options of `auto` that keep this risk; and why nothing may be answered, where it cannot be kept."""
        if risk is None:
            return {}, None
        if risk in self.moved:
            return {"least": self.moved[risk]}, None
        kept = self.promise(risk)
        return ({}, kept.reason) if kept.enough is None else ({"enough": kept.enough, "least": kept.enough}, None)

    def check(self, model: str, strong: str = "") -> None:
        """Raises InputError when this was made for other models."""
        if (model, strong) != (self.model, self.strong):
            made, here = _named(self.model, self.strong), _named(model, strong)
            raise InputError(f"this policy was made for {made}, not for {here}; make one with `nosce serve calibrate`")

    def to_json(self) -> str:
        """The file's text."""
        tables = {"placing": _rows(self.placing), "testing": _rows(self.testing)}
        head = {"format": _FORMAT, "version": _VERSION, "model": self.model, "strong": self.strong}
        return json.dumps({**head, "ladder": self.ladder.data(), **tables}, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str, where: str = "policy file") -> Policy:
        """The inverse of `to_json`. Raises InputError for any other text."""
        try:
            data = json.loads(text)
            if data.get("format") != _FORMAT or data.get("version") != _VERSION:
                raise InputError(f"{where}: expected what `nosce serve calibrate` writes (format {_FORMAT} {_VERSION})")
            ladder = Ladder.of(data["ladder"])
            return cls(ladder, _table(ladder, data["placing"]), _table(ladder, data["testing"]), data["model"], data["strong"])
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise error if isinstance(error, InputError) else InputError(f"{where}: {error}") from None

    @classmethod
    def read(cls, path: Path) -> Policy:
        """The policy of a file. Raises InputError."""
        try:
            return cls.from_json(path.read_text(encoding="utf-8"), str(path))
        except OSError as error:
            raise InputError(f"{path}: {error.strerror or error}") from None


def _named(model: str, strong: str) -> str:
    return f"{model} with {strong}" if strong else model


def _rows(table: Table) -> dict[str, Any]:
    return {
        "rungs": list(table.rungs), "probability": np.round(table.probability, 6).tolist(),
        "right": table.right.astype(int).tolist(), "tokens": table.tokens.astype(int).tolist(),
    }  # fmt: skip


def _table(ladder: Ladder, data: dict[str, Any]) -> Table:
    shape = (-1, len(data["rungs"]))
    arrays = [np.asarray(data[name], dtype=np.float64).reshape(shape) for name in ("probability", "right", "tokens")]
    if missing := set(ladder.rungs) - set(data["rungs"]):
        raise InputError(f"no rows for {sorted(missing)[0]}")
    return Table(tuple(data["rungs"]), *arrays)
