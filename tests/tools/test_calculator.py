"""The calculator: exact results, errors as values, and nothing but arithmetic."""

import time
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nosce.core.errors import InputError
from nosce.tools import tool


def calculate(text: str) -> str:
    return tool("calculator")(text)


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("48213+90877", "139090"),
        ("2*(3+4)", "14"),
        ("7/2", "3.5"),
        ("0.1+0.2", "0.3"),
        ("1/3", "0.333333333333"),
        ("2**10", "1024"),
        ("2^10", "1024"),
        ("-7//2", "-4"),
        ("-7%3", "2"),
        ("1,234*2", "2468"),
        ("6×7", "42"),
        ("84÷2=", "42"),
        ("5−8", "-3"),
        ("007+1", "8"),
        ("2**-2", "0.25"),
        ("2**0.5", "1.41421356237"),
        ("1.5e3+1", "1501"),
        ("(-1)**99999999999", "-1"),
        ("0**0", "1"),
        ("10**100", "1e+100"),
        ("-(3)", "-3"),
        ("1/3*3", "1"),
        ("-0.5", "-0.5"),
        ("10**500*10", "1e+501"),
        ("1e-4", "0.0001"),
    ],
)
def test_known_values(expression: str, result: str) -> None:
    assert calculate(expression) == result


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("1/0", "division by zero"),
        ("0**-1", "division by zero"),
        ("5%0", "division by zero"),
        ("9**9**9", "too large"),
        ("9**99999", "too large"),
        ("1e999", "too large"),
        ("2**0.5**-9999", "too large"),
        ("(-8)**0.5", "not real"),
        ("", "no expression"),
        ("1+", "no expression"),
        ("(" * 150, "no expression"),
        ("1" * 300, "longer"),
        ("abs(1)", "'a' is no part"),
        ("__import__('os')", "'_' is no part"),
        ("1if 2else 3", "'i' is no part"),
        ("(1)(2)", "only numbers"),
        ("1e5.real", "'r' is no part"),
        ("1 2", "no expression"),
    ],
)
def test_what_cannot_be_worked_out_is_an_error_value(expression: str, reason: str) -> None:
    result = calculate(expression)
    assert result.startswith("error: ")
    assert reason in result


@settings(max_examples=300, deadline=None)
@given(st.integers(-999, 999), st.integers(-999, 999), st.integers(1, 99), st.sampled_from("+-*"))
def test_it_agrees_with_fractions(a: int, b: int, c: int, sign: str) -> None:
    want = {"+": a + b, "-": a - b, "*": a * b}[sign] // Fraction(c)
    assert calculate(f"(({a}){sign}({b}))//{c}") == str(want)


@settings(max_examples=500, deadline=None)
@given(st.one_of(st.text(max_size=60), st.text(alphabet="0123456789+-*/%.()eE ^_", max_size=60)))
def test_any_text_gives_text_quickly(text: str) -> None:
    start = time.perf_counter()
    assert isinstance(calculate(text), str)
    assert time.perf_counter() - start < 1


def test_an_unknown_tool_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(InputError, match="did you mean calculator"):
        tool("calculater")
