"""A mind on a scripted chat model."""

import pytest
from tests.scripted import LOGPROBS, ScriptedChat

from nosce.core.problem import Problem
from nosce.mind.engine import Engine
from nosce.mind.mind import Mind


@pytest.fixture
def scripted_mind() -> Mind:
    """On a question it can read."""
    return Engine({"main": ScriptedChat(LOGPROBS)}).mind(Problem("p", "2+2", reference="4"))
