"""A calculator: an allow-list over Python's syntax tree, exact wherever the result is rational."""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nosce.tools import Tool

Value = Fraction | float
_LONGEST = 200  # characters
_BITS = 4096  # of any numerator or denominator on the way
_SIGNS = str.maketrans({"×": "*", "·": "*", "÷": "/", "−": "-", "–": "-", "\u00a0": " "})
_COMMA = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_ZEROS = re.compile(r"(?<![\d.eE])(?<![eE][+-])0+(?=\d)")
_STRANGE = re.compile(r"[^\d\s.+\-*/%()eE]", re.ASCII)


class _Refused(Exception):
    """Why there is no result."""


def calculator() -> Tool:
    """The tool."""
    return calculate


def calculate(text: str) -> str:
    """The value of an expression of numbers, + - * / // % ** ^ and parentheses, as text.

    Whole numbers and finite decimals are exact (`0.1+0.2` is `0.3`); everything else has 12 significant digits. What
    can't be worked out is a value too: `error: division by zero`. Nothing is ever raised, nothing larger than
    4096 bits is computed.
    """
    try:
        return _written(_value(_tree(text)))
    except _Refused as reason:
        return f"error: {reason}"


def _tree(text: str) -> ast.expr:
    if len(text) > _LONGEST:
        raise _Refused(f"the expression is longer than {_LONGEST} characters")
    plain = text.translate(_SIGNS).replace("^", "**").strip().strip("=").strip()
    plain = _ZEROS.sub("", _COMMA.sub("", plain))
    if strange := _STRANGE.search(plain):
        raise _Refused(f"{strange[0]!r} is no part of an expression; only numbers, + - * / // % ** and ( ) are")
    try:
        return ast.parse(plain, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise _Refused("this is no expression") from None


def _value(node: ast.expr) -> Value:
    match node:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            return _literal(number)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand)
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            return _value(operand)
        case ast.BinOp(left=left, op=sign, right=right) if type(sign) in _OPERATORS:
            return _bounded(_OPERATORS[type(sign)], _value(left), _value(right))
    raise _Refused("only numbers, + - * / // % ** and ( ) can be worked out")


def _literal(number: int | float) -> Value:
    if isinstance(number, float) and not math.isfinite(number):
        raise _Refused("the result is too large")
    return _sized(Fraction(str(number)))


def _bounded(operation: Callable[[Value, Value], Value], a: Value, b: Value) -> Value:
    try:
        return _sized(operation(a, b))
    except ZeroDivisionError:
        raise _Refused("division by zero") from None
    except (OverflowError, ValueError):
        raise _Refused("the result is too large") from None


def _sized(value: Value) -> Value:
    if isinstance(value, complex):
        raise _Refused("a root of a negative number is not real")
    if isinstance(value, float):
        if not math.isfinite(value):
            raise _Refused("the result is too large")
        return value
    value = Fraction(value)
    if max(value.numerator.bit_length(), value.denominator.bit_length()) > _BITS:
        raise _Refused("the result is too large")
    return value


def _power(a: Value, b: Value) -> Value:
    if isinstance(a, Fraction) and isinstance(b, Fraction) and b.denominator == 1:
        size = max(a.numerator.bit_length(), a.denominator.bit_length())
        if size > 1 and size * abs(b.numerator) > 2 * _BITS:
            raise _Refused("the result is too large")
        exponent = int(b) % 2 if abs(a) == 1 else int(b)
        return a**exponent if a or exponent >= 0 else 1 / a
    result: Value = float(a) ** float(b)
    return result


_OPERATORS: dict[type[ast.operator], Callable[[Value, Value], Value]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: _power,
}


def _written(value: Value) -> str:
    """Whole numbers and finite decimals in full where they are short, all else to 12 significant digits."""
    if isinstance(value, float):
        return _rounded(value)
    if value.denominator == 1:
        whole = str(value.numerator)
        return whole if len(whole) <= 60 else _rounded(value)
    return _decimal(value) or _rounded(value)


def _decimal(value: Fraction) -> str | None:
    """The finite decimal of at most 12 places, None where there is none."""
    for places in range(1, 13):
        scaled = value * 10**places
        if scaled.denominator == 1:
            digits = str(abs(scaled.numerator)).rjust(places + 1, "0")
            return f"{'-' if value < 0 else ''}{digits[:-places]}.{digits[-places:]}" if len(digits) <= 60 else None
    return None


def _rounded(value: Value) -> str:
    try:
        return f"{float(value):.12g}"
    except OverflowError:
        exponent = len(str(abs(int(value)))) - 1
        return f"{float(Fraction(value) / 10**exponent):.12g}e+{exponent}"
