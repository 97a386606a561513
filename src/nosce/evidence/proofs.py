"""Many claims re-tested on the same models and questions: draws are shared, and what was proved is not proved again."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nosce.core.codec import decode, json_line
from nosce.core.problem import Problem
from nosce.core.registry import System
from nosce.evidence.plan import problems_hash
from nosce.evidence.prove import Record, frozen_claim, prove
from nosce.evidence.rows import plain
from nosce.mind.sampler import Sampler
from nosce.models.base import Model
from nosce.stores.journal import Journal


@dataclass
class Proofs:
    """Models and questions that claims are proved on, one after the other, and where what was asked is kept.

    With a journal every draw, answer and record is there as it comes. Which records are there already is read from it alone: a
    ledger, shipped or the user's own, never stands for a run.
    """

    roster: Mapping[str, Model]
    problems: Sequence[Problem]
    labelled: Sequence[Problem] = ()
    journal: Journal | None = None
    sampler: Sampler = field(init=False)

    def __post_init__(self) -> None:
        self.sampler = Sampler(cache=True, journal=self.journal)

    def known(self, system: System) -> Record | None:
        """The record of this very claim that the journal holds."""
        for kept in self.journal.under(_key(system)).values() if self.journal else ():
            return decode(Record, json.loads(kept))
        return None

    async def prove(self, system: System, watch: Callable[[str, int, int], None] = lambda name, done, total: None) -> Record:
        """The record that the journal holds, else a new one, on disk before it is handed out."""
        if (known := self.known(system)) is not None:
            return known
        record = await prove(
            system, self.roster, self.problems, labelled=self.labelled, watch=watch, sampler=self.sampler, journal=self.journal
        )
        if self.journal:
            self.journal.result(_key(system), json_line(plain(record)), "")
            await self.journal.durable()
        return record


def identity(roster: Mapping[str, Model], problems: Sequence[Problem], labelled: Sequence[Problem]) -> dict[str, Any]:
    """What claims of one folder share; a journal of another identity is not resumed. More claims may join it."""
    return {
        "proved on": {role: model.version for role, model in sorted(roster.items())},
        "problems": problems_hash(problems), "labelled": problems_hash(labelled),
    }  # fmt: skip


def _key(system: System) -> str:
    return f"record/{system.id}/{system.part}/{frozen_claim(system).hash}"
