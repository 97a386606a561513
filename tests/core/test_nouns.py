"""Every noun survives the way to JSON and back, whatever it holds."""

import json
import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nosce.core.answer import Answer
from nosce.core.artifact import Artifact
from nosce.core.attempt import Attempt
from nosce.core.claim import Claim
from nosce.core.codec import decode, encode, encode_json
from nosce.core.cost import Budget, Cost
from nosce.core.decision import Decision
from nosce.core.episode import Episode, Step
from nosce.core.equivalence import Equivalence
from nosce.core.errors import InputError
from nosce.core.problem import Message, Problem
from nosce.core.signal import Signal
from nosce.core.trace import Event, Trace, read_traces

TEXT = st.text(max_size=12)
COUNT = st.integers(0, 10**12)
REAL = st.floats(allow_nan=False, width=64)
AMOUNT = st.floats(0, 1e12)
UNIT = st.floats(0, 1)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**15), 10**15) | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
DATA = st.dictionaries(TEXT, PLAIN, max_size=3)


def _tuples(element: st.SearchStrategy[Any], most: int = 4) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(element, max_size=most).map(tuple)


COSTS = st.builds(Cost, COUNT, COUNT, COUNT, COUNT, COUNT, AMOUNT, AMOUNT)
BUDGETS = st.builds(
    Budget,
    *(st.none() | st.integers(1, 10**9) for _ in range(3)),
    *(st.none() | st.integers(0, 10**9) for _ in range(2)),
    *(st.none() | st.floats(1e-6, 1e9) for _ in range(2)),
)
EQUIVALENCES = st.sampled_from(
    [
        Equivalence(),
        Equivalence("number", {"tolerance": 0.5}),
        Equivalence("choice", {"choices": ["a", "b"]}),
        Equivalence("json", {"total": "number"}),
    ]
)
PROBLEMS = st.builds(
    Problem,
    id=TEXT, text=TEXT, messages=_tuples(st.builds(Message, TEXT, TEXT)), choices=_tuples(TEXT),
    context=st.none() | TEXT, tools=_tuples(TEXT), family=TEXT, level=st.none() | st.integers(0, 9),
    reference=PLAIN, equivalence=EQUIVALENCES,
)  # fmt: skip
SIGNALS = st.one_of(
    st.builds(Signal, TEXT, UNIT, st.sampled_from(["logprobs", "samples", "verbal", "hidden"]), calibrated=st.none() | UNIT),
    st.builds(Signal, TEXT, st.none(), st.just("none")),
    st.builds(Signal, TEXT, st.floats(-5, 5), st.just("samples"), st.just("uncertainty"), st.just(-5.0), st.just(5.0)),
)
ATTEMPTS = st.builds(
    Attempt,
    id=TEXT, text=TEXT, answer=st.none() | TEXT, act=TEXT, role=TEXT, parent=st.none() | TEXT, draw=COUNT, finish=TEXT,
    token_ids=_tuples(COUNT), logprobs=st.none() | _tuples(REAL), entropies=st.none() | _tuples(REAL),
    top=st.none() | _tuples(_tuples(st.tuples(TEXT, REAL), 2), 2), cost=COSTS,
)  # fmt: skip
ACTIONS = ("answer", "sample", "extend", "revise", "switch", "use", "recall", "ask", "defer", "abstain", "stop", "act")
DECISIONS = st.builds(Decision, st.sampled_from(ACTIONS), TEXT, DATA)
ANSWERS = st.builds(
    Answer,
    problem_id=TEXT, value=st.none() | TEXT, confidence=st.none() | UNIT, source=st.sampled_from(["samples", "none"]),
    outcome=st.sampled_from(["answered", "abstained", "deferred", "asked", "failed"]), calibrated=st.none() | UNIT,
    reason=TEXT, partial=st.booleans(), signals=_tuples(SIGNALS), cost=COSTS, trace_id=TEXT,
)  # fmt: skip
ARTIFACTS = st.builds(Artifact, TEXT, TEXT, DATA, TEXT, TEXT, st.integers(0, 2**31), COSTS)
CLAIMS = st.builds(
    Claim,
    statement=TEXT, endpoint=TEXT, baseline=TEXT, margin=st.floats(-1, 1), n=COUNT, seeds=_tuples(COUNT),
    taught=st.booleans(), fidelity=st.sampled_from(["abstract", "paper", "code"]), analogue_of=TEXT,
    families=_tuples(TEXT), options=DATA, baseline_options=DATA,
)  # fmt: skip
STEPS = st.builds(Step, TEXT, TEXT, st.floats(-9, 9), st.booleans())
EPISODES = st.builds(Episode, TEXT, COUNT, _tuples(STEPS), TEXT, TEXT, COSTS, TEXT)
NOUNS = [COSTS, BUDGETS, PROBLEMS, SIGNALS, ATTEMPTS, DECISIONS, ANSWERS, ARTIFACTS, CLAIMS, EPISODES]
NAMES = ["Cost", "Budget", "Problem", "Signal", "Attempt", "Decision", "Answer", "Artifact", "Claim", "Episode"]


@pytest.mark.parametrize("nouns", NOUNS, ids=NAMES)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_nouns_survive_json(nouns: st.SearchStrategy[Any], data: st.DataObject) -> None:
    noun = data.draw(nouns)
    assert decode(type(noun), encode(noun)) == noun
    assert decode(type(noun), encode_json(noun)) == noun
    assert json.loads(encode_json(noun)) == encode(noun)
    assert "\n" not in encode_json(noun)


@settings(max_examples=60, deadline=None)
@given(
    events=st.lists(st.tuples(st.sampled_from(["sampled", "measured", "decided", "used", "failed", "answered"]), DATA)),
    head=st.tuples(TEXT, TEXT, TEXT, st.integers(0, 2**63)),
)
def test_traces_survive_json(events: list[tuple[Any, dict[str, Any]]], head: tuple[str, str, str, int]) -> None:
    trace = Trace(*head)
    for kind, data in events:
        trace.add(kind, data, parent=trace.events[-1].node if trace.events else None)
    text = trace.to_json()
    assert Trace.from_json(text) == trace
    assert "\n" not in text
    assert list(read_traces([text, "", text])) == [trace, trace]


def test_a_trace_is_a_tree_in_the_order_of_events() -> None:
    trace = Trace("t", "p")
    root = trace.add("sampled", {"text": "a"})
    child = trace.add("measured", {"value": 1}, parent=root)
    other = trace.add("sampled", {"text": "b"})
    assert [event.node for event in trace.of("sampled")] == [root, other]
    assert list(trace.children(root)) == [Event(child, "measured", root, {"value": 1})]
    assert [event.node for event in trace.children(None)] == [root, other]


@pytest.mark.parametrize("text", ["", "[]", "{", '{"id": "x"}', '{"id": 1, "problem_id": 2, "events": [[1]]}'])
def test_what_is_no_trace_is_refused_with_its_line(text: str) -> None:
    with pytest.raises(InputError, match="not a trace"):
        Trace.from_json(text)
    good = Trace("t", "p").to_json()
    if text:
        with pytest.raises(InputError, match="line 2: not a trace"):
            list(read_traces([good, text]))


@settings(max_examples=100)
@given(a=COSTS, b=COSTS)
def test_costs_add_quantity_by_quantity(a: Cost, b: Cost) -> None:
    both = a + b
    assert (both.calls, both.tokens) == (a.calls + b.calls, a.tokens + b.tokens)
    assert sum([a, b]) == both
    assert a + Cost() == a


def test_a_budget_reads_what_a_person_types_and_counts_down() -> None:
    budget = Budget.parse("tokens=100, calls=3")
    assert budget == Budget(tokens=100, calls=3)
    assert Budget.parse("500") == Budget(tokens=500)
    assert budget.left(Cost(prompt_tokens=20, completion_tokens=30, calls=1)) == Budget(tokens=50, calls=2)
    assert budget.left(Cost(calls=3)) is None
    for text, message in [("", "empty"), ("tokens=0", "no thought"), ("tokns=5", "tokns"), ("calls=x", "'x' is not a number")]:
        with pytest.raises(InputError, match=message):
            Budget.parse(text)


def test_signals_are_never_invented() -> None:
    for name, value, source in [("a", None, "samples"), ("b", 0.5, "none"), ("c", 1.5, "samples"), ("d", math.nan, "samples")]:
        with pytest.raises(InputError, match=f"signal {name}"):
            Signal(name, value, source)  # type: ignore[arg-type]  # plain texts stand for sources here


def test_the_hash_of_a_claim_moves_with_every_field() -> None:
    claim = Claim("it helps")
    changed = [
        replace(claim, margin=0.01), replace(claim, n=301), replace(claim, seeds=(0, 1)), replace(claim, options={"k": 1}),
    ]  # fmt: skip
    assert len({claim.hash, *(other.hash for other in changed)}) == 5
    assert Claim("it helps").hash == claim.hash


def test_a_wrong_record_names_its_field() -> None:
    with pytest.raises(InputError, match="not a Cost: calls"):
        decode(Cost, {"calls": "many"})
    with pytest.raises(InputError, match="not a Answer: the record"):
        decode(Answer, "{")


def test_half_a_surrogate_pair_from_a_broken_server_survives() -> None:
    attempt = Attempt("a", "half \ud83d, é", "half \ud83d")
    assert decode(Attempt, encode_json(attempt).encode("utf-8")) == attempt
    trace = Trace("t", "p")
    trace.add("sampled", {"text": attempt.text})
    assert Trace.from_json(trace.to_json().encode("utf-8").decode()) == trace


def test_log_probabilities_of_minus_infinity_survive() -> None:
    attempt = Attempt("a", "", None, logprobs=(-math.inf, 0.0))
    assert decode(Attempt, encode_json(attempt)) == attempt
