"""Records from anywhere become the same columns, whatever wrote them."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from nosce.core.errors import InputError
from nosce.tasks.scored import read_scored

CONFIDENCE, CORRECT = [0.9, 0.4, 0.75], [1, 0, 1]


def written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def the_same(path: Path, **how: object) -> None:
    found = read_scored(path, **how)  # type: ignore[arg-type]
    assert found.columns["confidence"] == pytest.approx(CONFIDENCE)
    assert found.columns["correct"].tolist() == CORRECT


def test_every_table_says_the_same(tmp_path: Path) -> None:
    rows = [{"confidence": c, "correct": y, "family": "f"} for c, y in zip(CONFIDENCE, CORRECT, strict=True)]
    the_same(written(tmp_path / "a.jsonl", "".join(json.dumps(row) + "\n" for row in rows)))
    the_same(written(tmp_path / "a.csv", "confidence,correct\n0.9,true\n0.4,false\n0.75,C\n"))
    the_same(written(tmp_path / "a.tsv", "p\tok\n90%\tyes\n40%\tno\n75%\tright\n"), columns={"confidence": "p", "correct": "ok"})
    the_same(written(tmp_path / "b.csv", "confidence,correct\n90,1.0\n40,0.2\n75,0.5\n"), scale="100")
    logs = "".join(f"{math.log(c)},{y}\n" for c, y in zip(CONFIDENCE, CORRECT, strict=True))
    the_same(written(tmp_path / "c.csv", f"confidence,correct\n{logs}"), scale="log")
    parquet = pytest.importorskip("pyarrow.parquet")
    import pyarrow

    parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "a.parquet")
    the_same(tmp_path / "a.parquet")


def test_a_grade_counts_as_right_from_the_pass_mark_on(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "confidence,correct\n0.5,0.6\n0.5,0.4\n")
    assert read_scored(path).columns["correct"].tolist() == [1, 0]
    assert read_scored(path, pass_mark=0.7).columns["correct"].tolist() == [0, 0]


def test_lm_eval_samples_of_options_give_the_softmax_of_the_choice(tmp_path: Path) -> None:
    """Log-likelihoods as lm-eval writes them: as text or numbers, wrapped once or not."""
    lines = [
        {"filtered_resps": [["-1.0", "True"], ["-2.0", "False"]], "acc": 1.0},
        {"filtered_resps": [[-3.0, False], [-3.0, False], [-3.0, False], [-3.0, False]], "acc": 0.0},
        {"resps": [[[-0.5, True]], [[-4.5, False]]], "filtered_resps": [], "acc": 1.0},
    ]
    common = {"doc": {"question": "Which?", "choices": []}, "target": "0", "arguments": [], "metrics": ["acc", "acc_norm"]}
    text = "".join(json.dumps({"doc_id": i, **common, **line}) + "\n" for i, line in enumerate(lines))
    found = read_scored(written(tmp_path / "samples_arc_2026-01-01.jsonl", text))
    assert found.form == "lm-eval samples"
    assert found.columns["confidence"] == pytest.approx([1 / (1 + math.exp(-1)), 0.25, 1 / (1 + math.exp(-4))])
    assert found.columns["correct"].tolist() == [1, 0, 1]
    assert found.question[0] == "Which?"


def test_lm_eval_samples_of_text_have_no_confidence_and_say_what_would_serve(tmp_path: Path) -> None:
    line = {"doc_id": 0, "doc": {"question": "7+5"}, "resps": [["12"]], "filtered_resps": ["12"], "exact_match": 1.0}
    other = {**line, "doc": {"question": "7+5", "sure": 0.7}, "doc_id": 1}
    path = written(tmp_path / "samples_gsm8k.jsonl", json.dumps(line) + "\n" + json.dumps(other) + "\n")
    with pytest.raises(InputError, match="no row has a confidence; a score needs a probability"):
        read_scored(path)
    with pytest.raises(InputError, match="no confidence in 1 of 2 rows"):
        read_scored(path, columns={"confidence": "doc.sure"})
    assert read_scored(path, columns={"confidence": "doc.sure"}, where={"doc_id": "1"}).columns["confidence"].tolist() == [0.7]


def test_a_run_of_ours_keeps_what_was_withheld_and_prefers_the_calibrated(tmp_path: Path) -> None:
    base = {"id": "p", "question": "q", "trace_id": "t", "reason": "", "family": "sums", "cost": {}}
    rows = [
        {**base, "answer": "1", "withheld": None, "outcome": "answered", "confidence": 0.9, "calibrated": 0.7, "correct": 1.0},
        {**base, "answer": None, "withheld": "2", "outcome": "abstained", "confidence": 0.4, "calibrated": 0.3, "correct": 0.0},
        {**base, "answer": None, "withheld": None, "outcome": "abstained", "confidence": None, "calibrated": None, "correct": 0.0},
    ]
    folder = tmp_path / "run"
    folder.mkdir()
    written(folder / "results.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    found = read_scored(folder)
    assert found.columns["confidence"][:2].tolist() == [0.7, 0.3]
    assert found.columns["kept"].tolist() == [1, 0, 0]
    assert np.isnan(found.columns["confidence"][2])
    assert found.known.tolist() == [True, True, False]


def test_percentages_of_a_whole_file_may_be_small(tmp_path: Path) -> None:
    """One rating below one percent among many is a rating, not another scale."""
    cells = "".join(f"{p},1\n" for p in [0.5, *range(1, 100)])
    assert read_scored(written(tmp_path / "a.csv", f"confidence,correct\n{cells}"), scale="100").columns["confidence"][0] == 0.005
