"""The bundled model's text as servers read and write it, when a copy of the model is served by other software.

Servers split and join tokens in their own ways. On the wire the mark between two numbers is always written out (`5_3`), so
white space carries no meaning: in what comes back, digits are joined across it and words are set apart.
"""

from __future__ import annotations

import re

TEMPLATE = "{{ messages[-1]['content'] }}"
"""A chat template that passes the last turn on as it is."""

_APART = re.compile(r"<[a-z]+[0-9]*>|[A-Za-z]+(?=[0-9])")
_DIGITS = re.compile(r"(?<=[0-9])\s+(?=[0-9])")


def piece(token: str) -> str:
    """One token on the wire: a word carries the space before it."""
    return f" {token}" if token[0].isalpha() else token


def to_wire(text: str) -> str:
    """A prompt as a server should get it. Raises ValueError outside the vocabulary."""
    from nosce.models.socrates.tokenizer import SocratesTokenizer

    return "".join(piece(token) for token in SocratesTokenizer().pieces(text))


def from_wire(text: str) -> str:
    """What a server wrote, spaced as the model's own tokenizer would; left as it is where it cannot be read."""
    from nosce.models.socrates.tokenizer import SocratesTokenizer

    words = SocratesTokenizer()
    apart = _APART.sub(lambda m: m[0] if m[0].startswith("<") else f"{m[0]} ", _DIGITS.sub("", text))
    try:
        return words.decode(words.encode(apart))
    except ValueError:
        return text
