"""Tokens and the text they make, by hand and on the bundled model."""

import asyncio
from itertools import pairwise

from nosce.core.attempt import Attempt
from nosce.core.problem import Problem
from nosce.mind.engine import Engine
from nosce.models.load import load
from nosce.monitor.spans import parts_of, token_spans, tokens_of


def test_parts_are_found_in_order_and_a_missing_one_is_empty():
    assert parts_of("a b a c", ["a", "a", "x", "c"]) == [(0, 1), (4, 5), (5, 5), (6, 7)]
    assert tokens_of((4, 5), [(0, 2), (2, 4), (4, 6), (6, 7)]) == [2]
    assert tokens_of((1, 5), [(0, 2), (2, 4), (4, 6), (6, 7)]) == [0, 1, 2]


def test_tokens_of_alternatives(scripted_mind):
    pieces = ("The", " sky", " is", " blue")
    top = tuple(((piece, -0.5), (" x", -3.0)) for piece in pieces)
    attempt = Attempt("n", "The sky is blue", None, logprobs=(-0.5,) * 4, top=top)
    assert token_spans(attempt, scripted_mind) == [(0, 3), (3, 7), (7, 10), (10, 15)]
    assert token_spans(Attempt("n", "The sky", None, logprobs=(-0.5,) * 4), scripted_mind) is None
    assert token_spans(Attempt("n", "Grass", None, logprobs=(-0.5,) * 4, top=top), scripted_mind) is None


def test_tokens_of_the_bundled_model_cover_its_text():
    problem = Problem("q", "12+34-5")
    mind = Engine({"main": load("socrates")}).mind(problem)
    attempt = asyncio.run(mind.think(problem))[0]
    spans = token_spans(attempt, mind)
    assert len(spans) == len(attempt.logprobs)
    assert all(a[1] == b[0] for a, b in pairwise(spans))
    steps = mind.dialect.steps(attempt.text)
    for step, span in zip(steps, parts_of(attempt.text, steps), strict=True):
        rows = tokens_of(span, spans)
        assert mind.model.decode([attempt.token_ids[t] for t in rows]).strip().endswith(step)
