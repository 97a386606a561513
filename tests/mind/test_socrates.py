"""The bundled model's dialect: rows as it was taught them."""

import asyncio
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nosce.core.attempt import Attempt
from nosce.core.errors import CapabilityError, OutOfScope
from nosce.core.problem import Problem
from nosce.mind.dialects.base import Critique, Foresight, Given
from nosce.mind.dialects.socrates import Socrates
from nosce.mind.engine import Engine
from nosce.models.base import Capabilities, Sample
from nosce.models.replay import ReplayModel

SUM = Problem("p", "What is 37+48-12?", tools=("calculator",))
THOUGHT = "<s1> 37+48=85 <s2> 85-12=73 <ans> 73"
ATTEMPT = Attempt("n0", THOUGHT, "73")


def row(act: str, given: Given = Given(), problem: Problem = SUM) -> str:
    return Socrates().render(act, problem, given).prompt.text


def test_rows_of_every_act() -> None:
    assert row("think") == "<q> 37+48-12 <tool> <think>"
    assert row("direct", problem=Problem("p", "37+48-12")) == "<q> 37+48-12 <fast>"
    assert row("think", Given(notes=("73", "71"))) == "<q> 37+48-12 <note> 73 <note> 71 <tool> <think>"
    assert row("extend", Given(prefix="<s1> 37+48=85")) == "<q> 37+48-12 <tool> <think> <s1> 37+48=85"
    assert row("foresee") == "<q> 37+48-12 <tool> <foresee>"
    shown = f"<q> 37+48-12 <tool> <think> {THOUGHT}"
    assert row("rate", Given(ATTEMPT)) == f"{shown} <rate>"
    assert row("verify", Given(ATTEMPT)) == row("critique", Given(ATTEMPT)) == f"{shown} <check>"
    assert row("revise", Given(ATTEMPT, critique=Critique(2))) == f"{shown} <fault> <s2> <revise>"
    assert row("revise", Given(ATTEMPT, critique=Critique(None, conclusion=True))) == f"{shown} <fault> <ans> <revise>"


def test_what_it_was_not_taught_is_refused_with_what_would_serve() -> None:
    with pytest.raises(CapabilityError, match=r"lessons.*a chat model"):
        row("lessons")
    with pytest.raises(CapabilityError, match="verify"):
        Socrates(taught=False).render("verify", SUM, Given(ATTEMPT))
    with pytest.raises(OutOfScope):
        row("think", problem=Problem("p", "Who wrote Hamlet?"))


def test_answers_steps_and_calls() -> None:
    dialect = Socrates()
    assert dialect.read("think", Sample(THOUGHT), SUM, Given()) == "73"
    assert dialect.read("think", Sample("<s1> 37+48=85"), SUM, Given()) is None
    assert dialect.read("think", Sample("<ans> <unknown>"), SUM, Given()) == "unknown"
    assert dialect.steps(THOUGHT) == ["37+48=85", "85-12=73"]
    assert dialect.read("extend", Sample("12=73 <ans> 73"), SUM, Given(prefix="<s1> 37+48=85 <s2> 85-")) == "73"
    assert dialect.read("extend", Sample("3"), SUM, Given(prefix="<ans> 7")) == "73"
    assert dialect.pending("<s1> <call> 482+908 <result>") is None
    assert dialect.pending("<s1> <call> 482+908") == ("calculator", "482+908")
    assert dialect.resume("<s1> <call> 482+908", "1390") == "<s1> <call> 482+908 <result> 1390"


def test_verdicts_ratings_and_foresight() -> None:
    dialect = Socrates()
    verdict = ((("<ok>", -0.1),), (("<yes>", math.log(0.72)), ("<no>", math.log(0.18)), ("7", math.log(0.1))))
    assert dialect.read("verify", Sample("<s1> 1 <yes>", top=verdict), SUM, Given()) == pytest.approx(0.8)
    rating = ((("<r9>", math.log(0.75)), ("<r1>", math.log(0.25))),)
    assert dialect.read("rate", Sample("<r9>", top=rating), SUM, Given()) == pytest.approx(0.75 * 0.95 + 0.25 * 0.15)
    assert dialect.read("rate", Sample("<r3>"), SUM, Given()) == pytest.approx(0.35)
    assert dialect.read("foresee", Sample("<r3> <len2>"), SUM, Given()) == Foresight(pytest.approx(0.35), 30.0)
    assert dialect.read("critique", Sample("<s1> 1 <bad> <no> <fault> <s1>"), SUM, Given()).step == 1
    assert dialect.read("critique", Sample("<yes> <fault> <none>"), SUM, Given()).fault is False
    assert dialect.read("critique", Sample("<bad> <no> <fault> <ans>"), SUM, Given()).conclusion


@given(
    st.sampled_from(["think", "verify", "critique", "rate", "foresee", "revise"]),
    st.lists(st.sampled_from(["<s1>", "<ans>", "<r7>", "<len9>", "<fault>", "<yes>", "7", "+", "x", "<unknown>"])),
)
def test_no_reply_breaks_a_reading(act: str, pieces: list[str]) -> None:
    Socrates().read(act, Sample(" ".join(pieces)), SUM, Given())


def test_half_a_call_is_no_call() -> None:
    """A piece that is cut at its length in the middle of a call is handed back as it is; gone on with, the whole call is made."""
    replies = {
        "<q> 37+48-12 <tool> <think>": Sample("<s1> <call> 37+4", finish="length", prompt_tokens=5, completion_tokens=3),
        "<q> 37+48-12 <tool> <think> <s1> <call> 37+4": Sample("8-12", prompt_tokens=8, completion_tokens=3),
    }
    model = ReplayModel.of(
        lambda prompt, key: replies.get(prompt.text, Sample("<ans> 73", prompt_tokens=9, completion_tokens=2)), dialect="socrates",
        capabilities=Capabilities(n=True, continuation=True),
    )  # fmt: skip

    async def go() -> tuple[Attempt, Attempt]:
        mind = Engine({"main": model}).mind(SUM)
        piece = (await mind.think(SUM, max_tokens=3))[0]
        return piece, (await mind.extend(SUM, piece.text, parent=piece))[0]

    piece, whole = asyncio.run(go())
    assert (piece.text, piece.answer) == ("<s1> <call> 37+4", None)
    assert (whole.text, whole.answer) == ("<s1> <call> 37+48-12 <result> 73<ans> 73", "73")
