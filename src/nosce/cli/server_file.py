"""The server's file, opened for a command."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from nosce.serve.keys import Keys
    from nosce.serve.store import Store

Database = Annotated[Path | None, typer.Option("--database", metavar="FILE", help="The server's file.", show_default="nosce.db")]


@contextmanager
def opened(database: Path | None) -> Iterator[tuple[Store, Keys]]:
    """The store of a file and its keys; running servers may have it open too."""
    from nosce.serve.config import Limits
    from nosce.serve.keys import Keys
    from nosce.serve.store import Store

    store = Store(database or Path("nosce.db"))
    try:
        yield store, Keys(store, Limits())
    finally:
        store.close()


def key_id(store: Store, name: str) -> str:
    """The id of a key by its name or id; `local` is who asks a server without keys. Raises InputError."""
    from nosce.core.errors import InputError

    found = store.one("SELECT id FROM keys WHERE name=? OR id=?", name, name)
    if found is None and name != "local":
        raise InputError(f"no key is called {name!r}; `nosce serve keys list` shows them")
    return str(found["id"]) if found else name
