"""The store: similarity by hand, order, trust, and the way through an artifact."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nosce.core.errors import InputError
from nosce.memory.store import Item, Store

ITEMS = st.lists(
    st.builds(Item, st.text("ab 12=", max_size=12), st.text("xyz", max_size=5), trust=st.floats(0, 1)), max_size=8
)


def test_similarity_is_the_cosine_of_tf_idf_vectors():
    """Two keys: `red` is in both (weight log 2), `cat` and `dog` in one each (log 3); the query `cat` meets one of them."""
    store = Store([Item("red cat", "purrs"), Item("red dog", "barks")])
    (found,) = store.search("cat")
    assert found.item.text == "purrs"
    assert found.similarity == pytest.approx(math.log(3) / math.hypot(math.log(2), math.log(3)))
    both = store.search("red")
    assert [f.item.text for f in both] == ["purrs", "barks"]
    assert both[0].similarity == pytest.approx(math.log(2) / math.hypot(math.log(2), math.log(3)))


def test_the_same_question_is_found_at_similarity_one_and_a_strange_one_not_at_all():
    store = Store([Item("37+48", "37+48=85"), Item("animal of bek", "animal of bek=fox")])
    assert store.search("37+48")[0].similarity == pytest.approx(1.0)
    assert store.search("zebra") == []


def test_distrust_takes_an_item_out_of_sight():
    store = Store([Item("a b", "good"), Item("a b", "bad")])
    store.distrust([store.items[1]], 0.5)
    assert [f.item.text for f in store.search("a b")] == ["good", "bad"]
    assert store.search("a b")[1].similarity == pytest.approx(0.5)
    store.distrust([store.items[1]])
    assert [f.item.text for f in store.search("a b")] == ["good"]


def test_the_same_thing_is_kept_once_with_the_lower_trust():
    store = Store()
    store.add(Item("k", "t", trust=0.8), Item("k", "t", trust=0.3), Item("k", "t"))
    assert [item.trust for item in store.items] == [0.3]


def test_trust_is_a_probability():
    with pytest.raises(InputError, match=r"trust 1\.5"):
        Item("k", "t", trust=1.5)


@given(ITEMS, st.text("ab 12=", max_size=12))
def test_whatever_is_stored_comes_back_and_similarities_fall(items: list[Item], query: str):
    store = Store()
    store.add(*items)
    assert Store.from_data(store.to_data()) == store
    found = [f.similarity for f in store.search(query, 99)]
    assert found == sorted(found, reverse=True)
    assert all(0 < s <= 1 for s in found)
