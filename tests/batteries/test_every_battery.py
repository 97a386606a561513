"""What every registered battery promises: it says what it measures, sits, repeats, refuses, and keeps its rows apart."""

import asyncio
from functools import cache

import pytest
from tests.conformance.trials import model
from tests.scripted import CONTINUES, ScriptedChat

from nosce.batteries import Sitting, batteries, sit, source_of
from nosce.core.battery import ASPECTS, Item
from nosce.core.cost import Budget
from nosce.core.errors import CapabilityError, InputError
from nosce.core.registry import System, registry
from nosce.mind.engine import Engine
from nosce.models.base import Model

MODELS = ("socrates", "chat")
N = 6
EVERY = pytest.mark.parametrize("battery", batteries(), ids=lambda b: b.slug)
PAIRS = [(battery, on) for battery in batteries() for on in MODELS]
EACH = pytest.mark.parametrize(("battery", "on"), PAIRS, ids=lambda x: getattr(x, "slug", x))


def named(name: str) -> Model:
    return ScriptedChat(CONTINUES) if name == "chat" else model(name)


@cache
def sat(slug: str, on: str, seed: int = 0) -> Sitting | str:
    battery = next(b for b in batteries() if b.slug == slug)
    return again(battery, on, seed)


def again(battery: System, on: str, seed: int = 0, budget: Budget | None = None) -> Sitting | str:
    """The battery sat anew, or the reason why this model cannot."""
    engine = Engine({"main": named(on)}, budget or Budget(), seed=seed)
    try:
        engine.check(battery)
        items = battery.options["items"](N, seed, source_of(engine.roster["main"]))
        return asyncio.run(sit(battery, engine, items))
    except (CapabilityError, InputError) as refusal:
        return str(refusal)


@EVERY
def test_its_measures_say_what_they_are_read_against_and_the_claim_names_one(battery: System) -> None:
    names = [m.name for m in battery.options["measures"]]
    assert len(set(names)) == len(names)
    for measure in battery.options["measures"]:
        assert measure.aspect in ASPECTS
        assert measure.label
        assert (measure.reference is None) or measure.against, f"{measure.name}: a reference without a name"
        assert measure.better != "nearer" or measure.reference is not None
    if "experiment" not in battery.options:
        assert battery.claim is not None
        claimed = next(m for m in battery.options["measures"] if m.name == battery.claim.endpoint)
        assert claimed.reference is not None


@EACH
def test_it_is_sat_to_the_end_or_refused_with_a_reason(battery: System, on: str) -> None:
    found = sat(battery.slug, on)
    if isinstance(found, str):
        assert on != "chat", f"every battery runs on a chat model: {found}"
        return
    assert found.items > 0
    assert found.unfinished == 0, next(row for row in found.rows if row["ended"] != "done")
    assert found.cost.calls > 0
    for finding in found.findings:
        assert finding.estimate is not None or finding.reason
        assert finding.estimate is None or finding.estimate.interval[0] <= finding.estimate.interval[1]


@EACH
def test_the_same_seed_gives_the_same_rows_and_another_other_items(battery: System, on: str) -> None:
    found = sat(battery.slug, on)
    if isinstance(found, str):
        return
    repeated = again(battery, on)
    assert isinstance(repeated, Sitting)
    assert repeated.rows == found.rows
    source = source_of(named(on))
    first, other = (battery.options["items"](N, seed, source) for seed in (0, 1))
    assert [i.problem.text for i in first] != [i.problem.text for i in other]


@EACH
def test_an_item_out_of_budget_says_so_and_counts_nowhere(battery: System, on: str) -> None:
    if isinstance(sat(battery.slug, on), str):
        return
    cut = again(battery, on, budget=Budget(calls=1))
    assert isinstance(cut, Sitting)
    assert cut.cost.calls <= N * 40
    assert all(row["ended"] in ("done", "budget") for row in cut.rows)


def test_two_items_of_one_id_are_refused() -> None:
    battery = registry.find("S158")
    item = battery.options["items"](1, 0, "bundled")[0]
    with pytest.raises(InputError, match="could not be told apart"):
        asyncio.run(sit(battery, Engine({"main": model("socrates")}), [item, Item(item.problem)]))
