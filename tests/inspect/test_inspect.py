"""Nosce inside the real Inspect AI: its own `eval` runs our provider, solvers, scorers and tasks, and we read its logs."""

import json
import math
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest

inspect_ai = pytest.importorskip("inspect_ai")

from inspect_ai import Task  # noqa: E402
from inspect_ai import eval as run_eval  # noqa: E402
from inspect_ai.dataset import Sample  # noqa: E402
from inspect_ai.log import EvalLog, read_eval_log  # noqa: E402
from inspect_ai.model import ModelOutput, get_model  # noqa: E402
from inspect_ai.scorer import NOANSWER, SampleScore, Score, match  # noqa: E402
from inspect_ai.solver import generate  # noqa: E402
from tests.scripted import LOGPROBS, ScriptedChat  # noqa: E402

import nosce.inspect as ours  # noqa: E402
from nosce.core.errors import InputError  # noqa: E402
from nosce.evidence.calibration import Calibration  # noqa: E402
from nosce.metrics import aurc, auroc2, brier, ece  # noqa: E402
from nosce.tasks.bundled import draw_problems  # noqa: E402
from nosce.tasks.scored import read_scored  # noqa: E402

SUMS = [Sample(input=f"{10 + i}+{i}", target=str(10 + 2 * i)) for i in range(10)]
CONFIDENCE, RIGHT = [0.9, 0.8, 0.7, 0.6, 0.3, 0.2], [1, 1, 0, 1, 0, 0]


def done(task: Task, folder: Path, model: Any = "nosce/socrates", **more: Any) -> EvalLog:
    """One evaluation, without a screen, logged as Inspect logs."""
    log = run_eval(task, model=model, log_dir=str(folder), display="none", log_format="json", **more)[0]
    assert log.status == "success", log.error
    return log


def metrics(log: EvalLog) -> dict[str, float]:
    return {name: found.value for score in log.results.scores for name, found in score.metrics.items()}


def scripted(error: float = 0.3) -> Any:
    """The scripted chat model, as a model of our provider."""
    return get_model("nosce/scripted", own=ScriptedChat(LOGPROBS, error=error), memoize=False)


def test_inspect_finds_us_by_our_entry_point() -> None:
    found = [point for point in entry_points(group="inspect_ai") if point.name == "nosce"]
    if not found:
        pytest.skip("installed before there was an entry point; install the package again")
    assert found[0].value == "nosce.inspect._registry"
    assert "auroc2" in found[0].load().registered


def test_our_metrics_on_its_scores_are_our_measures() -> None:
    rows = zip(CONFIDENCE, RIGHT, strict=True)
    scores = [SampleScore(score=Score(value="C" if y else "I", metadata={"confidence": c})) for c, y in rows]
    for made, measure in ((ours.auroc2, auroc2), (ours.ece, ece), (ours.brier, brier), (ours.aurc, aurc)):
        assert made()(scores) == pytest.approx(measure(CONFIDENCE, RIGHT).value)
    told = ours.brier(interval=True)(scores)
    assert told["brier_low"] < told["brier"] < told["brier_high"]
    assert math.isnan(ours.auroc2()(scores[:2]))


def test_silence_is_no_error_and_no_gap() -> None:
    """Six samples, the two least sure withheld: four answered, three of them right; the grade of the withheld still counts."""
    scores = []
    for c, y in zip(CONFIDENCE, RIGHT, strict=True):
        held = c < 0.5
        value = NOANSWER if held else "C" if y else "I"
        scores.append(SampleScore(score=Score(value=value, metadata={"confidence": c, **({"graded": y} if held else {})})))
    assert ours.coverage()(scores) == pytest.approx(4 / 6)
    assert ours.selective_accuracy()(scores) == pytest.approx(3 / 4)
    assert ours.auroc2()(scores) == pytest.approx(auroc2(CONFIDENCE, RIGHT).value)


def test_the_bundled_model_answers_inside_inspect_and_its_scorer_grades_it(tmp_path: Path) -> None:
    log = done(Task(dataset=SUMS, solver=generate(), scorer=match()), tmp_path)
    assert metrics(log)["accuracy"] > 0.7
    assert all(sample.output.completion.splitlines()[-1].startswith("ANSWER: ") for sample in log.samples)
    assert sum(usage.output_tokens for usage in log.stats.model_usage.values()) > 10
    asked = "Who wrote Faust?"
    outside = done(Task(dataset=[Sample(input=asked, target="Goethe")], solver=generate(), scorer=ours.confident()), tmp_path)
    assert outside.samples[0].scores["confident"].value == NOANSWER


def test_the_provider_counts_its_own_tokens() -> None:
    import asyncio

    model = get_model("nosce/socrates")
    assert 3 <= asyncio.run(model.api.count_text_tokens("12+34")) <= 8
    assert asyncio.run(model.api.count_text_tokens("words it does not know")) == 5


def test_a_strategy_is_a_solver_and_its_log_is_scored_by_us(tmp_path: Path) -> None:
    """Voting on the scripted chat model: Inspect's log holds the confidence, and `nosce score` reads the same numbers."""
    problems = draw_problems(("arithmetic", "sums"), (1, 2), 24)
    data = tmp_path / "q.jsonl"
    rows = [{"question": p.text, "answer": p.reference, "id": p.id, "family": p.family} for p in problems]
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    log = done(ours.questions(str(data), "self-consistency", k=5), tmp_path, scripted(0.4))
    read = metrics(log)
    assert 0.5 < read["accuracy"] <= 1
    assert sum(usage.output_tokens for usage in log.stats.model_usage.values()) > 24 * 5
    found = read_scored(log.location)
    assert found.form == "Inspect log"
    known = found.known
    assert found.columns["confidence"][known] == pytest.approx([s.metadata["nosce"]["confidence"] for s in log.samples])
    for name, measure in (("auroc2", auroc2), ("brier", brier)):
        assert read[name] == pytest.approx(measure(found.columns["confidence"][known], found.columns["correct"][known]).value)
    again = read_scored(log.location, columns={"confidence": "metadata.nosce.confidence", "correct": "confident.value"})
    assert again.columns["confidence"].tolist() == found.columns["confidence"].tolist()


def test_the_bundled_models_strategies_run_through_its_own_tokens(tmp_path: Path) -> None:
    log = done(Task(dataset=SUMS[:4], solver=ours.strategy("soft-sc", k=2), scorer=ours.confident()), tmp_path)
    for sample in log.samples:
        assert sample.metadata["nosce"]["source"] == "logprobs"
        assert 0 < sample.scores["confident"].metadata["confidence"] <= 1
    with pytest.raises(InputError, match="prepared on many questions"):
        ours.strategy("dsc")
    with pytest.raises(InputError, match="did you mean self-consistency"):
        ours.strategy("self-consistancy")


def test_families_split_at_commas_by_inspects_command_line_are_joined_again() -> None:
    assert len(ours.questions(["family:sums", "lists?n=6"]).dataset) == 6
    with pytest.raises(InputError, match="did you mean lists"):
        ours.questions("family:lits")


def test_a_calibrator_decides_what_is_answered_there_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from nosce.evidence import calibration
    from nosce.evidence.promise import Promise

    class Strict:
        """A calibrator whose promise answers nothing but certainty."""

        def check(self, about: calibration.About, problems: object = ()) -> None:
            assert (about.strategy, about.settings) == ("self-consistency", {"options": {"k": 3}})

        def promise(self, risk: float | None = None) -> Promise:
            from nosce.control.risk import select_threshold
            from nosce.monitor.calibrator_file import SavedCalibrator

            saved = SavedCalibrator.fit("identity", [0.0, 1.0] * 50, [0, 1] * 50, model="m", signal="s")
            return Promise(saved, select_threshold([0.0, 1.0] * 50, [0, 1] * 50, alpha=0.2, grid=[1.0]))

    monkeypatch.setattr(Calibration, "read", classmethod(lambda cls, path: Strict()))
    solver = ours.strategy("self-consistency", k=3, calibrator="c.json")
    log = done(Task(dataset=SUMS, solver=solver, scorer=ours.confident()), tmp_path, scripted(0.25))
    for sample in log.samples:
        sure = sample.metadata["nosce"]["confidence"] == 1.0
        assert (sample.scores["confident"].value == NOANSWER) != sure
    values = {sample.scores["confident"].value for sample in log.samples}
    assert values >= {NOANSWER, "C"}
    assert metrics(log)["coverage"] == pytest.approx(sum(s.scores["confident"].value != NOANSWER for s in log.samples) / 10)


def test_another_scorer_keeps_its_verdict_and_gains_a_stated_confidence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def said(self: Any, input: Any, **more: Any) -> ModelOutput:
        right = "10+0" in input[-1].text
        return ModelOutput.from_content("scripted", "Confidence: 80%\nAnswer: 10" if right else "I don't know.")

    monkeypatch.setattr(ours.NosceAPI, "generate", said)
    model = scripted()
    log = done(Task(dataset=SUMS[:2], solver=generate(), scorer=ours.with_confidence(match())), tmp_path, model)
    first, second = (sample.scores["with_confidence"] for sample in log.samples)
    assert (first.value, first.metadata["confidence"]) == ("C", 0.8)
    assert second.value == NOANSWER


def test_a_battery_is_a_task_whose_metrics_are_its_measures(tmp_path: Path) -> None:
    from nosce.batteries import batteries

    system = batteries()[0]
    task = ours.task_of("metacognitive-monitoring-battery", n=12, source="general")
    log = done(task, tmp_path, scripted(0.4))
    read = metrics(log)
    assert "withdraw_delta" in read
    assert all(sample.scores["probed"].value == 1.0 for sample in log.samples)
    assert system.slug in {b.slug for b in batteries()}
    with pytest.raises(InputError, match="no battery"):
        ours.task_of("self-consistency", source="general")


def test_a_log_without_a_confidence_is_refused_and_offered_what_there_is(tmp_path: Path) -> None:
    log = done(Task(dataset=SUMS[:3], solver=generate(), scorer=match()), tmp_path)
    assert read_eval_log(log.location).samples
    with pytest.raises(InputError, match="no row has a confidence"):
        read_scored(log.location)
