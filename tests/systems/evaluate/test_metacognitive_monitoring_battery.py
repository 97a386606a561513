"""Keep or withdraw: the published figure, by hand."""

import asyncio

import numpy as np
import pytest

from nosce.batteries import sit
from nosce.core.battery import Item
from nosce.core.problem import Problem
from nosce.core.registry import registry
from nosce.mind.engine import Engine
from nosce.monitor.asking import BET, KEEP, read
from nosce.systems.evaluate.metacognitive_monitoring_battery import over_tracks

WRONG = {"3+3", "5+5"}


def test_the_score_is_the_unweighted_mean_over_domains_with_both_kinds() -> None:
    """Domain 0: kept 2 of 2 right and 1 of 2 wrong, Δ .5; domain 1: 0 of 1 right, 1 of 1 wrong, Δ −1; domain 2 has no error."""
    kept = np.array([1, 1, 1, 0, 0, 1, 1.0])
    right = np.array([1, 1, 0, 0, 1, 0, 1.0])
    track = np.array([0, 0, 0, 0, 1, 1, 2.0])
    assert over_tracks(kept, right, track) == pytest.approx((0.5 - 1) / 2)


@pytest.mark.parametrize(
    ("reply", "kept"),
    [("KEEP", True), ("withdraw.", False), ("I would not KEEP it: WITHDRAW", False), ("**Keep**", True), ("no idea", None)],
)
def test_a_reply_is_read_by_its_last_decision(reply: str, kept: bool | None) -> None:
    assert read(reply, KEEP) is kept


def test_a_model_that_withdraws_its_two_mistakes_scores_one_and_one_that_bets_blindly_zero(scripted) -> None:
    def reply(prompt: str, k: int) -> str:
        question = next(line for line in prompt.splitlines() if "Question:" in line).rpartition(": ")[2]
        if KEEP.question in prompt:
            return "WITHDRAW" if question in WRONG else "KEEP"
        if BET.question in prompt:
            return "BET"
        if "Do not answer yet" in prompt:
            return "ANSWER"
        return f"Answer: {99 if question in WRONG else eval(question)}"

    items = [Item(Problem(str(i), f"{i}+{i}", reference=str(2 * i)), {"track": i % 2}) for i in range(2, 8)]
    items.append(Item(Problem("unsure", "9+9", reference="18"), {"track": 0}))
    told = scripted(lambda prompt, k: "Answer: I don't know" if "9+9" in prompt else reply(prompt, k))
    found = asyncio.run(sit(registry.find("S158"), Engine({"main": told}), items))
    values = {f.measure.name: f.estimate and f.estimate.value for f in found.findings}
    assert values["accuracy"] == pytest.approx(4 / 6)  # the seventh was no forced choice
    assert (values["withdraw_delta"], values["bet_delta"], values["prospective_delta"]) == (1.0, 0.0, 0.0)
    assert found.remarks[-1] == "Profile: selective, 67% kept."
