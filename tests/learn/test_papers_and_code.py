"""The page of differences between papers and their code: every row names a recipe that is there and a test that holds it."""

import re
from pathlib import Path

import pytest

from nosce.core.registry import registry

ROOT = Path(__file__).parents[2]
ROWS = [
    [cell.strip() for cell in line.strip().strip("|").split("|")]
    for line in (ROOT / "docs" / "papers-and-code.md").read_text(encoding="utf-8").splitlines()
    if line.startswith("| `S")
]


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_a_row_names_a_registered_recipe_and_the_test_that_holds_it(row: list[str]) -> None:
    assert len(row) == 5
    assert all(row)
    id, name = re.fullmatch(r"`(S\d{3})` (\S+)", row[0]).groups()
    found = registry.find(name, "recipe")
    assert (found.id, found.name) == (id, name)
    path, test = row[4].strip("`").split("::")
    assert f"def {test}(" in (ROOT / path).read_text(encoding="utf-8")


def test_the_differences_found_are_all_there() -> None:
    assert [re.search(r"S\d{3}", row[0])[0] for row in ROWS] == ["S010", "S101", "S156", "S167", "S168", "S006"]
