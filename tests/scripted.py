"""A scripted chat model: it reads the prompt it is given, answers in the formats it is asked for, and errs at a seeded rate.

No weights and no server, yet it is a model in every respect that a system can see: it finds the question in the rendered
messages, works it out step by step, makes slips, checks and repairs what it is shown. The same stream key gives the same
reply; at temperature 0 the prompt alone decides.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from nosce.core.streams import stream_key
from nosce.core.trace import Trace
from nosce.mind.dialects import chat_reading
from nosce.mind.dialects.chat import TASKS
from nosce.models.base import Capabilities, Model, Prompt, Request, Sample
from nosce.models.replay import ReplayModel
from nosce.tasks.families import Item, go_on, parse, recheck, right

BLACK_BOX = Capabilities(n=False, seed=True)
LOGPROBS = Capabilities(logprobs=True, top=20, n=True, seed=True)
CONTINUES = Capabilities(logprobs=True, top=20, n=True, seed=True, continuation=True)

DECIDE = re.compile(r"Reply with one word: (\w+) or (\w+)")
FORMS = {
    "decide": DECIDE, "rate": re.compile("Confidence: <0 to 100>%"), "task": re.compile("Task: <"),
    "revise": re.compile("Write a corrected"),
}  # fmt: skip
"""What a wording asks for, whatever act it comes with."""
_TOKEN = re.compile(r"\s*\S+|\s+$")


class ScriptedChat:
    """Speaks the chat dialect. `error` is the chance of a slip in a thought, and of misjudging one that it is shown.

    Questions outside the bundled grammar it answers where it knows the answer: `known` holds them by question.
    """

    dialect, remote = "chat", False

    def __init__(
        self, capabilities: Capabilities = BLACK_BOX, *, error: float = 0.3, context: int = 8192,
        known: Mapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        self.known = dict(known or {})
        self.capabilities, self.error, self.context = capabilities, error, context
        self.spec = self.version = f"scripted-{error}"
        self.calls = 0

    async def sample(self, request: Request) -> list[Sample]:
        """One reply per stream key."""
        self.calls += 1
        return [self._one(request, key) for key in request.keys]

    def count(self, prompt: Prompt) -> int:
        """Words, and four per turn."""
        return sum(4 + len(_TOKEN.findall(m.content)) for m in prompt.messages) + len(_TOKEN.findall(prompt.text + prompt.prefix))

    async def close(self) -> None:
        """Nothing is held."""

    def _one(self, request: Request, key: int) -> Sample:
        rng = np.random.default_rng(key if request.temperature > 0 else stream_key(request.prompt.key))
        text, belief = Reading.of(request.prompt, self.known).reply(rng, self.error)
        cuts = [text.find(stop) for stop in request.stop if stop in text]
        tokens = _TOKEN.findall(text[: min(cuts)] if cuts else text)
        kept = tokens[: request.max_tokens]
        finish = "stop" if len(kept) == len(tokens) else "length"
        counted = {"prompt_tokens": self.count(request.prompt), "completion_tokens": max(1, len(kept))}
        if not self.capabilities.logprobs:
            return Sample("".join(kept), finish, **counted)
        logprobs = tuple(round(float(-rng.exponential(0.1 if belief > 0.5 else 0.3)), 5) for _ in kept)
        top = tuple(_alternatives(t, lp, belief) for t, lp in zip(kept, logprobs, strict=True)) if request.top else None
        return Sample("".join(kept), finish, tuple(len(t) for t in kept), logprobs, None, top, **counted)


def _alternatives(token: str, logprob: float, belief: float) -> tuple[tuple[str, float], ...]:
    """What else might have stood there: for a verdict both verdicts, by belief; else the token alone."""
    if token.strip() in ("True", "False"):
        return (("True", math.log(belief)), ("False", math.log(1 - belief)))
    return ((token, logprob),)


@dataclass(frozen=True)
class Reading:
    """What the model makes of a prompt: the act, the question, and what else it was shown."""

    act: str
    item: Item | None
    shown: str
    prefix: str = ""
    known: str | None = None

    @classmethod
    def of(cls, prompt: Prompt, known: Mapping[str, str] = MappingProxyType({})) -> "Reading":
        """Read the last turn."""
        said = prompt.messages[-1].content
        act = next((name for name, task in TASKS.items() if task in said), "think")
        act = next((name for name, form in FORMS.items() if form.search(said)), act)
        asked, passage = re.search(r"^Question: (.*)$", said, re.M), re.search(r"^Passage: (.*)$", said, re.M)
        item = parse(asked[1], passage[1] if passage else None) if asked else None
        return cls("extend" if prompt.prefix else act, item, said, prompt.prefix, known.get(asked[1]) if asked else None)

    def reply(self, rng: np.random.Generator, error: float) -> tuple[str, float]:
        """The reply, and how much the model believes in what it says (or in what it was shown), in (0, 1)."""
        slip = bool(rng.random() < self._rate(error))
        if self.act in ("think", "revise", "direct", "extend", "argue"):
            return self._solved(rng, slip), 0.3 if slip else 0.9
        belief = float(np.clip(0.25 + 0.5 * (self._proposal_right() != slip) + 0.2 * rng.random(), 0.02, 0.98))
        return self._spoken(rng, belief), belief

    def _rate(self, error: float) -> float:
        """A right answer among the notes, or a reviewer's word on a wrong step, halves the chance of a slip."""
        noted = re.findall(r"^- (.*)$", self.shown, re.M)
        helped = "A reviewer says" in self.shown or any(self.item and right(self.item, n) for n in noted)
        return error / 2 if helped else error

    def _solved(self, rng: np.random.Generator, slip: bool) -> str:
        if self.item is None:
            letters = re.findall(r"^([A-Z])\. ", self.shown, re.M)
            said = letters[int(rng.integers(len(letters)))] if letters else "unknown"
            if self.known is not None:
                said = slipped(self.known, rng) if slip else self.known
            return f"{' ' if self.act == 'extend' else ''}{'' if self.known else 'I cannot tell.'}\nAnswer: {said}"
        if self.act == "extend":
            return self._continued(self.item)
        steps, said = worked(self.item, rng if slip else None)
        lines = "".join(f"{i}. {step}\n" for i, step in enumerate(steps, 1))
        return f"Answer: {said}" if self.act == "direct" else f"{lines}Answer: {said}"

    def _continued(self, item: Item) -> str:
        if re.search(r"answer\W*$", self.prefix, re.I):
            return f" {worked(item, None)[1]}"
        prior = [re.sub(r"^\d+[.):]\s*", "", step) for step in chat_reading.steps(self.prefix)]
        try:
            rest, said = go_on(item, prior)
        except (ValueError, KeyError, IndexError):
            rest, said = [], worked(item, None)[1]
        lines = "".join(f"{i}. {step}\n" for i, step in enumerate(rest, len(prior) + 1))
        return ("" if self.prefix.endswith("\n") else "\n") + f"{lines}Answer: {said}"

    def _proposal(self) -> tuple[list[str], str | None]:
        """The steps and the answer that the model was shown."""
        found = re.search(r"Proposed solution:\n(.*)\nProposed answer: (.*)", self.shown, re.S)
        if found is None:
            return [], None
        steps = [re.sub(r"^\d+[.):]\s*", "", step) for step in chat_reading.steps(found[1])]
        return steps, found[2].splitlines()[0]

    def _proposal_right(self) -> bool:
        answer = self._proposal()[1]
        if self.item is None:
            return self.known is not None and answer == self.known
        return answer is not None and right(self.item, answer)

    def _spoken(self, rng: np.random.Generator, belief: float) -> str:
        """Everything that is no solution."""
        item, options = self.item, re.findall(r"^\d+\. (.*)$", self.shown.rpartition("Options:\n")[2], re.M)
        answer = worked(item, None)[1] if item else "unknown"
        match self.act:
            case "decide":
                return DECIDE.findall(self.shown)[-1][belief <= 0.5]
            case "task":
                return f"Task: Sort {int(rng.integers(2, 9))} stones by weight."
            case "verify":
                return "True" if belief > 0.5 else "False"
            case "critique":
                return f"First wrong step: {self._fault() if belief <= 0.5 else 'none'}\nWhy: the numbers do not add up."
            case "rate":
                return f"Confidence: {round(100 * belief)}%"
            case "foresee":
                return f"Chance: {round(100 * belief)}%\nWords: {10 * len(item.steps) if item else 50}"
            case "judge":
                good = [i for i, option in enumerate(options, 1) if answer in option]
                return f"Choice: {good[0] if good else 1 + int(rng.integers(max(1, len(options))))}"
            case "choose":
                return f"Method: {options[int(rng.integers(len(options)))].partition(':')[0]}" if options else "Method: none"
            case "distil":
                said = [a.strip() for a in re.findall(r"^Answer: (.*)$", self.shown, re.M)]
                return f"Most attempts say {max(said, key=said.count)}." if said else "Nothing is settled."
            case "lessons":
                return "- left to right: work from the left and write each result down\n- check: redo the last step"
            case "plan":
                return "1. Read the numbers.\n2. Work from the left.\n3. Check the result."
            case "decompose":
                return "\n".join(f"- {step.partition('=')[0]}" for step in item.steps) if item else "- What is asked?"
            case "propose":
                return "Question: 7+5\nAnswer: 12"
            case "ask":
                return "Question: Which numbers are meant?"
            case "use":
                return f"Calculate: {item.question if item else '1+1'}"
        return "Sums are worked out from the left."

    def _fault(self) -> str:
        steps, _ = self._proposal()
        for i, step in enumerate(steps):
            if self.item is None or not recheck(self.item, steps[:i], step)[1]:
                return str(i + 1)
        return str(len(steps)) if steps else "none"


def worked(item: Item, rng: np.random.Generator | None) -> tuple[list[str], str]:
    """Steps and answer; with a generator, one number in one of the steps (or in the answer) is wrong."""
    steps, answer = list(item.steps), item.answer
    if rng is None:
        return steps, answer
    place = int(rng.integers(len(steps) + 1))
    if place == len(steps):
        return steps, slipped(answer, rng)
    wrong = [*steps[:place], slipped(steps[place], rng)]
    try:
        rest, said = go_on(item, wrong)
        return [*wrong, *rest], said
    except (ValueError, KeyError, IndexError):
        return wrong, slipped(answer, rng)


def slipped(text: str, rng: np.random.Generator) -> str:
    """The text with its last number off by a little, or its last word replaced."""
    numbers = list(re.finditer(r"\d+", text))
    if not numbers:
        return f"{text.rpartition(' ')[0]} {'F' if text.endswith('T') else 'otter'}".strip()
    last = numbers[-1]
    return f"{text[: last.start()]}{int(last[0]) + int(rng.integers(1, 4))}{text[last.end() :]}"


def recorded(traces: Sequence[Trace], model: Model) -> ReplayModel:
    """A model that serves what the traces sampled from this one, and nothing else."""
    return ReplayModel.of_traces(traces, dialect=model.dialect, capabilities=model.capabilities, context=model.context)


__all__ = ["BLACK_BOX", "CONTINUES", "LOGPROBS", "ScriptedChat", "recorded", "slipped", "worked"]
