"""Signals on what a run recorded: the same attempts, the same values, and no model."""

import asyncio

import pytest

import nosce
from nosce.core.errors import InputError
from nosce.core.trace import Trace
from nosce.evidence.signals.recorded import attempts_of, read_run
from nosce.evidence.signals.serve import wanted
from nosce.evidence.signals.study import plan_signals
from nosce.mind.engine import Engine
from nosce.models.load import load
from nosce.monitor.measure import measures
from nosce.monitor.statistics import Statistics

DATA = "family:arithmetic,lists?n=72&level=1,2,3"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "first"
    nosce.solve(DATA, strategy="self-consistency", options={"k": 3}, out=out)
    return out


def test_a_runs_attempts_are_read_back_as_they_were_drawn(folder):
    run = read_run(str(folder), columns={}, kind=None, limit=None)
    problem = run.problems[0]
    engine = Engine({"main": load("socrates")})
    drawn = asyncio.run(engine.mind(problem).think(problem, n=3))
    made = run.attempts[problem.id]
    assert [(a.text, a.answer, a.token_ids) for a in made] == [(a.text, a.answer, a.token_ids) for a in drawn]
    assert made[0].logprobs == pytest.approx(drawn[0].logprobs, abs=1e-4)
    assert {"samples", "logprobs", "sample_logprobs", "entropies"} <= run.has
    assert run.once
    share = measures()["self-consistency-share"]
    assert share(Statistics(problem, made)).value == share(Statistics(problem, drawn)).value


def test_signals_on_a_run_need_no_model_and_say_which_cannot_be_had(folder):
    found = nosce.signals(str(folder))
    assert found.model == "socrates-a3c1663a38cb" or found.model.startswith("socrates")
    assert {"self-consistency-share", "sequence-probability", "semantic-entropy"} <= {row.name for row in found.rows}
    assert "works with the model at hand" in found.refused["p-true"]
    assert "recorded attempts hold none" in found.refused["probability-margin"]
    assert found.question.tokens < found.row("self-consistency-share").tokens


def test_what_recorded_attempts_cannot_give_is_refused_by_name(folder):
    with pytest.raises(InputError, match=r"p-true: works with the model.*these signals work: .*cosine-similarity"):
        plan_signals(str(folder), signals="p-true,perplexity")
    with pytest.raises(InputError, match="leave --model out"):
        plan_signals(str(folder), model="socrates")
    with pytest.raises(InputError, match="--calibrate goes with a model"):
        plan_signals(str(folder), calibrate=DATA)
    assert wanted("perplexity")[0].name == "perplexity"


def test_only_thoughts_on_the_bare_question_count():
    trace = Trace("t", "p")
    thought = trace.add("sampled", {"act": "think", "prompt": "q", "answer": "3", "sample": {"text": "a", "completion_tokens": 2}})
    trace.add("sampled", {"act": "verify", "prompt": "v", "sample": {"text": "yes"}}, thought)
    trace.add("sampled", {"act": "think", "prompt": "with notes", "answer": "9", "sample": {"text": "c"}})
    trace.add("sampled", {"act": "think", "prompt": "q", "answer": "4", "sample": {"text": "b", "logprobs": [-1.0]}})
    trace.add("sampled", {"act": "extend", "prompt": "x", "answer": "5", "sample": {"text": "!", "logprobs": [-2.0]}}, "n3")
    made = attempts_of(trace)
    assert [(a.text, a.answer) for a in made] == [("a", "3"), ("b!", "5")]
    assert made[1].logprobs == (-1.0, -2.0)


def test_a_run_without_its_questions_is_refused(folder, tmp_path):
    (tmp_path / "traces.jsonl").write_text((folder / "traces.jsonl").read_text())
    with pytest.raises(InputError, match=r"no summary\.json"):
        plan_signals(str(tmp_path))
    (tmp_path / "summary.json").write_text('{"data": "gone.jsonl"}')
    with pytest.raises(InputError, match=r"gone\.jsonl, which is not there"):
        plan_signals(str(tmp_path))
