"""Bundled problems and a scripted chat model that the studies of signals share."""

import pytest
from tests.scripted import BLACK_BOX, LOGPROBS, ScriptedChat

from nosce.core.problem import Problem
from nosce.tasks.bundled import draw_problems


@pytest.fixture(scope="session")
def problems() -> list[Problem]:
    """160 problems of two families."""
    return draw_problems(("arithmetic", "lists"), (1, 2, 3), 160)


@pytest.fixture
def chat() -> ScriptedChat:
    """A chat model with log-probabilities that errs on two thoughts in five."""
    return ScriptedChat(LOGPROBS, error=0.4)


@pytest.fixture
def black_box() -> ScriptedChat:
    """The same without log-probabilities."""
    return ScriptedChat(BLACK_BOX, error=0.4)
