"""The bundled model asked for its acts directly, in batches, without a Mind: what its own measurements are made with."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nosce.models.socrates import tokenizer as marks
from nosce.models.socrates.decoder import Decoder, Row
from nosce.models.socrates.network import Network
from nosce.models.socrates.tokenizer import SocratesTokenizer
from nosce.tasks import families
from nosce.tasks.families import Item, arithmetic

_STEP = re.compile(r"<s\d+>")


@dataclass(frozen=True)
class Try:
    """One attempt at an item: `direct` or thought, its steps, answer and whether it is right.

    `logprob` is the mean and `weakest` the least log-probability of its tokens (nats, temperature 1).
    """

    item: Item
    direct: bool
    steps: tuple[str, ...]
    answer: str
    right: bool
    length: int
    logprob: float
    weakest: float

    def text(self) -> str:
        """The whole attempt as the acts see it: question, thought, answer, without `<end>`."""
        return f"{prompt(self.item, direct=self.direct)} {written(self.steps, self.answer)}"


def prompt(item: Item, *, direct: bool = False, notes: Sequence[str] = (), tool: bool = False) -> str:
    """`<q> QUESTION [<ctx> …] [<note> …] [<tool>] <think>` (or `<fast>`)."""
    parts = [marks.Q, item.question]
    parts += [marks.CTX, item.context] if item.context else []
    for note in notes:
        parts += [marks.NOTE, note]
    return " ".join([*parts, *([marks.TOOL] if tool else []), marks.FAST if direct else marks.THINK])


def written(steps: Sequence[str], answer: str) -> str:
    """`<s1> … <ans> ANSWER`."""
    return " ".join([*(f"{mark} {step}" for mark, step in zip(marks.STEPS, steps, strict=False)), marks.ANS, answer])


def read(text: str) -> tuple[tuple[str, ...], str]:
    """Steps and answer of a decoded thought; the answer is empty where none was written."""
    body, _, answer = text.partition(marks.ANS)
    steps = tuple(part.strip() for part in _STEP.split(body)[1:])
    return steps, answer.replace(marks.END, "").strip()


class Speaker:
    """A checkpoint that writes, and reads off probabilities. `lanes` for the decoder."""

    def __init__(self, folder: str | Path, *, slots: int = 256, lanes: int = 1) -> None:
        self.network, self.words = Network.load(folder), SocratesTokenizer()
        self._decoder = Decoder(self.network, slots, lanes)
        self._key = 0

    def say(self, prompts: Sequence[str], *, temperature: float = 0.7, most: int = 140, stop: str = marks.END) -> list[Row]:
        """One continuation for each prompt, as decoder rows; streams are numbered in the order of calls."""
        rows = []
        for text in prompts:
            ids = self.words.encode(text)
            room = min(most, self.network.context - len(ids))
            ends = frozenset({self.words.end_id, self.words.ids[stop]})
            rows.append(Row(self._key, ids, max_new=max(room, 1), temperature=temperature, stop=ends))
            self._key += 1
        return self._decoder.run(rows)

    def texts(self, prompts: Sequence[str], *, temperature: float = 0.0, most: int = 140, stop: str = marks.END) -> list[str]:
        """The continuations as text."""
        return [self.words.decode(row.tokens) for row in self.say(prompts, temperature=temperature, most=most, stop=stop)]

    def chances(self, prompts: Sequence[str], tokens: Sequence[str]) -> NDArray[np.float64]:
        """Probability of each of `tokens` as the next one, normalised over them: (prompts, tokens)."""
        wanted = [self.words.ids[token] for token in tokens]
        out = np.empty((len(prompts), len(wanted)))
        for start in range(0, len(prompts), 256):
            batch = [self.words.encode(text) for text in prompts[start : start + 256]]
            logprobs = self.network.next_logprobs(batch)[:, wanted].astype(np.float64)
            out[start : start + len(batch)] = np.exp(logprobs - logprobs.max(1, keepdims=True))
        normal: NDArray[np.float64] = out / out.sum(1, keepdims=True)
        return normal

    def attempt(self, items: Sequence[Item], *, direct: bool = False, temperature: float = 0.7) -> list[Try]:
        """One attempt at each item."""
        rows = self.say([prompt(item, direct=direct) for item in items], temperature=temperature)
        return [self._try(item, direct, row) for item, row in zip(items, rows, strict=True)]

    def _try(self, item: Item, direct: bool, row: Row) -> Try:
        steps, answer = read(self.words.decode(row.tokens))
        ended = row.tokens[-1:] == [self.words.end_id]
        right = ended and families.right(item, answer)
        logprobs = np.asarray(row.logprobs)
        return Try(item, direct, steps, answer, right, len(row.tokens), float(logprobs.mean()), float(logprobs.min()))

    def with_calculator(self, items: Sequence[Item]) -> list[str]:
        """Answers with a calculator on offer, greedy; every `<call>` is computed and its value put in."""
        texts, open_rows = [prompt(item, tool=True) for item in items], list(range(len(items)))
        for _ in range(8):
            said = self.texts([texts[k] for k in open_rows], stop=marks.RESULT)
            still = []
            for k, text in zip(open_rows, said, strict=True):
                texts[k] += f" {text}"
                if text.endswith(marks.RESULT):
                    texts[k] += f" {_computed(text)}"
                    still.append(k)
            open_rows = still
            if not still:
                break
        return [read(text.partition(marks.THINK)[2])[1] for text in texts]


def _computed(text: str) -> str:
    call = text.rpartition(marks.CALL)[2].replace(marks.RESULT, "")
    match = re.fullmatch(r"\s*(\d+)([-+*/])(\d+)\s*", call)
    try:
        return str(arithmetic.compute(int(match[1]), match[2], int(match[3]))) if match else "0"
    except ValueError:
        return "0"
