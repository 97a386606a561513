"""What the signals are worth, as rows of text and as one sentence, for the terminal and the page alike."""

from __future__ import annotations

from dataclasses import dataclass

from nosce.evidence.signals.measures import SignalRow
from nosce.evidence.signals.monitoring import Monitoring
from nosce.metrics import Estimate
from nosce.report.text import count, reach, share_of

HEADS = (
    "signal", "from", "AUROC2", "within family × level", "over the question", "PRR", "AURC", "E-AURC", "ECE", "Brier", "tokens",
)  # fmt: skip
NARROW = (0, 2, 3, 8, 10)
"""The columns that a narrow terminal shows."""
NOTE = (
    "Intervals are 95%, over questions. Within family × level counts only pairs of alike questions; over the question is that "
    "AUROC2 less the question-only predictor's, which never sees the attempt. ECE and Brier are of the raw confidence. Tokens: "
    "the answer and this signal alone, a question."
)


@dataclass(frozen=True)
class Line:
    """One signal: its cells in the order of HEADS, and whether it is the chosen one, or stands apart from the signals."""

    cells: tuple[str, ...]
    chosen: bool = False
    apart: bool = False


def signal_lines(found: Monitoring) -> list[Line]:
    """The signals, best AUROC2 first, then the ensembles and the question-only predictor."""
    lines = [Line(_cells(row), row.name == found.chosen) for row in found.rows]
    lines += [Line(_cells(row), apart=True) for row in (found.ensemble, found.lean) if row]
    return [*lines, Line(_cells(found.question), apart=True)]


def _cells(row: SignalRow) -> tuple[str, ...]:
    name = row.name if row.id in ("", row.name) or not row.id.startswith("S") else f"{row.name} ({row.id})"
    part = "" if row.n == row.of else f" on {row.n / row.of:.0%}"
    beside = row.versus_within if row.versus_within is not None else row.versus
    source = "–" if row.source == "none" else row.source
    bare = (_bare(e) for e in (row.prr, row.aurc, row.e_aurc, row.ece, row.brier))
    return (name + part, source, share_of(row.auroc2), share_of(row.within), _signed(beside), *bare, count(row.tokens))


def _bare(estimate: Estimate | None) -> str:
    return "–" if estimate is None else f"{estimate.value:.3f}"


def _signed(estimate: Estimate | None) -> str:
    return "–" if estimate is None else f"{estimate.value:+.3f} ± {reach(estimate):.3f}"


def sentence(found: Monitoring) -> str:
    """Which signal to use, and why, in one sentence."""
    row = found.row(found.chosen)
    said = f"Use {row.name}: chosen on {count(found.chosen_on)} questions, its AUROC2 is {share_of(row.auroc2)} on "
    said += f"{count(found.reported_on)} others at {count(row.tokens)} tokens a question"
    beside = row.versus_within if row.versus_within is not None else row.versus
    among = " among questions of the same family and level" if row.versus_within is not None else ""
    if beside is not None and beside.interval[0] > 0:
        said += f", {_signed(beside)} above what the question alone tells{among}"
    elif beside is not None:
        said += f", but it is not shown to know more than the question alone tells{among} ({_signed(beside)})"
    if found.cheaper:
        said += f"; {found.cheaper}, at {count(found.row(found.cheaper).tokens)} tokens, was not shown to be worse"
    return said + "."


def ensemble_sentence(found: Monitoring) -> str:
    """What all signals together add, and which weigh most; empty where there is no ensemble."""
    if found.ensemble is None or found.gain is None:
        return ""
    heavy = ", ".join(f"{name} {weight:+.2f}" for name, weight in list(found.weights.items())[:5])
    shown = "more" if found.gain.interval[0] > 0 else "less" if found.gain.interval[1] < 0 else "no difference shown"
    lean = ""
    if found.lean:
        lean = f" Those that cost nothing beyond the samples: {share_of(found.lean.auroc2)} at {count(found.lean.tokens)} tokens."
    return (
        f"All {len(found.weights)} signals together: AUROC2 {share_of(found.ensemble.auroc2)}, {_signed(found.gain)} against "
        f"{found.chosen} ({shown}) at {count(found.ensemble.tokens)} tokens.{lean} Heaviest: {heavy}."
    )


def few(found: Monitoring) -> list[str]:
    """A warning where the choice stands on few questions."""
    if found.chosen_on >= 100:
        return []
    return [f"{found.chosen_on} questions are few to choose among {len(found.rows)} signals; more, or --calibrate, make it surer."]


def left_out(found: Monitoring) -> list[str]:
    """Why signals are missing, one line a reason."""
    by_reason: dict[str, list[str]] = {}
    for name, why in found.refused.items():
        by_reason.setdefault(why, []).append(name)
    return [f"Left out: {', '.join(names)}: {why}" for why, names in by_reason.items()]
