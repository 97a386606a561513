"""The bundled model's tokenizer: about 200 tokens, one for each digit, sign, word, syllable and control mark.

White space only matters between two numbers, where it becomes the token `_`; everything else is cut by one
pattern. `save` writes files from which transformers' PreTrainedTokenizerFast gives the same ids.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from nosce.tasks.families import facts, lists

PAD, Q, CTX, NOTE, TOOL = "<pad>", "<q>", "<ctx>", "<note>", "<tool>"
THINK, FAST, ANS, END = "<think>", "<fast>", "<ans>", "<end>"
CHECK, OK, BAD, YES, NO = "<check>", "<ok>", "<bad>", "<yes>", "<no>"
FAULT, NONE, REVISE = "<fault>", "<none>", "<revise>"
RATE, FORESEE, CALL, RESULT, UNKNOWN = "<rate>", "<foresee>", "<call>", "<result>", "<unknown>"
STEPS = tuple(f"<s{k}>" for k in range(1, 13))
RATINGS = tuple(f"<r{k}>" for k in range(10))
LENGTHS = tuple(f"<len{k}>" for k in range(8))
CONTROL = (
    PAD, Q, CTX, NOTE, TOOL, THINK, FAST, ANS, END, CHECK, OK, BAD, YES, NO, FAULT, NONE, REVISE, RATE, FORESEE, CALL,
    RESULT, UNKNOWN, *STEPS, *RATINGS, *LENGTHS,
)  # fmt: skip
DIGITS = tuple("0123456789")
SIGNS = tuple("+-*/=():;.,_")
WORDS = (
    "make", "from", *lists.OPERATIONS, "and", "or", "xor", "implies", "not", "p", "q", "r", "s", "T", "F", "of", "for", "has",
    "tell", "that", "is", *facts.ATTRIBUTES, *(value for values in facts.ATTRIBUTES.values() for value in values),
)  # fmt: skip
VOCABULARY: tuple[str, ...] = (*CONTROL, *DIGITS, *SIGNS, *WORDS, *facts.SYLLABLES)
PATTERN = (
    r"<[a-z]+[0-9]*>|\b(?:" + "|".join(sorted(WORDS, key=len, reverse=True)) + r")\b|"
    + "|".join(facts.SYLLABLES) + r"|[0-9]|[-+*/=():;.,_]"
)  # fmt: skip
_BETWEEN_NUMBERS = r"(?<=[0-9])\s+(?=[0-9])"


class SocratesTokenizer:
    """Text to ids and back. `ids` maps a token to its id; `tokens` is the vocabulary in id order."""

    tokens: tuple[str, ...] = VOCABULARY

    def __init__(self) -> None:
        self.ids: dict[str, int] = {token: k for k, token in enumerate(VOCABULARY)}
        self.pad_id, self.end_id = self.ids[PAD], self.ids[END]
        self._pattern = re.compile(PATTERN)

    def __len__(self) -> int:
        return len(VOCABULARY)

    def pieces(self, text: str) -> list[str]:
        """The tokens of a text as strings; ValueError names the first character that is outside the vocabulary."""
        text = re.sub(_BETWEEN_NUMBERS, "_", text)
        found, at = [], 0
        for match in self._pattern.finditer(text):
            self._blank(text, at, match.start())
            found.append(match[0])
            at = match.end()
        self._blank(text, at, len(text))
        return found

    @staticmethod
    def _blank(text: str, start: int, end: int) -> None:
        gap = text[start:end].strip()
        if gap:
            raise ValueError(f"outside the vocabulary at character {start}: {gap[:20]!r}")

    def encode(self, text: str) -> list[int]:
        """Ids of a text, control marks included when they are written out; ValueError outside the vocabulary."""
        try:
            return [self.ids[piece] for piece in self.pieces(text)]
        except KeyError as unknown:
            raise ValueError(f"no such control mark: {unknown.args[0]}") from None

    def decode(self, ids: Iterable[int], *, skip_control: bool = False) -> str:
        """Text of ids, spaced as a person would type it; `encode(decode(ids)) == ids` for what `encode` gives."""
        out, before = "", ""
        for token in (VOCABULARY[int(k)] for k in ids):
            if skip_control and token in _CONTROLS:
                before = " "
                continue
            out += (" " if _gap(before, token) else "") + (" " if token == "_" else token)
            before = token
        return out.strip()


_CONTROLS = frozenset(CONTROL)
_SYLLABLES = frozenset(facts.SYLLABLES)


def _gap(before: str, token: str) -> bool:
    """Whether a space stands between two tokens."""
    if not before or before in "(_/*+-=" or token in ("_", ")", ":", ";", ",", ".") or token in "+-*/=":
        return False
    if before in _SYLLABLES and token in _SYLLABLES:
        return False
    wordy = before[-1].isalpha() or token[0].isalpha() or "<" in token or ">" in before
    return wordy or before in ":;,." or token == "("


def files() -> dict[str, dict[str, Any]]:
    """The contents of `tokenizer.json` and `tokenizer_config.json` for transformers."""
    special = [
        {"id": k, "content": t, "single_word": False, "lstrip": True, "rstrip": True, "normalized": False, "special": True}
        for k, t in enumerate(CONTROL)
    ]
    tokenizer: dict[str, Any] = {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": special,
        "normalizer": {"type": "Replace", "pattern": {"Regex": _BETWEEN_NUMBERS}, "content": "_"},
        "pre_tokenizer": {
            "type": "Sequence",
            "pretokenizers": [
                {"type": "Split", "pattern": {"Regex": r"\s+"}, "behavior": "Removed", "invert": False},
                {"type": "Split", "pattern": {"Regex": PATTERN}, "behavior": "Isolated", "invert": False},
            ],
        },
        "post_processor": None,
        "decoder": {"type": "Fuse"},
        "model": {"type": "WordLevel", "vocab": {t: k for k, t in enumerate(VOCABULARY)}, "unk_token": PAD},
    }  # fmt: skip
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast", "pad_token": PAD, "eos_token": END, "bos_token": Q, "unk_token": PAD,
        "model_max_length": 256, "clean_up_tokenization_spaces": False, "add_bos_token": False,
    }  # fmt: skip
    return {"tokenizer.json": tokenizer, "tokenizer_config.json": config}


def save(folder: Path) -> None:
    """Write both tokenizer files into a folder."""
    for name, content in files().items():
        (folder / name).write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n")
