"""Objects that stand in for another, and change nothing of it."""

from __future__ import annotations

from typing import Any


class Through:
    """Stands in for an object: what it does not have itself comes from there."""

    def __init__(self, inside: Any) -> None:
        object.__setattr__(self, "_inside", inside)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inside, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._inside, name, value)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *dir(self._inside)})

    def __repr__(self) -> str:
        return f"nosce.wrap({self._inside!r})"


class Overlaid(Through):
    """An object with some attributes in other hands."""

    def __init__(self, inside: Any, **over: Any) -> None:
        super().__init__(inside)
        object.__setattr__(self, "__dict__", {**self.__dict__, **over})
