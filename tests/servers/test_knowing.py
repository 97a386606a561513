"""What a served model knows of itself, asked as a user would: monitor, calibrate, solve, score, profile, prove; real servers."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nosce.cli.app import run

pytestmark = [pytest.mark.servers, pytest.mark.timeout(290)]
QUESTIONS = "family:arithmetic,sums?n=76&level=1,2,3"
Nosce = Callable[..., tuple[int, Any, str]]


@pytest.fixture
def nosce(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Nosce:
    """Runs a command in a folder of its own; gives exit code, what was printed (as data where it is JSON) and the errors."""
    monkeypatch.chdir(tmp_path)

    def command(*arguments: str) -> tuple[int, Any, str]:
        code = run([*arguments, "--json"])
        said = capsys.readouterr()
        return code, json.loads(said.out) if said.out else None, said.err

    return command


@pytest.fixture
def model(llama: str) -> str:
    """The bundled model behind llama.cpp's server: raw text, log-probabilities, samples; nothing of its inside."""
    return f"openai:socrates@{llama}#socrates"


def test_monitor_measures_what_the_server_gives(nosce: Nosce, model: str) -> None:
    signals = ("p-true", "sequence-probability", "mean-token-entropy", "self-consistency-share")
    code, found, error = nosce("monitor", QUESTIONS, "--signals", ",".join(signals), "--samples", "3", "--model", model)
    assert code == 0, error
    rows = {row["name"]: row for row in found["rows"]}
    assert set(rows) == set(signals)
    assert not found["failed"]
    assert rows["sequence-probability"]["source"] == "logprobs"
    assert rows["sequence-probability"]["auroc2"]["value"] > 0.6  # far from chance even on few questions
    assert rows["sequence-probability"]["tokens"] < rows["p-true"]["tokens"]
    assert found["sentence"].startswith(f"Use {found['chosen']}")


def test_what_needs_the_inside_is_refused_by_name(nosce: Nosce, model: str) -> None:
    named = "layer-agreement,mahalanobis,noncontradiction,p-true"
    code, _, error = nosce("monitor", QUESTIONS, "--signals", named, "--model", model)
    assert code == 2
    inside = "has no 'hidden'"
    for name, why in (("layer-agreement", inside), ("mahalanobis", inside), ("noncontradiction", "entailment")):
        assert f"{name}: " in error
        assert why in error
    assert "p-true" in error.partition("these signals work:")[2]  # that one was not the trouble
    assert "socrates or hf:" in error


def test_calibrate_solve_score(nosce: Nosce, model: str) -> None:
    """One promise made on the server's answers, kept with them, and read back from the run."""
    asked = ("--strategy", "self-consistency", "--set", "k=3", "--model", model)
    made = ("--risk", "0.4", "--out", "made.json", "--run-dir", "a")
    code, _, error = nosce("calibrate", QUESTIONS + "&split=dev", *asked, *made)
    assert code == 0, error
    kept = json.loads(Path("made.json").read_text())
    assert kept["strategy"] == "self-consistency"
    assert kept["promises"][0]["threshold"]["promised"]
    fresh = "family:arithmetic,sums?n=30&level=1,2,3&seed=7"
    code, solved, error = nosce("solve", fresh, *asked, "--calibrator", "made.json", "--out", "b")
    assert code == 0, error
    assert (solved["n"], solved["failed"]) == (30, 0)
    rows = [json.loads(line) for line in Path("b/results.jsonl").read_text().splitlines()]
    least = kept["promises"][0]["threshold"]["threshold"]
    assert all((row["outcome"] == "answered") == (row["confidence"] >= least) for row in rows if row["confidence"] is not None)
    code, scored, error = nosce("score", "b")
    assert code == 0, error
    assert scored["rows"] == 30


def test_a_battery_of_the_profile(nosce: Nosce, model: str) -> None:
    code, found, error = nosce("profile", model, "--battery", "S158,S280", "--n", "8", "--out", "p")
    assert code == 0, error
    assert {b["id"] for b in found["batteries"]} == {"S158", "S280"}
    assert not any(b["refused"] or b["unfinished"] for b in found["batteries"])
    assert Path("p/profile.html").exists()


def test_a_claim_is_proved_on_it(nosce: Nosce, model: str) -> None:
    code, record, error = nosce("prove", "p-true", "--data", "family:arithmetic,sums?n=12", "--model", model, "--ledger", "led")
    assert code == 0, error
    kept = json.loads(next(Path("led").iterdir()).read_text())
    assert kept["id"] == record["id"] == "S296"
    assert kept["n"] == 12
    assert not kept["reason"]


def test_a_server_without_log_probabilities_that_decodes_greedily(nosce: Nosce, transformers: str, folder: Path) -> None:
    """Signals of tokens and of samples are both refused before a question is asked; what is left is named."""
    spec = f"openai:{folder}@{transformers}#socrates"
    code, _, error = nosce("monitor", QUESTIONS, "--signals", "perplexity,self-consistency-share", "--model", spec)
    assert code == 2
    assert "perplexity: " in error
    assert "has no 'logprobs'" in error
    assert "gives the same text at every draw" in error
    assert "stated-confidence" in error.partition("these signals work:")[2]
    code, found, error = nosce("profile", spec, "--battery", "S280", "--n", "2")
    assert code == 0, error
    assert not found["batteries"][0]["refused"]
