"""How many tokens a text may have, when nobody can be asked."""

from __future__ import annotations

import re
from math import ceil

from nosce.models.base import Prompt

PER_MESSAGE = 6
"""Tokens that a chat template spends on each turn."""

_RUNS = re.compile(r"[A-Za-z]+|\d|\n|[^\sA-Za-z\d]")


def tokens_of(text: str) -> int:
    """An upper estimate: ⌈letters / 3⌉ per word, 1 per digit, line break and ASCII mark, 2 per other character."""
    return sum(ceil(len(run) / 3) if run.isascii() else 2 for run in _RUNS.findall(text))


def prompt_tokens(prompt: Prompt) -> int:
    """An upper estimate for a prompt with its chat template and prefix."""
    turns = sum(tokens_of(m.content) + PER_MESSAGE for m in prompt.messages)
    return max(1, turns + tokens_of(prompt.text) + tokens_of(prompt.prefix))
