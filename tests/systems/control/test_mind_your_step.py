"""Thinking or not: the router, and the strings of a grammar."""

import numpy as np
import pytest

from nosce.core.battery import difference
from nosce.systems.control.mind_your_step import items, routed
from nosce.tasks.grammars import END, belongs, broken, grammar, grammar_questions, word


def test_the_router_thinks_only_where_thinking_paid_on_the_other_items() -> None:
    """Two kinds of four items: one always right at once and never with thought, the other the reverse."""
    direct, thought = np.array([1.0] * 4 + [0.0] * 4), np.array([0.0] * 4 + [1.0] * 4)
    kind = np.array([0.0] * 4 + [1.0] * 4)
    assert routed(direct, thought, kind) == 0.5
    assert difference(direct[:4], thought[:4]) == 1.0


def test_an_item_does_not_choose_its_own_way() -> None:
    """One item of each way in a kind: the only other item speaks for the wrong one."""
    assert routed(np.array([1.0, 0.0]), np.array([0.0, 1.0]), np.zeros(2)) == pytest.approx(-0.5)


def test_strings_belong_by_walking_the_grammar() -> None:
    small = [[("M", 1), ("T", 0)], [("V", END), ("X", 0)]]
    assert belongs(small, "MV")
    assert belongs(small, "TTMXMV")
    assert not belongs(small, "M")
    assert not belongs(small, "MVM")
    assert not belongs(small, "VM")


@pytest.mark.parametrize("seed", range(5))
def test_words_belong_and_broken_ones_do_not(seed: int) -> None:
    rng = np.random.default_rng(seed)
    made = grammar(rng)
    assert all(belongs(made, word(made, rng)) and not belongs(made, broken(made, rng)) for _ in range(20))


def test_half_of_the_questions_are_yes_and_none_shows_the_string_it_asks_for() -> None:
    questions = grammar_questions(60, 1)
    assert 18 < sum(q.reference == "yes" for q in questions) < 42
    for q in questions:
        shown, _, asked = q.text.partition(" Does the string ")
        assert asked.split()[0] not in shown.partition(": ")[2].rstrip(".").split(", ")


def test_every_item_is_of_one_kind() -> None:
    assert [i.given["hurts"] for i in items(6, 0, "bundled")] == [True, False] * 3
