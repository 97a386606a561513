"""A study's record holds all that the study measured, seed by seed averaged."""

import asyncio

import pytest

from nosce.core.claim import Claim
from nosce.core.registry import System
from nosce.evidence.arms import Bench
from nosce.evidence.trials import study
from nosce.models.load import load


async def measured(mind: object, *, seed: int) -> dict[str, object]:
    """A study without a model."""
    return {"gain": 0.5 + seed, "baseline": 0.25, "n": 7, "seed": seed, "beside": 2.0 * seed, "curve": [1, 2], "held": True}


def test_what_a_study_tells_is_kept_beside_its_endpoint() -> None:
    claim = Claim("It gains.", endpoint="gain", seeds=(0, 1))
    system = System("x", "main", "x", "study", "learn", frozenset({"none"}), measured)
    found = asyncio.run(study(Bench([], {"main": load("socrates")}, (0, 1)), system, claim))
    assert (found.value, found.control, found.n) == (1.0, 0.25, 7)
    assert found.effect.value == pytest.approx(0.75)
    assert found.details == {"beside": 1.0}
