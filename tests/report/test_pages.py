"""The pages of the systems say what the registry and the shipped ledger say."""

from pathlib import Path

from nosce.core.registry import registry
from nosce.report.pages import families, write_pages

DOCS = Path(__file__).parents[2] / "docs" / "systems"


def test_the_pages_are_up_to_date(tmp_path: Path) -> None:
    for page in write_pages(tmp_path):
        assert (DOCS / page.name).read_text() == page.read_text(), "run `make docs`"


def test_every_system_stands_on_the_page_of_its_family() -> None:
    for system in registry:
        assert f"## {system.name}\n" in (DOCS / f"{system.family}.md").read_text()
    assert "baseline" in families()
