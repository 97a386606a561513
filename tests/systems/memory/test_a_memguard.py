"""A-MemGuard: a poisoned record is outvoted by its neighbours, and not retrieved twice."""

import asyncio

import pytest

from nosce.core.artifact import Artifact
from nosce.core.problem import Problem
from nosce.core.registry import registry
from nosce.mind.engine import Engine
from nosce.systems.memory.a_memguard import experience

ASKED = Problem("p", "capital of ruritania", reference="Strelsau")
RIGHT, POISON = "capital of ruritania → Strelsau", "capital of ruritania → Zenda"
NEAR = ("capital of graustark → Edelweiss", "largest lake of ruritania → Hentzau")


def artifact(*records: str, lessons: tuple[str, ...] = ()) -> Artifact:
    def item(text: str, kind: str) -> dict[str, object]:
        return {"key": text.partition(" →")[0], "text": text, "source": "s", "kind": kind, "trust": 1.0}

    return Artifact("a-memguard", "memory", {"items": [item(r, "record") for r in records] + [item(x, "lesson") for x in lessons]})


def gullible(log: list[str]):
    """Says what a note on this very question says (the poison before all), and knows the answer by itself."""

    def reply(prompt: str, k: int) -> str:
        log.append(prompt)
        notes = prompt.partition("Notes:")[2]
        return "Answer: Zenda" if f"- {POISON}" in notes else "Answer: Strelsau"

    return reply


def solve(scripted, reply, kept: Artifact, **options):
    async def go():
        return await Engine({"main": scripted(reply)}).solve(ASKED, registry.find("a-memguard"), options, kept)

    return asyncio.run(go()).answer


def test_unguarded_the_poison_works_and_guarded_it_is_outvoted(scripted):
    kept = artifact(POISON, RIGHT, *NEAR)
    assert solve(scripted, gullible([]), kept, guard=False).value == "Zenda"
    log: list[str] = []
    answer = solve(scripted, gullible(log), kept)
    assert (answer.value, answer.confidence) == ("Strelsau", 4 / 5)
    assert len(log) == 5
    assert f"- {RIGHT}" in log[-1]
    assert POISON not in log[-1]


def test_without_two_that_agree_no_memory_is_trusted(scripted):
    log: list[str] = []
    answer = solve(scripted, gullible(log), artifact(POISON, RIGHT))
    assert answer.value == "Strelsau"
    assert "Notes" not in log[-1]


def test_a_record_that_was_rejected_before_is_not_heard_again_but_warned_of(scripted):
    log: list[str] = []
    solve(scripted, gullible(log), artifact(POISON, RIGHT, *NEAR, lessons=(POISON,)))
    assert len(log) == 4
    assert not any(f"- {POISON}" in prompt for prompt in log)
    assert f"- Warning, rejected before: {POISON}" in log[-1]


@pytest.mark.parametrize(("guard", "lessons"), [(True, [POISON]), (False, [])])
def test_the_rehearsal_turns_what_it_rejects_into_a_lesson(scripted, guard, lessons):
    """Two questions whose records are honest, and an adversary who gives each the other's answer."""

    def reply(prompt: str, k: int) -> str:
        notes = prompt.partition("Notes:")[2]
        if "Question: seat of the king" in prompt:
            return "Answer: Zenda"
        return "Answer: Zenda" if f"- {POISON}" in notes else "Answer: Strelsau"

    async def go():
        mind = Engine({"main": scripted(reply)}).mind(Problem("prepare", ""))
        problems = [ASKED, Problem("q", "seat of the king of ruritania")]
        return await experience(problems, mind, poison=1.0, rehearse=1, guard=guard)

    items = asyncio.run(go()).data["items"]
    assert {item["text"] for item in items if item["source"] == "injected" and item["kind"] == "record"} == {
        POISON, "seat of the king of ruritania → Strelsau",
    }  # fmt: skip
    assert [item["text"] for item in items if item["kind"] == "lesson"] == lessons
