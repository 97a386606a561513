"""The chat dialect: plain-text formats that small models survive; no JSON is demanded."""

from __future__ import annotations

from typing import Any

from nosce.core.errors import CapabilityError
from nosce.core.problem import Message, Problem
from nosce.mind.dialects import chat_reading as reading
from nosce.mind.dialects.base import ACTS, Given, Rendered, Reply
from nosce.models.base import Prompt

SYSTEM = "You answer questions. Be brief and follow the requested format exactly."
ANSWER = "End with a line of the form\nAnswer: <your answer>"

TASKS = {
    "think": "Think step by step, numbering the steps 1., 2., 3. " + ANSWER,
    "direct": "Reply with the answer alone, with no explanation, in the form\nAnswer: <your answer>",
    "revise": "Write a corrected solution with numbered steps; keep what is right. " + ANSWER,
    "verify": "Is the proposed answer correct? Reply with one word: True or False.",
    "critique": "Check the steps in order. Name the first wrong one in the form\nFirst wrong step: <number, or none>\n"
    "Why: <one sentence>",
    "rate": "How likely is it that the proposed answer is correct? Reply with one number in the form\n"
    "Confidence: <0 to 100>%",
    "foresee": "Do not solve it yet. How likely are you to solve it, and how many words will your reasoning need? Reply as\n"
    "Chance: <0 to 100>%\nWords: <number>",
    "plan": "Write a short numbered plan for solving it. Do not solve it.",
    "decompose": "Split it into simpler questions, one per line, each starting with '- '.",
    "judge": "Which option is best? Reply in the form\nChoice: <number>",
    "distil": "Condense what these attempts agree on, contradict each other on and leave open into a short note of at most "
    "80 words for someone about to try again.",
    "lessons": "Write down at most five general lessons for similar questions, one per line, each starting with '- '.",
    "choose": "Which of these methods suits the question best? Reply in the form\nMethod: <name>",
    "propose": "Write one new question of the same kind. Reply in the form\nQuestion: <question>\nAnswer: <its answer>",
    "argue": "Argue your position in at most three sentences, then state the answer. " + ANSWER,
    "ask": "What single question would you ask the user to be able to answer? Reply in the form\nQuestion: <question>",
    "recall": "Write down what you know that bears on this question, without answering it.",
    "use": "Which calculation would settle this? Reply in the form\nCalculate: <arithmetic expression>",
}  # fmt: skip
"""What each act asks for, after the question."""

LENGTHS = {"verify": 8, "rate": 24, "foresee": 32, "judge": 24, "choose": 32, "direct": 64, "think": 768, "revise": 768}
TEMPERATURES = {"verify": 0.0, "critique": 0.0, "choose": 0.0, "judge": 0.0, "foresee": 0.0}


class Chat:
    """Acts as chat messages, replies as tolerant plain text. All acts are defined."""

    name = "chat"
    acts = frozenset(ACTS)

    def __init__(self, *, continuation: bool = False) -> None:
        self._continuation = continuation

    def render(self, act: str, problem: Problem, given: Given) -> Rendered:
        """The messages of an act; see the protocol."""
        if act not in self.acts:
            raise CapabilityError(act, "the chat dialect", sorted(self.acts))
        if act == "extend":
            return self._extend(problem, given)
        wording = given.cue.on(self.name) if given.cue else None
        parts = [self._question(problem, wording), *self._material(act, given)]
        if given.instruction:
            parts.append(given.instruction)
        if wording is None or act in ("think", "direct", "revise"):
            parts.append(TASKS[act])
        messages = (Message("system", SYSTEM), *problem.messages, Message("user", "\n\n".join(filter(None, parts))))
        top = 20 if act == "verify" else 0
        return Rendered(Prompt(messages), (), LENGTHS.get(act, 256), TEMPERATURES.get(act), top)

    def _extend(self, problem: Problem, given: Given) -> Rendered:
        if not self._continuation:
            raise CapabilityError("extend", "this model", ["a model that goes on from a prefix", "act 'think'"])
        base = self.render("think", problem, Given(notes=given.notes))
        return Rendered(Prompt(base.prompt.messages, prefix=given.prefix), base.stop, base.max_tokens)

    def _question(self, problem: Problem, wording: str | None) -> str:
        lines = [f"Passage: {problem.context}"] if problem.context else []
        lines.append(f"Question: {problem.text}")
        lines += [f"{chr(65 + i)}. {choice}" for i, choice in enumerate(problem.choices)]
        question = "\n".join(lines)
        return question if wording is None else wording.replace("{question}", question)

    def _material(self, act: str, given: Given) -> list[str]:
        parts = ["Notes:\n" + "\n".join(f"- {note}" for note in given.notes)] if given.notes else []
        if given.attempts and act == "verify":
            parts.append("Some other answers: " + ", ".join(str(a.answer) for a in given.attempts))
        elif given.attempts:
            parts += [f"Attempt {i}:\n{a.text.strip()}" for i, a in enumerate(given.attempts, 1)]
        if given.attempt is not None:
            parts.append(f"Proposed solution:\n{given.attempt.text.strip()}\nProposed answer: {given.attempt.answer}")
        if given.critique is not None:
            where = "no step" if given.critique.step is None else f"step {given.critique.step}"
            parts.append(f"A reviewer says that the first wrong step is {where}. {given.critique.text}".strip())
        if given.options:
            parts.append("Options:\n" + "\n".join(f"{i}. {option}" for i, option in enumerate(given.options, 1)))
        return parts

    def read(self, act: str, reply: Reply, problem: Problem, given: Given) -> Any:
        """What the reply says; see the protocol."""
        text = reply.text
        if act in ("think", "direct", "extend", "revise", "argue"):
            full = given.prefix + text if act == "extend" else text
            return full.strip() if act == "argue" else reading.answer(full, problem, bare=act == "direct")
        if act == "verify":
            return reading.true_probability(reply)
        if act == "rate":
            return reading.percent(text, "confidence")
        readers = {"critique": reading.critique, "foresee": reading.foresight}
        if act in readers:
            return readers[act](text)
        if act == "judge":
            return reading.index(text, len(given.options))
        if act == "choose":
            return reading.named(text, given.options)
        return reading.labelled(text, {"ask": "question", "use": "calculate"}.get(act)) or text.strip()

    def pending(self, text: str) -> tuple[str, str] | None:
        """A trailing line `Calculate: <expression>` waits for the calculator."""
        last = text.rstrip().rpartition("\n")[2]
        expression = reading.labelled(last, "calculate") if last.lower().startswith("calculate:") else None
        return ("calculator", expression) if expression and self._continuation else None

    def resume(self, text: str, result: str) -> str:
        """The result on a line of its own."""
        return f"{text.rstrip()}\nResult: {result}\n"

    def join(self, prefix: str, text: str) -> str:
        """One after the other."""
        return prefix + text

    def steps(self, text: str) -> list[str]:
        """Numbered steps, or lines where none are numbered."""
        return reading.steps(text)
