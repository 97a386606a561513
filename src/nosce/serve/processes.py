"""Processes by names that hold even where their numbers are used again."""

from __future__ import annotations

import os
import time
from pathlib import Path


def named() -> str:
    """A name for this process: its number, when it began, and when the name was made."""
    return f"{os.getpid()}-{born(os.getpid())}-{time.time_ns():x}"


def born(pid: int) -> str:
    """When a process began, in its system's own count; empty where that is not told. It tells apart two with one number."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return ""


def alive(name: str) -> bool:
    """Whether the process that goes by this name is there still."""
    number, began, *_ = name.split("-")
    if not running(int(number)):
        return False
    now = born(int(number))
    return began == now if now else int(number) != os.getpid()


def running(pid: int) -> bool:
    """Whether there is a process of this number."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
