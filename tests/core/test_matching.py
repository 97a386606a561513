"""When two answers are the same: facts by hand, and laws that hold for any text."""

from fractions import Fraction
from importlib import import_module
from importlib.util import find_spec

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nosce.core.equivalence import KINDS, Equivalence
from nosce.core.errors import InputError
from nosce.core.matching import parse_number
from nosce.core.problem import Problem

PROBLEM = Problem("p", "?")
needs_math = pytest.mark.skipif(find_spec("math_verify") is None, reason="needs nosce[math]")

SAMPLES = [
    Equivalence("exact"),
    Equivalence("exact", {"case": True}),
    Equivalence("choice"),
    Equivalence("choice", {"choices": ["red", "blue", "b", "Ünïcode"]}),
    Equivalence("number"),
    Equivalence("number", {"tolerance": 0.5, "relative": 0.01}),
    Equivalence("set"),
    Equivalence("set", {"of": "number", "partial": True}),
    Equivalence("sequence", {"of": "number"}),
    Equivalence("json", {"total": "number", "name": "exact"}),
    Equivalence("json"),
    Equivalence("regex"),
    Equivalence("callable", {"function": lambda answer, reference: answer == reference}),
    Equivalence("countdown"),
]

ANSWERS = st.one_of(
    st.text(max_size=40),
    st.text(alphabet="0123456789.,/%-+eE$ x^()*=[]{}\":;ABab!\\", max_size=30),
    st.sampled_from(["12", "12.0", "1,234", "3/4", "75%", "(B)", "b", "red", "{1, 2}", '{"total": 3}', ""]),
    st.recursive(st.just("9"), lambda x: st.builds("({}{}{})".format, x, st.sampled_from("+-*/"), x), max_leaves=6),
)  # fmt: skip


def _id(kind: Equivalence) -> str:
    return kind.kind


@pytest.mark.parametrize("kind", SAMPLES, ids=_id)
@settings(max_examples=150, deadline=None)
@given(a=ANSWERS, b=ANSWERS)
def test_sameness_is_reflexive_symmetric_and_as_wide_as_the_keys(kind: Equivalence, a: str, b: str) -> None:
    assert kind.same(a, a)
    assert kind.same(a, b) == kind.same(b, a)
    if kind.key(a) == kind.key(b):
        assert kind.same(a, b)
    reference = "a" if kind.kind == "regex" else b
    assert 0 <= kind.grade(a, reference, PROBLEM) <= 1


@needs_math
@settings(max_examples=60, deadline=None)
@given(a=ANSWERS, b=ANSWERS)
def test_the_laws_hold_for_expressions(a: str, b: str) -> None:
    kind = Equivalence("math")
    assert kind.same(a, a)
    assert kind.same(a, b) == kind.same(b, a)
    assert kind.grade(a, b, PROBLEM) in (0, 1)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("42", 42), ("1,234", 1234), ("12,345,678.5", Fraction("12345678.5")), ("3/4", Fraction(3, 4)),
        ("-3/4", Fraction(-3, 4)), ("1 1/2", Fraction(3, 2)), ("50%", Fraction(1, 2)), ("$12", 12),
        ("$12.50", Fraction(25, 2)),
        ("-$3", -3), ("€ 7", 7), ("1.5e3", 1500), ("2E-2", Fraction(1, 50)), ("1.5 x 10^3", 1500),
        ("1.5×10^{-1}", Fraction(3, 20)),
        ("12 apples", 12), ("5 km/h", 5), ("20°C", 20), ("42.", 42), ("−7", -7), ("x = 5", 5), ("= 5", 5),
        (".5", Fraction(1, 2)),
        ("2 million", 2_000_000), ("007", 7), ("$12$", 12), ("3 m²", 3), ("12 .", 12), ("+4", 4),
    ],
)  # fmt: skip
def test_numbers_that_people_write(text: str, value: Fraction) -> None:
    assert parse_number(text) == value


@pytest.mark.parametrize(
    "text",
    ["", "seven", "5 or 6", "1,23", "12,34", "1/0", "3 hours 20 minutes", "2-1", "1e9999999", "nan", "inf", "5 6",
     "1.2.3", "--5", "9" * 400, "5 + x", "12 = 12", "٣"],
)  # fmt: skip
def test_text_that_says_no_single_number(text: str) -> None:
    assert parse_number(text) is None


def test_number_keys_are_canonical_and_tolerance_widens_sameness() -> None:
    exact = Equivalence("number")
    assert exact.key("0.5") == exact.key("1/2") == exact.key("50%") == "1/2"
    assert not exact.same("0.33", "1/3")
    assert Equivalence("number", {"tolerance": 0.01}).same("0.33", "1/3")
    assert Equivalence("number", {"relative": 0.02}).same("98", "100")
    assert not Equivalence("number", {"relative": 0.01}).same("98", "100")
    assert exact.grade("12 dollars", 12, PROBLEM) == exact.grade("12.0", 12, PROBLEM) == 1
    assert exact.grade("50%", 50, PROBLEM) == exact.grade("50%", 0.5, PROBLEM) == 1
    assert exact.grade("7", [6, 7], PROBLEM) == 1


def test_exact_sets_spaces_quotes_capitals_and_a_full_stop_aside() -> None:
    kind = Equivalence("exact")
    assert kind.same(' "New  York". ', "new york")
    assert not kind.same("new york", "newyork")
    assert not Equivalence("exact", {"case": True}).same("Polish", "polish")
    assert kind.grade("NYC", ["New York", "nyc"], PROBLEM) == 1
    assert kind.grade("True", True, PROBLEM) == 1


def test_a_choice_is_its_letter_or_its_text() -> None:
    kind = Equivalence("choice", {"choices": ["red", "green", "blue"]})
    for answer in ("B", "b", "(B)", "B.", "b) green", "Green", "green.", "B - green", "**B**"):
        assert kind.key(answer) == "B", answer
    assert kind.key("D") != "D"
    assert kind.grade("B", "green", PROBLEM) == kind.grade("green", "B", PROBLEM) == kind.grade("B", 1, PROBLEM) == 1
    assert kind.grade("A", 1, PROBLEM) == 0
    assert kind.key("a dog") != "A"


def test_a_whole_number_as_reference_is_the_option_of_that_text_first() -> None:
    numbers = Problem("p", "?", choices=("3", "1", "0"))
    kind = Equivalence("choice")
    assert kind.grade("B", 1, numbers) == 1
    assert kind.grade("C", 2, numbers) == 1


def test_sets_forget_order_and_repeats() -> None:
    kind = Equivalence("set")
    assert kind.same("red, blue and green", '["green", "Blue", "red", "red"]')
    assert not kind.same("red", "red, blue")
    assert Equivalence("set", {"of": "number"}).same("{1/2, 3}", "3.0; 0.5")
    assert Equivalence("set", {"partial": True}).grade("a, b, c", ["b", "c", "d"], PROBLEM) == 0.5


def test_sequences_keep_order() -> None:
    kind = Equivalence("sequence", {"of": "number"})
    assert kind.same("3 5 9", "[3, 5.0, 9]")
    assert not kind.same("3 5 9", "3 9 5")
    assert kind.grade("3, 5", [3, 5], PROBLEM) == 1


def test_json_is_graded_by_field() -> None:
    kind = Equivalence("json", {"name": "exact", "total": "number", "tags": "set"})
    answer = 'Here: {"name": "ANN", "total": "1,200", "tags": ["y", "x"]} as asked'
    reference = {"name": "Ann", "total": 1200, "tags": ["x", "y"]}
    assert kind.grade(answer, reference, PROBLEM) == 1
    assert kind.grade('{"name": "Ann", "total": 7}', reference, PROBLEM) == pytest.approx(1 / 3)
    assert kind.grade("no object", reference, PROBLEM) == 0
    assert Equivalence("json").same('{"a": 1, "b": "x"}', '{"b": "X", "a": 1.0}')


def test_a_pattern_matches_the_whole_answer_unless_asked_otherwise() -> None:
    assert Equivalence("regex").grade("Colour", "colou?r", PROBLEM) == 1
    assert Equivalence("regex").grade("the colour", "colou?r", PROBLEM) == 0
    assert Equivalence("regex", {"search": True}).grade("the colour", "colou?r", PROBLEM) == 1
    with pytest.raises(InputError, match="no pattern"):
        Equivalence("regex").grade("x", "(", PROBLEM)


@needs_math
def test_expressions_are_compared_by_a_library() -> None:
    kind = Equivalence("math")
    for a, b in [
        ("1/2", "\\frac{1}{2}"),
        ("(x+1)^2", "x^2+2x+1"),
        ("$\\sqrt{2}/2$", "1/\\sqrt{2}"),
        ("{1,2}", "{2,1}"),
        ("0.5", "50%"),
    ]:
        assert kind.same(a, b), (a, b)
    assert not kind.same("x+1", "x+2")
    for huge in ("9^{9^{9^9}}", "99999999!", "2^{100000000}"):
        assert not kind.same(huge, "1")


def test_a_function_grades_and_says_where_it_failed() -> None:
    near = Equivalence("callable", {"function": lambda answer, reference: 1 - abs(float(answer) - reference) / 10})
    assert near.grade("7", 5, PROBLEM) == pytest.approx(0.8)
    with pytest.raises(InputError, match="failed on 'seven' \\(p\\)"):
        near.grade("seven", 5, PROBLEM)
    with pytest.raises(InputError, match="in \\[0, 1\\]"):
        near.grade("50", 5, PROBLEM)
    with pytest.raises(InputError, match="from Python"):
        _ = Equivalence("callable", {"function": "len"}).matcher


def test_countdown_takes_any_way_to_the_target_with_the_given_numbers() -> None:
    kind = Equivalence("countdown")
    for answer in ("8*3", "3*8", "3*8=24", "(3)*8."):
        assert kind.grade(answer, "8*3", PROBLEM) == 1, answer
    for answer in ("24", "4*6", "8*3*1", "8*3=25", "8+3", "eight", "8**3", "3*(8", ""):
        assert kind.grade(answer, "8*3", PROBLEM) == 0, answer
    assert kind.same("(8-5)*3", "3*(8-5)")
    assert not kind.same("8-5*1", "8-5")


def test_wrong_kinds_and_options_are_refused_by_name() -> None:
    with pytest.raises(InputError, match="did you mean number"):
        _ = Equivalence("nmber").matcher
    with pytest.raises(InputError, match="tolerence"):
        _ = Equivalence("number", {"tolerence": 1}).matcher
    with pytest.raises(InputError, match=">= 0"):
        _ = Equivalence("number", {"tolerance": -1}).matcher
    with pytest.raises(InputError, match="no pattern"):
        _ = Equivalence("set", {"separator": "("}).matcher
    with pytest.raises(InputError, match="unknown equivalence"):
        _ = Equivalence("json", {"name": "txt"}).matcher


def test_every_kind_names_a_class_that_is_there() -> None:
    for place in KINDS.values():
        module, _, name = place.partition(":")
        assert hasattr(import_module(module), name)
