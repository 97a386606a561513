"""What the attempts are compared by, from what a person writes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nosce.core.errors import InputError, unknown
from nosce.monitor.equivalence import Sameness, embedded, entailed

VIEWS, WAYS = ("text", "answer"), ("match", "embedding", "nli")


def comparing(nli: str | None = None, same: str | None = None, view: str | None = None) -> dict[str, Any]:
    """Fields of the statistics.

    nli: the folder of an entailment model, see `nosce.monitor.nli`. same: which attempts say the same, by `match` (the answers,
    by the question's own matcher), `embedding` or `nli`. view: whether texts or answers are compared. Raises InputError for
    other words, and for `nli` without a model.
    """
    given: dict[str, Any] = {}
    if view is not None and view not in VIEWS:
        raise unknown("view", view, VIEWS)
    if same is not None and same not in WAYS:
        raise unknown("way to compare", same, WAYS)
    if same == "nli" and nli is None:
        raise InputError("--same nli compares by an entailment model; add --nli PATH")
    if nli is not None:
        from nosce.monitor.nli import nli_model

        given["entails"] = nli_model(nli)
    if view is not None:
        given["view"] = view
    made = _sameness(same, given)
    return {**given, "same": made} if made else given


def _sameness(same: str | None, given: Mapping[str, Any]) -> Sameness | None:
    view = given.get("view", "text")
    if same == "nli":
        return entailed(given["entails"], view)
    return embedded(view=view) if same == "embedding" else None
