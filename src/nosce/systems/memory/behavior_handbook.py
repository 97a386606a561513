"""S021 Metacognitive reuse: what recurs in past reasoning becomes a handbook of short behaviors."""

from __future__ import annotations

from collections.abc import Sequence

from nosce.control.each import each
from nosce.core.answer import Answer
from nosce.core.artifact import Artifact
from nosce.core.attempt import Attempt
from nosce.core.claim import Claim
from nosce.core.errors import BudgetExhausted
from nosce.core.problem import Problem
from nosce.core.registry import memory
from nosce.memory.store import Item, Store
from nosce.mind.mind import Mind
from nosce.monitor.likelihood import sequence_confidence

ASK = "Name what could be reused on other questions: one behavior per line, in the form '- name: one-line instruction'."

CLAIM = Claim(
    statement="On recurring families, thoughts with the handbook take at least 20% fewer tokens than without it at no loss of "
    "accuracy.",
    endpoint="tokens", baseline="think", margin=0.2, taught=True, fidelity="abstract",
)  # fmt: skip


async def handbook(problems: Sequence[Problem], mind: Mind, *, practice: int = 64) -> Artifact:
    """Solve the first `practice` problems, look back at each thought, and write down what can be reused.

    Labels are not used. A model with the act `lessons` names behaviors (name and instruction), found again by the question they
    come from. One without it keeps the steps it wrote, as they stand, found by question and step: what was worked out or
    recalled once.
    """
    chosen = problems[:practice]
    thoughts = await each(_thought(problem, mind) for problem in chosen)
    pairs = [(p, t) for p, t in zip(chosen, thoughts, strict=True) if t is not None]
    learned = await each(_behaviors(problem, mind, thought) for problem, thought in pairs)
    store = Store()
    for items in learned:
        store.add(*(items or ()))
    return Artifact("behavior-handbook", "handbook", {"items": store.to_data()})


@memory("S021", "behavior-handbook", acts={"think"}, prepare=handbook, prepares="labelled", claim=CLAIM)
async def behavior_handbook(problem: Problem, mind: Mind, book: Artifact | None, *, most: int = 3) -> Answer:
    """Think with the handbook's most fitting behaviors in view.

    Rule: solve → reflect on the trace → behaviors b = (name, instruction) into the handbook B; at inference the `most` b ∈ B
    whose question is most similar to this one (TF-IDF cosine) stand beside it as notes. Confidence is the thought's likelihood.
    Source: S021 "Metacognitive Reuse: Turning Recurring LLM Reasoning Into Concise Behaviors". Left open and filled: similarity of
    words in place of topic labels or embeddings; few behaviors, for their input is charged too. The bundled model has no
    act `lessons`: its handbook holds worked steps and looked-up facts, and it was taught to use such notes.
    """
    store = Store.from_data(book.data["items"] if book is not None else [])
    found = store.search(problem.text, most)
    if found:
        mind.decide("recall", "behaviors of similar questions", found=len(found), similarity=round(found[0].similarity, 3))
    thought = (await mind.think(problem, notes=[f.item.text for f in found]))[0]
    return mind.answer(thought.answer, sequence_confidence(thought), "logprobs")


async def _thought(problem: Problem, mind: Mind) -> Attempt | None:
    try:
        return (await mind.think(problem))[0]
    except BudgetExhausted:
        return None


async def _behaviors(problem: Problem, mind: Mind, thought: Attempt) -> list[Item]:
    if "lessons" not in mind.dialect.acts:
        steps = mind.dialect.steps(thought.text)
        return [Item(f"{problem.text} {step}", step, problem.id, "step") for step in steps if "=" in step and "<" not in step]
    written = (await mind.write("lessons", problem, attempt=thought, instruction=ASK))[0]
    lines = (line.strip().removeprefix("-").strip() for line in written.splitlines() if line.strip().startswith("-"))
    return [Item(problem.text, line, problem.id, "behavior") for line in lines if line]
