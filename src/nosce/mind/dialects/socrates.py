"""The bundled model's dialect: control tokens instead of words."""

from __future__ import annotations

import math
import re
from typing import Any

from nosce.core.errors import CapabilityError, OutOfScope
from nosce.core.problem import Problem
from nosce.mind.dialects.base import Critique, Foresight, Given, Rendered, Reply
from nosce.models.base import Prompt

BASE = frozenset({"think", "direct", "extend"})
TAUGHT = BASE | {"verify", "critique", "revise", "rate", "foresee"}
SERVES = {
    "distil": "notes of the answers so far (think with notes)",
    "plan": "think",
    "decompose": "think",
    "lessons": "a chat model",
    "choose": "foresee",
    "propose": "nosce.tasks.families",
    "argue": "think with notes",
}
THOUGHT = 120
BIN = 12


class Socrates:
    """Renders the acts the bundled model was taught and refuses the rest; a question outside its grammar is OutOfScope."""

    def __init__(self, *, taught: bool = True) -> None:
        self.name = "socrates" if taught else "socrates-base"
        self.acts = TAUGHT if taught else BASE

    def render(self, act: str, problem: Problem, given: Given) -> Rendered:
        """The token text of an act; see the protocol."""
        if act not in self.acts:
            raise CapabilityError(act, f"the {self.name} dialect", SERVES.get(act, "a chat model"))
        row = self._question(problem, given)
        if given.cue is not None:
            row = given.cue.on(self.name).replace("{question}", row)
        if act in ("think", "direct", "extend"):
            opening = "<fast>" if act == "direct" else "<think>"
            return self._row(row, f"{opening} {given.prefix}".strip(), length=24 if act == "direct" else THOUGHT)
        if act == "foresee":
            return self._row(row, "<foresee>", length=3, temperature=0.0, top=10)
        attempt = self._attempt(row, given)
        if act == "revise":
            return self._row(attempt, f"<fault> {fault_mark(given.critique)} <revise>", length=THOUGHT)
        if act == "rate":
            return self._row(attempt, "<rate>", length=2, temperature=0.0, top=10)
        return self._row(attempt, "<check>", length=THOUGHT, temperature=0.0, top=4 if act == "verify" else 0)

    @staticmethod
    def _row(*parts: str, length: int, temperature: float | None = None, top: int = 0) -> Rendered:
        return Rendered(Prompt(text=" ".join(parts)), ("<end>", "<result>"), length, temperature, top)

    @staticmethod
    def _question(problem: Problem, given: Given) -> str:
        from nosce.tasks.families import facts, parse

        stated = [note for note in given.notes if facts.is_statement(note)]  # it was taught to believe a passage, not a note
        item = parse(problem.text, " ".join(filter(None, [problem.context, *stated])) or None)
        if item is None:
            raise OutOfScope("the question lies outside the bundled model's grammar")
        row = f"<q> {item.question}"
        if item.context:
            row += f" <ctx> {item.context}"
        row += "".join(f" <note> {note}" for note in given.notes if note not in stated)
        return row + (" <tool>" if "calculator" in problem.tools else "")

    @staticmethod
    def _attempt(row: str, given: Given) -> str:
        if given.attempt is None:
            raise CapabilityError("an attempt to look at", "this act")
        opening = "<fast>" if given.attempt.act == "direct" else "<think>"
        return f"{row} {opening} {given.attempt.text.strip()}"

    def read(self, act: str, reply: Reply, problem: Problem, given: Given) -> Any:
        """What the reply says; see the protocol."""
        if act in ("think", "direct", "revise", "extend"):
            return answer(self.join(given.prefix, reply.text))
        if act == "verify":
            return odds(reply, "<yes>", "<no>")
        if act == "critique":
            fault = re.search(r"<fault> <s(\d+)>", reply.text)
            return Critique(int(fault[1]) if fault else None, reply.text, conclusion="<fault> <ans>" in reply.text)
        if act == "rate":
            return expected_rating(reply)
        if act == "foresee":
            chance, length = expected_rating(reply), re.search(r"<len(\d)>", reply.text)
            return None if chance is None else Foresight(chance, (int(length[1]) + 0.5) * BIN if length else None)
        return reply.text

    def pending(self, text: str) -> tuple[str, str] | None:
        """A call that the model has written up to (not including) its result."""
        call = re.search(r"<call> ([^<]+)$", text.strip())
        return ("calculator", call[1].strip()) if call else None

    def resume(self, text: str, result: str) -> str:
        """The text with the result put in."""
        return f"{text.strip()} <result> {result}"

    def join(self, prefix: str, text: str) -> str:
        """One after the other, with a space where two words meet."""
        return f"{prefix} {text}" if prefix[-1:].isalpha() and text[:1].isalpha() else prefix + text

    def steps(self, text: str) -> list[str]:
        """The steps of a thought, without their marks."""
        thought = text.partition("<ans>")[0]
        return [step.strip() for step in re.split(r"<s\d+>", thought)[1:]]


def fault_mark(critique: Critique | None) -> str:
    """Where to redo from: the step at fault, the answer line when only that is, the first step without a critique."""
    if critique is None:
        return "<s1>"
    return f"<s{critique.step}>" if critique.step else "<ans>"


def answer(text: str) -> str | None:
    """What stands after the last `<ans>`, up to the next control mark; `<unknown>` reads `unknown`."""
    if "<ans>" not in text:
        return None
    said = text.rpartition("<ans>")[2].strip()
    if said.startswith("<unknown>"):
        return "unknown"
    return said.partition("<")[0].strip() or None


def odds(reply: Reply, yes: str, no: str) -> float | None:
    """P(yes) / (P(yes) + P(no)) at the last position where either is likely; without alternatives, the word itself."""
    for alternatives in reversed(reply.top or ()):
        table = {token: math.exp(logprob) for token, logprob in alternatives}
        both = table.get(yes, 0.0) + table.get(no, 0.0)
        if both > 0.5:
            return min(1.0, table.get(yes, 0.0) / both)
    if yes in reply.text or no in reply.text:
        return float(reply.text.rfind(yes) > reply.text.rfind(no))
    return None


def expected_rating(reply: Reply) -> float | None:
    """Expected value of the rating token, (i + ½)/10 for `<ri>`; without alternatives, the token that was drawn."""
    for alternatives in reply.top or ():
        mass = {int(token[2]): math.exp(logprob) for token, logprob in alternatives if re.fullmatch(r"<r\d>", token)}
        if sum(mass.values()) > 0.5:
            return sum((i + 0.5) / 10 * p for i, p in mass.items()) / sum(mass.values())
    drawn = re.search(r"<r(\d)>", reply.text)
    return (int(drawn[1]) + 0.5) / 10 if drawn else None


