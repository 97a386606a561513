"""Thinking against answering at once, by a script."""

import asyncio

import numpy as np
import pytest

from nosce.batteries import sit
from nosce.core.battery import Item
from nosce.core.problem import Problem
from nosce.core.registry import registry
from nosce.mind.engine import Engine
from nosce.systems.monitor.thinking_out_loud import gain, items, shorter_surer


def test_a_gain_in_calibration_by_hand() -> None:
    """At once: 90% sure and half right, ECE .4; after thinking: 60% sure and half right, ECE .1."""
    right = np.array([1.0, 0.0] * 10)
    assert gain(np.full(20, 0.6), right, np.full(20, 0.9), right) == pytest.approx(0.3)


def test_length_and_confidence_are_related_within_levels_alone() -> None:
    """Within each level longer is surer; across levels the longer are less sure: difficulty must not turn the sign."""
    length, confidence = np.array([1, 2, 3, 4, 5, 11, 12, 13, 14, 15.0]), np.array([6, 7, 8, 9, 10, 1, 2, 3, 4, 5.0]) / 10
    assert shorter_surer(length, confidence, np.repeat([1.0, 2.0], 5)) == pytest.approx(-1.0)


def test_a_quarter_asks_what_nobody_can_know() -> None:
    for source in ("bundled", "general"):
        assert [item.given["known"] for item in items(12, 0, source)].count(False) == 3


def test_the_reasoning_tax_is_counted(scripted) -> None:
    def reply(prompt: str, k: int) -> str:
        if "Confidence:" in prompt:
            return "Confidence: 80%"
        strange = "Melsab" in prompt
        return "Answer: I don't know" if strange and "with no explanation" in prompt else "Answer: 4"

    problems = [Problem(f"p{i}", f"{i}-{i}+2+2", reference="4", level=1) for i in range(4)]
    strangers = [Problem(f"s{i}", f"Which river flows through Melsab{i}?", reference="(nobody knows)") for i in range(4)]
    asked = [Item(p, {"known": True}) for p in problems] + [Item(p, {"known": False}) for p in strangers]
    found = asyncio.run(sit(registry.find("S012"), Engine({"main": scripted(reply)}), asked))
    values = {f.measure.name: f.estimate and f.estimate.value for f in found.findings}
    assert (values["unknown"], values["tax"]) == (0.0, 1.0)
    assert values["ece_thinking"] == pytest.approx(0.2)
    assert values["calibration_gain"] == pytest.approx(0.0)
