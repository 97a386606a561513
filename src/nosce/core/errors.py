"""Errors for people: what was wrong, where, what was expected, what to do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches


class NosceError(Exception):
    """Base of every error that Nosce raises on purpose; its text is one line a person can act on."""


class InputError(NosceError, ValueError):
    """The caller's data, flags or parameters are wrong. Raised before any token is spent."""


class CapabilityError(NosceError):
    """A model cannot do what a system needs.

    `missing` names the capability or act, `model` the model, `serve` what would do instead.
    """

    def __init__(self, missing: str, model: str, serve: Sequence[str] | str = ()) -> None:
        self.missing, self.model = missing, model
        self.serve = (serve,) if isinstance(serve, str) else tuple(serve)
        hint = f"; what would serve: {', '.join(self.serve)}" if self.serve else ""
        super().__init__(f"{model} has no {missing!r}{hint}")


class OutOfScope(NosceError):
    """The question lies outside what the model can read at all. The runner turns it into an abstention without confidence."""


class BudgetExhausted(NosceError):
    """The next call does not fit into what is left of the budget. The runner turns it into the best answer so far."""


class ModelError(NosceError):
    """A model or server failed for this call after its retries. Recorded for that problem alone."""


class JournalError(NosceError):
    """The journal cannot be written or belongs to another run."""


def unknown(what: str, name: str, known: Iterable[str]) -> InputError:
    """An error for an unknown name that offers the nearest known ones."""
    names = sorted(set(known))
    near = get_close_matches(name.lower(), names, n=3, cutoff=0.5)
    offer = f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(names[:12])}"
    return InputError(f"unknown {what} {name!r}; {offer}")
