"""`nosce calibrate` and `nosce score`: from labels to a file, to answers, to measures."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss, roc_auc_score

from nosce.models.socrates.model import SocratesModel

Command = Callable[..., tuple[int, str, str]]
PERCENT = ("--scale", "100")
TINY = ("--model", "socrates-tiny/")


@pytest.fixture(name="records")
def _records(here: Path) -> tuple[Path, np.ndarray, np.ndarray]:
    """A table from elsewhere with other names: certainty in percent, a verdict in words, a topic."""
    rng = np.random.default_rng(3)
    truth = rng.beta(3, 1, 900)
    right = rng.random(900) < truth
    with (here / "elsewhere.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("item", "certainty", "verdict", "topic"))
        rows = enumerate(zip(truth, right, strict=True))
        writer.writerows((i, f"{100 * t:.4f}", "right" if r else "wrong", "ab"[i % 2]) for i, (t, r) in rows)
    return here / "elsewhere.csv", np.round(100 * truth, 4) / 100, right


COLUMNS = ("--column", "confidence=certainty", "--column", "correct=verdict", "--column", "family=topic", "--column", "id=item")


def test_the_plan_says_fifty_nine(nosce: Command) -> None:
    code, out, _ = nosce("calibrate", "--plan", "--risk", "0.05")
    assert code == 0
    assert "at least 59 tested labels" in " ".join(out.split())
    told = json.loads(nosce("calibrate", "--plan", "--risk", "0.05", "--expect", "0.02", "--coverage", "0.5", "--json")[1])
    assert told["least"] == 59
    assert told["allowed"][:3] == [59, 93, 124]
    assert told["useful"][0]["labels"] > 2 * told["useful"][0]["tested"]


def test_labels_are_paid_for_once(here: Path, nosce: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bundled model answers 90 labelled questions; the same command with --resume, or its folder with --run, asks nothing."""
    same = ("family:arithmetic,lists?n=90&split=cal", "--set", "k=4", "--json", "--risk", "0.3", "--run-dir", "labelled")
    first = json.loads(nosce("calibrate", *same)[1])
    assert first["n_fit"] + first["n_test"] > 60
    assert first["settings"] == {"options": {"k": 4}}

    def spent(*given: object) -> None:
        raise AssertionError("a token was spent")

    monkeypatch.setattr(SocratesModel, "sample", spent)
    assert nosce("calibrate", *same)[0] == 2
    again = json.loads(nosce("calibrate", *same, "--resume")[1])
    of_run = json.loads(nosce("calibrate", "--run", "labelled", "--json", "--risk", "0.3")[1])
    for key in ("data_hash", "parameters", "promises", "settings", "model", "strategy"):
        assert again[key] == first[key] == of_run[key]
    code, _, err = nosce("solve", "questions.jsonl", "--set", "k=2", "--calibrator", "calibrator.json")
    assert code == 2
    assert '"k": 4}, not with {"k": 2}' in err


def test_a_run_is_calibrated_without_a_token(
    here: Path, nosce: Command, records: tuple[Path, np.ndarray, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    def spent(*given: object) -> None:
        raise AssertionError("a token was spent")

    monkeypatch.setattr(SocratesModel, "sample", spent)
    code, out, err = nosce("calibrate", "--records", "elsewhere.csv", *COLUMNS, *TINY, "-s", "think", "--risk", "0.2", *PERCENT)
    assert code == 0, err
    said = " ".join(out.split())
    assert "calibration error (ECE)" in said
    assert "At most 0.2 wrong among the answered with probability 0.95 over the calibration draw" in said
    record = json.loads((here / "calibrator.json").read_text())
    assert record["strategy"] == "think"
    assert record["model"].startswith("socrates")
    code, _, err = nosce("solve", "questions.jsonl", *TINY, "--calibrator", "calibrator.json", "-s", "self-consistency")
    assert code == 2
    assert "made for strategy 'think', not for 'self-consistency'" in err


def test_an_answer_is_given_or_withheld_by_the_file(here: Path, nosce: Command, records: object) -> None:
    nosce("calibrate", "--records", "elsewhere.csv", *COLUMNS, *TINY, "-s", "self-consistency", "--risk", "0.2", *PERCENT)
    kept = json.loads((here / "calibrator.json").read_text())
    assert kept["promises"][0]["threshold"]["promised"]
    used = ("--calibrator", "calibrator.json", "--no-report", "--out", "r", "--json")
    code, out, err = nosce("solve", "questions.jsonl", *TINY, *used)
    assert code == 0, err
    threshold = kept["promises"][0]["threshold"]["threshold"]
    for row in (json.loads(line) for line in (here / "r" / "results.jsonl").read_text().splitlines()):
        assert row["outcome"] != "answered" or row["calibrated"] >= threshold
    assert json.loads(out)["promise"]["calibrator"]["data_hash"] == kept["data_hash"]


def test_the_same_from_python(here: Path) -> None:
    import nosce as package

    data, same = "family:arithmetic,lists?n=60&split=cal", {"options": {"k": 3}}
    done = package.calibrate(data, risks=(0.4,), out=here / "c.json", **same)
    kept = json.loads((here / "c.json").read_text())
    assert kept["data_hash"] == done.calibration.calibrator.data_hash
    threshold = kept["promises"][0]["threshold"]
    assert threshold["promised"]
    run = package.solve("questions.jsonl", calibrator=here / "c.json", **same)
    assert all((row.outcome == "answered") == ((row.calibrated or 0) >= threshold["threshold"]) for row in run.rows)


def test_records_from_elsewhere_are_measured_as_scikit_learn_measures_them(
    here: Path, nosce: Command, records: tuple[Path, np.ndarray, np.ndarray]
) -> None:
    _, stated, right = records
    code, out, err = nosce("score", "elsewhere.csv", *COLUMNS, *PERCENT, "--by", "family", "--json")
    assert code == 0, err
    told = json.loads(out)
    assert told["rows"] == told["measured"] == 900
    assert told["measures"]["auroc2"]["value"] == pytest.approx(roc_auc_score(right, stated), abs=1e-9)
    assert told["measures"]["brier"]["value"] == pytest.approx(brier_score_loss(right, stated), abs=1e-9)
    low, high = told["measures"]["brier"]["interval"]
    assert low < told["measures"]["brier"]["value"] < high
    assert set(told["by_family"]) == {"a", "b"}
    assert "needs the columns before, after" in told["missing"]["critique_score"]


def test_the_page_draws_both_charts(here: Path, nosce: Command, records: object) -> None:
    pytest.importorskip("altair")
    code, out, err = nosce("score", "elsewhere.csv", *COLUMNS, *PERCENT, "--out", "s.html")
    assert code == 0, err
    page = (here / "s.html").read_text()
    assert page.count("<svg") == 2
    assert "Does it know how sure to be?" in page
    assert "auroc2" in out


def test_every_measure_is_listed_with_what_it_reads(nosce: Command) -> None:
    told = json.loads(nosce("score", "--list", "--json")[1])
    names = {measure["name"] for measure in told["measures"]}
    assert {"auroc2", "ece", "brier", "aurc", "meta_d", "withdraw_delta", "critique_score", "blind_spot_rate"} <= names
    assert {column for measure in told["measures"] for column in measure["reads"]} == set(told["columns"])
