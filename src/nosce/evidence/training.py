"""The claims of recipes: trained from the same weights on the same problems with the same rollout tokens, several seeds each.

A run is kept in a folder named by everything that decides it and is made once: the baselines are shared by all claims. A run
that was killed goes on from its last checkpoint.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from nosce.core.claim import Claim
from nosce.core.codec import json_line
from nosce.core.errors import InputError
from nosce.core.problem import Problem
from nosce.core.registry import System, registry
from nosce.core.streams import fingerprint
from nosce.evidence.arms import Bench
from nosce.evidence.plan import problems_hash
from nosce.evidence.trials import over_seeds
from nosce.learn.checkpoint import Folder, written
from nosce.learn.engine import open_engine
from nosce.learn.measure import Table, measured, summary
from nosce.learn.plan import check_engine, chosen
from nosce.learn.recipe import Recipe
from nosce.learn.trainer import Trainer
from nosce.metrics import Estimate

RUNS = Path("runs/evidence")
START = "socrates-weak"
LEARN = "family:arithmetic,lists,countdown,logic?level=2,3&n=1000&split=train"
TEST = "family:arithmetic,lists,countdown,logic?level=2,3&n=200&split=test"
STEPS, TOKENS, DRAWS, EVERY = 40, 150_000, 2, 10
BASELINES = ("sft", "grpo")
"""What every claim's record shows beside its own baseline."""

Watch = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Trial:
    """One training run of a claim. learn, test: digests of the problems; tokens: rollout tokens at which it ends, if its steps
    have not ended before; taught: whether acts are asked for that the model was not taught."""

    recipe: str
    options: Mapping[str, Any]
    seed: int
    start: str
    learn: str
    test: str
    steps: int = STEPS
    tokens: int = TOKENS
    taught: bool = False

    def key(self, version: str, columns: Sequence[str]) -> str:
        """Digest of all that decides the result: these fields, the starting weights, the recipe's own file."""
        run = inspect.unwrap(registry.find(self.recipe, "recipe").run)
        source = Path(inspect.getsourcefile(run) or "").read_text(encoding="utf-8")
        return fingerprint(json_line(asdict(self)), version, sorted(columns), source, size=5)


@dataclass(frozen=True)
class Trained:
    """What came of it: measures before and after, the curve of measurements on development problems, and its cost."""

    first: Mapping[str, float]
    last: Mapping[str, float]
    table: Table
    curve: Sequence[Mapping[str, float]]
    rollout_tokens: float
    learned_tokens: float
    seconds: float
    folder: str


async def carry_out(
    trial: Trial, problems: Sequence[Problem], test: Sequence[Problem], dev: Sequence[Problem], *, watch: Watch, ask: Recipe,
    runs: Path = RUNS,
) -> Trained:  # fmt: skip
    """Train and measure, or read what an earlier run found. `ask` is the recipe whose way of asking and columns are measured."""
    _, recipe, settings = chosen(trial.recipe, trial.options)
    engine = open_engine(trial.start, taught=trial.taught)
    check_engine(recipe, trial.recipe, engine, settings)
    key = trial.key(engine.model.version, [*ask.columns, getattr(ask.answer, "__qualname__", "")])
    folder = runs / f"{trial.recipe.replace('/', '-')}-{trial.seed}-{key}"
    kept = folder / "result.json"
    if kept.exists():
        return Trained(**json.loads(kept.read_text(encoding="utf-8")))
    words = {**asdict(trial), "key": key}
    trainer = Trainer(
        recipe, engine, problems, trial.steps, trial.seed, settings, folder=Folder(folder, words, resume=folder.exists()),
        limits={"rollout_tokens": trial.tokens},
    )  # fmt: skip
    look = _Looks(trainer, ask, dev, folder, trial, watch)
    before = await look.at(test, 0)
    await look.train()
    table = await look.table(test)
    last = trainer.history[-1]
    seconds = sum(v for row in trainer.history for k, v in row.items() if k.startswith("seconds/"))
    found = Trained(
        before, summary(table), table, look.curve, last["rollout_tokens"], last["learned_tokens"], round(seconds, 1), str(folder)
    )
    written(kept, json_line(asdict(found)).encode())
    (folder / "checkpoint.pt").unlink(missing_ok=True)
    return found


@dataclass
class _Looks:
    """Trains, looking at development problems now and then; what was seen is kept in curve.jsonl."""

    trainer: Trainer
    ask: Recipe
    dev: Sequence[Problem]
    folder: Path
    trial: Trial
    watch: Watch
    curve: list[dict[str, float]] = field(default_factory=list)

    async def table(self, problems: Sequence[Problem]) -> Table:
        """Measured with the weights as they are now."""
        engine = self.trainer.engine
        return await measured(engine, problems, self.ask.answer, draws=DRAWS, seed=7, columns=self.ask.columns)

    async def at(self, problems: Sequence[Problem], step: int) -> dict[str, float]:
        """Their summary."""
        return summary(await self.table(problems))

    async def train(self) -> None:
        """To the end of the trial, one stretch of EVERY steps after the other."""
        path, trainer = self.folder / "curve.jsonl", self.trainer
        known = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
        self.curve = known
        trainer.resume()
        for stop in [*range(EVERY, self.trial.steps, EVERY), self.trial.steps]:
            if stop <= trainer.context.step and stop < self.trial.steps:
                continue
            trainer.steps = stop
            await trainer.train()
            if not any(point["step"] >= trainer.context.step for point in self.curve):
                seen = await self.at(self.dev, stop)
                spent = {"step": float(trainer.context.step), "rollout_tokens": trainer.history[-1]["rollout_tokens"]}
                self.curve.append({**spent, **seen})
                written(path, "".join(json.dumps(point) + "\n" for point in self.curve).encode())
            self.watch(f"{self.trial.recipe} seed {self.trial.seed}", trainer.context.step, self.trial.steps)
            if trainer.spent:
                return


# -- a claim --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Proved:
    """A recipe's claim over its training seeds. Costs are rollout tokens; `details` hold every measure before and after."""

    value: float
    reference: float
    effect: Estimate
    costs: tuple[float, float]
    n: int
    details: dict[str, Any]


def on_own_ground(bench: Bench, claim: Claim) -> Bench:
    """Where a recipe's claim is carried out: on the bundled model from the weak checkpoint and on its own problems.

    Any other model learns from `--calibrate` and is tested on `--data`. A claim's options may name `start`, `learn` and `test`.
    """
    from nosce.models.load import load
    from nosce.tasks.load import load_problems

    if not bench.roster["main"].spec.startswith("socrates"):
        return bench
    own = {"start": START, "learn": LEARN, "test": TEST, **{k: v for k, v in claim.options.items() if k in TRIAL}}
    return replace(
        bench, roster={"main": load(own["start"])}, problems=load_problems(own["test"]), labelled=load_problems(own["learn"])
    )


async def trained(system: System, claim: Claim, bench: Bench, *, runs: Path = RUNS) -> Proved:
    """Carry out a recipe's claim: system and baseline at each seed; the interval is a t interval over training seeds.

    claim.options and claim.baseline_options are parameters of the recipes, but for those of the trial (TRIAL). Endpoints: see
    ENDPOINTS; any other name is the mean of that column, `-NAME` where less is better.
    """
    own, options = _split(claim.options)
    theirs, their_options = _split(claim.baseline_options)
    _, recipe, _ = chosen(system.name, options)
    learn = [problem for problem in bench.labelled if problem.graded]
    cut = max(1, len(learn) // 10)
    learn, dev = learn[:-cut], learn[-cut:]
    fixed: dict[str, Any] = {
        "start": bench.roster["main"].spec, "learn": problems_hash(learn), "test": problems_hash(bench.problems),
        "taught": bool(recipe.teaches), **{k: own[k] for k in ("steps", "tokens") if k in own},
    }  # fmt: skip

    async def go(name: str, parameters: Mapping[str, Any], seed: int, **more: Any) -> Trained:
        trial = Trial(name, parameters, seed, **{**fixed, **more})
        return await carry_out(trial, learn, bench.problems, dev, watch=bench.watch, ask=recipe, runs=runs)

    ours = [await go(system.name, options, seed) for seed in claim.seeds]
    base = [await go(claim.baseline, their_options, seed, **theirs) for seed in claim.seeds]
    beside = {}
    for name in BASELINES:
        if name not in (claim.baseline, system.slug):
            beside[name] = _mean([(await go(name, {}, seed)).last for seed in claim.seeds])
    values = np.array([_endpoint(claim.endpoint, a, b) for a, b in zip(ours, base, strict=True)])
    details = {
        "before": dict(ours[0].first), "after": _mean([r.last for r in ours]), "baseline_after": _mean([r.last for r in base]),
        "beside": beside, "effects": values[:, 2].tolist(), "runs": [Path(r.folder).name for r in (*ours, *base)],
    }  # fmt: skip
    costs = float(np.mean([r.rollout_tokens for r in ours])), float(np.mean([r.rollout_tokens for r in base]))
    effect = over_seeds(values[:, 2])
    return Proved(float(values[:, 0].mean()), float(values[:, 1].mean()), effect, costs, len(bench.problems), details)


TRIAL = ("start", "learn", "test", "steps", "tokens")
"""Options of a claim that say how its trial is run; the rest are parameters of the recipe."""


def _split(options: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What says how the trial is run, and the parameters of the recipe."""
    return {k: v for k, v in options.items() if k in TRIAL}, {k: v for k, v in options.items() if k not in TRIAL}


def _mean(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {name: float(np.mean([row[name] for row in rows if name in row])) for name in rows[0]}


def _endpoint(name: str, ours: Trained, theirs: Trained) -> tuple[float, float, float]:
    """The system's value, the baseline's, and the effect, positive where the system is better."""
    if name == "sample_efficiency":
        reached = tokens_to_reach(ours.curve, theirs.curve[-1]["accuracy"])
        return reached, theirs.rollout_tokens, 1 - reached / theirs.rollout_tokens
    column, less = name.removeprefix("-"), name.startswith("-") or name in ("ece", "brier")
    if column not in ours.last or column not in theirs.last:
        raise InputError(f"endpoint {name!r} was not measured; there are {', '.join(ours.last)}")
    a, b = ours.last[column], theirs.last[column]
    if name == "tokens":
        return a, b, 1 - a / b
    return a, b, b - a if less else a - b


def tokens_to_reach(curve: Sequence[Mapping[str, float]], accuracy: float) -> float:
    """Rollout tokens at which the curve first stands at `accuracy`, on straight lines between its points; infinite if never."""
    before = {"rollout_tokens": 0.0, "accuracy": float("-inf")}
    for point in curve:
        if point["accuracy"] >= accuracy:
            if not np.isfinite(before["accuracy"]):
                return float(point["rollout_tokens"])
            share = (accuracy - before["accuracy"]) / max(point["accuracy"] - before["accuracy"], 1e-12)
            return float(before["rollout_tokens"] + share * (point["rollout_tokens"] - before["rollout_tokens"]))
        before = dict(point)
    return float(2 * curve[-1]["rollout_tokens"]) if curve else float("inf")


ENDPOINTS = ("accuracy", "tokens", "ece", "brier", "auroc2", "answered", "sample_efficiency")
"""accuracy, auroc2, answered: difference. ece, brier: how much lower. tokens: share of the baseline's drawn tokens saved.
sample_efficiency: share of the baseline's rollout tokens saved until its final accuracy on development problems is reached (twice
its own where it is not)."""

