"""The numbers of a run for TensorBoard, where it is installed."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any


class Events:
    """Writes event files; does nothing without the package tensorboard (extra nosce[train])."""

    def __init__(self, folder: Path, step: int) -> None:
        self.writer: Any = None
        if find_spec("tensorboard") is not None:
            from torch.utils.tensorboard import SummaryWriter

            self.writer = SummaryWriter(str(folder), purge_step=step or None)

    def add(self, row: Mapping[str, Any]) -> None:
        """One step."""
        if self.writer is not None:
            for name, value in row.items():
                if name != "step" and isinstance(value, int | float):
                    self.writer.add_scalar(name, value, int(row["step"]))

    def close(self) -> None:
        """Flush what is written."""
        if self.writer is not None:
            self.writer.close()
