"""`nosce profile`, as a person would use it."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

Command = Callable[..., tuple[int, str, str]]
ONE = ("--battery", "S158", "--n", "6")


def test_a_profile_is_kept_whole_and_goes_on_where_it_was(here: Path, nosce: Command) -> None:
    code, out, _ = nosce("profile", "socrates", *ONE, "--out", "p", "--json")
    assert code == 0
    data = json.loads(out)
    assert [b["battery"] for b in data["batteries"]] == ["metacognitive-monitoring-battery"]
    rows = [json.loads(line) for line in (here / "p/model-1/rows/metacognitive-monitoring-battery.jsonl").read_text().splitlines()]
    assert len(rows) == 6
    assert all(row["ended"] == "done" and row["cost"]["calls"] for row in rows)
    assert json.loads((here / "p/profile.json").read_text()) == {k: v for k, v in data.items() if k != "written"}
    code, out, _ = nosce("profile", "socrates", *ONE, "--out", "p", "--json", "--resume")
    assert code == 0
    assert json.loads(out) == data


def test_two_models_are_put_to_the_same_items_and_their_differences_paired(here: Path, nosce: Command) -> None:
    code, out, _ = nosce("profile", "socrates", "--against", "socrates", *ONE, "--json")
    assert code == 0
    data = json.loads(out)
    first, second = data["profiles"]
    assert first["batteries"] == second["batteries"]
    gaps = data["differences"]["metacognitive-monitoring-battery"]
    assert gaps["accuracy"]["value"] == 0.0
    assert gaps["accuracy"]["interval"] == [0.0, 0.0]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("socrates", "--battery", "dsc"), "dsc is a strategy, not a battery; known:"),
        (("socrates", "--battery", "monitring"), "unknown system 'monitring'"),
        (("socrates", "--n", "1"), "--n 1: expected at least 2"),
        (("socrates-base", "--battery", "S158"), "what would serve"),
        (("socrates", "--against", "socrates-base", "--battery", "S158"), "what would serve"),
        (("openai:x@http://127.0.0.1:9/v1", "--battery", "S158"), "127.0.0.1:9"),
    ],
)
def test_what_cannot_work_is_one_line_and_exit_code_two(arguments: tuple[str, ...], said: str, nosce: Command) -> None:
    code, out, err = nosce("profile", *arguments)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert said in err
