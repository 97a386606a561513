"""Text to token ids and back, for any causal LM of transformers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from nosce.core.errors import InputError
from nosce.core.problem import Message
from nosce.models.base import Prompt

_SLOT, _SLOTS = "@turn{}@", re.compile("@turn([0-9]+)@")
PLAIN_STOP = "\nUser:"
"""Ends a turn of a model without a chat template."""


class Words:
    """A tokenizer of transformers with its chat template, if it has one.

    A chat goes through the template; without one it is written `System: …`, `User: …`, `Assistant:`, a line each. Text
    that is no chat is read as it stands. Control marks that stand in a turn are plain text: only the template's own count.
    """

    dialect = "chat"

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer = tokenizer
        self.templated = bool(getattr(tokenizer, "chat_template", None))
        self._marks = _marks(tokenizer)

    def render(self, prompt: Prompt) -> str:
        """What the model reads, before it is cut into tokens."""
        if not prompt.messages:
            return prompt.text + prompt.prefix
        return (self._template(prompt.messages) if self.templated else _plain(prompt.messages)) + prompt.prefix

    def _template(self, messages: Sequence[Message]) -> str:
        turns = [{"role": m.role, "content": m.content} for m in messages]
        try:
            return str(self.tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True))
        except Exception:  # some templates refuse a system turn: its text then opens the first turn
            first, *rest = turns
            if first["role"] != "system" or not rest:
                raise
            merged = [{**rest[0], "content": f"{first['content']}\n\n{rest[0]['content']}"}, *rest[1:]]
            return str(self.tokenizer.apply_chat_template(merged, tokenize=False, add_generation_prompt=True))

    def prompt(self, prompt: Prompt) -> list[int]:
        """Token ids of a prompt; a template brings its own beginning-of-text mark."""
        bare = bool(prompt.messages and self.templated)
        if any(self._marks.search(m.content) for m in prompt.messages):
            ids = self._spelt(prompt)
            return ids if bare else list(self.tokenizer.build_inputs_with_special_tokens(ids))
        return list(self.tokenizer.encode(self.render(prompt), add_special_tokens=not bare))

    def _spelt(self, prompt: Prompt) -> list[int]:
        """Token ids of a chat in whose turns control marks stand: each mark is cut in two, so that none is found there."""
        held = [m.content for m in prompt.messages]
        shown = [replace(m, content=_SLOT.format(i)) for i, m in enumerate(prompt.messages)]
        parts = _SLOTS.split(self.render(Prompt(tuple(shown), prompt.text, "")))
        texts = [piece for i, part in enumerate(parts) for piece in (self._cut(held[int(part)]) if i % 2 else [part])]
        return [token for text in [*texts, prompt.prefix] if text for token in self.encode(text)]

    def _cut(self, text: str) -> list[str]:
        cuts = [0, *(found.start() + 1 for found in self._marks.finditer(text)), len(text)]
        return [text[a:b] for a, b in pairwise(cuts)]

    def encode(self, text: str) -> list[int]:
        """Token ids of a text, no marks added."""
        return list(self.tokenizer.encode(text, add_special_tokens=False))

    def decode(self, ids: Sequence[int]) -> str:
        """Text of token ids, special tokens left out."""
        return str(self.tokenizer.decode(list(ids), skip_special_tokens=True, clean_up_tokenization_spaces=False))

    def joined(self, prompt: Prompt, option: str) -> list[int]:
        """Token ids of the prompt with a continuation."""
        longer = Prompt(prompt.messages, prompt.text, prompt.prefix + option)
        return self.prompt(longer)

    def one(self, text: str) -> int | None:
        """The id of a text that is a single token, else None."""
        held: int | None = self.tokenizer.get_vocab().get(text)
        if held is None and len(ids := self.encode(text)) == 1:
            held = ids[0]
        return held

    def name(self, token: int) -> str:
        """How one token is shown among alternatives: its text, special tokens by name."""
        return self.decode([token]) or str(self.tokenizer.convert_ids_to_tokens(token))

    def stops(self, prompt: Prompt) -> tuple[str, ...]:
        """Strings that end the model's turn, besides what is asked for."""
        return (PLAIN_STOP,) if prompt.messages and not self.templated else ()


class SocratesWords(Words):
    """The bundled model's own tokenizer, for its weights loaded into transformers."""

    dialect = "socrates"

    def __init__(self, tokenizer: Any) -> None:
        from nosce.models.socrates.tokenizer import SocratesTokenizer

        super().__init__(tokenizer)
        self.own = SocratesTokenizer()

    def prompt(self, prompt: Prompt) -> list[int]:
        """Token ids. Raises InputError for a chat or a text outside the vocabulary."""
        if prompt.messages:
            raise InputError("this model reads its own grammar, not chat messages")
        return self.encode(f"{prompt.text} {prompt.prefix}".strip())

    def encode(self, text: str) -> list[int]:
        """Token ids of a text. Raises InputError outside the vocabulary."""
        try:
            return self.own.encode(text)
        except ValueError as error:
            raise InputError(str(error)) from None

    def decode(self, ids: Sequence[int]) -> str:
        """Text of token ids, control marks included."""
        return self.own.decode(list(ids))

    def joined(self, prompt: Prompt, option: str) -> list[int]:
        """Token ids of the prompt and, after them, of a continuation."""
        return self.prompt(prompt) + self.encode(option)


def words_of(tokenizer: Any) -> Words:
    """The fitting reader: the bundled tokenizer is known by its vocabulary."""
    from nosce.models.socrates.tokenizer import VOCABULARY

    vocabulary = tokenizer.get_vocab()
    own = len(vocabulary) == len(VOCABULARY) and all(vocabulary.get(word) == k for k, word in enumerate(VOCABULARY))
    return (SocratesWords if own else Words)(tokenizer)


def _marks(tokenizer: Any) -> re.Pattern[str]:
    """The control marks of a tokenizer, as they would be written out."""
    added = getattr(tokenizer, "added_tokens_decoder", {}).values()
    named = [str(token) for token in added if token.special or str(token)[:1] in "<["]
    held = sorted({*named, *tokenizer.all_special_tokens} - {""}, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, held)) or r"(?!)")


def _plain(messages: Sequence[Message]) -> str:
    lines = [f"{m.role.capitalize()}: {m.content}\n" for m in messages]
    return "".join(lines) + "Assistant:"
