"""What a run may cost, before it is run."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nosce.core.cost import Cost
from nosce.core.errors import NosceError
from nosce.core.problem import Problem
from nosce.core.registry import registry
from nosce.mind.engine import Engine
from nosce.models.base import Model, Prompt, Request, Sample

if TYPE_CHECKING:
    from nosce.evidence.plan import Estimate, Plan

TRIED = 20
MOST_CALLS = 400


class Longest:
    """Stands in for a model: same dialect, context and capabilities; each sample is empty and as long as is allowed."""

    remote = False

    def __init__(self, model: Model) -> None:
        self._model = model
        self.spec, self.version, self.dialect, self.context = model.spec, "dry-run", model.dialect, model.context
        self.capabilities = model.capabilities
        self.price = getattr(model, "price", None)
        self._calls = 0

    async def sample(self, request: Request) -> list[Sample]:
        """n empty samples of `max_tokens` each."""
        self._calls += request.n
        if self._calls > MOST_CALLS * TRIED:
            raise NosceError("the strategy would go on without end")
        length = self.count(request.prompt)
        return [Sample("", "length", prompt_tokens=length, completion_tokens=request.max_tokens) for _ in request.keys]

    def count(self, prompt: Prompt) -> int:
        """Tokens of the prompt, as the real model counts them."""
        return self._model.count(prompt)

    async def close(self) -> None:
        """Nothing is held."""


async def worst_case(made: Plan) -> Estimate:
    """Run the strategy on the longest possible replies for up to 20 problems and scale."""
    from nosce.evidence.plan import Estimate

    everything = [*made.problems, *made.calibration]
    tried = everything[:: max(1, len(everything) // TRIED)][:TRIED]
    engine = replace(made, roster={role: Longest(model) for role, model in made.roster.items()}).engine()
    spent = Cost()
    if made.system.prepare is None:
        async for solved in engine.solve_all(tried, made.system, made.options):
            spent += solved.answer.cost
    else:
        spent = await _prepared(engine, made, tried)
    scale = len(everything) / max(1, len(tried))
    prompt, completion = round(spent.prompt_tokens * scale), round(spent.completion_tokens * scale)
    price = getattr(made.roster["main"], "price", None)
    money = None if price is None else (prompt * price[0] + completion * price[1]) / 1e6
    return Estimate(len(everything), round(spent.calls * scale), prompt, completion, money)


async def _prepared(engine: Engine, made: Plan, tried: list[Problem]) -> Cost:
    """Preparing cannot be played through on empty replies; self-consistency's cost at the strategy's `most` stands for it."""
    most = int(made.options.get("most", made.options.get("k", 16)))
    spent = Cost()
    async for solved in engine.solve_all(tried, registry.find("self-consistency"), {"k": most}):
        spent += solved.answer.cost
    return spent
