"""Which tokens of an attempt make up a part of its text: a step, a sentence, a field's value."""

from __future__ import annotations

from collections.abc import Sequence

from nosce.core.attempt import Attempt
from nosce.mind.mind import Mind
from nosce.models.base import Rereads
from nosce.monitor.observe import drawn

Span = tuple[int, int]


def token_spans(attempt: Attempt, mind: Mind) -> list[Span] | None:
    """Where each token with a log-probability stands in the attempt's text: [start, end) in characters.

    The text of tokens is the model's own where it is local, else that of the alternatives that were drawn. None where tokens
    have no text, or their text is not the attempt's.
    """
    count = len(attempt.logprobs or ())
    if isinstance(mind.model, Rereads) and attempt.token_ids and len(attempt.token_ids) == count:
        ends = [len(mind.model.decode(attempt.token_ids[: t + 1])) for t in range(count)]
        whole = mind.model.decode(attempt.token_ids)
    else:
        pieces = drawn(attempt)
        if not pieces:
            return None
        whole, ends, at = "".join(pieces), [], 0
        for piece in pieces:
            at += len(piece)
            ends.append(at)
    shift = whole.find(attempt.text.strip())
    if shift < 0:
        return None
    lead = len(attempt.text) - len(attempt.text.lstrip()) - shift
    return list(zip([lead, *(end + lead for end in ends[:-1])], [end + lead for end in ends], strict=True))


def tokens_of(span: Span, tokens: Sequence[Span]) -> list[int]:
    """The tokens that share a character with the span."""
    return [t for t, (start, end) in enumerate(tokens) if start < span[1] and span[0] < end]


def parts_of(text: str, parts: Sequence[str]) -> list[Span]:
    """Where each part stands in the text, one after the other; a part that is not found is empty where the last one ended."""
    found: list[Span] = []
    at = 0
    for part in parts:
        start = text.find(part, at)
        found.append((start, start + len(part)) if start >= 0 else (at, at))
        at = found[-1][1]
    return found
