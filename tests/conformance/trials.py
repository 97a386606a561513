"""The models every registered system meets, and one cached run of each system on each model that suits it."""

import asyncio
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from tests.scripted import BLACK_BOX, CONTINUES, LOGPROBS, ScriptedChat
from tests.systems.conftest import tiny_network

from nosce.core.artifact import Artifact
from nosce.core.cost import Budget
from nosce.core.problem import Problem
from nosce.core.registry import System, registry
from nosce.mind.dialects import dialect_of
from nosce.mind.engine import Engine, Solved
from nosce.models.base import Model
from nosce.models.socrates import weights
from nosce.models.socrates.model import SocratesModel
from nosce.tasks.bundled import draw_problems

STRATEGIES = ("strategy", "memory", "intervention")
FAMILIES = ("arithmetic", "sums", "lists")
MODELS = ("chat, a black box", "chat with log-probabilities", "chat that continues", "socrates", "socrates-base")
N = 4


@cache
def model(name: str) -> Model:
    """A fixture model by its name."""
    chat = {"chat, a black box": BLACK_BOX, "chat with log-probabilities": LOGPROBS, "chat that continues": CONTINUES}
    return ScriptedChat(chat[name]) if name in chat else bundled(name)


def bundled(name: str) -> SocratesModel:
    """The bundled model; a random network that speaks its dialect where a checkout has no weights."""
    if (weights(name) / "model.safetensors").exists():
        return SocratesModel(name)
    folder = Path(mkdtemp(prefix="random-network-"))
    made = SocratesModel(str(tiny_network(folder)), dialect=name)
    shutil.rmtree(folder)
    return made


def missing(system: System, name: str) -> list[str]:
    """What the model lacks for the system."""
    dialect = dialect_of(model(name))
    given = model(name).capabilities.provides | {"tools", "env"}
    acts = [a.replace("|", " or ") for a in sorted(system.acts) if dialect.acts.isdisjoint(a.split("|"))]
    cues = [f"cue {cue.name} v{cue.version}" for cue in system.options.get("cues", ()) if dialect.name not in cue.renderings]
    return sorted(system.needs - given) + [f"act {act}" for act in acts] + cues


def name_of(system: System) -> str:
    """`slug`, or `slug/part`."""
    return system.slug if system.part == "main" else f"{system.slug}/{system.part}"


def everything() -> list[System]:
    """Every registered system."""
    return list(registry)


def suited(kinds: Sequence[str]) -> list[tuple[System, str]]:
    """Every system of these kinds with each model that has what it needs."""
    return [(s, name) for s in registry if s.kind in kinds for name in MODELS if not missing(s, name)]


@cache
def problems(part: str = "test", n: int = N, levels: tuple[int, ...] = (1, 2)) -> tuple[Problem, ...]:
    """Problems of three families, easy ones unless said otherwise, the calculator allowed in one."""
    return tuple(draw_problems(FAMILIES, levels, n, 0, part))  # type: ignore[arg-type]  # a Split


@dataclass
class Trial:
    """One system on one model: prepared once, then run as often as a test wants."""

    system: System
    model: Model
    artifact: Artifact | None = None
    runs: dict[str, list[Solved]] = field(default_factory=dict)

    def solve(self, budget: Budget | None = None, *, concurrency: int = 64, seed: int = 0, n: int = N) -> list[Solved]:
        """The problems' outcomes, in order; the same request is run once."""
        key = f"{budget} {concurrency} {seed} {n}"
        if key not in self.runs:
            self.runs[key] = self.again(budget, concurrency=concurrency, seed=seed, n=n)
        return self.runs[key]

    def ladder(self, budgets: Sequence[Budget], n: int = 2) -> list[list[Solved]]:
        """The first n problems under every budget, all in one batch."""

        async def go() -> list[list[Solved]]:
            engines = [Engine({"main": self.model}, budget) for budget in budgets]
            runs = [[e.solve(p, self.system, {}, self.artifact) for p in problems()[:n]] for e in engines]
            return [list(await run) for run in [asyncio.gather(*run) for run in runs]]

        return asyncio.run(go())

    def again(
        self, budget: Budget | None = None, *, concurrency: int = 64, seed: int = 0, n: int = N, model: Model | None = None
    ) -> list[Solved]:
        """The same, run anew; with `model` in place of the trial's own."""

        async def go() -> list[Solved]:
            engine = Engine({"main": model or self.model}, budget or Budget(), seed=seed, concurrency=concurrency)
            return [s async for s in engine.solve_all(problems()[:n], self.system, {}, self.artifact)]

        place = {p.id: i for i, p in enumerate(problems())}
        return sorted(asyncio.run(go()), key=lambda s: place[s.problem.id])


@cache
def trial(id: str, part: str, model_name: str) -> Trial:
    """The trial of a system on a model; what it prepares is prepared on problems of another split, some of them hard."""
    system, on = registry.find(f"{id}/{part}"), model(model_name)
    made = Trial(system, on)
    if system.prepare is not None:
        engine = Engine({"main": on})
        made.artifact = asyncio.run(engine.prepare(system, problems(), problems("cal", 24, (1, 3, 5)), {}))
    return made
