"""The claims of recipes: trained from the same weights on the same problems with the same rollout tokens, several seeds each.

A run is kept in a folder named by everything that decides it and is made once: the baselines are shared by all claims. A run
that was killed goes on from its last checkpoint.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
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
from nosce.learn.measure import measured, summary
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
        """Digest of all that decides the weights: these fields, the starting weights, the recipe's own file."""
        run = inspect.unwrap(registry.find(self.recipe, "recipe").run)
        source = Path(inspect.getsourcefile(run) or "").read_text(encoding="utf-8")
        return fingerprint(json_line(asdict(self)), version, source, size=5)


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
        "start": bench.roster["main"].spec, "learn": problems_hash(learn),
        **{k: own[k] for k in ("steps", "tokens") if k in own},
    }  # fmt: skip

    how = (getattr(recipe.answer, "__module__", ""), getattr(recipe.answer, "__qualname__", ""), sorted(recipe.columns))
    draws = int(own.get("draws", DRAWS))
    asked = fingerprint(*how, problems_hash(bench.problems), draws, size=4)

    async def go(name: str, parameters: Mapping[str, Any], seed: int, **more: Any) -> tuple[Trained, dict[str, float]]:
        run = await carry_out(Trial(name, parameters, seed, **{**fixed, **more}), learn, dev, watch=bench.watch, runs=runs)
        kept = Path(run.folder) / f"look-{asked}.json"
        return run, await look(_weights(fixed["start"], run), recipe, bench.problems, kept, draws=draws)

    ours = [await go(system.name, options, seed) for seed in claim.seeds]
    base = [await go(claim.baseline, their_options, seed, **theirs) for seed in claim.seeds]
    beside = {
        name: _mean([(await go(name, {}, seed))[1] for seed in claim.seeds])
        for name in own.get("beside", BASELINES) if name not in (claim.baseline, system.slug)
    }  # fmt: skip
    values = np.array([_endpoint(claim.endpoint, a, b) for a, b in zip(ours, base, strict=True)])
    details = {
        "before": await look(fixed["start"], recipe, bench.problems, draws=draws), "after": _mean([seen for _, seen in ours]),
        "baseline_after": _mean([seen for _, seen in base]), "beside": beside, "effects": values[:, 2].tolist(),
        "runs": [Path(run.folder).name for run, _ in (*ours, *base)],
    }  # fmt: skip
    costs = float(np.mean([run.rollout_tokens for run, _ in ours])), float(np.mean([run.rollout_tokens for run, _ in base]))
    effect = over_seeds(values[:, 2])
    return Proved(float(values[:, 0].mean()), float(values[:, 1].mean()), effect, costs, len(bench.problems), details)


def _weights(start: str, run: Trained) -> str:
    form = "socrates" if start.startswith("socrates") else start.partition(":")[0]
    return f"{form}:{run.folder}/model"


TRIAL = ("start", "learn", "test", "steps", "tokens", "draws", "beside")
"""Options of a claim that say how its trial is run; the rest are parameters of the recipe."""


def _split(options: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What says how the trial is run, and the parameters of the recipe."""
    return {k: v for k, v in options.items() if k in TRIAL}, {k: v for k, v in options.items() if k not in TRIAL}


def _mean(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {name: float(np.mean([row[name] for row in rows if name in row])) for name in rows[0]}


Seen = tuple[Trained, Mapping[str, float]]


def _endpoint(name: str, ours: Seen, theirs: Seen) -> tuple[float, float, float]:
    """The system's value, the baseline's, and the effect, positive where the system is better."""
    if name == "sample_efficiency":
        reached, whole = tokens_to_reach(ours[0].curve, theirs[0].curve[-1]["accuracy"]), theirs[0].rollout_tokens
        return reached, whole, 1 - reached / whole
    saved, less = name == "tokens" or name.startswith("saved "), name.startswith("-") or name in ("ece", "brier")
    column = name.removeprefix("-").removeprefix("saved ")
    if column not in ours[1] or column not in theirs[1]:
        raise InputError(f"endpoint {name!r} was not measured; there are {', '.join(ours[1])}")
    a, b = ours[1][column], theirs[1][column]
    if saved:
        return a, b, 1 - a / b if b else 0.0
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


ENDPOINTS = ("accuracy", "pass_at_k", "tokens", "ece", "brier", "auroc2", "answered", "sample_efficiency")
"""accuracy, auroc2, answered, pass_at_k (one of `draws` answers is right): difference. ece, brier: how much lower. tokens, and
`saved NAME` for any column: share of the baseline's saved. `-NAME`: less of it is better.
sample_efficiency: share of the baseline's rollout tokens saved until its final accuracy on development problems is reached (twice
its own where it is not)."""

