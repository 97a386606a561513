"""What estimators share, by hand: similarities, classes, and what is there."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nosce.core.attempt import Attempt
from nosce.core.equivalence import Equivalence
from nosce.core.errors import InputError
from nosce.core.problem import Problem
from nosce.core.signal import Signal
from nosce.monitor.equivalence import embedded, entailed, grouped, matching, numbered
from nosce.monitor.similarity import cosines, hashed_ngrams, rouge_l
from nosce.monitor.statistics import Statistics, plogp

ASKED = Problem("p", "2+2", equivalence=Equivalence("number"))


def said(*answers: str | None) -> list[Attempt]:
    return [Attempt(f"n{i}", f"it is {a}", a) for i, a in enumerate(answers)]


def test_rouge_l_counts_the_longest_common_subsequence_of_words():
    found = rouge_l(["the cat sat on the mat", "The cat, on a mat!", "dogs", ""])
    assert found[0, 1] == pytest.approx(2 * 4 / (6 + 5))  # the cat on mat
    assert found[0, 2] == found[0, 3] == found[2, 3] == 0
    assert np.array_equal(found, found.T)


@settings(deadline=None)
@given(st.lists(st.text("ab c", max_size=80), min_size=2, max_size=5))
def test_rouge_l_is_what_the_textbook_recursion_gives(texts):
    def longest(a: list[str], b: list[str]) -> int:
        row = [0] * (len(b) + 1)
        for x in a:
            row = _next(row, x, b)
        return row[-1]

    found = rouge_l(texts)
    for i, a in enumerate(texts):
        for j in range(i):
            x, y = a.split(), texts[j].split()
            assert found[i, j] == pytest.approx(2 * longest(x, y) / (len(x) + len(y) or 1))


def _next(row: list[int], x: str, b: list[str]) -> list[int]:
    made = [0]
    for k, y in enumerate(b):
        made.append(row[k] + 1 if x == y else max(row[k + 1], made[k]))
    return made


def test_hashed_ngrams_know_equal_from_different():
    alike = cosines(hashed_ngrams(["the answer is 12", "The answer is 12 ", "the answer is 13", "quokka"]))
    assert alike[0, 1] == pytest.approx(1)
    assert 0.6 < alike[0, 2] < 0.95
    assert alike[0, 3] < 0.1
    assert alike.min() >= 0


def test_classes_by_the_problems_own_matcher():
    assert matching(ASKED, said("4", "four", "4.0", None, None, "5")).tolist() == [0, 1, 0, 2, 3, 4]


def test_classes_by_embedding_and_by_entailment():
    attempts = said("Paris", "Paris", "Lyon")
    assert embedded(0.99)(ASKED, attempts).tolist() == [0, 0, 1]

    def one_way(pairs):  # "it is Paris" entails everything; nothing entails it back but itself
        return [[1, 0, 0] if "Paris" in a or a == b else [0, 1, 0] for a, b in pairs]

    assert entailed(one_way)(ASKED, attempts).tolist() == [0, 0, 1]


def test_an_item_joins_the_first_class_whose_head_it_equals():
    same = np.array([[1, 1, 0], [1, 1, 1], [0, 1, 1]], dtype=bool)  # 0~1, 1~2, not 0~2
    assert grouped(same).tolist() == [0, 0, 1]
    assert numbered(np.array([7, 3, 7, 9])).tolist() == [0, 1, 0, 2]


def test_what_is_there_and_what_is_not():
    bare = Statistics(ASKED, said("4"))
    assert bare.has == frozenset()
    top = ((("a", math.log(0.7)), ("b", math.log(0.2))), (("c", 0.0),))
    full = Statistics(ASKED, [Attempt("n0", "4", "4", logprobs=(-0.5, -0.1), top=top)] * 3, apart=True)
    assert full.has == {"logprobs", "entropies", "top", "samples", "sample_logprobs"}
    assert full.likely == pytest.approx(np.array([[7 / 9, 2 / 9], [1, 0]]))
    assert full.entropies == pytest.approx([-(7 / 9) * math.log(7 / 9) - (2 / 9) * math.log(2 / 9), 0])
    with pytest.raises(InputError, match="no attempt"):
        Statistics(ASKED, [])


@pytest.mark.parametrize(
    "given", [{"similarity": np.eye(3)}, {"nli": np.ones((2, 2))}, {"judged": np.array([0])}, {"prior": np.zeros(9)},
              {"relevance": [np.ones(5)]}]
)  # fmt: skip
def test_what_does_not_fit_is_refused_by_name(given):
    with pytest.raises(InputError, match=rf"problem p: {next(iter(given))}"):
        Statistics(ASKED, [Attempt("n0", "4", "4", logprobs=(-0.1, -0.2))] * 2, **given)


def test_sizes_leave_out_an_attempt_that_stands_apart():
    attempts = said("4", "4", "5", "4", "6")
    assert Statistics(ASKED, attempts).sizes.tolist() == [3, 1, 1]
    assert Statistics(ASKED, attempts, apart=True).sizes.tolist() == [2, 1, 1]


def test_entropy_of_nothing_is_nothing():
    assert plogp(np.array([[0.5, 0.5], [1.0, 0.0]])) == pytest.approx([math.log(2), 0])


@pytest.mark.parametrize(
    ("low", "high", "value", "confidence"),
    [
        (0.0, 2.0, 0.5, 0.75),
        (0.0, math.inf, math.log(2), 0.5),
        (-math.inf, 0.0, -3.0, 0.75),
        (-math.inf, math.inf, 1.0, 0.25),
        (-math.inf, math.inf, -3.0, 0.875),
        (1.0, 1.0, 1.0, 1.0),
    ],
)
def test_one_map_turns_every_uncertainty_into_a_confidence(low, high, value, confidence):
    assert Signal("u", value, "samples", "uncertainty", low, high).confidence == pytest.approx(confidence)


def test_thoughts_of_thousands_of_tokens_keep_their_order():
    found = [Signal("u", u, "logprobs", "uncertainty", 0.0, math.inf).confidence for u in (600.0, 700.0, 701.0, 3000.0, 90000.0)]
    assert found == sorted(found, reverse=True)
    assert len(set(found)) == 5
    assert found[-1] > 0
    for bounds in ((-math.inf, 0.0), (-math.inf, math.inf)):
        sure = [Signal("u", -u, "logprobs", "uncertainty", *bounds).confidence for u in (20.0, 60.0, 900.0)]
        assert sure == sorted(set(sure))
        assert Signal("u", -math.inf, "logprobs", "uncertainty", *bounds).confidence == 1


RANGES = [(-50, 50), (-50, math.inf), (-math.inf, 50), (-math.inf, math.inf)]


@settings(deadline=None)
@given(st.floats(-50, 50), st.floats(-50, 50), st.sampled_from(RANGES))
def test_the_map_never_reverses_a_ranking(a, b, bounds):
    small, large = (Signal("u", v, "samples", "uncertainty", *bounds).confidence for v in sorted((a, b)))
    assert 0 <= large <= small <= 1
