"""The claims of recipes: trained from the same weights on the same problems with the same rollout tokens, several seeds each.

A run is made once (nosce.evidence.training_run): the baselines are shared by all claims, and a claim that was killed goes on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from nosce.core.claim import Claim
from nosce.core.registry import System
from nosce.evidence.arms import Bench
from nosce.evidence.plan import problems_hash
from nosce.evidence.training_endpoints import compared, differences
from nosce.evidence.training_run import DRAWS, RUNS, Seen, Sight, Trial, carry_out, held_out
from nosce.evidence.trials import over_seeds
from nosce.learn.plan import chosen
from nosce.metrics import Estimate

START = "socrates-weak"
LEARN = "family:arithmetic,lists,countdown,logic?level=2,3&n=1000&split=train"
TEST = "family:arithmetic,lists,countdown,logic?level=2,3&n=200&split=test"
BASELINES = ("sft", "grpo")
"""What every claim's record shows beside its own baseline."""


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

    ours, base = await go(system.options.get("trained_as", system.name), options), await go(claim.baseline, their_options, **theirs)
    others = [name for name in own.get("beside", BASELINES) if name not in (claim.baseline, system.slug)]
    beside = {name: await go(name, {}) for name in others}
    sides = {"ours": ours, "baseline": base, **beside}
    values = np.array([compared(claim.endpoint, a, b) for a, b in zip(ours, base, strict=True)])
    details = {
        "before": await sight.of(None, bench.problems), "after": _mean([one.test for one in ours]),
        "baseline_after": _mean([one.test for one in base]),
        "beside": {name: _mean([one.test for one in seen]) for name, seen in beside.items()},
        "effects": values[:, 2].tolist(), "differences": differences(ours, base),
        "runs": [Path(one.run.folder).name for one in (*ours, *base)],
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


def _spent(seen: Sequence[Seen]) -> float:
    return float(np.mean([one.run.rollout_tokens for one in seen]))


def _line(curve: Sequence[Mapping[str, float]]) -> list[dict[str, float]]:
    return [{name: round(point[name], 4) for name in ("step", "rollout_tokens", "accuracy")} for point in curve]


TRIAL = ("start", "learn", "test", "steps", "tokens", "draws", "beside")
"""Options of a claim that say how its trial is run; the rest are parameters of the recipe."""


def _split(options: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What says how the trial is run, and the parameters of the recipe."""
    return {k: v for k, v in options.items() if k in TRIAL}, {k: v for k, v in options.items() if k not in TRIAL}


def _mean(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {name: float(np.mean([row[name] for row in rows if name in row])) for name in rows[0]}
