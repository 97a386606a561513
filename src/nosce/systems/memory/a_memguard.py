"""S124 A-MemGuard: a memory that checks itself by consensus and remembers what it had to reject."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nosce.control.each import each
from nosce.control.voting import plurality
from nosce.core.answer import Answer
from nosce.core.artifact import Artifact
from nosce.core.claim import Claim
from nosce.core.problem import Problem
from nosce.core.registry import memory
from nosce.core.signal import Signal
from nosce.core.streams import stream_key
from nosce.memory.consensus import agreeing, paths
from nosce.memory.store import Item, Store
from nosce.mind.mind import Mind

CLAIM = Claim(
    statement="With records injected that state wrong answers, the guarded memory answers right more often than the unguarded "
    "one; without any, at most 2 points are lost.",
    endpoint="accuracy", baseline="a-memguard", options={"poison": 0.5}, baseline_options={"poison": 0.5, "guard": False},
    taught=True, fidelity="code",
)  # fmt: skip


async def experience(
    problems: Sequence[Problem], mind: Mind, *, draws: int = 2, poison: float = 0.0, rehearse: int = 8, most: int = 5,
    guard: bool = True,
) -> Artifact:  # fmt: skip
    """Records of earlier attempts at the questions, and lessons from those that the guard rejects on the first `rehearse`.

    poison: share of the questions for which an adversary adds a record with the answer of another question.
    """
    store = Store()
    earlier = await each(mind.think(problem, n=draws) for problem in problems)
    said = {p.id: [a.answer for a in attempts or [] if a.answer] for p, attempts in zip(problems, earlier, strict=True)}
    for problem in problems:
        store.add(*(_record(mind, problem, answer, problem.id) for answer in said[problem.id]))
    store.add(*_injected(problems, mind, said, poison))
    for problem in problems[: rehearse if guard else 0]:
        (rejected,) = await each([_rejected(problem, mind, store, most)])
        for item in rejected or ():
            store.add(Item(item.key, item.text, item.source, "lesson"))
    return Artifact("a-memguard", "memory", {"items": store.to_data()})


@memory("S124", "a-memguard", acts={"think"}, prepare=experience, claim=CLAIM)
async def a_memguard(problem: Problem, mind: Mind, kept: Artifact | None, *, most: int = 5, guard: bool = True) -> Answer:
    """Each related memory answers alone; those outside the consensus are dropped before the question is thought about.

    Rule: retrieve K = `most` records m_k; a_k = the answer of a thought with m_k alone in view; the largest group of equal a_k
    stays, if it has two members, else no record does; then a thought with the records that stay. Lessons: a record that was
    rejected on an earlier occasion is kept apart, is not retrieved again, and is shown as a warning to a model that reads words.
    Confidence is the share of all thoughts that agree with the answer. `guard=False` thinks with all K records.
    Source: S124 "A-MemGuard: A Proactive Defense Framework for LLM-Based Agent Memory". Left open and filled: reasoning paths are
    compared by the answers they lead to, in place of chains of entities before a judge; lessons come from a rehearsal while
    preparing, so that questions may be answered in any order. The bundled model was taught to use answers as notes.
    """
    store = Store.from_data(kept.data["items"] if kept is not None else [])
    lessons = [f.item for f in store.search(problem.text, 4, kind="lesson")] if guard else []
    items = _retrieved(store, problem, most, lessons)
    if not guard:
        return plurality(problem, mind, await mind.think(problem, notes=[item.text for item in items]))
    alone = await paths(problem, mind, items)
    plurality(problem, mind, alone)
    stay = agreeing(problem, alone)
    share = len(stay) / len(items) if items else None
    mind.measure(Signal("consensus", share, "none" if share is None else "samples"))
    mind.decide("recall", "memories in consensus", kept=len(stay), dropped=len(items) - len(stay))
    final = await mind.think(problem, notes=[*(items[i].text for i in stay), *_warnings(mind, lessons)])
    vote = plurality(problem, mind, [*final, *alone])
    if (value := final[0].answer) is None:
        return vote
    agree = sum(a.answer is not None and problem.same(value, a.answer) for a in [*final, *alone])
    return mind.answer(value, agree / (1 + len(alone)), "samples")


def _record(mind: Mind, problem: Problem, answer: str, source: str) -> Item:
    """An experience as the model can read it: in words, or as a candidate answer."""
    text = f"{problem.text} → {answer}" if mind.dialect.name == "chat" else answer
    return Item(problem.text, text, source, "record")


def _injected(problems: Sequence[Problem], mind: Mind, said: dict[str, list[str]], share: float) -> list[Item]:
    """Wrong records: another question's answer under this question's key."""
    items = []
    for i, problem in enumerate(problems):
        rng = np.random.default_rng(stream_key(mind.work.seed, problem.id, "injected"))
        if rng.random() < share:
            others = (a for other in [*problems[i + 1 :], *problems[:i]] for a in said[other.id])
            wrong = next((a for a in others if not any(problem.same(a, own) for own in said[problem.id])), None)
            items += [_record(mind, problem, wrong, "injected")] if wrong else []
    return items


def _retrieved(store: Store, problem: Problem, most: int, lessons: Sequence[Item]) -> list[Item]:
    learned = {(lesson.key, lesson.text) for lesson in lessons}
    found = (f.item for f in store.search(problem.text, most + len(learned), kind="record"))
    return [item for item in found if (item.key, item.text) not in learned][:most]


async def _rejected(problem: Problem, mind: Mind, store: Store, most: int) -> list[Item]:
    items = _retrieved(store, problem, most, ())
    stay = agreeing(problem, await paths(problem, mind, items))
    return [item for i, item in enumerate(items) if i not in stay and item.key == problem.text] if stay else []


def _warnings(mind: Mind, lessons: Sequence[Item]) -> list[str]:
    return [f"Warning, rejected before: {lesson.text}" for lesson in lessons] if mind.dialect.name == "chat" else []
