"""The weak checkpoint, for recipes."""

import pytest

from nosce.learn.tiny import TinyEngine


@pytest.fixture(scope="session")
def weak() -> TinyEngine:
    """The shipped weak checkpoint; tests that update it make their own."""
    return TinyEngine("socrates-weak")
