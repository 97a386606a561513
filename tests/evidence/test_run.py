"""The main job end to end on a model whose confidence is known to be honest."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest

from nosce.core.errors import InputError, JournalError
from nosce.core.problem import Problem
from nosce.core.registry import registry
from nosce.evidence.labels import split_labels
from nosce.evidence.plan import Plan, estimate, plan
from nosce.evidence.run import Progress, solve
from nosce.models.base import Capabilities, Prompt, Sample
from nosce.models.replay import ReplayModel

WORLD = 3000


def honest(prompt: Prompt, key: int) -> Sample:
    """Says 1 (the truth everywhere) with a probability that depends on the question: from 0.5 to 1."""
    number = int(prompt.messages[-1].content.split("number ")[1].split("?")[0])
    right = key % 1000 < 500 + number * 500 // WORLD
    return Sample(f"Answer: {int(right)}", logprobs=(-0.1,), prompt_tokens=30, completion_tokens=4)


def problems(start: int, stop: int) -> tuple[Problem, ...]:
    spread = [(i * 1213) % WORLD for i in range(start, stop)]
    return tuple(Problem(f"p{i}", f"number {i}?", reference="1") for i in spread)


def made(out: Path | None = None, risk: float | None = 0.1, labels: int = 1200) -> Plan:
    model = ReplayModel.of(honest, capabilities=Capabilities(n=True, seed=True, logprobs=True))
    system = registry.find("self-consistency")
    asked, labelled = problems(0, 300), problems(300, 300 + labels)
    return Plan("made", asked, {"main": model}, system, {"k": 8}, risk=risk, calibration=labelled, out=out)


def test_the_promise_holds_and_costs_are_true(tmp_path: Path) -> None:
    seen: list[Progress] = []
    run = asyncio.run(solve(made(tmp_path / "out"), on_event=seen.append))
    assert run.promise is not None
    assert run.promise.threshold is not None
    assert run.promise.threshold.promised
    answered = [row for row in run.rows if row.outcome == "answered"]
    assert 100 < len(answered) < 300
    assert sum(row.correct == 0 for row in answered) / len(answered) <= 0.1
    assert run.summary.cost.calls == 300
    assert run.summary.cost.prompt_tokens == 300 * 30
    assert run.summary.cost.completion_tokens == 300 * 8 * 4
    assert [p.done for p in seen if p.stage == "solve"] == list(range(1, 301))
    lines = [json.loads(line) for line in (tmp_path / "out" / "results.jsonl").open()]
    assert [line["id"] for line in lines] == [p.id for p in run.plan.problems]
    assert run.traces[run.rows[5].trace_id].problem_id == run.rows[5].id


def test_too_few_labels_promise_nothing_and_say_how_many_are_needed() -> None:
    run = asyncio.run(solve(made(risk=0.01, labels=80)))
    assert run.promise is not None
    assert run.promise.threshold is not None
    assert not run.promise.threshold.promised
    assert run.promise.threshold.labels_needed == 299
    assert all(row.outcome == "abstained" for row in run.rows)


def test_labels_for_fitting_and_for_testing_are_apart_and_fixed() -> None:
    fitting, testing = split_labels(problems(0, 500))
    assert not {p.id for p in fitting} & {p.id for p in testing}
    assert 150 < len(fitting) < 250
    assert split_labels(problems(0, 500)) == (fitting, testing)


def test_a_folder_of_another_run_is_refused(tmp_path: Path) -> None:
    asyncio.run(solve(made(tmp_path / "out", risk=None, labels=100)))
    with pytest.raises(JournalError):
        asyncio.run(solve(replace(made(tmp_path / "out", risk=None, labels=100), seed=5), resume=True))
    with pytest.raises(JournalError):
        asyncio.run(solve(made(tmp_path / "out", risk=None, labels=100)))


def test_the_dry_run_bounds_what_is_spent() -> None:
    wanted = made(risk=None, labels=100)
    bound, run = estimate(wanted), asyncio.run(solve(wanted))
    spent = run.summary.cost + sum((row.cost for row in run.calibration), type(run.summary.cost)())
    assert bound.problems == 400
    assert bound.calls == spent.calls
    assert bound.completion_tokens >= spent.completion_tokens


def test_contradictory_wishes_are_refused_before_anything_is_read(tmp_path: Path) -> None:
    data = tmp_path / "q.jsonl"
    data.write_text('{"question": "1+1", "answer": "2"}\n')
    record = tmp_path / "record.jsonl"
    record.write_text('{"prompt_key": "x", "key": 1, "sample": {"text": "Answer: 2"}}\n')
    for wishes, words in (
        ({"risk": 0.1}, "--calibrate"),
        ({"risk": 1.5, "calibrate": str(data)}, "between 0 and 1"),
        ({"strategy": "self-consistancy"}, "self-consistency"),
        ({"options": {"kk": 3}}, "option"),
        ({"budget": "tokens=0"}, "positive"),
        ({"calibrate": str(data)}, "stand in the data too"),
        ({"limit": 0}, "at least 1"),
    ):
        with pytest.raises(InputError, match=words):
            plan(str(data), model=f"replay:{record}", **wishes)
