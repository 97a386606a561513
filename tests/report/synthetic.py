"""A run made up in full, so that what the report says of it can be known beforehand."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from nosce.control.risk import select_threshold
from nosce.core.cost import Budget, Cost
from nosce.core.equivalence import Equivalence
from nosce.core.problem import Problem
from nosce.core.registry import registry
from nosce.core.trace import Trace
from nosce.evidence.plan import Plan
from nosce.evidence.promise import Promise
from nosce.evidence.rows import Row, summarise, withhold
from nosce.evidence.run import Run
from nosce.monitor.calibrator_file import SavedCalibrator

FAMILIES = ("arithmetic", "countdown", "facts", "lists", "logic", "sums")
VOTES = 8


def problem(index: int, family: str, level: int, reference: Any = 73) -> Problem:
    return Problem(
        f"{family}-{level}-{index:04d}", f"{30 + index} + 48 - {index + 5} = ?", family=family, level=level, reference=reference,
        equivalence=Equivalence("number"),
    )  # fmt: skip


def solved(asked: Problem, chance: float, random: np.random.Generator) -> tuple[Row, Trace]:
    """A vote over eight thoughts, each right with probability `chance`."""
    trace = Trace(f"t{asked.id}", asked.id, "self-consistency")
    answers = ["73" if random.random() < chance else str(random.integers(60, 66)) for _ in range(VOTES)]
    for answer in answers:
        length = int(random.integers(14, 40))
        logprobs = [float(x) for x in -random.exponential(0.4 * (1.2 - chance), length)]
        sample = {"text": f"<s1> 37+48=85 <s2> 85-12={answer} <ans> {answer}", "prompt_tokens": 12,
                  "completion_tokens": length, "logprobs": logprobs}  # fmt: skip
        trace.add("sampled", {"act": "think", "role": "main", "sample": sample, "answer": answer})
    best = max(dict.fromkeys(answers), key=answers.count)
    share = answers.count(best) / VOTES
    trace.add("measured", {"name": "vote_share", "value": share, "source": "samples", "direction": "confidence"})
    trace.add("decided", {"action": "answer", "reason": "all votes are in", "votes": VOTES})
    trace.add("answered", {"outcome": "answered", "value": best, "confidence": share, "reason": ""})
    tokens = sum(e.data["sample"]["completion_tokens"] for e in trace.of("sampled"))
    row = Row(
        asked.id, asked.text, best, share, "samples", "answered", correct=None if asked.reference is None else float(best == "73"),
        reference=None if asked.reference is None else "73", family=asked.family, level=asked.level,
        cost=Cost(12, tokens, 1), trace_id=trace.id,
    )  # fmt: skip
    return row, trace


def synthetic_run(
    n: int = 360, *, graded: bool = True, risk: float | None = 0.2, seed: int = 0, out: Path | None = None,
    data: str = "examples/mixed.jsonl",
) -> Run:  # fmt: skip
    """A self-consistency run over six families of six levels, calibrated on as many labelled questions."""
    random = np.random.default_rng(seed)
    places = [(FAMILIES[i % 6], 1 + (i // 6) % 6) for i in range(n)]
    problems = [problem(i, family, level, 73 if graded else None) for i, (family, level) in enumerate(places)]
    done = [solved(p, 1.02 - 0.15 * (p.level or 0), random) for p in problems]
    labelled = [problem(i + n, *places[i]) for i in range(n)]
    calibration = [solved(p, 1.02 - 0.15 * (p.level or 0), random)[0] for p in labelled]
    promise = _promise(calibration, risk)
    rows = [promise.apply(row) for row, _ in done] if promise else [row for row, _ in done]
    model = SimpleNamespace(spec="socrates", version="socrates-1-0a1b2c3d", dialect="socrates")
    plan = Plan(
        data, tuple(problems), {"main": model}, registry.find("self-consistency"), {"k": VOTES}, Budget(), risk=risk,
        calibration=tuple(labelled), out=out,
    )  # fmt: skip
    traces = {trace.id: trace for _, trace in done}
    return Run(plan, rows, summarise(rows, 12.5), promise, calibration, traces, Cost())


def _promise(rows: list[Row], risk: float | None) -> Promise | None:
    if risk is None:
        return None
    confidence, right = np.array([r.confidence for r in rows], dtype=float), np.array([r.correct == 1 for r in rows])
    calibrator = SavedCalibrator.fit("beta", confidence, right, model="socrates", signal="votes")
    return Promise(calibrator, select_threshold(calibrator.transform(confidence), right, alpha=risk))


__all__ = ["problem", "solved", "synthetic_run", "withhold"]
