"""What the pages of the dashboard say in numbers, against rows whose answers are known by hand."""

import json
import math
import re
import time
from importlib.resources import files
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from nosce.core.trace import Trace
from nosce.report.trace_tree import tree
from nosce.serve import learning
from nosce.serve.config import Limits, configure
from nosce.serve.dashboard import decisions, drifting, said, spending, traces, traffic, truth, vital
from nosce.serve.dashboard.door import Visitor
from nosce.serve.dashboard.period import Period
from nosce.serve.dashboard.plot import Plot, amounts, shares
from nosce.serve.keeping import digested
from nosce.serve.keys import Caller
from nosce.serve.service import Service
from nosce.serve.store import Store

NOW = 1_700_000_000.0
BOSS = Visitor(Caller("boss", "boss", "admin", Limits()), "", True)
ALICE = Visitor(Caller("alice", "alice", "user", Limits()), "", True)
AUDIT = "INSERT INTO audit(trace_id, key_id, at, raw, data, state, score, labelled) VALUES (?,?,?,?,?,'labelled',?,?)"
REQUEST = (
    "INSERT INTO requests(trace_id, key_id, at, process, path, model, strategy, upstream, state, outcome, confidence, reason, "
    "calls, prompt_tokens, completion_tokens, seconds, money) VALUES (?,?,?,'p','/','m',?,'up',?,?,?,?,?,?,?,?,?)"
)


def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "nosce.db")


def audits(to: Store, rows: list[tuple[float | None, float, str]], key: str = "alice") -> None:
    """(confidence, score, outcome) a row."""
    to.now(
        (AUDIT, (f"{key}{i}", key, NOW, raw, json.dumps({"outcome": outcome}), score, NOW + i))
        for i, (raw, score, outcome) in enumerate(rows)
    )


def request(to: Store, name: str, key: str = "alice", at: float = NOW, strategy: str = "auto", state: str = "done",
            outcome: str | None = "answered", confidence: float | None = 0.5, reason: str = "", spent: tuple[int, int] = (10, 20),
            seconds: float = 1.0, money: float = 0.0) -> None:  # fmt: skip
    to.now([(REQUEST, (name, key, at, strategy, state, outcome, confidence, reason, 1, *spent, seconds, money))])


def trace(to: Store, name: str, thoughts: list[int], key: str = "alice", decide: tuple[str, str] | None = None, spent: int = 0,
          strategy: str = "auto") -> None:  # fmt: skip
    made = Trace(name, name, "auto")
    for tokens in thoughts:
        made.add("sampled", {"act": "think", "sample": {"prompt_tokens": 10, "completion_tokens": tokens}})
    made.add("sampled", {"act": "verify", "sample": {"prompt_tokens": 99, "completion_tokens": 99}})
    if decide:
        made.add("decided", {"action": decide[0], "reason": decide[1], "sure": 0.25})
    to.now([("INSERT INTO traces VALUES (?,?,?,?)", (name, key, NOW, made.to_json())), *digested(made, strategy, key, NOW, spent)])


def test_reliability_puts_each_bin_where_its_rows_are(tmp_path: Path) -> None:
    held = store(tmp_path)
    audits(held, [(0.2, float(i < 1), "answered") for i in range(10)] + [(0.8, float(i < 7), "answered") for i in range(10)])
    low, high = truth.reliability(truth.audited(held, BOSS), bins=2)
    assert (low.stated, low.right, low.n) == pytest.approx((0.2, 0.1, 10))
    assert (high.stated, high.right, high.n) == pytest.approx((0.8, 0.7, 10))
    # 95% of Binomial(10, 0.2) lies in 0 … 5, of Binomial(10, 0.8) in 5 … 10
    assert (low.low, low.high, high.low, high.high) == pytest.approx((0.0, 0.5, 0.5, 1.0), abs=1e-9)


def test_risk_and_coverage_and_the_operating_point(tmp_path: Path) -> None:
    held = store(tmp_path)
    audits(held, [(0.9, 1, "answered"), (0.8, 1, "answered"), (0.7, 0, "answered"), (0.4, 0, "abstained"), (None, 0, "abstained")])
    labels = truth.audited(held, BOSS)
    assert [k.coverage for k in truth.coverage(labels)] == pytest.approx([0.2, 0.4, 0.6, 0.8])
    assert [k.risk for k in truth.coverage(labels)] == pytest.approx([0, 0, 1 / 3, 0.5])
    here = truth.operating(labels)
    assert here is not None
    assert (here.n, here.coverage, here.risk) == pytest.approx((3, 0.6, 1 / 3))
    assert (here.low, here.high) == pytest.approx((0.00840, 0.90570), abs=1e-4)  # Clopper–Pearson, 1 of 3


def test_what_was_passed_on_is_no_answer_that_was_held_back(tmp_path: Path) -> None:
    held = store(tmp_path)
    audits(held, [(0.9, 1, "answered"), (0.4, 0, "abstained"), (None, 1, "passed"), (None, 0, "passed")])
    labels = truth.audited(held, BOSS)
    here = truth.operating(labels)
    assert labels.n == 2
    assert here is not None
    assert (here.n, here.coverage, here.risk) == (1, 0.5, 0.0)
    assert truth.drawn(held, BOSS) == {"open": 0, "labelled": 2, "skipped": 0}


def test_a_key_sees_figures_of_its_own_answers_alone(tmp_path: Path) -> None:
    held = store(tmp_path)
    audits(held, [(0.9, 1, "answered")] * 3)
    audits(held, [(0.1, 0, "answered")] * 4, key="bob")
    request(held, "a", spent=(1, 2))
    request(held, "b", key="bob", spent=(100, 200))
    assert (truth.audited(held, ALICE).n, truth.audited(held, BOSS).n) == (3, 7)
    assert (traffic.sums(held, ALICE, 0).tokens, traffic.sums(held, BOSS, 0).tokens) == (3, 303)
    assert [row["trace_id"] for row in traffic.newest(held, ALICE, "all")] == ["a"]


def test_saved_tokens_are_a_votes_less_what_was_spent(tmp_path: Path) -> None:
    held, day = store(tmp_path), Period.of(1, NOW)
    trace(held, "one", [30], spent=40)  # a vote among 16: 10 + 16 × 30 = 490
    trace(held, "two", [20, 30, 40], spent=100, strategy="self-consistency")  # 10 + 16 × 30 = 490
    trace(held, "another's", [1], key="bob", spent=1)
    rows = spending.tallies(held, ALICE, day)
    found = spending.saved(rows, 16)
    assert (found.n, found.spent, found.voting, found.saved) == (2, 140, 980, 840)
    assert found.share == pytest.approx(840 / 980)
    few = spending.saved(rows, 1)
    assert few.saved == 80 - 140  # a single thought would have been cheaper, and it says so
    assert sorted((row.strategy, row.n) for row in rows) == [("auto", 1), ("self-consistency", 1)]
    # spent/voting = 1/7; residuals 40 − 70 and 100 − 70, so the error is √(30² + 30²) / 980
    assert (found.share - found.low, found.high - found.share) == pytest.approx((1.96 * math.sqrt(1800) / 980,) * 2)


def test_a_file_of_an_earlier_version_is_digested_when_it_is_opened(tmp_path: Path) -> None:
    held = store(tmp_path)
    request(held, "one", spent=(10, 30))
    trace(held, "one", [20, 40], decide=("sample", "think is not sure enough"), spent=40)
    rows = {name: [tuple(row) for row in held.rows(f"SELECT * FROM {name}")] for name in ("thoughts", "decisions")}
    held.now([("DROP TABLE thoughts", ()), ("DROP TABLE decisions", ())])
    again = store(tmp_path)
    assert {name: [tuple(row) for row in again.rows(f"SELECT * FROM {name}")] for name in rows} == rows
    assert [len(found) for found in rows.values()] == [1, 1]
    again.forget(trace_id="one")
    assert [len(again.rows(f"SELECT * FROM {name}")) for name in rows] == [0, 0]


def test_the_day_in_figures(tmp_path: Path) -> None:
    held = store(tmp_path)
    for i in range(8):
        request(held, f"a{i}", seconds=i + 1.0, money=0.5)
    request(held, "w", outcome="abstained", confidence=0.1, seconds=100.0)
    request(held, "p", strategy="", outcome=None, confidence=None)
    request(held, "f", state="failed", outcome=None, confidence=None)
    request(held, "h", state="cancelled", outcome=None, confidence=None)
    request(held, "old", at=NOW - 90_000)
    day = traffic.sums(held, BOSS, NOW - 86_400)
    counted = (day.requests, day.answered, day.withheld, day.passed, day.failed, day.cancelled, day.sure)
    assert counted == (12, 8, 1, 1, 1, 1, 9)
    assert day.share == pytest.approx(8 / 9)
    assert (day.tokens, day.money, day.slowest) == (360, 4.0, 100.0)
    assert day.confidence == pytest.approx((8 * 0.5 + 0.1) / 9)


def test_the_list_can_be_narrowed_and_turned_over(tmp_path: Path) -> None:
    held = store(tmp_path)
    for i in range(5):
        request(held, f"t{i}", at=NOW + i, outcome="answered" if i % 2 else "abstained")
    assert [row["trace_id"] for row in traffic.newest(held, BOSS, "answered")] == ["t3", "t1"]
    assert [row["trace_id"] for row in traffic.newest(held, BOSS, "all", before=NOW + 3, most=2)] == ["t2", "t1"]
    request(held, "cut", at=NOW + 9, strategy="", outcome=None, state="interrupted")
    counts = {shown: len(traffic.newest(held, BOSS, shown)) for shown in traffic.SHOWN}
    assert counts == {"all": 6, "answered": 2, "held back": 3, "passed on": 0, "failed": 1, "hung up on": 0, "under way": 0}


def test_endings_fall_into_the_piece_of_their_time(tmp_path: Path) -> None:
    held, period = store(tmp_path), Period.of(1, NOW)
    request(held, "a", at=period.at(3) + 1)
    request(held, "b", at=period.at(3) + 3599, outcome="abstained")
    request(held, "c", at=period.at(4), strategy="", outcome=None)
    request(held, "d", at=period.start - 1)
    request(held, "e", at=period.at(4), state="cancelled", outcome=None)
    ended = decisions.endings(held, BOSS, period)
    found = {kind: dict(counts) for kind, counts in ended.items()}
    assert found == {"answered": {3: 1}, "withheld": {3: 1}, "passed": {4: 1}, "cancelled": {4: 1}, "failed": {}}
    assert period.start <= NOW - 23 * 3600
    assert period.at(period.pieces) > NOW


def test_reasons_that_differ_in_numbers_are_one(tmp_path: Path) -> None:
    held = store(tmp_path)
    request(held, "a", outcome="abstained", confidence=0.2, reason="P(right) 0.2 is below 0.7")
    request(held, "b", outcome="abstained", confidence=0.4, reason="P(right) 0.4 is below 0.7")
    request(held, "c", outcome="asked", reason="Which town?")
    first, second = decisions.reasons(decisions.withheld(held, BOSS, 0))
    assert (first["reason"], first["n"], first["sure"]) == ("P(right) … is below …", 2, pytest.approx(0.3))
    assert (second["reason"], second["n"]) == ("asked back", 1)


def test_what_was_decided_is_counted(tmp_path: Path) -> None:
    held = store(tmp_path)
    for name in ("a", "b"):
        trace(held, name, [1], decide=("sample", "think is not sure enough"))
    trace(held, "c", [1], key="bob", decide=("answer", "vote is sure enough"))
    rows = [(r["action"], r["reason"], r["n"], r["answers"], r["sure"]) for r in decisions.decided(held, ALICE, 0)]
    assert rows == [("sample", "think is not sure enough", 2, 2, 0.25)]
    assert len(decisions.decided(held, BOSS, 0)) == 2


def test_the_drift_page_ends_where_the_metrics_stand_and_knows_when_the_alarm_began(tmp_path: Path) -> None:
    held, rng = store(tmp_path), np.random.default_rng(1)
    p = rng.uniform(0.6, 1.0, 300)
    audits(held, [(float(v), float(rng.random() < v - 0.4), "answered") for v in p])
    page, metric = drifting.running(truth.audited(held, BOSS)), learning.drift(held)
    assert page is not None
    assert (page.mean[-1], page.low[-1], page.high[-1]) == pytest.approx((metric.gap, metric.low, metric.high))
    assert page.alarm is metric.alarm is True
    assert page.since is not None
    assert page.high[page.since - 1] < 0 <= page.high[page.since - 2]
    assert drifting.running(truth.Labels(p[:19], p[:19] > 0.5, p[:19] > 0.5)) is None


def test_every_narrowing_of_the_list_can_be_asked_for_and_searched(tmp_path: Path) -> None:
    held = store(tmp_path)
    request(held, "w", outcome="abstained")
    request(held, "p", strategy="", outcome=None)
    request(held, "f", state="failed", outcome=None, reason="the upstream answers 500")
    request(held, "h", state="cancelled", outcome=None)
    request(held, "n", state="started", outcome=None)
    request(held, "a", at=NOW + 1)
    trace(held, "a", [1])
    found = {name: [row["trace_id"] for row in traffic.newest(held, BOSS, name)] for name in traffic.SHOWN}
    assert found.pop("all")[0] == "a"
    named = {"answered": "a", "held back": "w", "passed on": "p", "failed": "f", "hung up on": "h", "under way": "n"}
    assert found == {name: [trace] for name, trace in named.items()}
    assert [row["trace_id"] for row in traffic.newest(held, BOSS, "all", having="ANSWERS 5")] == ["f"]
    assert traffic.newest(held, BOSS, "all", having="%") == []  # letters, not patterns
    assert traffic.newest(held, BOSS, "answered", having="answers 5") == []
    assert [row["trace_id"] for row in traffic.newest(held, ALICE, "all", having="up") if row["trace_id"] == "a"] == ["a"]


def test_long_runs_of_samples_fold_and_decisions_do_not() -> None:
    made = Trace("t", "t", "self-consistency")
    for i in range(16):
        made.add("sampled", {"act": "think", "answer": "12" if i % 4 else "13", "sample": {}})
    made.add("decided", {"action": "answer", "reason": "vote is sure enough"})
    twigs = traces.folded(tree(made))
    assert [(twig.node.kind if twig.node else twig.says) for twig in twigs] == [
        "sampled", "sampled", "sampled", "13 more of think: 10 × 12, 3 × 13", "decided",
    ]  # fmt: skip
    assert len(twigs[3].branch) == 13
    for _ in range(60):
        made.add("measured", {"name": "vote", "value": 0.5})
    assert [twig.says for twig in traces.folded(tree(made)) if not twig.node][-1] == "39 more steps"


def wrongs(to: Store, right: list[bool], risk: float = 0.25) -> None:
    """Audited answers that were given under a promise, so many right."""
    said = json.dumps({"outcome": "answered", "calibrated": True})
    for i, good in enumerate(right):
        to.now([(AUDIT, (f"g{i}", "alice", NOW, 0.75, said, float(good), NOW + i))])
        request(to, f"g{i}")
        to.now([("UPDATE requests SET data=? WHERE trace_id=?", (json.dumps({"risk": risk}), f"g{i}"))])


def served(tmp_path: Path, held: Store, risk: float | None = 0.25) -> Service:
    """A service before one upstream, which promises a risk; no calibration was read for that."""
    made = Service.of(configure(None, ("up=openai:m@http://127.0.0.1:9/v1",), database=tmp_path / "other.db", risk=risk))
    made.store, made.policy = held, SimpleNamespace(calibrator=SimpleNamespace(strategy="auto"))  # type: ignore[assignment]
    return made


def test_the_promise_is_held_against_what_audits_found(tmp_path: Path) -> None:
    held = store(tmp_path)
    service = served(tmp_path, held)
    assert vital.risk(service, BOSS).state == "unknown"
    wrongs(held, [i % 20 > 0 for i in range(200)])  # 5% wrong of 200: well under 25%, whenever one looks
    sign = vital.risk(service, BOSS)
    assert (sign.state, sign.says) == ("well", "Yes")
    assert "5.0% wrong" in sign.rests
    assert "n = 200" in sign.rests
    held.now([("UPDATE audit SET score = 0 WHERE labelled % 2 = 0", ())])
    assert (vital.risk(service, BOSS).state, vital.headline(vital.signs(service, BOSS).all)[:4]) == ("alarm", "It i")
    held.now([("UPDATE requests SET data=?", ('{"risk":0.5}',))])  # given under another promise
    assert vital.risk(service, BOSS).state == "unknown"
    assert vital.risk(served(tmp_path, held, risk=None), BOSS).says == "Nothing is promised"


def test_health_knows_failures_from_clients_that_hang_up(tmp_path: Path) -> None:
    held = store(tmp_path)
    service = served(tmp_path, held)
    for i in range(9):
        request(held, f"h{i}", at=time.time(), state="cancelled", outcome=None)
    assert vital.health(service, BOSS).state == "well"
    for i in range(3):
        request(held, f"f{i}", at=time.time(), state="failed" if i else "interrupted", outcome=None)
    assert (vital.health(service, BOSS).state, vital.health(service, BOSS).says) == ("warned", "Requests are failing")
    service.upstreams.replicas["up"][0].ill("the upstream answers 500")
    sign = vital.health(service, BOSS)
    assert (sign.state, sign.says) == ("alarm", "No upstream answers")
    assert sign.rests == "the upstream answers 500; 3 of 12 failed in 15 minutes"
    assert vital.health(service, ALICE).rests == "3 of 12 failed in 15 minutes"  # whom an upstream's address does not concern


@pytest.mark.parametrize(
    ("value", "text"), [(0.74, "74%"), (0.999, ">99%"), (1.0, "100%"), (0.0, "0%"), (0.001, "<1%"), (0.994, "99%")]
)
def test_what_is_no_certainty_does_not_read_as_one(value: float, text: str) -> None:
    assert said.sureness(value) == text


def test_amounts_are_short_and_right() -> None:
    assert [said.short(v) for v in (0, 812, 12_400, 80_000, 3_100_000, -2_500)] == ["0", "812", "12.4k", "80k", "3.1M", "−2.5k"]
    assert [said.money(v) for v in (0, 12.4, 0.0031, 0.000012)] == ["–", "$12.40", "$0.0031", "$0.000012"]
    assert [said.seconds(v) for v in (None, 0.0241, 1.316, 12.34, 125)] == ["–", "24 ms", "1.32 s", "12.3 s", "2 min 5 s"]
    assert [said.points(v) for v in (0.021, -0.004, 0.0)] == ["+2.1", "−0.4", "0"]
    assert said.ago(time.time() - 7300) == "2 h ago"
    assert said.clipped("x" * 12, 10) == "x" * 10 + "…\n(2 more characters, in the JSON)"
    assert str(said.worded("<b> needs `nosce & co`, not `this")) == "&lt;b&gt; needs <code>nosce &amp; co</code>, not this"


def test_axes_have_round_ticks_that_hold_everything() -> None:
    for most in (1, 3, 39, 162, 77_800, 1_234_567):
        axis = amounts("x", most, said.short)
        assert axis.high >= most
        assert axis.high < 2.6 * most + 4
        assert all(math.isclose(tick, round(tick)) for tick in axis.ticks)


def test_a_plot_puts_marks_where_they_belong_and_text_out_of_harm() -> None:
    plot = Plot(shares("x"), shares("y", 0.5), "a & b").dots([(0.25, 0.125, 4, '<b>"')], "full")
    drawn = str(plot.svg())
    assert 'cx="25.000%" cy="75.000%"' in drawn
    assert "&lt;b&gt;&quot;" in drawn
    assert 'aria-label="a &amp; b"' in drawn
    assert "style=" not in drawn


def test_report_and_dashboard_share_their_colours() -> None:
    report = files("nosce.report").joinpath("templates/style.css").read_text()
    light, dark = (dict(re.findall(r"--(\w+): (#\w+)", part)) for part in report.split("@media", 2)[:2])
    style = files("nosce.serve.dashboard").joinpath("static/style.css").read_text()
    ours = re.findall(r"--(\w+): light-dark\((#\w+), (#\w+)\)", style)
    assert {name: (day, night) for name, day, night in ours if name in light} == {name: (light[name], dark[name]) for name in light}
