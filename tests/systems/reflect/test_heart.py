"""Six emotions in turn against one neutral phrase, with an oracle and without."""

import asyncio

import pytest

from nosce.core.problem import Problem
from nosce.mind.engine import Engine
from nosce.systems.reflect.heart import EMOTIONS, NEUTRAL, heart

ASKED = Problem("p", "How many?", reference="9")


def put(reply, scripted):
    return asyncio.run(heart(ASKED, Engine({"main": scripted(reply)}).mind(ASKED)))


@pytest.mark.parametrize(("moved", "tries"), [("sadness", 1), ("anger", 3), ("disgust", 6)])
def test_the_oracle_stops_at_the_emotion_that_moves_it(scripted, moved, tries):
    row = put(lambda prompt, k: "Answer: 9" if EMOTIONS[moved] in prompt else "Answer: 7", scripted)
    assert (row["first"], row["heart"], row["neutral"]) == (False, True, False)
    assert (row["heart_tries"], row["neutral_tries"]) == (tries, len(EMOTIONS))
    assert (row["heart_free"], row["neutral_free"]) == (False, False)  # one right try among seven does not carry the vote


def test_a_right_answer_may_be_talked_away_without_an_oracle(scripted):
    row = put(lambda prompt, k: "Answer: 7" if NEUTRAL in prompt else "Answer: 9", scripted)
    assert (row["first"], row["heart"], row["neutral"]) == (True, True, True)
    assert (row["heart_free"], row["neutral_free"], row["neutral_tries"]) == (True, False, 0)


def test_each_try_is_shown_the_one_before(scripted):
    seen: list[str] = []

    def reply(prompt: str, k: int) -> str:
        seen.append(prompt)
        return f"Answer: {len(seen)}"

    put(reply, scripted)
    assert len(seen) == 1 + 2 * len(EMOTIONS)
    assert ["Proposed answer: " + str(i) in prompt for i, prompt in enumerate(seen[1:7], 1)] == [True] * 6
    assert "Proposed answer: 1" in seen[7]
