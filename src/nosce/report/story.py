"""A run in plain words: what was asked, what came of it, what was promised and whether it held."""

from __future__ import annotations

from nosce.control.joint_risk import JointThreshold
from nosce.control.risk import RiskThreshold
from nosce.core.cost import Cost
from nosce.evidence.rows import Summary
from nosce.evidence.run import Run
from nosce.report.measured_rows import self_knowledge
from nosce.report.text import count, duration, percent, percent_of, price, share_of


def models(run: Run) -> str:
    """`socrates`, or every role with its model."""
    roster = run.plan.roster
    if len(roster) == 1:
        return roster["main"].spec
    return ", ".join(f"{role}: {model.spec}" for role, model in sorted(roster.items()))


def headline(summary: Summary) -> str:
    """What came of it, in one sentence."""
    said = f"{count(summary.answered)} of {count(summary.n)} questions answered"
    if summary.accuracy_answered is None or not summary.answered:
        return f"{said}."
    return f"{said}; {percent(summary.accuracy_answered.value)} of the answers are right."


def promise(run: Run) -> str:
    """The promise in plain words, or why there is none."""
    threshold = run.promise.threshold if run.promise else None
    if threshold is None:
        fitted = " The confidences are calibrated on labelled questions." if run.promise else ""
        return f"No risk was asked for, so whatever had an answer was answered.{fitted}"
    if isinstance(threshold, JointThreshold):
        return f"{threshold.reason[0].upper()}{threshold.reason[1:]}."
    return _kept(threshold, run.summary) if threshold.promised else _none(threshold)


def _kept(made: RiskThreshold, summary: Summary) -> str:
    said = (
        f"Promised: at most {percent(made.alpha, 0)} of the answered are wrong, with probability {percent(1 - made.delta, 0)} over "
        f"the draw of the calibration questions, as long as new questions come from where those came from. Of "
        f"{count(made.n_labels)} labelled questions kept for this test, {count(made.n_answered)} were sure enough to be answered, "
        f"and {count(made.n_wrong)} of those were wrong."
    )
    if summary.accuracy_answered is None:
        return said
    return f"{said} Here {percent(1 - summary.accuracy_answered.value)} of the answered are wrong."


def _none(made: RiskThreshold) -> str:
    more = (
        f" About {count(made.labels_useful)} labelled questions would do at the risk seen."
        if made.labels_useful and made.labels_useful > made.n_labels
        else ""
    )
    reason = made.reason.removeprefix("nothing promised: ")
    return f"Nothing is promised, and so nothing is answered: {reason}.{more}"


def figures(run: Run) -> list[tuple[str, str, str]]:
    """The few numbers to see first: (value, what it is, how to read it)."""
    s, mean = run.summary, run.summary.cost.tokens / max(run.summary.n, 1)
    knows, gap = self_knowledge(run.rows)
    shown = [(percent(s.coverage), "answered", f"{count(s.abstained)} withheld, {count(s.failed)} failed")]
    if s.accuracy_answered:
        shown.append((percent_of(s.accuracy_answered), "right, of the answered", "95% interval"))
    if s.accuracy:
        shown.append((percent_of(s.accuracy), "right, of all", "silence counts as not right"))
    if knows:
        shown.append((share_of(knows), "AUROC2", "0.5 knows nothing of its mistakes, 1 knows all"))
    if gap:
        shown.append((share_of(gap), "calibration error", "mean gap of confidence and truth; 0 is best"))
    shown.append((count(mean), "tokens a question", f"in {s.cost.calls / max(s.n, 1):.3g} calls on average"))
    return shown


def costs(run: Run) -> list[tuple[str, str]]:
    """What each part of the run cost, the whole first."""
    calibration = sum((row.cost for row in run.calibration), Cost())
    parts = [("answering", run.summary.cost), ("calibrating", calibration), ("preparing", run.prepared)]
    spent = [(name, cost) for name, cost in parts if cost.tokens]
    whole = sum((cost for _, cost in spent), Cost())
    rows = [("in all", price(whole))] if len(spent) != 1 else []
    return [*rows, *((name, price(cost)) for name, cost in spent)]


def made_from(run: Run) -> list[tuple[str, str]]:
    """How the run can be made again."""
    from importlib.metadata import version

    plan = run.plan
    budget = ", ".join(f"{k}={v}" for k, v in _given(plan.budget).items()) or "unlimited"
    rows = [
        ("data", f"{plan.data} ({count(len(plan.problems))} questions)"),
        ("model", models(run)),
        ("weights", ", ".join(sorted({m.version for m in plan.roster.values()}))),
        ("strategy", f"{plan.system.slug}: {plan.system.summary}"),
        ("options", ", ".join(f"{k}={v}" for k, v in sorted(plan.options.items())) or "defaults"),
        ("budget a question", budget),
        ("seed", str(plan.seed)),
    ]
    if plan.calibration:
        rows.append(("labelled questions", count(len(plan.calibration))))
    if run.in_flight:
        rows.append(("in flight when resumed", f"{run.in_flight} calls, which may have been paid twice"))
    return [*rows, ("time", duration(run.summary.seconds)), ("nosce", version("nosce"))]


def _given(budget: object) -> dict[str, object]:
    from nosce.core.codec import encode

    return {name: value for name, value in encode(budget).items() if value is not None}
