"""What a problem may allow a model to call: text in, text out, one tool call of cost each."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Protocol

from nosce.core.errors import unknown

TOOLS = {
    "calculator": "nosce.tools.calculator:calculator",
    "python": "nosce.tools.python:sandboxed",
}
"""Where each tool is made; looked up when first used."""


class Tool(Protocol):
    """A tool never raises on what a model wrote: `error: ...` is a result like any other."""

    def __call__(self, text: str) -> str:
        """The result for one argument."""


@cache
def tool(name: str) -> Tool:
    """The tool of this name, ready to call.

    Raises InputError for an unknown name, CapabilityError when the tool is switched off or lacks what it needs.
    """
    if name not in TOOLS:
        raise unknown("tool", name, TOOLS)
    module, _, maker = TOOLS[name].partition(":")
    make: Callable[[], Tool] = getattr(import_module(module), maker)
    return make()
