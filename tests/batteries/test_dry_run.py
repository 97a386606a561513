"""What a profile may cost is said before a token is spent, and is no less than what it costs."""

import asyncio

from tests.scripted import CONTINUES, ScriptedChat

from nosce.batteries.dry_run import worst_case
from nosce.batteries.profile import Plan, chosen, profile


def test_nothing_is_asked_and_the_estimate_holds() -> None:
    plan, model = Plan(chosen("S158,S178,S171,S238,S277,S310"), n=12), ScriptedChat(CONTINUES)
    before = asyncio.run(worst_case(plan, {"main": model}, "general"))
    assert model.calls == 0
    done = asyncio.run(profile(plan, {"main": model}))
    assert model.calls > 0
    for estimate, sitting in zip(before, done.sittings, strict=True):
        assert estimate.items == sitting.items
        assert estimate.cost.tokens >= sitting.cost.tokens, estimate.battery.slug
        assert estimate.cost.calls >= 0.9 * sitting.cost.calls, estimate.battery.slug
