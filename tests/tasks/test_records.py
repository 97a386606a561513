"""Files of questions: what is read, what is guessed, and how bad input is refused."""

import json
from pathlib import Path

import pytest

from nosce.core.errors import InputError
from nosce.tasks.records import read_records


def _jsonl(folder: Path, *rows: object) -> Path:
    file = folder / "data.jsonl"
    file.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows), encoding="utf-8")
    return file


def test_every_field_is_read(tmp_path: Path) -> None:
    row = {
        "question": " 48213+90877 ", "answer": "139090", "context": "Carry.", "id": 7, "family": "sums", "level": 3,
        "tools": ["calculator"],
    }  # fmt: skip
    (problem,) = read_records(_jsonl(tmp_path, row))
    assert (problem.id, problem.text, problem.context) == ("7", "48213+90877", "Carry.")
    assert (problem.family, problem.level, problem.tools) == ("sums", 3, ("calculator",))
    assert problem.check("139,090") == 1
    assert problem.check("139091") == 0


@pytest.mark.parametrize(
    ("row", "kind", "right", "wrong"),
    [
        ({"answer": 12}, "number", "12.0", "13"),
        ({"answer": "1,200"}, "number", "1200", "12"),
        ({"answer": "3/4"}, "number", "0.75", "34"),
        ({"answer": "Paris"}, "exact", "paris.", "Lyon"),
        ({"answer": "12 apples"}, "exact", "12 Apples", "12"),
        ({"answer": ["NYC", "New York"]}, "exact", "new york", "York"),
        ({"answer": [1, 2]}, "number", "2", "3"),
        ({"answer": {"a": 1}}, "json", '{"a": 1.0}', '{"a": 2}'),
        ({"answer": "B", "choices": ["red", "blue"]}, "choice", "blue", "red"),
        ({"answer": 1, "choices": ["red", "blue"]}, "choice", "(b)", "A"),
        ({"answer": "b", "choices": {"a": "red", "b": "blue"}}, "choice", "blue", "red"),
        ({"answer": "B", "choices": {"text": ["red", "blue"], "label": ["A", "B"]}}, "choice", "b", "a"),
        ({"answer": "3*8", "family": "countdown"}, "countdown", "8*3", "24"),
        ({"answer": "3 5 9", "family": "lists"}, "sequence", "[3, 5, 9]", "9 5 3"),
        ({"answer": "T F", "family": "logic"}, "sequence", "T, F", "F T"),
    ],
)
def test_the_kind_of_sameness_is_guessed_per_row(row: dict[str, object], kind: str, right: str, wrong: str, tmp_path: Path) -> None:
    (problem,) = read_records(_jsonl(tmp_path, {"question": "?", **row}))
    assert problem.equivalence.kind == kind
    assert (problem.check(right), problem.check(wrong)) == (1, 0)


def test_a_kind_may_be_given_for_all_rows(tmp_path: Path) -> None:
    (problem,) = read_records(_jsonl(tmp_path, {"question": "?", "answer": "a, b"}), equivalence="set")
    assert problem.check("b, a") == 1
    with pytest.raises(InputError, match="did you mean number"):
        read_records(tmp_path / "data.jsonl", equivalence="numbr")
    with pytest.raises(InputError, match="line 1: answer 'a, b' is no number"):
        read_records(tmp_path / "data.jsonl", equivalence="number")


def test_columns_are_mapped_and_unknown_ones_refused_with_the_names(tmp_path: Path) -> None:
    file = _jsonl(tmp_path, {"prompt": "?", "gold": 1})
    (problem,) = read_records(file, columns={"question": "prompt", "answer": "gold"})
    assert (problem.text, problem.reference) == ("?", 1)
    with pytest.raises(InputError, match="no column 'question'; the columns are: prompt, gold"):
        read_records(file)
    with pytest.raises(InputError, match="no column 'golden' for answer; the columns are: prompt, gold"):
        read_records(file, columns={"question": "prompt", "answer": "golden"})
    with pytest.raises(InputError, match="unknown field 'anser'; did you mean answer"):
        read_records(file, columns={"question": "prompt", "anser": "gold"})


def test_rows_without_an_answer_are_not_graded(tmp_path: Path) -> None:
    (problem,) = read_records(_jsonl(tmp_path, {"question": "?"}))
    assert not problem.graded


def test_ids_come_from_the_content_and_stay_when_rows_move(tmp_path: Path) -> None:
    first = read_records(_jsonl(tmp_path, {"question": "a"}, {"question": "b"}, {"question": "a"}))
    moved = read_records(_jsonl(tmp_path, {"question": "b"}, {"question": "a"}))
    assert first[1].id == moved[0].id
    assert first[0].id == moved[1].id
    assert len({problem.id for problem in first}) == 3


def test_tables_are_read_like_lines(tmp_path: Path) -> None:
    file = tmp_path / "data.csv"
    file.write_text('\ufeffquestion,answer,choices,tools\n"one, or\ntwo?",B,red|blue,\n2+2,4,,calculator\n"[1] or [2]?",x,,\n')
    first, second, third = read_records(file)
    assert (first.text, first.choices, first.check("blue")) == ("one, or\ntwo?", ("red", "blue"), 1)
    assert (second.tools, second.equivalence.kind, second.check("4.0")) == (("calculator",), "number", 1)
    assert third.text == "[1] or [2]?"
    (tmp_path / "data.tsv").write_text('question\tchoices\nwhich?\t["a, b", "c"]\n')
    assert read_records(tmp_path / "data.tsv")[0].choices == ("a, b", "c")


def test_limit_reads_the_first_rows(tmp_path: Path) -> None:
    file = _jsonl(tmp_path, *({"question": str(n)} for n in range(9)))
    assert [problem.text for problem in read_records(file, limit=2)] == ["0", "1"]
    with pytest.raises(InputError, match="at least 1"):
        read_records(file, limit=0)


OK = {"question": "?"}


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "holds no questions"),
        (["  ", ""], "holds no questions"),
        ([OK, '{"question": "x",'], "line 2: not JSON: .* \\(column 18\\)"),
        ([OK, "[1]"], "line 2: expected a JSON object .* one JSON array"),
        (["[" * 100_000], "line 1: not JSON"),
        ([OK, {"answer": 1}], "line 2: question is missing or empty"),
        ([OK, {"question": "  "}], "line 2: question is missing or empty"),
        ([{"question": ["a"]}], "line 1: question is a list; expected text"),
        ([{**OK, "id": "x"}, "", {**OK, "id": "x"}], "line 3: id 'x' was used on line 1 already"),
        ([{**OK, "choices": ["a"]}], "line 1: choices .* two or more"),
        ([{**OK, "choices": ["a", "a"]}], "line 1: choices .* different"),
        ([{**OK, "choices": 3}], "line 1: choices is a number"),
        ([{**OK, "choices": ["a", "b"], "answer": "z"}], "line 1: answer 'z' is none of the 2 choices"),
        ([{**OK, "choices": ["a", "b"], "answer": 2}], "line 1: answer 2 is none of the 2 choices"),
        ([{**OK, "level": "high"}], "line 1: level 'high' is no whole number"),
        ([{**OK, "tools": ["calculatr"]}], "line 1: unknown tool 'calculatr'; did you mean calculator"),
        ([{**OK, "tools": ["python"]}], "line 1: .*running code"),
    ],
)
def test_bad_rows_are_refused_with_file_line_and_reason(rows: list[object], message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message) as caught:
        read_records(_jsonl(tmp_path, *rows))
    assert str(tmp_path / "data.jsonl") in str(caught.value)
    assert "\n" not in str(caught.value)


def test_files_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_records(tmp_path / "gone.jsonl")
    with pytest.raises(InputError, match="directory"):
        read_records(tmp_path)
    (tmp_path / "latin.csv").write_bytes(b"question\ncaf\xe9\n")
    with pytest.raises(InputError, match="not UTF-8 text \\(byte 12\\)"):
        read_records(tmp_path / "latin.csv")
    (tmp_path / "wide.csv").write_text("question,answer\na,b\nc,d,e\n")
    with pytest.raises(InputError, match="line 3: more cells"):
        read_records(tmp_path / "wide.csv")
    (tmp_path / "open.csv").write_text('question\n"never closed\n')
    with pytest.raises(InputError, match="not a table"):
        read_records(tmp_path / "open.csv")
    with pytest.raises(InputError, match="no pattern"):
        read_records(_jsonl(tmp_path, {"question": "?", "answer": "("}), equivalence="regex")
