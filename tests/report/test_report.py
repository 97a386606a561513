"""What the report says, against runs whose answers are known beforehand."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from tests.report.synthetic import synthetic_run

from nosce.core.cost import Cost
from nosce.core.trace import Trace
from nosce.evidence.rows import Row, summarise
from nosce.report import charts, html, story
from nosce.report.examples import instructive
from nosce.report.measured_rows import grid, sure
from nosce.report.text import duration, laid_out, shown
from nosce.report.trace_tree import tree, votes
from nosce.report.voting_curve import voting_curve

HOSTILE = '</pre></style><script>document.title="owned"</script><img src=x onerror=alert(1)> {{ 7*7 }} {% raw %} &lt;'


def row(name: str, answer: str | None, confidence: float | None, correct: float | None, **other: object) -> Row:
    outcome = "answered" if answer is not None else "abstained"
    return Row(name, f"question {name}", answer, confidence, "samples", outcome, correct=correct, reference="1", **other)  # type: ignore[arg-type]


def test_the_instructive_answers_are_those_where_confidence_and_truth_part() -> None:
    rows = [
        row("sure-wrong", "2", 0.95, 0.0), row("less-sure-wrong", "2", 0.7, 0.0), row("unsure-right", "1", 0.2, 1.0),
        row("sure-right", "1", 0.99, 1.0), row("silent-right", None, 0.4, 1.0, withheld="1"),
        row("silent-wrong", None, 0.3, 0.0, withheld="2"), row("nothing", None, None, 0.0),
    ]  # fmt: skip
    found = {group.title: [r.id for r in group.rows] for group in instructive(rows, most=1)}
    assert found == {
        "Sure, and wrong": ["sure-wrong"],
        "Unsure, and right": ["unsure-right"],
        "Silent, though it was right": ["silent-right"],
        "Silent, and well so": ["silent-wrong"],
        "Silent for its own reasons": ["nothing"],
        "Sure, and right": ["sure-right"],
    }


def test_the_instructive_answers_come_from_different_families_first() -> None:
    rows = [row(f"{f}{i}", "2", 0.9 - 0.1 * j - 0.01 * i, 0.0, family=f) for j, f in enumerate("abc") for i in range(3)]
    group = next(g for g in instructive(rows, most=3) if g.title == "Sure, and wrong")
    assert [r.id for r in group.rows] == ["a0", "b0", "c0"]


def test_a_grid_counts_silence_as_not_right() -> None:
    rows = [
        row("a", "1", 0.9, 1.0, family="f", level=1, cost=Cost(1, 2, 1)),
        row("b", None, 0.3, 1.0, withheld="1", family="f", level=1),
        row("c", "2", 0.9, 0.0, family="f", level=2), row("d", "1", 0.9, 1.0, family="g"),
    ]  # fmt: skip
    found = grid(rows)
    assert (found.families, found.levels) == (["f", "g"], [1, 2, None])
    assert found.cells["f", 1].accuracy == 0.5
    assert found.cells["f", 1].tokens == 3
    assert found.totals["f"].accuracy == pytest.approx(1 / 3)
    assert ("g", 1) not in found.cells


def test_the_voting_curve_replays_the_votes_of_the_run_itself() -> None:
    run = synthetic_run(60, risk=None)
    curve = voting_curve(run.rows, {p.id: p for p in run.plan.problems}, run.traces)
    assert [point.k for point in curve] == [1, 2, 3, 4, 6, 8]
    assert run.summary.accuracy is not None
    assert curve[-1].accuracy == pytest.approx(run.summary.accuracy.value)
    assert curve[-1].tokens == pytest.approx(run.summary.cost.tokens / 60)
    first = [next(iter(run.traces[r.trace_id].of("sampled"))).data["answer"] == "73" for r in run.rows]
    assert curve[0].accuracy == pytest.approx(np.mean(first))


def test_there_is_no_voting_curve_where_the_run_stopped_early_by_choice() -> None:
    run = synthetic_run(60, risk=None)
    del run.traces[run.rows[0].trace_id].events[1]
    assert voting_curve(run.rows, {p.id: p for p in run.plan.problems}, run.traces) == []


def test_the_consistency_band_holds_95_percent_of_calibrated_models() -> None:
    random = np.random.default_rng(1)
    inside = []
    for _ in range(60):
        stated = random.choice([0.1, 0.3, 0.5, 0.7, 0.9], 400)
        rows = [row(str(i), "1", float(c), float(random.random() < c)) for i, c in enumerate(stated)]
        found = sure(rows)
        table = charts._bins(found.stated, found, 10)
        band = charts._consistency(found, 10, seed=0)
        inside += [b["low"] <= a <= b["high"] for a, b in zip(table.accuracy, band, strict=True)]
    assert 0.92 <= np.mean(inside) <= 0.99


def test_the_promise_is_told_in_plain_words_with_its_numbers() -> None:
    run = synthetic_run()
    assert run.promise is not None
    made = run.promise.threshold
    assert made is not None
    said = story.promise(run)
    assert "at most 20% of the answered are wrong, with probability 95%" in said
    assert f"{made.n_answered} were sure enough to be answered, and {made.n_wrong} of those were wrong" in said


def test_where_nothing_can_be_promised_it_says_so() -> None:
    run = synthetic_run(60, risk=0.001)
    assert run.summary.answered == 0
    assert story.promise(run).startswith("Nothing is promised, and so nothing is answered: ")


def test_self_knowledge_counts_what_was_withheld() -> None:
    run = synthetic_run()
    everything = [(r.stated, r.correct) for r in run.rows]
    right = [c for c, y in everything if y == 1]
    wrong = [c for c, y in everything if y == 0]
    auroc = np.mean([(a > b) + 0.5 * (a == b) for a in right for b in wrong])  # type: ignore[operator]
    shown_value = next(value for value, name, _ in story.figures(run) if name == "AUROC2")
    assert shown_value.startswith(f"{auroc:.3f}")


def test_control_characters_become_visible_and_directions_are_removed() -> None:
    assert shown("a\x1b[31mb\x07\n\t‮c\ud800") == "a␛[31mb␇\n\t\ufffdc?"
    assert laid_out("<s1> 1+1=2 <s2> 2+2=4 <ans> 4") == "<s1> 1+1=2\n<s2> 2+2=4\n<ans> 4"
    assert [duration(s) for s in (0.234, 59.4, 75, 7260)] == ["0.2 s", "59 s", "1 min 15 s", "2 h 1 min"]


def test_the_tree_keeps_what_grew_from_what() -> None:
    trace = Trace("t", "p")
    first = trace.add("sampled", {"act": "think", "sample": {"text": "3", "completion_tokens": 1}, "answer": "3"})
    trace.add("used", {"tool": "calculator", "argument": "1+1", "result": "2"}, first)
    second = trace.add("sampled", {"act": "extend", "sample": {"text": "2"}, "answer": "2"}, first)
    trace.add("measured", {"name": "p_true", "value": 0.25, "source": "logprobs", "direction": "confidence"}, second)
    trace.add("answered", {"outcome": "abstained", "value": None, "confidence": None, "reason": "unsure"})
    think, ended = tree(trace)
    assert [node.head for node in think.children] == ["calculator(1+1) = 2", "extend → 2"]
    assert think.children[1].children[0].head == "p_true = 0.250"
    assert (ended.head, ended.notes) == ("abstained", ("unsure",))
    assert votes(trace) == [("2", 1)]


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.attributes += attrs


def test_the_page_needs_nothing_from_outside_and_runs_nothing(tmp_path: Path) -> None:
    page = html.write(synthetic_run(), tmp_path / "report.html").read_text()
    tags = Tags()
    tags.feed(page)
    assert tags.seen.count("svg") >= 5
    assert not {"script", "iframe", "object", "embed", "form", "img"} & set(tags.seen)
    outside = [(k, v) for k, v in tags.attributes if k in ("src", "href", "xlink:href") and v != "data:,"]
    assert outside == []
    assert not [k for k, _ in tags.attributes if k.startswith("on") or k == "style"]
    assert "default-src 'none'" in page
    assert "url(" not in page


def test_hostile_text_stays_text(tmp_path: Path) -> None:
    run = synthetic_run(60, risk=None)
    rows = [replace(r, question=HOSTILE, answer=HOSTILE, reference=HOSTILE, family=HOSTILE, reason=HOSTILE) for r in run.rows]
    for trace in run.traces.values():
        trace.events[0].data["sample"]["text"] = HOSTILE
        trace.events[0].data["asked"] = HOSTILE
        trace.events[0].data["answer"] = HOSTILE
    hostile = replace(run, rows=rows, summary=summarise(rows), plan=replace(run.plan, data=HOSTILE))
    page = html.write(hostile, tmp_path / "report.html").read_text()
    tags = Tags()
    tags.feed(page)
    assert not {"script", "img"} & set(tags.seen)
    assert page.count("</style>") == 1
    assert "{{ 7*7 }}" in page
    assert "&lt;script&gt;" in page


def test_the_style_is_the_one_that_the_policy_allows(tmp_path: Path) -> None:
    import base64
    import hashlib

    page = html.write(synthetic_run(60), tmp_path / "report.html").read_text()
    style = re.search(r"<style>(.*?)</style>", page, re.S)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in page


@pytest.mark.parametrize("n", [1, 5, 30])
@pytest.mark.parametrize("graded", [True, False])
def test_small_and_ungraded_runs_have_a_report_too(tmp_path: Path, n: int, graded: bool) -> None:
    run = synthetic_run(n, graded=graded, risk=None)
    page = html.write(run, tmp_path / "report.html").read_text()
    assert f"{n} of {n} questions answered" in page
    assert ("of the answers are right" in page) == graded


def test_a_run_without_any_answer_has_a_report(tmp_path: Path) -> None:
    run = synthetic_run(30, risk=None)
    rows = [replace(r, answer=None, confidence=None, outcome="failed", reason="the server is gone") for r in run.rows]
    page = html.write(replace(run, rows=rows, summary=summarise(rows)), tmp_path / "report.html").read_text()
    assert "0 of 30 questions answered." in page
    assert "the server is gone" in page


def test_charts_are_written_as_png_and_svg(tmp_path: Path) -> None:
    drawn = html.run_charts(synthetic_run(120))
    assert set(drawn) == set(html.CAPTIONS)
    paths = charts.save(drawn, tmp_path / "charts")
    assert len(paths) == 10
    assert all(p.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n" for p in paths if p.suffix == ".png")
    assert all(p.read_text().startswith("<svg") for p in paths if p.suffix == ".svg")
