"""The folder of a training run: what it is, its log, its last checkpoint; whole at any moment, also after `kill -9`.

    run.json         what was asked for: the same words resume it, others are refused
    metrics.jsonl    one line a step
    checkpoint.pt    weights, optimizer, random state, the stages' own state, the step; replaced in one rename
    model/           the trained weights, for transformers and `nosce solve --model socrates:DIR/model`, and in nosce.json what they
                     were trained by
    events/          the same numbers for TensorBoard
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nosce.core.errors import InputError


class Folder:
    """A run's folder. Raises InputError when it holds another run, or one that is to be resumed and is not there."""

    def __init__(self, path: Path, words: Mapping[str, Any], *, resume: bool) -> None:
        self.path = path
        known = path / "run.json"
        if known.exists() and not resume:
            raise InputError(f"{path} holds a run already; go on with it by --resume, or give another --out")
        if known.exists():
            _same(path, json.loads(known.read_text(encoding="utf-8")), words)
        elif path.exists() and any(child.suffix != ".new" for child in path.iterdir()):
            raise InputError(f"{path} is not empty and no training run; give another --out")
        path.mkdir(parents=True, exist_ok=True)
        written(known, json.dumps(dict(words), indent=1).encode() + b"\n")

    @property
    def checkpoint(self) -> Path:
        """The last checkpoint."""
        return self.path / "checkpoint.pt"

    def save(self, state: Mapping[str, Any]) -> None:
        """Write a checkpoint beside the last, then put it in its place."""
        import torch

        new = self.path / "checkpoint.new"
        torch.save(dict(state), new)
        _to_disk(new)
        os.replace(new, self.checkpoint)

    def load(self) -> dict[str, Any] | None:
        """The last checkpoint, or None when there is none yet."""
        import torch

        if not self.checkpoint.exists():
            return None
        state: dict[str, Any] = torch.load(self.checkpoint, map_location="cpu", weights_only=False)
        return state

    def rows(self, before: int) -> list[dict[str, float]]:
        """The log's rows of steps before this one; later ones, which a killed run left, are taken out of the file."""
        path = self.path / "metrics.jsonl"
        if not path.exists():
            return []
        rows = []
        for line in path.read_text(encoding="utf-8").splitlines():
            try:
                row = json.loads(line)
            except json.JSONDecodeError:
                break
            if row["step"] < before:
                rows.append(row)
        written(path, "".join(json.dumps(row) + "\n" for row in rows).encode())
        return rows

    def sign(self) -> None:
        """Put beside the exported weights what they were trained by."""
        written(self.path / "model" / "nosce.json", (self.path / "run.json").read_bytes())

    def append(self, row: Mapping[str, Any]) -> None:
        """One line of the log."""
        with (self.path / "metrics.jsonl").open("a", encoding="utf-8") as log:
            log.write(json.dumps(dict(row)) + "\n")


def _same(path: Path, was: Mapping[str, Any], words: Mapping[str, Any]) -> None:
    for name in {*was, *words} - {"steps"}:
        if was.get(name) != words.get(name):
            raise InputError(
                f"{path} holds another run: its {name} is {was.get(name)!r}, not {words.get(name)!r}; "
                "resume it with its own words, or give another --out"
            )


def written(path: Path, data: bytes) -> None:
    """Write a whole file in one rename."""
    new = path.with_name(path.name + ".new")
    new.write_bytes(data)
    _to_disk(new)
    os.replace(new, path)


def _to_disk(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())
