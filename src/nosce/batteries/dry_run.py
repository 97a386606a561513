"""What a profile may cost, before a token is spent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from nosce.batteries.profile import Plan
from nosce.batteries.sitting import sit
from nosce.core.battery import Source
from nosce.core.cost import Cost
from nosce.core.errors import CapabilityError, InputError
from nosce.core.registry import System
from nosce.evidence.dry_run import Longest
from nosce.mind.engine import Engine
from nosce.models.base import Model, Request, Sample

TRIED = 4
SAID = {
    "chat": "1. So it is.\nQuestion: Why?\nTask: Wait.\nAnswer: 7\nConfidence: 50%\nFirst wrong step: 1",
    "socrates": "<s1> 1+1=7 <bad> <no> <fault> <s1> <ans> 7",
}
"""Replies that lead on: an answer (a wrong one), a question, a fault found."""


class Talker(Longest):
    """Stands in for a model: as long as is allowed, with something in it to go on from."""

    async def sample(self, request: Request) -> list[Sample]:
        """n samples of `max_tokens` each."""
        text = SAID["chat" if self.dialect == "chat" else "socrates"]
        return [replace(sample, text=text) for sample in await super().sample(request)]


@dataclass(frozen=True)
class Estimate:
    """What a battery may cost: calls and tokens for all of its items, or why it is not asked."""

    battery: System
    items: int
    cost: Cost
    refused: str = ""


async def worst_case(plan: Plan, roster: Mapping[str, Model], source: Source) -> list[Estimate]:
    """Each battery on a few of its items with a stand-in that replies at the greatest length, scaled to all.

    Tokens are an upper estimate; where what is asked next depends on what was said, a few more calls may follow.
    """
    return [await _of(battery, plan, roster, source) for battery in plan.batteries]


async def _of(battery: System, plan: Plan, roster: Mapping[str, Model], source: Source) -> Estimate:
    engine = Engine({role: Talker(model) for role, model in roster.items()}, plan.budget, temperature=plan.temperature)
    try:
        engine.check(battery)
        items = battery.options["items"](plan.n, plan.seed, source)
        tried = items[:: max(1, len(items) // TRIED)]
        spent = (await sit(battery, engine, tried)).cost
    except (CapabilityError, InputError) as refusal:
        return Estimate(battery, 0, Cost(), str(refusal))
    return Estimate(battery, len(items), _scaled(spent, len(items) / len(tried), roster["main"]))


def _scaled(spent: Cost, scale: float, model: Model) -> Cost:
    prompt, completion = round(spent.prompt_tokens * scale), round(spent.completion_tokens * scale)
    price: tuple[float, float] | None = getattr(model, "price", None)
    money = 0.0 if price is None else (prompt * price[0] + completion * price[1]) / 1e6
    return replace(Cost(prompt, completion, round(spent.calls * scale)), money=money)
