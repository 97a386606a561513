"""`nosce monitor`, as a user meets it."""

import json

import pytest

DATA = "family:arithmetic,lists?n=80&level=1,2,3"
SIGNALS = ["--signals", "self-consistency-share,sequence-probability", "-k", "3"]


def test_a_table_a_sentence_and_files(nosce, tmp_path):
    out = tmp_path / "out"
    code, said, _ = nosce("monitor", DATA, *SIGNALS, "--out", str(out))
    assert code == 0
    assert "question only" in said
    assert "Use " in said
    kept = json.loads((out / "signals.json").read_text())
    assert {row["name"] for row in kept["rows"]} == {"self-consistency-share", "sequence-probability"}
    rows = [json.loads(line) for line in (out / "signals.jsonl").read_text().splitlines()]
    assert len(rows) == kept["reported_on"]
    assert 0 <= rows[0]["signals"]["self-consistency-share"]["value"] <= 1
    code, _, error = nosce("monitor", DATA, *SIGNALS, "--out", str(out))
    assert code == 2
    assert "resume it" in error
    assert nosce("monitor", DATA, *SIGNALS, "--out", str(out), "--resume")[0] == 0


def test_json_holds_every_measure_with_its_interval(nosce):
    code, said, _ = nosce("monitor", DATA, *SIGNALS, "--json")
    assert code == 0
    row = json.loads(said)["rows"][0]
    for measure in ("auroc2", "within", "aurc", "e_aurc", "prr", "ece", "brier", "versus", "versus_within"):
        assert len(row[measure]["interval"]) == 2
    assert json.loads(said)["sentence"].startswith("Use ")


def test_the_page_and_the_chart(nosce, tmp_path):
    pytest.importorskip("altair")
    code, _, _ = nosce("monitor", DATA, *SIGNALS, "--out", str(tmp_path / "o"), "--charts", str(tmp_path / "c"))
    assert code == 0
    page = (tmp_path / "o" / "report.html").read_text()
    assert "What each signal knows" in page
    assert "<svg" in page
    assert (tmp_path / "c" / "signals.png").read_bytes()[:4] == b"\x89PNG"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ([DATA, "--signals", "sematic-entropy"], "did you mean semantic-entropy"),
        (["family:arithmetic?n=20"], "too few"),
        (["nowhere.jsonl"], "nowhere.jsonl"),
        ([DATA, "--samples", "0"], "expected 1 to 64"),
    ],
)
def test_bad_input_is_one_line(nosce, arguments, reason):
    code, said, error = nosce("monitor", *arguments)
    assert (code, said) == (2, "")
    assert reason in error
    assert error.count("\n") == 1
