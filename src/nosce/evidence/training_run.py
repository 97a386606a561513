"""One training run of a claim: made once, kept in a folder named by everything that decides it, looked at as a recipe asks.

A run that was killed goes on from its last checkpoint.
"""

from __future__ import annotations

import ast
import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from nosce.core.codec import json_line
from nosce.core.problem import Problem
from nosce.core.registry import registry
from nosce.core.streams import fingerprint
from nosce.evidence.plan import problems_hash
from nosce.learn.checkpoint import Folder, written
from nosce.learn.engine import open_engine
from nosce.learn.measure import measured, summary
from nosce.learn.plan import check_engine, chosen
from nosce.learn.recipe import Recipe
from nosce.learn.trainer import Trainer

RUNS = Path("runs/evidence")
HELD_OUT = "level=2,3&n=120&split=test"
STEPS, TOKENS, DRAWS, EVERY = 40, 150_000, 2, 10

Watch = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Trial:
    """One training run of a claim. learn: digest of the problems learned from; tokens: rollout tokens at which it ends, if its
    steps have not ended before."""

    recipe: str
    options: Mapping[str, Any]
    seed: int
    start: str
    learn: str
    steps: int = STEPS
    tokens: int = TOKENS

    def key(self, version: str) -> str:
        """Digest of all that decides the weights: these fields, the starting weights, the recipe's own file but for its claims."""
        run = inspect.unwrap(registry.find(self.recipe, "recipe").run)
        source = Path(inspect.getsourcefile(run) or "").read_text(encoding="utf-8")
        return fingerprint(json_line(asdict(self)), version, without_claims(source), size=5)


def without_claims(source: str) -> str:
    """A module's code without comments and without what it claims: neither touches a weight."""
    tree = ast.parse(source)
    tree.body = [line for line in tree.body if not (isinstance(line, ast.Assign) and _calls(line.value, "Claim"))]
    return ast.unparse(tree)


def _calls(value: ast.expr, name: str) -> bool:
    return isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == name


@dataclass(frozen=True)
class Trained:
    """What a trial left: its folder, with the weights in `model/`; the curve of looks at development problems; its cost."""

    folder: str
    curve: Sequence[Mapping[str, float]]
    rollout_tokens: float
    learned_tokens: float
    seconds: float


async def carry_out(trial: Trial, learn: Sequence[Problem], dev: Sequence[Problem], *, watch: Watch, runs: Path = RUNS) -> Trained:
    """Train, or read what an earlier run left; one that was killed goes on from its last checkpoint."""
    _, recipe, settings = chosen(trial.recipe, trial.options)
    engine = open_engine(trial.start, taught=bool(recipe.teaches))
    check_engine(recipe, trial.recipe, engine, settings)
    key = trial.key(engine.model.version)
    folder = runs / f"{trial.recipe.replace('/', '-')}-{trial.seed}-{key}"
    kept = folder / "trained.json"
    if kept.exists():
        return Trained(**json.loads(kept.read_text(encoding="utf-8")))
    trainer = Trainer(
        recipe, engine, learn, trial.steps, trial.seed, settings, limits={"rollout_tokens": trial.tokens},
        folder=Folder(folder, {**asdict(trial), "key": key}, resume=folder.exists()),
    )  # fmt: skip
    curve = await _with_looks(trainer, trial, dev, folder / "curve.jsonl", watch)
    last = trainer.history[-1]
    seconds = sum(v for row in trainer.history for k, v in row.items() if k.startswith("seconds/"))
    found = Trained(str(folder), curve, last["rollout_tokens"], last["learned_tokens"], round(seconds, 1))
    written(kept, json_line(asdict(found)).encode())
    (folder / "checkpoint.pt").unlink(missing_ok=True)
    return found


async def _with_looks(trainer: Trainer, trial: Trial, dev: Sequence[Problem], path: Path, watch: Watch) -> list[dict[str, float]]:
    """Train to the end of the trial with a look at the development problems at the start and after every EVERY steps."""
    curve: list[dict[str, float]] = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    trainer.resume()
    for stop in [0, *range(EVERY, trial.steps, EVERY), trial.steps]:
        if stop < trainer.context.step:
            continue
        trainer.steps = stop
        if stop:
            await trainer.train()
        if not any(point["step"] >= trainer.context.step for point in curve):
            seen = summary(await measured(trainer.engine, dev, draws=DRAWS, seed=7))
            spent = trainer.history[-1]["rollout_tokens"] if trainer.history else 0.0
            curve.append({"step": float(trainer.context.step), "rollout_tokens": spent, **seen})
            written(path, "".join(json.dumps(point) + "\n" for point in curve).encode())
        watch(f"{trial.recipe} seed {trial.seed}", trainer.context.step, trial.steps)
        if trainer.spent:
            break
    return curve


async def look(
    weights: str, ask: Recipe, test: Sequence[Problem], kept: Path | None = None, *, draws: int = DRAWS
) -> dict[str, float]:  # fmt: skip
    """What a model gets of the test problems when it is asked as a recipe asks; read back from `kept` where it was done before."""
    if kept is not None and kept.exists():
        found: dict[str, float] = json.loads(kept.read_text(encoding="utf-8"))
        return found
    engine = open_engine(weights, taught=bool(ask.teaches))
    found = summary(await measured(engine, test, ask.answer, draws=draws, seed=11, columns=ask.columns), draws)
    if kept is not None:
        written(kept, json_line(found).encode())
    return found


@dataclass(frozen=True)
class Seen:
    """A trained run, and what it gets of the test problems and of families that it did not learn from."""

    run: Trained
    test: Mapping[str, float]
    unseen: Mapping[str, float]


@dataclass(frozen=True)
class Sight:
    """How one claim looks at models: asked as its recipe asks, `draws` times a problem; every look is kept and made once."""

    ask: Recipe
    start: str
    draws: int
    runs: Path

    async def of(self, run: Trained | None, problems: Sequence[Problem]) -> dict[str, float]:
        """What a run's weights get of problems; the starting weights where there is no run."""
        answer = self.ask.answer
        how = (getattr(answer, "__module__", ""), getattr(answer, "__qualname__", ""), sorted(self.ask.columns))
        bound = [_bound(stage) for stage in (answer, *self.ask.columns.values()) if isinstance(stage, partial)]
        asked = fingerprint(*how, *bound, problems_hash(problems), self.draws, size=4)
        folder = Path(run.folder) if run else self.runs / f"start-{fingerprint(open_engine(self.start).model.version, size=5)}"
        folder.mkdir(parents=True, exist_ok=True)
        weights = _weights(self.start, run) if run else self.start
        return await look(weights, self.ask, problems, folder / f"look-{asked}.json", draws=self.draws)


def held_out(learned: Sequence[Problem]) -> list[Problem]:
    """Test problems of the bundled families that none of the learned problems is of."""
    from nosce.tasks.families import FAMILIES
    from nosce.tasks.load import load_problems

    left = sorted(set(FAMILIES) - {problem.family for problem in learned})
    return list(load_problems(f"family:{','.join(left)}?{HELD_OUT}")) if left else []


def _bound(stage: partial[Any]) -> list[Any]:
    """What tells two partial functions apart."""
    return [stage.func.__module__, stage.func.__qualname__, sorted(stage.keywords.items())]


def _weights(start: str, run: Trained) -> str:
    form = "socrates" if start.startswith("socrates") else start.partition(":")[0]
    return f"{form}:{run.folder}/model"
