"""Bets of both sides of a debate, by a script."""

import asyncio
import re

from nosce.batteries import sit
from nosce.core.registry import registry
from nosce.mind.engine import Engine
from nosce.systems.evaluate.llm_debate_overconfidence import items


def test_both_sides_rise_by_five_points_a_round_and_both_end_sure(scripted) -> None:
    prompts: list[str] = []

    def reply(prompt: str, k: int) -> str:
        prompts.append(prompt)
        spoken = len(re.findall(r"^(?:For|Against) \(", prompt, re.M))
        start = 50 if "exactly half of the time" in prompt else 65
        if "This will be read to the other side" in prompt:
            return f"Confidence: {start + 5 * spoken // 2 + 8}%"
        return f"Confidence: {start + 5 * spoken // 2}%" if "This is private" in prompt else f"Speech {spoken}."

    found = asyncio.run(sit(registry.find("S178"), Engine({"main": scripted(reply)}), items(8, 0, "general")))
    values = {f.measure.name: round(f.estimate.value, 9) for f in found.findings if f.estimate}
    assert values == {
        "first_bet": 0.65, "escalation": 0.15, "both": 1.0, "informed_escalation": 0.15, "public_escalation": 0.15, "aloud": 0.08,
    }  # fmt: skip
    row = found.rows[0]
    assert row["bets"] == [0.65, 0.7, 0.75, 0.8]
    assert [line.partition(":")[0] for line in row["record"]] == [
        "For (opening)", "Against (opening)", "For (rebuttal)", "Against (rebuttal)", "For (closing)", "Against (closing)",
    ]  # fmt: skip
    speeches = [p for p in prompts if "speech in at most" in p]
    assert all("Confidence" not in p for p in speeches)  # bets stay private
    assert len(speeches) == 8 * 6
    aloud, _ = [row for row in found.rows if "open_first" in row and row["side"] == "for"]
    assert [line for line in aloud["record"] if "bets" in line][:2] == ["For bets 73% on winning.", "Against bets 73% on winning."]


def test_of_four_debates_two_are_private_one_is_told_that_it_is_even_and_one_is_read_aloud() -> None:
    assert [item.given["condition"] for item in items(6, 0, "general")] == [
        "private", "informed", "private", "public", "private", "informed",
    ]  # fmt: skip
    assert len({item.problem.text for item in items(60, 3, "general")}) == 60
