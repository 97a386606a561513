"""A calibration of `auto`: a ladder, and the labelled rows that its promises rest on.

It is kept in the same file format as the calibration of any other strategy; `nosce.evidence.calibration_file` reads both.
"""

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
from nosce.core.problem import Problem
from nosce.evidence.labels import question_key
from nosce.monitor.calibrator_file import HEAD, read_record

AS_ASKED = "as-asked"


@dataclass(frozen=True)
class Policy:
    """A fitted ladder for one model (and a stronger one), and what it takes to promise any risk.

    model, strong: their names. dialect: how the questions were put. questions: keys of those that it was made from.
    `placing` places the order of testing, `testing` is tested: see `nosce.control.ladder.promise`. `moved` holds, by risk,
    the least P(right) that audited answers of live traffic have since put in the place of the promised one.
    """

    ladder: Ladder
    placing: Table
    testing: Table
    model: str
    strong: str = ""
    dialect: str = AS_ASKED
    questions: frozenset[str] = frozenset()
    moved: dict[float, float] = field(default_factory=dict)
    _promises: dict[float, LadderPromise] = field(default_factory=dict)

    @classmethod
    def fit(
        cls, fitting: Sequence[Seen], testing: Sequence[Seen], model: str, strong: str = "", *, dialect: str = AS_ASKED,
        problems: Sequence[Problem] = (),
    ) -> Policy:  # fmt: skip
        """A ladder from one split, its table for promises from the other; `problems` are what was asked."""
        ladder, keys = fit_ladder(fitting), frozenset(question_key(p.text, p.context) for p in problems)
        return cls(ladder, Table.of(ladder, fitting), Table.of(ladder, testing), model, strong, dialect, keys)

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

    def check(self, model: str, strong: str = "", dialect: str | None = None) -> None:
        """Raises InputError when this was made for other models, or for questions put in another way."""
        if (model, strong) != (self.model, self.strong):
            made, here = _named(self.model, self.strong), _named(model, strong)
            raise InputError(f"this policy was made for {made}, not for {here}; make one with `nosce serve calibrate`")
        if dialect not in (None, self.dialect):
            raise InputError(f"this policy was made for questions put {self.dialect}, not {dialect}; make one for them")

    def check_questions(self, problems: Sequence[Problem]) -> None:
        """Raises InputError for a question that this was made from."""
        shared = [p for p in problems if question_key(p.text, p.context) in self.questions]
        if shared:
            raise InputError(f"{len(shared)} of these questions made the policy (e.g. {shared[0].text!r}); leave them out")

    def to_json(self) -> str:
        """The file's text."""
        tables = {"placing": _rows(self.placing), "testing": _rows(self.testing)}
        whose = {"strategy": "auto", "signal": "confidence", "model": self.model, "strong": self.strong, "dialect": self.dialect}
        made = {"ladder": self.ladder.data(), **tables, "questions": sorted(self.questions)}
        return json.dumps({**HEAD, **whose, **made}, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str, where: str = "policy file") -> Policy:
        """The inverse of `to_json`. Raises InputError for any other text."""
        try:
            data = read_record(text)
            if "ladder" not in data:
                raise InputError(f"a calibrator of {data.get('strategy') or 'a strategy'}, and no policy of auto: "
                                 "make one with `nosce serve calibrate`")  # fmt: skip
            ladder = Ladder.of(data["ladder"])
            tables = _table(ladder, data["placing"]), _table(ladder, data["testing"])
            return cls(ladder, *tables, data["model"], data["strong"], data["dialect"], frozenset(data["questions"]))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise error if isinstance(error, InputError) else InputError(f"{where}: {error}") from None

    @classmethod
    def read(cls, path: Path) -> Policy:
        """The policy of a file. Raises InputError naming it."""
        try:
            return cls.from_json(path.read_text(encoding="utf-8"), str(path))
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"{path}: cannot be read: {error}") from None
        except InputError as error:
            raise InputError(str(error) if str(error).startswith(str(path)) else f"{path}: {error}") from None


def _named(model: str, strong: str) -> str:
    return f"{model} with {strong}" if strong else model


def _rows(table: Table) -> dict[str, Any]:
    return {
        "rungs": list(table.rungs), "probability": table.probability.tolist(),  # exact, for a threshold may lie on one
        "right": table.right.astype(int).tolist(), "tokens": table.tokens.astype(int).tolist(),
    }  # fmt: skip


def _table(ladder: Ladder, data: dict[str, Any]) -> Table:
    shape = (-1, len(data["rungs"]))
    arrays = [np.asarray(data[name], dtype=np.float64).reshape(shape) for name in ("probability", "right", "tokens")]
    if missing := set(ladder.rungs) - set(data["rungs"]):
        raise InputError(f"no rows for {sorted(missing)[0]}")
    return Table(tuple(data["rungs"]), *arrays)
