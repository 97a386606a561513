"""The index agrees with the plain store of which the question is a part."""

from hypothesis import given, settings
from hypothesis import strategies as st

from nosce.memory.postings import Postings
from nosce.memory.store import Item, Store

TEXT = st.text("ab 12+", min_size=1, max_size=10)


@settings(max_examples=60, deadline=None)
@given(st.lists(TEXT, max_size=8, unique=True), TEXT)
def test_similarities_are_the_stores_with_the_question_among_its_keys(texts: list[str], question: str) -> None:
    store = Store([Item(question, "?", kind="asked"), *(Item(text, f"{i}") for i, text in enumerate(texts))])
    expected = [(int(f.item.text), f.similarity) for f in store.search(question, 99) if f.item.kind != "asked"]
    found = Postings(texts).nearest(question, 99, 0.0)
    assert [place for place, _ in found] == [place for place, _ in expected] or len(set(found)) == len(set(expected))
    assert sorted(round(s, 9) for _, s in found) == sorted(round(s, 9) for _, s in expected)


def test_the_nearest_come_first() -> None:
    index = Postings(["a b c", "a b", "x"])
    assert [place for place, _ in index.nearest("a b", 5, 0.0)] == [1, 0]
    assert index.nearest("a b", 5, 0.99) == [(1, 1.0)]
    assert index.nearest("z", 5, 0.0) == []
