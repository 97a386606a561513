"""A calibration is paid for once: what is fitted, tested, kept, read back and refused."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.evidence.test_run import made, problems

from nosce.core.errors import InputError
from nosce.core.problem import Problem
from nosce.evidence.calibration import About, Calibration, Wish, calibrate_rows
from nosce.evidence.labels import Labelled, question_key, split_labels
from nosce.evidence.promise import Limits
from nosce.evidence.recorded import recorded_run
from nosce.evidence.run import solve

ABOUT = About("model-1", "votes", "confidence", {"options": {"k": 8}})


def rows(n: int, seed: int = 0, tokens: float = 100.0) -> Labelled:
    """Confidence is twice as sure as it should be; half of the questions stand twice."""
    rng = np.random.default_rng(seed)
    truth = rng.beta(2.5, 1, n)
    right = rng.random(n) < truth
    stated = truth**2 / (truth**2 + (1 - truth) ** 2)
    family = tuple("ab"[i % 2] for i in range(n))
    return Labelled(stated, right, family, tuple(f"q{i // 2}" for i in range(n)), rng.uniform(0, 2 * tokens, n))


def test_the_same_question_never_stands_in_both_parts() -> None:
    fitting, testing = rows(1000).split()
    assert not set(fitting.question) & set(testing.question)
    assert len(fitting) + len(testing) == 1000
    twins = [Problem(f"{name}{i}", text, reference="1") for i in range(200) for name, text in (("a", f"n {i}?"), ("b", f"N  {i}?"))]
    ours, theirs = split_labels(twins)
    assert not {question_key(p.text) for p in ours} & {question_key(p.text) for p in theirs}
    assert len(ours) + len(theirs) == 400


def test_calibrating_mends_the_confidence_and_the_file_gives_everything_back(tmp_path: Path) -> None:
    done = calibrate_rows(rows(4000), ABOUT, Wish(risks=(0.1, 0.2)))
    assert done.after["ece"].value < 0.5 * done.before["ece"].value
    assert done.after["brier"].value < done.before["brier"].value
    assert done.tried[done.calibration.calibrator.calibrator.kind] <= 1.01 * min(done.tried.values())
    path = tmp_path / "c.json"
    path.write_text(done.calibration.to_json())
    back = Calibration.read(path)
    assert back == done.calibration
    record = json.loads(path.read_text())
    assert (record["version"], record["model"], record["strategy"], record["signal"]) == (2, "model-1", "votes", "confidence")
    assert [p["threshold"]["alpha"] for p in record["promises"]] == [0.1, 0.2]
    assert "with probability 0.95 over the calibration draw" in record["promises"][0]["said"]


def test_a_promise_at_twenty_percent_holds_on_fresh_rows() -> None:
    promise = calibrate_rows(rows(4000), ABOUT, Wish(risks=(0.2,))).calibration.promise()
    fresh = rows(20000, seed=5)
    answered = promise.calibrator.transform(fresh.confidence) >= promise.threshold.threshold
    assert np.mean(~fresh.right[answered]) <= 0.2
    assert 0.5 < answered.mean() < 1


def test_groups_are_calibrated_apart() -> None:
    both = rows(4000)
    turned = replace(both, right=np.where(np.array(both.family) == "a", both.right, ~both.right))
    done = calibrate_rows(turned, ABOUT, Wish("by-group"))
    assert set(done.calibration.calibrator.groups) == {"a", "b"}
    whole = calibrate_rows(turned, ABOUT, Wish("beta"))
    assert done.after["auroc2"].value > whole.after["auroc2"].value + 0.05


def test_several_risks_hold_together_or_none_is_promised() -> None:
    """Tokens are uniform on [0, 200]: 100 a question, so an answer costs 100 ÷ coverage."""
    fair = Wish(risks=(0.3,), limits=Limits(abstained=0.5, tokens=250, most_tokens=200))
    found = calibrate_rows(rows(4000), ABOUT, fair).calibration.promise().threshold
    assert set(found.limits) == {"wrong", "abstained", "cost"}
    assert found.seen["wrong"] < 0.3
    assert found.seen["abstained"] < 0.5
    assert found.seen["cost"] == pytest.approx(100 / found.answered, rel=0.05)
    for limits in (Limits(abstained=0.01), Limits(tokens=90, most_tokens=200)):
        made_ = calibrate_rows(rows(4000), ABOUT, Wish(risks=(0.1,), limits=limits)).calibration
        assert not made_.thresholds[0].promised
        with pytest.raises(InputError, match="keeps no promise"):
            made_.promise()


def test_it_is_refused_by_name_elsewhere() -> None:
    kept = calibrate_rows(rows(2000), ABOUT, Wish(risks=(0.1, 0.2))).calibration
    kept.check(ABOUT)
    for other, said in (
        (replace(ABOUT, model="model-2"), "model 'model-1', not for 'model-2'"),
        (replace(ABOUT, strategy="think"), "strategy 'votes', not for 'think'"),
        (replace(ABOUT, signal="p-true"), "signal 'confidence', not for 'p-true'"),
        (replace(ABOUT, settings={"options": {"k": 4}}), '"k": 8}, not with {"k": 4}'),
        (replace(ABOUT, settings={**ABOUT.settings, "temperature": 1.0}), "temperature the default, not with 1.0"),
    ):
        with pytest.raises(InputError, match=said):
            kept.check(other)
    with pytest.raises(InputError, match=r"--risk 0\.3 is not in this calibrator .it tested 0\.1, 0\.2"):
        kept.promise(0.3)
    with pytest.raises(InputError, match=r"choose one: --risk 0\.1 or 0\.2"):
        kept.promise()


def test_too_few_labels_promise_nothing_however_right_they_are() -> None:
    for n in (60, 80):
        few = replace(rows(n), right=np.arange(n) % 30 != 0)
        found = calibrate_rows(few, ABOUT, Wish("identity", (0.05,))).calibration
        assert not found.thresholds[0].promised
        with pytest.raises(InputError, match="needs at least 59"):
            found.promise()


def test_a_run_is_calibrated_and_the_next_one_uses_it(tmp_path: Path) -> None:
    plan = replace(made(tmp_path / "labelled", risk=None, labels=1), problems=problems(300, 1500), calibration=())
    asyncio.run(solve(plan))
    labelled, about = recorded_run(tmp_path / "labelled")
    assert about == plan.about()
    kept = calibrate_rows(labelled, about, Wish(risks=(0.1,))).calibration
    fresh = replace(plan, problems=problems(0, 300), out=None)
    kept.check(fresh.about(), fresh.problems)
    run = asyncio.run(solve(replace(fresh, promise=kept.promise())))
    answered = [row for row in run.rows if row.outcome == "answered"]
    assert 100 < len(answered) < 300
    assert sum(row.correct == 0 for row in answered) / len(answered) <= 0.1
    assert all(row.calibrated is not None for row in run.rows)
    assert run.summary.cost.calls == 300
    with pytest.raises(InputError, match="300 of these questions made the calibrator"):
        kept.check(plan.about(), problems(300, 600))
    asyncio.run(solve(replace(made(tmp_path / "withheld", labels=400), problems=problems(0, 30))))
    with pytest.raises(InputError, match="without --risk"):
        recorded_run(tmp_path / "withheld")
