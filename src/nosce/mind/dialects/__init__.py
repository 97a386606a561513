"""Dialects: how mental acts are put to each kind of model."""

from __future__ import annotations

from nosce.core.errors import unknown
from nosce.mind.dialects.base import ACTS, Critique, Dialect, Foresight, Given, Rendered
from nosce.mind.dialects.chat import Chat
from nosce.models.base import Model

__all__ = ["ACTS", "Critique", "Dialect", "Foresight", "Given", "Rendered", "dialect_of"]


def dialect_of(model: Model) -> Dialect:
    """The dialect a model speaks. Raises InputError for a name that is not known."""
    if model.dialect == "chat":
        return Chat(continuation=model.capabilities.continuation)
    if model.dialect == "as-asked":
        from nosce.mind.dialects.as_asked import LONGEST, AsAsked

        return AsAsked(longest=getattr(model, "longest", LONGEST))
    if model.dialect.startswith("socrates"):
        from nosce.mind.dialects.socrates import Socrates

        return Socrates(taught=model.dialect == "socrates")
    raise unknown("dialect", model.dialect, ("chat", "as-asked", "socrates", "socrates-base"))
