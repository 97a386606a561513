"""One name for a file, a bundled family, or a data set of reasoning-gym."""

from collections import Counter
from importlib.util import find_spec
from pathlib import Path

import pytest

from nosce.core.codec import decode, encode_json
from nosce.core.errors import InputError
from nosce.core.problem import Problem
from nosce.tasks import families
from nosce.tasks.bundled import draw_problems
from nosce.tasks.load import load_problems
from nosce.tasks.write import write_records


def test_a_family_in_all_its_levels() -> None:
    problems = load_problems("family:arithmetic?n=60&seed=3")
    assert Counter(problem.level for problem in problems) == dict.fromkeys(range(1, 7), 10)
    assert {problem.family for problem in problems} == {"arithmetic"}
    assert load_problems("family:arithmetic?n=60&seed=3") == problems
    assert load_problems("family:arithmetic?n=60&seed=4") != problems


def test_several_families_and_levels_are_taken_in_turn() -> None:
    problems = load_problems("family:lists,logic?level=2,5&n=40&split=cal")
    assert Counter((p.family, p.level) for p in problems) == {(f, n): 10 for f in ("lists", "logic") for n in (2, 5)}


@pytest.mark.parametrize("part", ["train", "cal", "dev", "test"])
def test_every_problem_lies_in_the_split_asked_for_and_its_reference_is_right(part: str) -> None:
    for problem in load_problems(f"family:all?n=72&split={part}"):
        item = families.parse(problem.text, problem.context)
        assert problem.check(problem.reference) == 1
        assert problem.check("<unknown>") == 0
        assert item is not None
        assert (item.family, families.split(item), item.hash) == (problem.family, part, problem.id)


def test_our_grading_agrees_with_the_families_own_checkers() -> None:
    problems = draw_problems(n=120, seed=5)
    for problem in problems:
        item = families.parse(problem.text, problem.context)
        assert item is not None
        for other in problems:
            if other.family == problem.family:
                assert problem.check(other.reference) == families.right(item, other.reference), (problem, other)


def test_a_written_file_reads_back_as_the_same_problems(tmp_path: Path) -> None:
    problems = load_problems("family:all?n=72")
    write_records(problems, tmp_path / "data.jsonl")
    assert load_problems(str(tmp_path / "data.jsonl")) == problems
    assert load_problems(str(tmp_path / "data.jsonl"), limit=5) == problems[:5]


def test_problems_survive_the_codec() -> None:
    for problem in load_problems("family:all?n=36"):
        assert decode(Problem, encode_json(problem)) == problem


@pytest.mark.skipif(find_spec("reasoning_gym") is None, reason="needs nosce[envs]")
def test_a_data_set_of_reasoning_gym_with_its_own_parameters() -> None:
    problems = load_problems("reasoning-gym:chain_sum?n=3&seed=1&min_terms=2&max_terms=2")
    assert len(problems) == 3
    assert all(problem.check(problem.reference["answer"]) == 1 for problem in problems)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("family:arthmetic", "unknown family 'arthmetic'; did you mean arithmetic"),
        ("family:lists?level=7", "level 7: expected 1 .* to 6"),
        ("family:lists?n=0", "n=0: expected at least 1"),
        ("family:lists?n=many", "n=many is no whole number"),
        ("family:lists?splt=test", "unknown parameter 'splt'; did you mean split"),
        ("family:lists?split=tset", "unknown split 'tset'; did you mean test"),
        ("family:facts?level=1&split=dev&n=5000", "only \\d+ different dev problems of facts there; n=5000 is too many"),
        ("nowhere/data.jsonl", "nowhere/data.jsonl: no such file"),
        ("familie:lists", "no such file"),
    ],
)
def test_what_cannot_be_loaded_is_refused_in_one_line(source: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        load_problems(source)
    assert "\n" not in str(caught.value)


def test_columns_belong_to_files() -> None:
    with pytest.raises(InputError, match="columns are for files"):
        load_problems("family:lists", columns={"question": "prompt"})
