"""The claims of recipes: trained from the same weights on the same problems with the same rollout tokens, several seeds each.

A run is kept in a folder named by everything that decides it and is made once: the baselines are shared by all claims. A run
that was killed goes on from its last checkpoint.
"""

from __future__ import annotations

import ast
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
HELD_OUT = "level=2,3&n=120&split=test"
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

    sight = Sight(recipe, fixed["start"], int(own.get("draws", DRAWS)), runs)
    aside = replace(sight, draws=1)
    unseen = held_out(learn) if fixed["start"].startswith("socrates") else []

    async def go(name: str, parameters: Mapping[str, Any], **more: Any) -> list[Seen]:
        made = []
        for seed in claim.seeds:
            run = await carry_out(Trial(name, parameters, seed, **{**fixed, **more}), learn, dev, watch=bench.watch, runs=runs)
            made.append(Seen(run, await sight.of(run, bench.problems), await aside.of(run, unseen) if unseen else {}))
        return made

    ours, base = await go(system.name, options), await go(claim.baseline, their_options, **theirs)
    others = [name for name in own.get("beside", BASELINES) if name not in (claim.baseline, system.slug)]
    beside = {name: await go(name, {}) for name in others}
    sides = {"ours": ours, "baseline": base, **beside}
    values = np.array([_endpoint(claim.endpoint, a, b) for a, b in zip(ours, base, strict=True)])
    details = {
        "before": await sight.of(None, bench.problems), "after": _mean([one.test for one in ours]),
        "baseline_after": _mean([one.test for one in base]),
        "beside": {name: _mean([one.test for one in seen]) for name, seen in beside.items()},
        "effects": values[:, 2].tolist(), "runs": [Path(one.run.folder).name for one in (*ours, *base)],
        "curves": {name: [_line(one.run.curve) for one in seen] for name, seen in sides.items()},
    }  # fmt: skip
    if unseen:
        details["held_out"] = {
            "families": sorted({problem.family for problem in unseen}), "before": (await aside.of(None, unseen))["accuracy"],
            **{name: [one.unseen["accuracy"] for one in seen] for name, seen in sides.items()},
        }  # fmt: skip
    costs = _spent(ours), _spent(base)
    effect = over_seeds(values[:, 2])
    return Proved(float(values[:, 0].mean()), float(values[:, 1].mean()), effect, costs, len(bench.problems), details)


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
        asked = fingerprint(*how, problems_hash(problems), self.draws, size=4)
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


def _spent(seen: Sequence[Seen]) -> float:
    return float(np.mean([one.run.rollout_tokens for one in seen]))


def _line(curve: Sequence[Mapping[str, float]]) -> list[dict[str, float]]:
    return [{name: round(point[name], 4) for name in ("step", "rollout_tokens", "accuracy")} for point in curve]


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


def _endpoint(name: str, ours: Seen, theirs: Seen) -> tuple[float, float, float]:
    """The system's value, the baseline's, and the effect, positive where the system is better."""
    if name == "sample_efficiency":
        reached, whole = tokens_to_reach(ours.run.curve, theirs.run.curve[-1]["accuracy"]), theirs.run.rollout_tokens
        return reached, whole, 1 - reached / whole
    saved, less = name == "tokens" or name.startswith("saved "), name.startswith("-") or name in ("ece", "brier")
    column = name.removeprefix("-").removeprefix("saved ")
    if column not in ours.test or column not in theirs.test:
        raise InputError(f"endpoint {name!r} was not measured; there are {', '.join(ours.test)}")
    a, b = ours.test[column], theirs.test[column]
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

