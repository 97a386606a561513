"""`nosce solve` from the command line to the files it leaves."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nosce.models.socrates.model import SocratesModel

Command = Callable[..., tuple[int, str, str]]
PLAIN = ("--model", "socrates-tiny/", "--set", "k=2", "--no-report")
MAIN = "from nosce.cli.app import main; main()"


def rows(folder: Path) -> list[dict[str, Any]]:
    """The results without what only a clock decides."""
    found = [json.loads(line) for line in (folder / "results.jsonl").read_text().splitlines()]
    for row in found:
        row["cost"].pop("seconds")
    return found


def test_every_question_has_a_result_a_trace_and_a_true_cost(here: Path, nosce: Command) -> None:
    code, out, _ = nosce("solve", "questions.jsonl", *PLAIN, "--out", "r", "--json")
    assert code == 0
    said, results = json.loads(out), rows(here / "r")
    assert len(results) == said["n"] == 12
    assert sum(row["cost"]["completion_tokens"] for row in results) == said["cost"]["completion_tokens"] > 0
    traces = {json.loads(line)["id"] for line in (here / "r" / "traces.jsonl").read_text().splitlines()}
    assert {row["trace_id"] for row in results} == traces


def test_the_table_names_what_was_measured_and_where_it_is_kept(here: Path, nosce: Command) -> None:
    code, out, err = nosce("solve", "questions.jsonl", *PLAIN, "--limit", "3")
    assert code == 0
    assert "answered" in out
    assert "tokens a question" in out
    kept = next((here / "runs").iterdir())
    assert f"kept in runs/{kept.name}" in out
    assert err == ""


def test_the_same_command_again_is_refused_and_resume_pays_nothing(
    here: Path, nosce: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert nosce("solve", "questions.jsonl", *PLAIN)[0] == 0
    folder = next((here / "runs").iterdir())
    before = rows(folder)
    code, _, err = nosce("solve", "questions.jsonl", *PLAIN)
    assert code == 2
    assert "holds a run already; resume it" in err

    def paid(*given: object) -> None:
        raise AssertionError("paid again")

    monkeypatch.setattr(SocratesModel, "sample", paid)
    assert nosce("solve", "questions.jsonl", *PLAIN, "--resume")[0] == 0
    assert rows(folder) == before


def test_another_seed_is_another_run(here: Path, nosce: Command) -> None:
    for seed in ("0", "1"):
        assert nosce("solve", "questions.jsonl", *PLAIN, "--seed", seed)[0] == 0
    assert len(list((here / "runs").iterdir())) == 2


def test_a_dry_run_says_the_most_it_may_cost_and_writes_nothing(here: Path, nosce: Command) -> None:
    before = sorted(here.rglob("*"))
    code, out, _ = nosce("solve", "questions.jsonl", *PLAIN, "--dry-run", "--json")
    most = json.loads(out)
    assert code == 0
    assert sorted(here.rglob("*")) == before
    nosce("solve", "questions.jsonl", *PLAIN, "--out", "r")
    spent = json.loads((here / "r" / "summary.json").read_text())["cost"]
    assert (most["problems"], most["calls"]) == (12, spent["calls"])
    assert most["prompt_tokens"] == spent["prompt_tokens"]
    assert most["completion_tokens"] >= spent["completion_tokens"]


def test_a_config_file_holds_flags_and_the_command_line_wins(here: Path, nosce: Command) -> None:
    (here / "nosce.toml").write_text(
        '[solve]\ndata = "questions.jsonl"\nmodel = "socrates-tiny/"\nset = {k = 3}\nlimit = 5\nreport = false\nout = "from-file"\n'
        '[compare]\nseeds = 2\n'
    )
    assert nosce("solve", "--config", "nosce.toml", "--limit", "2")[0] == 0
    assert len(rows(here / "from-file")) == 2
    trace = json.loads((here / "from-file" / "traces.jsonl").read_text().splitlines()[0])
    assert sum(event[1] == "sampled" for event in trace["events"]) == 3


def test_columns_are_mapped_by_a_flag(here: Path, nosce: Command) -> None:
    (here / "t.csv").write_text("prompt,gold\n1+2,3\n4+5,9\n")
    columns = ("--column", "question=prompt", "--column", "answer=gold")
    assert nosce("solve", "t.csv", *PLAIN, *columns, "--out", "r")[0] == 0
    assert [(row["question"], row["reference"]) for row in rows(here / "r")] == [("1+2", "3"), ("4+5", "9")]


def test_a_replayed_run_says_the_same_and_what_was_never_drawn_fails_with_exit_code_1(here: Path, nosce: Command) -> None:
    replay = ("--model", "replay:r/traces.jsonl", *PLAIN[2:])
    nosce("solve", "questions.jsonl", *PLAIN, "--out", "r")
    assert nosce("solve", "questions.jsonl", *replay, "--out", "again")[0] == 0
    same = ("id", "answer", "withheld", "confidence", "outcome", "correct")
    assert [[row[k] for k in same] for row in rows(here / "again")] == [[row[k] for k in same] for row in rows(here / "r")]
    assert nosce("solve", "questions.jsonl", *replay, "--out", "other", "--seed", "1")[0] == 1
    assert {row["outcome"] for row in rows(here / "other")} == {"failed"}
    assert all(row["reason"] for row in rows(here / "other"))


def test_without_the_report_extra_the_run_still_ends_well(here: Path, nosce: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    from nosce.cli import speak

    monkeypatch.setattr(speak, "find_spec", lambda name: None)
    code, _, err = nosce("solve", "questions.jsonl", "--model", "socrates-tiny/", "--set", "k=2", "--out", "r")
    assert code == 0
    assert "pip install 'nosce[report]'" in err
    assert not (here / "r" / "report.html").exists()
    code, _, err = nosce("solve", "questions.jsonl", *PLAIN, "--out", "other", "--charts", "charts")
    assert code == 2
    assert "pip install 'nosce[report]'" in err
    assert not (here / "other").exists()


@pytest.mark.slow
def test_ctrl_c_leaves_a_state_that_resume_completes(here: Path) -> None:
    sums = ({"question": f"{i % 90}+{i // 90}", "answer": str(i % 90 + i // 90)} for i in range(600))
    (here / "many.jsonl").write_text("".join(json.dumps(row) + "\n" for row in sums))
    command = [sys.executable, "-c", MAIN, "solve", "many.jsonl", *PLAIN[:-1], "--no-report", "--concurrency", "4"]
    running = subprocess.Popen([*command, "--out", "r"], stderr=subprocess.PIPE, text=True)
    until = time.monotonic() + 120
    while time.monotonic() < until and not (here / "r" / "journal.sqlite").exists():
        time.sleep(0.05)
    time.sleep(1.5)
    running.send_signal(signal.SIGINT)
    _, err = running.communicate(timeout=120)
    assert running.returncode == 130, err
    assert "Traceback" not in err
    assert "go on with" in err
    assert err.rstrip().endswith("--out r --resume")
    assert not (here / "r" / "results.jsonl").exists()
    assert subprocess.run([*command, "--out", "r", "--resume"], check=False, capture_output=True).returncode == 0
    assert subprocess.run([*command, "--out", "whole"], check=False, capture_output=True).returncode == 0
    assert rows(here / "r") == rows(here / "whole")


def test_a_closed_pipe_is_no_error(here: Path) -> None:
    line = f"'{sys.executable}' -c '{MAIN}' systems --json | head -c 10"
    done = subprocess.run(["bash", "-o", "pipefail", "-c", line], check=False, capture_output=True, env=dict(os.environ))
    assert done.stdout == b'[\n {\n  "id'[:10]
    assert done.stderr == b""
