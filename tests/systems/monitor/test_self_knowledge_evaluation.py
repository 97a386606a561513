"""Own questions answered again, by a script."""

import asyncio

from nosce.batteries import sit
from nosce.core.battery import Item
from nosce.core.equivalence import Equivalence
from nosce.core.problem import Problem
from nosce.core.registry import registry
from nosce.mind.engine import Engine


def test_three_of_four_own_questions_are_answered_as_made(scripted) -> None:
    made = {"1+1": "6+6\nAnswer: 12", "2+2": "7+7\nAnswer: fourteen", "3+3": "8+8\nAnswer: 16.0", "4+4": "9+9\nAnswer: 18"}

    def reply(prompt: str, k: int) -> str:
        question = prompt.partition("Question: ")[2].splitlines()[0]
        if "Write one new question" in prompt:
            return f"Question: {made[question]}" if question in made else "I would rather not."
        return f"Answer: {eval(question)}"

    number = Equivalence("number")
    items = [Item(Problem(f"p{i}", f"{i}+{i}", reference=str(2 * i), equivalence=number)) for i in range(1, 6)]
    found = asyncio.run(sit(registry.find("S242"), Engine({"main": scripted(reply)}), items))
    values = {f.measure.name: f.estimate and f.estimate.value for f in found.findings}
    assert (values["formed"], values["ours"]) == (0.8, 1.0)
    assert (values["consistency"], values["contradicts"], values["gap"]) == (0.75, 0.25, 0.25)
