"""A file is written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

from nosce.core.errors import JournalError


def write_whole(path: Path, text: str) -> Path:
    """Write text beside its place and move it there. Raises JournalError when that is not possible; then nothing is left."""
    part = path.with_suffix(path.suffix + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(text, encoding="utf-8", errors="replace")
        os.replace(part, path)
    except OSError as error:
        part.unlink(missing_ok=True)
        why = error.strerror or error
        raise JournalError(f"{path}: cannot be written: {why}; free some space or choose another place") from None
    return path
