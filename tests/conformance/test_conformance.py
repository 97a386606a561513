"""What every registered system promises by being registered.

It runs on each model that has what it needs and refuses the rest by name; it keeps its budget; it can be cut anywhere; the
same seed gives the same answers, alone or in a crowd; and its trace replays to the same answer without the model.
"""

import asyncio
import inspect
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.conformance.trials import MODELS, STRATEGIES, N, everything, missing, model, name_of, problems, suited, trial
from tests.scripted import recorded

from nosce.agents.loop import replay
from nosce.core.answer import Answer
from nosce.core.cost import Budget
from nosce.core.episode import Episode
from nosce.core.errors import CapabilityError
from nosce.core.problem import Problem
from nosce.core.registry import System, catalogue
from nosce.core.signal import Signal
from nosce.environments import environment
from nosce.environments.policies import Blunderer
from nosce.mind.engine import Engine, Solved

ALL = pytest.mark.parametrize("system", everything(), ids=name_of)
LADDER = (
    Budget(calls=1), Budget(calls=2), Budget(calls=5), Budget(tokens=30), Budget(tokens=90), Budget(tokens=200), Budget(tokens=450),
    Budget(tokens=1000), Budget(completion_tokens=7), Budget(completion_tokens=150), Budget(tool_calls=0),
)  # fmt: skip


def each(kinds: tuple[str, ...] = STRATEGIES) -> Callable[..., Any]:
    """Parametrise over every system with every model that suits it."""
    pairs = suited(kinds)
    return pytest.mark.parametrize(("system", "on"), pairs, ids=[f"{name_of(s)} on {m}" for s, m in pairs])


def plain(answer: Answer) -> Answer:
    """The answer without the wall clock."""
    return replace(answer, cost=replace(answer.cost, seconds=0.0))


def source(system: System) -> Path:
    """The file that registers it."""
    return Path(inspect.getsourcefile(inspect.unwrap(system.run)) or "")


# -- how it is written ----------------------------------------------------------------------------------------------------


@ALL
def test_it_says_what_it_decides_and_where_that_stands(system: System) -> None:
    assert system.summary.endswith((".", "?")), f"{system.run.__name__}: the docstring's first line is no sentence"
    if not system.baseline:
        row, said = catalogue()[system.id], " ".join(source(system).read_text(encoding="utf-8").split())
        assert system.slug == row.slug
        assert f'{row.id} "{row.title}"' in said, f"its docstring does not cite {row.id} with its exact title"


@ALL
def test_it_makes_a_claim_that_can_fail(system: System) -> None:
    if system.baseline:
        return
    assert system.claim is not None
    assert system.claim.statement.endswith(".")
    assert system.claim.n > 0
    assert len(system.claim.seeds) > 0
    assert len(system.claim.hash) == 32


@ALL
def test_it_can_be_read_in_two_minutes(system: System) -> None:
    assert len(source(system).read_text(encoding="utf-8").splitlines()) <= 200
    assert source(system).parent.name == system.family.replace("-", "_")


# -- where it runs, and where it refuses ----------------------------------------------------------------------------------


@ALL
def test_a_model_without_what_it_needs_is_refused_before_a_token_is_spent(system: System) -> None:
    for name in MODELS:
        if system.kind in STRATEGIES and (lacks := missing(system, name)):
            with pytest.raises(CapabilityError) as refusal:
                asyncio.run(_first(Engine({"main": model(name)}), system))
            assert refusal.value.missing == lacks[0]
            assert refusal.value.serve, f"{refusal.value} does not say what would serve"
            assert refusal.value.model == model(name).spec


async def _first(engine: Engine, system: System) -> Solved:
    return await anext(aiter(engine.solve_all(problems(), system)))


@each()
def test_every_problem_ends_answered_or_abstained_at_its_true_cost(system: System, on: str) -> None:
    for solved in trial(system.id, system.part, on).solve():
        answer, sampled = solved.answer, list(solved.trace.of("sampled"))
        assert answer.outcome in ("answered", "abstained", "deferred", "asked"), answer.reason
        assert answer.outcome == "answered" or answer.reason
        assert (answer.confidence is None) == (answer.source == "none")
        assert answer.confidence is None or 0 <= answer.confidence <= 1
        assert answer.cost.calls > 0 or not sampled
        assert answer.cost.completion_tokens >= sum(e.data["sample"].get("completion_tokens", 0) for e in sampled)
        assert next(solved.trace.of("answered")).data["value"] == answer.value


# -- what it keeps --------------------------------------------------------------------------------------------------------


@each()
def test_a_cut_at_any_point_keeps_the_budget_and_gives_the_best_so_far(system: System, on: str) -> None:
    runs = trial(system.id, system.part, on).ladder(LADDER)
    for budget, run in zip(LADDER, runs, strict=True):
        for solved in run:
            answer, spent = solved.answer, solved.answer.cost
            for limit, used in (
                (budget.calls, spent.calls), (budget.tokens, spent.tokens), (budget.completion_tokens, spent.completion_tokens),
                (budget.tool_calls, spent.tool_calls),
            ):  # fmt: skip
                assert limit is None or used <= limit, f"{budget}: spent {spent}"
            assert answer.outcome in ("answered", "abstained", "asked", "deferred"), f"{budget}: {answer.reason}"
            assert answer.outcome == "answered" or answer.reason, f"{budget}: abstains and does not say why"


@each()
def test_a_seed_decides_everything(system: System, on: str) -> None:
    tried = trial(system.id, system.part, on)
    first, again = tried.solve(), tried.again()
    assert [plain(s.answer) for s in again] == [plain(s.answer) for s in first]
    assert [[e.data for e in s.trace.of("sampled")] for s in again] == [[e.data for e in s.trace.of("sampled")] for s in first]


@each()
def test_one_at_a_time_or_sixty_four_at_once_gives_the_same_answers(
    system: System, on: str, record_property: Callable[[str, object], None]
) -> None:
    tried = trial(system.id, system.part, on)
    pairs = list(zip(tried.solve(concurrency=1), tried.solve(concurrency=64), strict=True))
    share = sum(a.answer.value == b.answer.value for a, b in pairs) / len(pairs)
    record_property("agreement", share)
    assert share == 1.0 if on.startswith("chat") else share >= (N - 1) / N


@each()
def test_a_trace_replays_to_the_same_answer_without_the_model(system: System, on: str) -> None:
    if system.needs & {"session", "hidden"}:
        pytest.skip("acts on the network itself: a trace holds what was sampled, not the weights")
    tried, live = trial(system.id, system.part, on), model(on)
    first = tried.solve()
    silent = recorded([s.trace for s in first], live)
    for a, b in zip(first, tried.again(model=silent), strict=True):
        assert plain(b.answer) == plain(a.answer)


@each(("estimator",))
def test_an_estimator_measures_the_same_thing_twice_and_stays_in_range(system: System, on: str) -> None:
    prepared = () if system.prepare is None else (trial(system.id, system.part, on).artifact,)

    async def measured() -> list[Signal]:
        engine = Engine({"main": model(on)})
        minds = [engine.mind(problem) for problem in problems()]
        return [await system.run(m.work.problem, await m.think(m.work.problem, n=3), m, *prepared) for m in minds]

    first, again = asyncio.run(measured()), asyncio.run(measured())
    assert first == again
    for signal in first:
        assert (signal.value is None) == (signal.source == "none")
        assert signal.value is None or signal.low <= signal.value <= signal.high


@each(("agent",))
def test_an_agent_plays_within_its_budget_repeats_under_a_seed_and_its_episode_replays(system: System, on: str) -> None:
    world = environment("frozen-lake?size=4")

    async def played(calls: int | None) -> Episode:
        mind = Engine({"main": model(on)}, Budget(calls=calls)).mind(Problem("walk", world.goal), system.slug)
        return await system.run(world, mind, None if "choose" in mind.dialect.acts else Blunderer(world), max_steps=12)

    for calls in (None, 1, 4, 9):
        first, again = asyncio.run(played(calls)), asyncio.run(played(calls))
        assert replace(first, cost=again.cost) == again
        assert calls is None or first.cost.calls <= calls
        assert replay(world, first) == first.final or not first.steps
        assert first.trace_id
