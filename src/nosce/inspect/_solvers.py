"""Our strategies as solvers of Inspect."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from inspect_ai.model import ModelOutput, get_model
from inspect_ai.solver import Generate, Solver, TaskState, solver

from nosce.core.codec import encode
from nosce.core.cost import Budget
from nosce.core.errors import InputError
from nosce.evidence.calibration import About, Calibration
from nosce.evidence.plan import playable
from nosce.evidence.rows import row_of
from nosce.evidence.signalled import OWN, with_signal
from nosce.inspect._model import InspectModel
from nosce.inspect._problems import ANSWER, problem_of
from nosce.mind.engine import Engine


@solver
def strategy(
    name: str = "self-consistency", signal: str = OWN, budget: str | None = None, calibrator: str | None = None,
    risk: float | None = None, kind: str | None = None, logprobs: bool | None = None, seed: int = 0, **options: Any,
) -> Solver:  # fmt: skip
    """Answer with one of our strategies on the evaluation's own model; the confidence and the outcome go into the metadata.

    `options` are the strategy's (k=8). `calibrator` is a file of `nosce calibrate`: its promise decides what is answered. Raises
    InputError for an unknown strategy, and for one that is prepared on many questions at once (`nosce solve` runs those).
    """
    system = with_signal(playable(name), signal)
    if system.prepare is not None:
        raise InputError(f"{system.name} is prepared on many questions at once, Inspect hands over one by one: use `nosce solve`")
    allowed = Budget.parse(budget) if budget else Budget()
    kept = Calibration.read(Path(calibrator)) if calibrator else None

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        model = InspectModel(get_model(), logprobs=logprobs)
        engine = Engine({"main": model}, allowed, seed=seed + 1000 * (state.epoch - 1))
        engine.check(system, options)
        promise = None
        if kept is not None:
            kept.check(About(model.version, system.name, signal, _settings(options, allowed)))
            promise = kept.promise(risk)
        problem = problem_of(state, kind)
        solved = await engine.solve(problem, system, options)
        row = row_of(problem, solved.answer)
        row = promise.apply(row) if promise else row
        state.metadata[ANSWER] = {
            "answer": row.answer, "withheld": row.withheld, "outcome": row.outcome, "reason": row.reason, "source": row.source,
            "confidence": row.stated, "raw": row.confidence, "tokens": row.cost.tokens, "calls": row.cost.calls,
        }  # fmt: skip
        said = f"ANSWER: {row.answer}" if row.answer is not None else f"I do not answer this. {row.reason}".strip()
        state.output = ModelOutput.from_content(str(get_model()), said)
        state.messages.append(state.output.choices[0].message)
        return state

    return solve


def _settings(options: dict[str, Any], budget: Budget) -> dict[str, Any]:
    limits = {name: value for name, value in encode(budget).items() if value is not None}
    given = {"options": dict(sorted(options.items())), "budget": limits}
    return {name: value for name, value in given.items() if value}
