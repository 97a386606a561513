"""A run that is killed goes on as if it had not been: the same weights, bit for bit."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from nosce.core.errors import InputError
from nosce.learn.plan import plan
from nosce.tasks.load import load_problems

DATA = "family:arithmetic,lists?level=1&n=20&split=train"
SMALL = {"batch": 2, "group": 3, "updates": 2, "kl": 0.01}

KILLED = """
import os, signal, sys
from pathlib import Path
from nosce.learn.plan import plan
from nosce.tasks.load import load_problems

def told(row, warnings):
    if row["step"] == 2:
        os.kill(os.getpid(), signal.SIGKILL)

plan("grpo", "socrates-weak", load_problems(sys.argv[2]), steps=5, out=Path(sys.argv[1]), options=eval(sys.argv[3]),
     save_every=2, told=told).run()
"""


def trained(out: Path, resume: bool = False) -> Path:
    """A run of five steps."""
    plan("grpo", "socrates-weak", load_problems(DATA), steps=5, out=out, options=SMALL, save_every=2, resume=resume).run()
    return out


def test_killed_after_a_step_that_was_not_saved_it_ends_with_the_same_weights_and_the_same_log(tmp_path: Path) -> None:
    whole = trained(tmp_path / "whole")
    words = [sys.executable, "-c", KILLED, str(tmp_path / "cut"), DATA, repr(SMALL)]
    done = subprocess.run(words, capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    cut = tmp_path / "cut"
    assert len((cut / "metrics.jsonl").read_text().splitlines()) == 3
    assert torch.load(cut / "checkpoint.pt", weights_only=False)["step"] == 2
    trained(cut, resume=True)
    assert (cut / "model" / "model.safetensors").read_bytes() == (whole / "model" / "model.safetensors").read_bytes()
    for a, b in zip(*((run / "metrics.jsonl").read_text().splitlines() for run in (whole, cut)), strict=True):
        rows = [{k: v for k, v in json.loads(line).items() if not k.startswith("seconds/")} for line in (a, b)]
        assert rows[0] == rows[1]


def test_a_folder_of_another_run_is_refused_and_says_what_differs(tmp_path: Path) -> None:
    problems = load_problems(DATA)
    out = tmp_path / "run"
    plan("grpo", "socrates-weak", problems, steps=1, out=out, options={"batch": 1, "group": 2})
    with pytest.raises(InputError, match="--resume"):
        plan("grpo", "socrates-weak", problems, steps=1, out=out, options={"batch": 1, "group": 2})
    with pytest.raises(InputError, match="options"):
        plan("grpo", "socrates-weak", problems, steps=1, out=out, options={"batch": 2, "group": 2}, resume=True)
    plan("grpo", "socrates-weak", problems, steps=9, out=out, options={"batch": 1, "group": 2}, resume=True)  # more steps: fine
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    with pytest.raises(InputError, match="not empty"):
        plan("grpo", "socrates-weak", problems, steps=1, out=tmp_path / "mine")
