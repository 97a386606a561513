"""Questions that a model can answer by heart, with passages that agree or disagree with what it remembers."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from nosce.core.battery import Source
from nosce.core.problem import Problem
from nosce.core.streams import stream_key
from nosce.tasks import plain_facts
from nosce.tasks.bundled import draw_problems
from nosce.tasks.families import facts, parse


@dataclass(frozen=True, slots=True)
class Conflict:
    """A question without a passage (`closed`), what is true, a value of the same kind put in its place, and their sentences."""

    closed: Problem
    original: str
    substitute: str
    supports: str
    contradicts: str

    def read(self, *passages: str) -> Problem:
        """The question with passages, in this order; what the last of them says counts as right."""
        said = self.substitute if passages[-1] == self.contradicts else self.original
        return replace(self.closed, context=" ".join(passages), reference=said)


def conflicts(n: int, seed: int, source: Source) -> list[Conflict]:
    """n questions: about the bundled model's often-seen entities (levels 1 to 3), or capitals and symbols (40 at most)."""
    rng = np.random.default_rng(stream_key("conflicts", seed))
    if source == "bundled":
        problems = draw_problems(families=("facts",), levels=(1, 2, 3), n=n, seed=seed)
        return [_invented(problem, rng) for problem in problems]
    return [_plain(fact, f"conflict-{seed}-{i}", rng) for i, fact in enumerate(plain_facts.known(n, seed))]


def _invented(problem: Problem, rng: np.random.Generator) -> Conflict:
    item = parse(problem.text)
    assert item is not None, "a bundled question parses"
    name, attribute = facts.task(item)
    others = [value for value in facts.ATTRIBUTES[attribute] if value != item.answer]
    other = others[int(rng.integers(len(others)))]
    said, against = (facts.PASSAGE.format(n=name, a=attribute, v=value) for value in (item.answer, other))
    return Conflict(problem, item.answer, other, said, against)


def _plain(fact: plain_facts.Fact, id: str, rng: np.random.Generator) -> Conflict:
    other = plain_facts.other_value(fact, rng)
    assert fact.value is not None, "a known fact has a value"
    return Conflict(fact.problem(id), fact.value, other, fact.passage(fact.value), fact.passage(other))
