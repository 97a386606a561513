"""Any long command may be stopped at any moment; told to resume, it ends as if it had never been stopped."""

import asyncio
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nosce.models.base import Request, Sample
from nosce.models.socrates.model import SocratesModel

Command = Callable[..., tuple[int, str, str]]
MAIN = "from nosce.cli.app import main; main()"
SUMS = "family:arithmetic,lists?n=80&level=1,2,3"
COMMANDS = {
    "compare": ("compare", "family:arithmetic?n=8&level=1,2", "-s", "think,adaptive-consistency"),
    "prove": ("prove", "soft-sc", "--data", "family:arithmetic?n=8&level=1,2", "--calibrate", "family:sums?n=8&split=dev"),
    "monitor": ("monitor", SUMS, "--signals", "self-consistency-share,sequence-probability", "-k", "3"),
    "profile": ("profile", "socrates", "--battery", "S158", "--n", "12"),
    "calibrate": ("calibrate", SUMS, "--set", "k=2", "--out", "calibrator.json"),
    "serve calibrate": ("serve", "calibrate", "family:arithmetic,lists?n=60&level=1,2,3", "--demo", "--out", "policy.json"),
}
CLOCK = {"seconds", "in_flight", "in_flight_when_resumed", "out", "written", "kept"}


def told(text: str) -> Any:
    """What a command said, without what only a clock or a kill decides, and as exactly as log-probabilities are known.

    Those of the bundled model hang in their last digit on which rows share a batch.
    """

    def plain(data: Any) -> Any:
        if isinstance(data, dict):
            return {name: plain(value) for name, value in data.items() if name not in CLOCK}
        if isinstance(data, list):
            return [plain(value) for value in data]
        return round(data, 4) if isinstance(data, float) else data

    return plain(json.loads(text))


class Stopper:
    """Counts the draws that the bundled model makes, and presses Ctrl-C at the n-th call."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls, self.at, self.drawn = 0, 10**9, list[tuple[str, int]]()
        sample = SocratesModel.sample

        async def counted(model: SocratesModel, request: Request) -> list[Sample]:
            self.calls += 1
            if self.calls == self.at:
                signal.raise_signal(signal.SIGINT)
                await asyncio.sleep(3600)
            samples = await sample(model, request)
            self.drawn += [(request.prompt.key, key) for key in request.keys]
            return samples

        monkeypatch.setattr(SocratesModel, "sample", counted)


@pytest.mark.parametrize("name", COMMANDS)
def test_stopped_and_resumed_it_says_the_same_and_draws_nothing_twice(
    name: str, here: Path, nosce: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    command, model = (*COMMANDS[name], "--json"), Stopper(monkeypatch)
    code, straight, _ = nosce(*command)
    assert code == 0
    calls, drawn = model.calls, set(model.drawn)
    if name == "calibrate":  # the answers of `calibrate` are a run of `solve`, which stays
        for path in (here / "runs").rglob("*.*"):
            path.unlink()
    else:
        assert not (here / "runs").exists()
    model.drawn.clear()
    model.calls, model.at = 0, max(2, calls // 2)
    code, out, err = nosce(*command)
    assert (code, out) == (130, "")
    assert "go on with:\n  nosce " in err
    assert nosce(*command)[0] == 2
    code, again, _ = nosce(*command, "--resume")
    assert code == 0
    assert told(again) == told(straight)
    assert set(model.drawn) == drawn
    assert len(model.drawn) == len(drawn)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["compare", "prove"])
def test_a_real_ctrl_c_ends_it_at_once_and_says_how_to_go_on(name: str, here: Path) -> None:
    command = [sys.executable, "-c", MAIN, *COMMANDS[name], "--out", "r"]
    running = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    until = time.monotonic() + 120
    while time.monotonic() < until and not (here / "r" / "journal.sqlite-wal").exists():
        time.sleep(0.01)
    time.sleep(0.3)
    running.send_signal(signal.SIGINT)
    _, err = running.communicate(timeout=120)
    assert running.returncode == 130, err
    assert "Traceback" not in err
    assert err.rstrip().endswith("--out r --resume")
    assert subprocess.run([*command, "--resume"], check=False, capture_output=True).returncode == 0
