"""A passage against memory: what is counted, by hand, and what the bundled model does."""

import asyncio

import numpy as np
import pytest
from tests.scripted import ScriptedChat

from nosce.core.battery import difference
from nosce.core.errors import InputError
from nosce.core.registry import registry
from nosce.mind.engine import Engine
from nosce.models.base import Request, Sample
from nosce.systems.evaluate import entity_knowledge_conflicts
from nosce.tasks.conflicts import conflicts
from nosce.tasks.plain_facts import CAPITALS, SYMBOLS, invented, known


class Reader(ScriptedChat):
    """Knows every capital and symbol; with a passage it says what the passage named in `trusts` (first or last) says."""

    def __init__(self, trusts: int) -> None:
        super().__init__()
        self.trusts = trusts

    def _one(self, request: Request, key: int) -> Sample:
        said = request.prompt.messages[-1].content
        question = next(line for line in said.splitlines() if line.startswith("Question: "))
        table = {**CAPITALS, **SYMBOLS}
        name = next(n for n in sorted(table, key=len, reverse=True) if f" of {n}?" in question)
        passage = next((line for line in said.splitlines() if line.startswith("Passage: ")), "")
        named = sorted((passage.find(f" {v} "), v) for v in table.values() if f" {v} " in passage)
        value = named[self.trusts][1] if named else table[name]
        return Sample(f"Answer: {value}", prompt_tokens=5, completion_tokens=5)


def put(slug: str, model: ScriptedChat, n: int = 12) -> list[dict[str, object]]:
    system, rows = registry.find(slug), list[dict[str, object]]()
    engine = Engine({"main": model})
    for item in system.options["items"](n, 0, "general"):
        found = asyncio.run(system.run(item.problem, engine.mind(item.problem), **item.given))
        rows += found if isinstance(found, list) else [found]
    return rows


def test_the_memorisation_ratio_counts_originals_among_originals_and_substitutes() -> None:
    original, substitute = np.array([1.0, 0, 0, 0, 0]), np.array([0.0, 1, 1, 1, 0])
    assert entity_knowledge_conflicts.memorisation_ratio(original, substitute) == 0.25
    with pytest.raises(InputError, match="original or the substitute"):
        entity_knowledge_conflicts.memorisation_ratio(np.zeros(3), np.zeros(3))


def test_a_reader_reads_and_never_clings() -> None:
    rows = put("S379", Reader(-1))
    assert all(row["by_heart"] and row["reads"] and row["agrees"] and not row["keeps"] for row in rows)


def test_one_who_trusts_what_comes_last_confirms_in_one_order_of_two() -> None:
    rows = put("S391", Reader(-1))
    assert [row["confirms"] for row in rows] == [True, False] * 12
    first = rows[::2]
    assert all(row["accepts"] and row["memory_last"] and not row["memory_first"] for row in first)
    assert difference(np.ones(12), np.zeros(12)) == 1.0


def test_every_conflict_offers_another_value_of_the_same_kind() -> None:
    for source in ("bundled", "general"):
        for c in conflicts(30, 1, source):  # type: ignore[arg-type]  # the two sources
            assert c.original != c.substitute
            assert c.original in c.supports
            assert c.substitute in c.contradicts
            assert c.original not in c.contradicts.split()
            assert c.read(c.contradicts).check(c.substitute) == 1.0
            assert c.read(c.contradicts, c.supports).check(c.original) == 1.0


def test_facts_known_and_invented_do_not_meet() -> None:
    assert not {f.name for f in known(40)} & {f.name for f in invented(40)}
    assert all(f.problem("x").check("unknown") == 1.0 for f in invented(5))
