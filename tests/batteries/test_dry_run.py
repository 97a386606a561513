"""What a profile may cost is said before a token is spent, and is no less than what it costs."""

import asyncio

import pytest
from tests.scripted import CONTINUES, ScriptedChat

from nosce.batteries.dry_run import worst_case
from nosce.batteries.profile import Plan, chosen, profile
from nosce.core.errors import InputError


def test_nothing_is_asked_and_the_estimate_holds() -> None:
    plan, model = Plan(chosen("S158,S178,S171,S238,S277,S310,S119,S273,S267"), n=12), ScriptedChat(CONTINUES)
    before = asyncio.run(worst_case(plan, {"main": model}, "general"))
    assert model.calls == 0
    done = asyncio.run(profile(plan, {"main": model}))
    assert model.calls > 0
    for estimate, sitting in zip(before, done.sittings, strict=True):
        assert estimate.items == sitting.items
        assert estimate.cost.tokens >= sitting.cost.tokens, estimate.battery.slug
        assert estimate.cost.calls >= 0.9 * sitting.cost.calls, estimate.battery.slug


def test_a_battery_is_found_by_the_name_of_its_system_where_another_part_is_a_strategy() -> None:
    assert [(battery.slug, battery.part) for battery in chosen("self-prm,S119,S119/precision")] == [("self-prm", "precision")] * 3
    with pytest.raises(InputError, match="think is a strategy, not a battery"):
        chosen("think")
