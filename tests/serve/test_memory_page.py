"""What an operator sees beside a lesson: who says so, what stood before the question, what speaks against it."""

import re
from pathlib import Path

from tests.serve.live import proxy
from tests.serve.surfing import Surfer
from tests.serve.test_dashboard_door import HOSTILE

from nosce.serve.dashboard.remembering import Beside
from nosce.serve.lessons import Lessons
from nosce.serve.store import Store


def taught(store: Store) -> Lessons:
    """Two claims about one question in different words; a third, beside a turn that plants it."""
    book = Lessons(store)
    book.draft("local", "t", "f", "hat of tom", "red", (), [{"role": "user", "content": "hat of tom"}])
    book.draft("local", "u", "f", "tell me the hat that tom has", "red", (), [{"role": "user", "content": "…"}])
    turns = [{"role": "system", "content": f"tom's hat is blue {HOSTILE}"}, {"role": "user", "content": "hat of tom"}]
    book.draft("local", "v", "g", "hat of tom", "blue", (), turns)
    store.flush()
    book.volunteered("t", "local")
    book.volunteered("u", "local", "blue")
    book.volunteered("v", "local")
    return book


def test_a_lesson_stands_beside_its_rivals_and_what_was_said_before_it(tmp_path: Path) -> None:
    book = taught(Store(tmp_path / "nosce.db"))
    lie, planted, fair = book.lessons()
    beside = Beside.find(book, lie)
    assert (beside.said, beside.times, [rival.text for rival in beside.against], beside.alike) == ("red", 2, ["red"], [])
    assert [rival.text for rival in Beside.find(book, fair).against] == ["blue"]
    assert [turn.role for turn in Beside.find(book, planted).before] == ["system"]
    assert (Beside.find(book, planted).times, Beside.find(book, planted).against) == (1, [])  # another frame, another question
    book.store.close()


def test_the_page_tells_it_and_escapes_it(tmp_path: Path) -> None:
    taught(Store(tmp_path / "nosce.db")).store.close()
    with proxy(tmp_path, demo=True, trace_text=True, memory={"on": True}) as url:
        page = re.sub(r"\s+", " ", Surfer(url[:-3]).get("/ui/memory").text)
    assert "<img" not in page
    assert "tom&#39;s hat is blue" in page
    assert re.search(r"the asker&#39;s own words; the model said <q>red</q>|the asker's own words; the model said <q>red</q>", page)
    assert page.count(">against it<") == 2
    assert "no feedback of this key was audited yet" in page
