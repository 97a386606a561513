"""What the commands show of what there is: help, the catalogue, traces, models."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from nosce.core.registry import catalogue, registry
from nosce.core.trace import Trace

Command = Callable[..., tuple[int, str, str]]
COMMANDS = ("solve", "compare", "profile", "prove", "systems", "show", "models probe", "models list", "models card")
HEAVY = ("numpy", "scipy", "pydantic", "openai", "torch", "transformers", "altair", "jinja2", "safetensors")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_shows_its_own_examples_and_speaks_json(command: str, nosce: Command) -> None:
    code, out, _ = nosce(*command.split(), "--help")
    assert code == 0
    assert f"$ nosce {command}" in out
    assert "--json" in out
    assert "--config" in out


def test_help_and_import_touch_nothing_heavy() -> None:
    code = (
        "import sys, nosce; bare = set(sys.modules)\n"
        "from nosce.cli.app import run; run(['--help'])\n"
        f"print([m for m in {HEAVY} if m in sys.modules], 'rich' in bare, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stderr.strip() == "[] False"


@pytest.mark.parametrize(("code", "most"), [("import nosce", 0.150), ("from nosce.cli.app import run; run(['--help'])", 0.400)])
def test_startup_is_quick(code: str, most: float) -> None:
    def processor_seconds() -> float:
        timed = f"import time\n{code}\nimport sys; print(time.process_time(), file=sys.stderr)"
        return float(subprocess.run([sys.executable, "-c", timed], check=True, capture_output=True, text=True).stderr)

    assert min(processor_seconds() for _ in range(5)) < most


def test_systems_lists_the_whole_catalogue_and_what_is_registered(nosce: Command) -> None:
    code, out, _ = nosce("systems", "--json")
    rows = json.loads(out)
    assert code == 0
    assert len(catalogue()) == 346
    of_catalogue = [row for row in rows if row["id"] in catalogue()]
    assert {row["id"] for row in of_catalogue} == set(catalogue())
    assert {row["id"] for row in rows if row["registered"]} == {system.id for system in registry}
    assert {row["slug"] for row in rows if row["id"] not in catalogue()} == {s.slug for s in registry if s.baseline}
    assert all({"id", "slug", "family", "kind", "registered", "evidence"} <= set(row) for row in rows)
    assert len({row["slug"] for row in rows}) == len(rows)


def test_systems_can_be_narrowed_to_a_family(nosce: Command) -> None:
    rows = json.loads(nosce("systems", "--family", "vision", "--json")[1])
    assert {row["id"] for row in rows} == {row.id for row in catalogue().values() if row.family == "vision"}


def test_the_evidence_shown_is_the_newest_record(here: Path, nosce: Command) -> None:
    (here / "evidence").mkdir()
    lines = [json.dumps({"id": "S327", "part": "main", "outcome": verdict}) for verdict in ("unclear", "effect seen")]
    (here / "evidence" / "S327-main.jsonl").write_text("\n".join(lines) + "\n")
    row = json.loads(nosce("systems", "dsc", "--json")[1])
    assert (row["id"], row["registered"], row["evidence"]) == ("S327", True, "effect seen")


def test_show_finds_a_trace_by_id_by_its_beginning_and_by_problem(here: Path, nosce: Command) -> None:
    nosce("solve", "questions.jsonl", "--model", "socrates-tiny/", "--set", "k=3", "--no-report", "--limit", "4")
    results = [json.loads(line) for line in next((here / "runs").glob("*/results.jsonl")).read_text().splitlines()]
    whole = results[2]["trace_id"]
    for name in (whole, whole[:7], results[2]["id"]):
        code, out, _ = nosce("show", name)
        assert code == 0
        assert results[2]["question"] in out
        assert out.count("sampled") == 3
    shown = json.loads(nosce("show", whole, "--json")[1])
    assert shown["result"]["id"] == results[2]["id"]
    assert Trace.from_json(json.dumps(shown["trace"])).problem_id == results[2]["id"]


def test_show_disarms_control_characters(here: Path, nosce: Command) -> None:
    trace = Trace("t1", "p1", "think")
    trace.add("sampled", {"act": "think", "sample": {"text": "\x1b[2J\x1b]0;owned\x07 [bold]x[/bold]"}, "answer": "\x1b[31mred"})
    (here / "traces.jsonl").write_text(trace.to_json() + "\n")
    code, out, _ = nosce("show", "t1", "--run", "traces.jsonl", "--full")
    assert code == 0
    assert "\x1b" not in out
    assert "\x07" not in out
    assert "[bold]x[/bold]" in out


def test_models_lists_forms_and_probes_a_local_model(here: Path, nosce: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOSCE_CACHE", str(here / "cache"))
    listed = json.loads(nosce("models", "list", "--json")[1])
    assert listed["bundled"] == ["socrates", "socrates-base", "socrates-weak"]
    assert set(listed["forms"]) == {"hf", "openai", "replay", "socrates"}
    seen = json.loads(nosce("models", "probe", "socrates-tiny/", "--json")[1])
    assert seen["capabilities"]["logprobs"] is True
    assert seen["spec"] == "socrates-tiny/"


def test_compare_ranks_and_writes_what_it_found(here: Path, nosce: Command) -> None:
    code, out, _ = nosce("compare", "questions.jsonl", "-s", "think,self-consistency", "--model", "socrates-tiny/", "--limit", "6",
                         "--out", "c", "--json")  # fmt: skip
    said = json.loads(out)
    assert code == 0
    assert {row["slug"] for row in said["rows"]} == {"think", "self-consistency"}
    assert [k for k, *_ in said["frontier"]] == [1, 2, 4, 8, 16]
    assert said["rows"][0]["tokens"] > 0
    kept = json.loads((here / "c" / "comparison.json").read_text())
    assert kept["rows"] == said["rows"]


def test_prove_keeps_a_record(here: Path, nosce: Command) -> None:
    arguments = ("--model", "socrates-tiny/", "--data", "family:all?n=36", "--calibrate", "labelled.jsonl", "--json")
    code, out, err = nosce("prove", "soft-sc", *arguments)
    assert code == 0, err
    record = json.loads(out)
    assert record["outcome"] in ("effect seen", "not seen", "unclear")
    assert (record["system"], record["part"]) == ("soft-sc", "main")
    assert 0 < record["n"] <= 36
    assert record["claim_hash"] == registry.find("soft-sc").claim.hash  # type: ignore[union-attr]  # it has a claim
    kept = [json.loads(line) for line in Path(record["kept"]).read_text().splitlines()]
    assert [line["claim_hash"] for line in kept] == [record["claim_hash"]]
    assert json.loads(nosce("systems", "soft-sc", "--json")[1])["evidence"] == record["outcome"]


def test_a_claim_that_the_model_cannot_test_is_kept_as_unclear(here: Path, nosce: Command) -> None:
    arguments = ("--model", "socrates-tiny/", "--data", "family:all?n=12", "--calibrate", "labelled.jsonl", "--ledger", "kept")
    code, out, err = nosce("prove", "re-reading", *arguments)
    assert (code, out) == (2, "")
    assert "cannot be proved here" in err
    record = json.loads((here / "kept" / "S193-main.jsonl").read_text())
    assert (record["outcome"], record["effect"]) == ("unclear", None)
    assert "re-reading" in record["reason"]
