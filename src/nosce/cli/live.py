"""Progress on standard error: bars on a terminal, now and then a line elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Any

from nosce.report.text import count, percent

if TYPE_CHECKING:
    from nosce.evidence.run import Progress

WORDS = {"prepare": "preparing", "calibrate": "calibrating", "solve": "answering"}


class Live:
    """A bar per stage with live counts, tokens a second and the time to go. On no terminal: a line every ten seconds."""

    def __init__(self, every: float = 10.0) -> None:
        self.every, self.started, self.said = every, time.monotonic(), time.monotonic()
        self.bars: Any = _bars() if sys.stderr.isatty() else None
        self.tasks: dict[str, Any] = {}
        self.since: dict[str, float] = {}

    def __enter__(self) -> Live:
        if self.bars:
            self.bars.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self.bars:
            self.bars.stop()

    def progress(self, now: Progress) -> None:
        """Where a run stands."""
        self.step(WORDS[now.stage], now.done, now.total, _counts(now), now.tokens)

    def step(self, name: str, done: int, total: int, counts: str = "", tokens: int = 0) -> None:
        """Where the named part of the work stands."""
        begun = self.since.setdefault(name, time.monotonic())
        rate = tokens / max(time.monotonic() - begun, 1e-3)
        said = f"{counts} · {count(tokens)} tokens, {count(rate)}/s" if tokens else counts
        if self.bars:
            if name not in self.tasks:
                self.tasks[name] = self.bars.add_task(name, total=total, said="")
            self.bars.update(self.tasks[name], completed=done, total=total, said=said)
        elif time.monotonic() - self.said >= self.every or (done == total > 0 and time.monotonic() - self.started > self.every):
            self.said = time.monotonic()
            print(f"{name} {done}/{total} {said}", file=sys.stderr, flush=True)


def _counts(now: Progress) -> str:
    parts = [f"{count(now.answered)} answered"]
    parts += [f"{count(n)} {name}" for n, name in ((now.abstained, "abstained"), (now.failed, "failed")) if n]
    return " · ".join([*parts, f"{percent(now.correct)} right"] if now.correct is not None else parts)


def _bars() -> Any:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    return Progress(
        TextColumn("{task.description:<12}"), BarColumn(bar_width=24, complete_style="cyan", finished_style="cyan"),
        MofNCompleteColumn(), TimeRemainingColumn(compact=True, elapsed_when_finished=True), TextColumn("[dim]{task.fields[said]}"),
        console=Console(stderr=True), refresh_per_second=8,
    )  # fmt: skip
