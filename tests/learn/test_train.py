"""`nosce train`, end to end, as a user calls it."""

import json
from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from nosce.cli.app import run
from nosce.cli.train import progress
from nosce.models.load import load

DATA = "family:arithmetic,lists?level=1,2&n=40&split=train"
QUICK = ["--model", "socrates-weak", "--data", DATA, "--set", "batch=2", "--set", "group=4", "--save-every", "2"]


def test_five_steps_leave_a_log_and_a_model_that_answers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "run"
    assert run(["train", "grpo", *QUICK, "--steps", "5", "--out", str(out), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    rows = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == [0, 1, 2, 3, 4]
    assert said["last"]["pass_rate"] == rows[-1]["pass_rate"]
    assert {"reward/outcome", "entropy", "same", "length", "loss", "grad_norm", "drift", "kl"} <= set(rows[0])
    assert rows[0]["kl"] == pytest.approx(0.0, abs=1e-6)  # nothing has been learned yet
    assert max(row["kl"] for row in rows) > 1e-6
    board = EventAccumulator(str(out / "events"))
    board.Reload()
    for name in ("pass_rate", "kl", "reward/outcome"):
        assert [event.value for event in board.Scalars(name)] == pytest.approx([row[name] for row in rows], rel=1e-5, abs=1e-9)
    trained = load(f"socrates:{out / 'model'}")
    assert trained.dialect == "socrates-base"
    assert trained.version != load("socrates-weak").version


def test_progress_says_every_channel_of_the_reward_where_there_are_several() -> None:
    said = progress({"step": 3, "pass_rate": 0.5, "reward": 0.3, "reward/outcome": 0.5, "reward/brier": -0.2, "kl": 0.01})
    assert said == "right 0.5 · reward 0.3 · KL 0.01 · reward/outcome 0.5 · reward/brier -0.2"
    assert progress({"step": 3, "reward": 0.5, "reward/outcome": 0.5}) == "reward 0.5"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["train", "grpoo"], "did you mean grpo"),
        (["train", "grpo", "--set", "clipp=0.1"], "did you mean clip"),
        (["train", "grpo", "--set", "clip=wide"], "expected a number"),
        (["train", "grpo", "--set", "batch=0"], "at least 1"),
        (["train", "grpo", "--steps", "0"], "steps=0"),
        (["train", "grpo", "--model", "replay:x"], "cannot be trained"),
    ],
)
def test_what_cannot_work_is_refused_in_one_line(
    words: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*words, "--out", str(tmp_path / "run")]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert not (tmp_path / "run").exists()
