"""Where a command keeps what it was answered, so that it can be stopped at any moment and gone on with."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def kept(out: Path | None, name: str, *decided_by: object) -> Iterator[Path]:
    """The folder of a run: `out`, else one under runs/ that the same command finds again, gone when the run is done.

    `decided_by` tells one run of that name from another. Ctrl-C says where the run is and how to go on with it.
    """
    from nosce.core.streams import fingerprint

    folder = out or Path("runs") / f"{plain_name(name)}-{fingerprint(*decided_by, size=4)}"
    with told_how_to_resume(folder):
        yield folder
    if out is None:
        shutil.rmtree(folder, ignore_errors=True)
        with suppress(OSError):
            folder.parent.rmdir()  # where nothing else is in it


@contextmanager
def told_how_to_resume(folder: Path | None) -> Iterator[None]:
    """Ctrl-C says where the run is and how to go on with it."""
    from nosce.cli.speak import note, resume_line

    try:
        yield
    except KeyboardInterrupt:
        if folder is not None:
            note(f"Stopped. What was done is kept in {folder}; go on with:\n  {resume_line()}")
        raise


def plain_name(name: str) -> str:
    """The name as a part of a path."""
    return "".join(c if c.isalnum() else "-" for c in name)[:60].strip("-")
