"""The kinds of sameness: what makes two answers one, and an answer right."""

from nosce.core.matching._expression import Math
from nosce.core.matching._function import Callable
from nosce.core.matching._number import Number, parse_number
from nosce.core.matching._structure import JsonFields, Sequence, Set
from nosce.core.matching._text import Choice, Exact, Regex, option_of

__all__ = [
    "Callable",
    "Choice",
    "Exact",
    "JsonFields",
    "Math",
    "Number",
    "Regex",
    "Sequence",
    "Set",
    "option_of",
    "parse_number",
]
