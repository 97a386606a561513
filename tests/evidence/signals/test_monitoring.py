"""A study of signals: what is planted is found, chosen and reported apart, and charged for; what cannot be had is refused."""

import asyncio
from dataclasses import replace

import numpy as np
import pytest
from tests.scripted import LOGPROBS, ScriptedChat

import nosce
from nosce.core.errors import InputError
from nosce.core.problem import Problem
from nosce.core.registry import registry
from nosce.core.signal import Signal
from nosce.evidence.signals.choosing import QUESTION, choose
from nosce.evidence.signals.measures import SignalRow, Table, cells, row_of
from nosce.evidence.signals.monitoring import monitor
from nosce.evidence.signals.observe import Observer
from nosce.evidence.signals.serve import served, wanted
from nosce.evidence.signals.study import Study, split
from nosce.metrics import auroc2
from nosce.mind.engine import Engine
from nosce.report.signals_table import ensemble_sentence, few, left_out, sentence, signal_lines

SIGNALS = "self-consistency-share,p-true,sequence-probability"


def studied(problems, model, signals=SIGNALS, samples=5, **fields):
    engine = Engine({"main": model})
    able, refused = served(wanted(signals), engine, samples=samples, labelled=True, given={})
    return Study("data", *split(problems, [], False), able, refused, {"main": model}, samples=samples, **fields)


def test_splits_are_apart_and_together_everything(problems):
    for fits in (False, True):
        parts = split(problems, [], fits)
        ids = [p.id for part in parts for p in part]
        assert sorted(ids) == sorted(p.id for p in problems)
        assert bool(parts[0]) == fits
    fitting, choosing, reporting = split(problems[:80], problems[80:], True)
    assert reporting == problems[:80]
    assert {p.id for p in fitting + choosing} == {p.id for p in problems[80:]}
    with pytest.raises(InputError, match="at least 60"):
        split(problems[:30], [], False)


@pytest.fixture(scope="module")
def found(problems):
    return asyncio.run(monitor(studied(problems, ScriptedChat(LOGPROBS, error=0.4))))


def test_a_study_of_a_chat_model(found):
    assert {row.name for row in found.rows} == set(SIGNALS.split(","))
    assert found.chosen == "self-consistency-share"  # wrong answers of the script are scattered, right ones agree
    assert found.chosen_on + found.reported_on + found.unanswered == 160
    share, verdict = found.row("self-consistency-share"), found.row("p-true")
    assert share.auroc2.value > 0.9
    assert share.versus_within.interval[0] > 0
    assert found.row("sequence-probability").tokens == pytest.approx(found.question.tokens)
    assert found.question.extra == 0 < verdict.extra
    assert found.ensemble.auroc2.value > 0.9
    assert set(found.weights) == set(SIGNALS.split(","))
    assert found.lean.tokens == share.tokens < found.ensemble.tokens  # P(True) asks the model once more
    assert found.lean.auroc2.value > 0.9


def test_each_signal_is_charged_what_it_would_cost_alone(problems, chat):
    """Black box costs: every sample its prompt; five samples for the share, one and a verdict for P(True)."""
    chat.capabilities = replace(chat.capabilities, n=False)
    problem = problems[0]
    observer = Observer(wanted(SIGNALS), Engine({"main": chat}), once=False)
    seen = asyncio.run(observer.one(problem))
    mind = Engine({"main": chat}).mind(problem, "alone")
    attempts = asyncio.run(mind.think(problem, n=5))
    assert seen.whole == mind.work.meter.spent.tokens == sum(a.cost.tokens for a in attempts)
    assert seen.single == attempts[0].cost.tokens
    other = Engine({"main": chat}).mind(problem, "alone")
    asyncio.run(other.verify(problem, attempts[0]))
    assert seen.asked == {"self-consistency-share": 0, "sequence-probability": 0, "p-true": other.work.meter.spent.tokens}


def table(right, cells_, **columns) -> Table:
    problems = tuple(Problem(f"p{i}", "q") for i in range(len(right)))
    return Table(tuple(columns), np.column_stack(list(columns.values())), np.array(right, bool), np.array(cells_), problems)


def test_a_row_by_hand():
    """Confidence .9 .8 .3 | .6 .4 with right 1 0 0 | 1 0 in two cells: AUROC2 5 of 6, within 3 of 3; 4 of 5 rows have a value
    in the second signal."""
    right, groups = [1, 0, 0, 1, 0], [0, 0, 0, 1, 1]
    a, b, asked = [0.9, 0.8, 0.3, 0.6, 0.4], [0.5, np.nan, 0.5, 0.5, 0.5], [0.5, 0.5, 0.5, 0.1, 0.1]
    here = table(right, groups, a=a, b=b, **{QUESTION: asked})
    row = row_of("a", "a", "logprobs", here, here, QUESTION, (10.0, 4.0, 1.0))
    assert row.auroc2.value == pytest.approx(5 / 6)
    assert row.within.value == 1.0
    assert row.versus_within.value == pytest.approx(0.5)
    assert row.brier.value == pytest.approx(np.mean([0.01, 0.64, 0.09, 0.16, 0.16]))
    assert (row.n, row.of) == (5, 5)
    other = row_of("b", "b", "samples", here, here, QUESTION, (10.0, 4.0, 1.0))
    assert (other.n, other.of, other.auroc2.value) == (4, 5, 0.5)


def test_the_best_is_chosen_and_the_cheapest_as_good_is_named():
    rng = np.random.default_rng(0)
    right = rng.random(300) < 0.6
    noise = rng.normal(0, 0.1, (3, 300))
    good, twin, poor = np.clip(0.4 + 0.2 * right + noise[0], 0, 1), np.clip(0.4 + 0.2 * right + noise[1], 0, 1), rng.random(300)
    there = table(right, np.zeros(300, int), good=good, twin=twin, poor=poor)
    rows = [SignalRow(n, n, "samples", 300, 300, tokens=t) for n, t in (("good", 100.0), ("twin", 50.0), ("poor", 10.0))]
    better = auroc2(good, right).value > auroc2(twin, right).value
    assert choose(there, rows)[::2] == (("good", "twin") if better else ("twin", None))
    assert choose(there, [replace(row, tokens=100.0) for row in rows])[2] is None


def test_cells_are_families_at_a_level():
    made = [Problem(str(i), "q", family=f, level=v) for i, (f, v) in enumerate([("a", 1), ("a", 2), ("b", 1), ("a", 1)])]
    assert cells(made).tolist() == [0, 1, 2, 0]


def test_one_sentence_names_the_signal_its_worth_and_its_price(found):
    said = sentence(found)
    assert said.startswith("Use self-consistency-share: chosen on ")
    assert "above what the question alone tells" in said
    assert said.count(". ") == 0
    assert "All 3 signals together" in ensemble_sentence(found)
    blind = replace(found.row(found.chosen), versus_within=replace(found.gain, value=0.0, interval=(-0.1, 0.1)))
    assert "not shown to know more" in sentence(replace(found, rows=[blind], cheaper=None))
    assert few(found) == [f"{found.chosen_on} questions are few to choose among 3 signals; more, or --calibrate, make it surer."]
    assert left_out(replace(found, refused={"a": "x", "b": "y", "c": "x"})) == ["Left out: a, c: x", "Left out: b: y"]
    assert [line.apart for line in signal_lines(found)] == [False] * 3 + [True] * 3


def test_one_signal_alone_needs_no_ensemble(problems, chat):
    found = asyncio.run(monitor(studied(problems, chat, "self-consistency-share", samples=3)))
    assert (found.ensemble, found.gain, ensemble_sentence(found)) == (None, None, "")


def test_a_signal_that_fails_costs_itself_alone(problems, chat):
    class Mute(type(chat)):
        async def sample(self, request):
            from nosce.core.errors import ModelError

            if "Is the proposed answer correct" in request.prompt.messages[-1].content:
                raise ModelError("gone")
            return await super().sample(request)

    mute = Mute(chat.capabilities, error=0.4)
    found = asyncio.run(monitor(studied(problems, mute)))
    assert "gave no value" in found.refused["p-true"]
    assert found.row("self-consistency-share").n == found.reported_on


@pytest.mark.parametrize(
    ("wish", "reason"),
    [
        ({"signals": "sequence-probability"}, "no 'logprobs'.*these signals work: .*exact-match"),
        ({"signals": "p-true/p-ik"}, "no 'hidden'.*socrates or hf"),
        ({"signals": "noncontradiction"}, "entailment model"),
        ({"signals": "self-consistency-share", "samples": 1}, "--samples 2 or more"),
        ({"signals": "no-such-signal"}, "unknown estimator"),
        ({"signals": ""}, "no signal is named"),
        ({"samples": 0}, "expected 1 to 64"),
    ],
)
def test_refuses_before_a_token_is_spent(monkeypatch, problems, black_box, wish, reason):
    async def roster(spec):
        return {"main": black_box}

    monkeypatch.setattr("nosce.evidence.signals.study.load_probed_roster", roster)
    with pytest.raises(InputError, match=reason):
        nosce.signals(problems, **wish)
    assert black_box.calls == 0


def test_an_entailment_model_of_the_callers_serves_the_signals_that_need_one(monkeypatch, problems, black_box):
    """Equal answers entail each other, others contradict: non-contradiction is then the share of the others that agree."""

    async def roster(spec):
        return {"main": black_box}

    def entails(pairs):
        last = [[text.rpartition("Answer:")[2] for text in pair] for pair in pairs]
        return np.array([[1.0, 0.0, 0.0] if a == b else [0.0, 0.0, 1.0] for a, b in last])

    monkeypatch.setattr("nosce.evidence.signals.study.load_probed_roster", roster)
    found = nosce.signals(problems, "noncontradiction,self-consistency-share", samples=3, entails=entails)
    a, b = (found.row(name).auroc2.value for name in ("noncontradiction", "self-consistency-share"))
    assert a == pytest.approx(b, abs=0.02)


def test_questions_to_choose_on_must_be_others(problems):
    with pytest.raises(InputError, match="1 questions of --calibrate stand in the data too"):
        nosce.signals(problems[:80], SIGNALS, calibrate=problems[79:])


def test_without_answers_nothing_is_measured(problems):
    bare = [replace(problem, reference=None) for problem in problems]
    with pytest.raises(InputError, match=r"160 of 160 questions have no answer.*these signals can be computed"):
        nosce.signals(bare, SIGNALS)


def test_a_model_that_is_always_right_cannot_be_told_apart(problems, chat):
    chat.error = 0.0
    with pytest.raises(InputError, match="right ones and wrong ones"):
        asyncio.run(monitor(studied(problems, chat)))


def test_everything_registered_can_be_asked_for_by_name():
    assert {s.name for s in wanted("all")} == {s.name for s in registry if s.kind == "estimator"}
    assert Signal("x", None, "none").confidence is None


def test_a_signal_that_cannot_be_fitted_is_left_out_with_its_reason(problems):
    """The others are measured all the same; alone, it is the reason that nothing is."""

    async def prepare(*_):
        raise InputError("3 right attempts are too few")

    made = studied(problems, ScriptedChat(LOGPROBS, error=0.4), "self-consistency-share,sequence-probability")
    learned = replace(registry.find("mmboundary"), prepare=prepare)
    made = replace(made, fitting=problems[:20])
    found = asyncio.run(monitor(replace(made, systems=[*made.systems, learned])))
    assert {row.name for row in found.rows} == {"self-consistency-share", "sequence-probability"}
    assert found.refused["mmboundary"] == "could not be fitted: 3 right attempts are too few"
    with pytest.raises(InputError, match=r"no signal has a value: .*mmboundary: could not be fitted: 3 right"):
        asyncio.run(monitor(replace(made, systems=[learned])))


def test_signals_that_never_differ_make_no_ensemble(problems):
    """One sample: whatever is asked of several is the same for all questions."""

    class Once(ScriptedChat):
        async def sample(self, request):
            return [self._one(request, request.keys[0]) for _ in request.keys]

    found = asyncio.run(monitor(studied(problems, Once(LOGPROBS, error=0.4), "self-consistency-share,number-of-semantic-sets")))
    assert found.ensemble is None
    assert [row.auroc2.value for row in found.rows] == [0.5, 0.5]
    assert sentence(found)


def test_a_server_that_gives_one_text_at_every_draw_is_not_asked_for_samples(problems, chat):
    chat.capabilities = replace(chat.capabilities, sampling=False)
    able, refused = served(wanted(SIGNALS), Engine({"main": chat}), samples=5, labelled=True, given={})
    assert {system.name for system in able} == {"p-true", "sequence-probability"}
    assert "gives the same text at every draw" in refused["self-consistency-share"]


def test_entropies_of_a_remote_model_are_read_off_alternatives_which_are_asked_for(problems, chat):
    """A server says nothing of entropies: without alternatives they cannot be had, with them they are asked for unbidden."""
    asked, sample = [], chat.sample
    chat.remote, chat.sample = True, lambda request: asked.append(request.top) or sample(request)
    observer = Observer(wanted("mean-token-entropy"), Engine({"main": chat}), samples=1)
    asyncio.run(observer.one(problems[0]))
    assert asked == [20]
    chat.capabilities = replace(chat.capabilities, top=1)
    _, refused = served(observer.systems, Engine({"main": chat}), samples=1, labelled=True, given={})
    assert "gives 1 alternatives" in refused["mean-token-entropy"]
