"""Count that were made are not made again; each is charged all the same."""

import asyncio
from collections.abc import Sequence

from nosce.core.problem import Problem
from nosce.core.registry import registry
from nosce.mind.engine import Engine
from nosce.mind.sampler import Sampler, sample_from_json, sample_to_json
from nosce.models.base import Capabilities, Prompt, Request, Sample
from nosce.models.replay import ReplayModel


class Counted(ReplayModel):
    """Answers by key; keeps the keys that were really drawn."""

    def __init__(self) -> None:
        super().__init__({}, capabilities=Capabilities(n=True))
        self.drawn: list[int] = []

    async def sample(self, request: Request) -> list[Sample]:
        await asyncio.sleep(0)
        self.drawn += request.keys
        return [Sample(f"Answer: {key % 2}", prompt_tokens=10, completion_tokens=5) for key in request.keys]

    def count(self, prompt: Prompt) -> int:
        return 10


def test_two_strategies_share_draws_and_both_are_charged() -> None:
    model, sampler = Counted(), Sampler(cache=True)
    engine = Engine({"main": model}, sampler=sampler)
    problem = Problem("p", "what?", reference="1")

    async def both() -> Sequence[int]:
        costs = []
        for slug, options in (("self-consistency", {"k": 4}), ("early-stopping-self-consistency", {"most": 4, "window": 2})):
            solved = await engine.solve(problem, registry.find(slug), options)
            costs.append((solved.answer.cost.prompt_tokens, solved.answer.cost.completion_tokens))
        return costs

    first, second = asyncio.run(both())
    assert len(model.drawn) == len(set(model.drawn)) == 4
    assert first == (10, 20)
    assert second in ((10, 10), (20, 20))  # a window each, the prompt charged with each request


def test_the_same_draw_asked_for_twice_at_once_is_made_once() -> None:
    model, sampler = Counted(), Sampler(cache=True)
    request = Request(Prompt(text="x"), keys=(1, 2, 3))

    async def at_once() -> list[list[Sample]]:
        return list(await asyncio.gather(sampler.sample(model, request), sampler.sample(model, request)))

    one, two = asyncio.run(at_once())
    assert one == two
    assert sorted(model.drawn) == [1, 2, 3]


def test_a_failed_call_leaves_nothing_behind() -> None:
    class Once(Counted):
        async def sample(self, request: Request) -> list[Sample]:
            if not self.drawn:
                self.drawn.append(0)
                raise ConnectionError("gone")
            return await super().sample(request)

    model, sampler = Once(), Sampler(cache=True)

    async def twice() -> list[Sample]:
        try:
            await sampler.sample(model, Request(Prompt(text="x"), keys=(1,)))
        except ConnectionError:
            return await sampler.sample(model, Request(Prompt(text="x"), keys=(1,)))
        raise AssertionError("the first call should have failed")

    assert asyncio.run(twice())[0].text == "Answer: 1"


def test_samples_survive_the_journal() -> None:
    samples = [Sample("a\n“b”", "length", (1, 2), (-0.5, -1.25), (0.1, 0.2), ((("x", -0.5), ("y", -2.0)),), 3, 2, 0.01), Sample("")]
    assert [sample_from_json(sample_to_json(sample)) for sample in samples] == samples
