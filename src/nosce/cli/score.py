"""`nosce score`: every measure of self-knowledge, on records that came from anywhere."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nosce.cli import flags
from nosce.cli.flags import examples

if TYPE_CHECKING:
    from nosce.metrics.scorecard import Scorecard
    from nosce.metrics.validity import ValidityScreen
    from nosce.tasks.scored import Scored

EXAMPLES = examples(
    "nosce score runs/first",
    "nosce score results.csv --column confidence=p --column correct=is_right --out score.html",
    "nosce score samples_mmlu_2026-01-01.jsonl --json",
    "nosce score logs/2026-01-01_task.eval --column confidence=match.certainty",
    "nosce score answers.parquet --scale 100 --by family",
    "nosce score --list",
)


def score(
    data: Annotated[
        Path | None,
        typer.Argument(
            help="CSV, TSV, JSONL, Parquet, lm-eval samples, an Inspect log, a run's folder.", metavar="FILE", show_default=False
        ),
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option("--column", metavar="FIELD=NAME", help="Which column holds a field, e.g. confidence=p. May be repeated."),
    ] = None,
    scale: Annotated[
        str | None, typer.Option("--scale", metavar="1|100|log", help="Confidence is a share, a percentage, a log-probability.")
    ] = None,
    pass_mark: Annotated[float, typer.Option("--pass-mark", metavar="GRADE", help="A grade from here on counts as right.")] = 0.5,
    where: Annotated[
        list[str] | None, typer.Option("--where", metavar="NAME=VALUE", help="Only rows whose column has this value. Repeat.")
    ] = None,
    measure: Annotated[
        list[str] | None, typer.Option("--measure", metavar="NAME", help="Only this measure. May be repeated.")
    ] = None,
    by: Annotated[str | None, typer.Option("--by", metavar="FIELD", help="A table for each family as well.")] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", metavar="FILE", help="Write a page with the charts (HTML).")] = None,
    list_: Annotated[bool, typer.Option("--list", help="Every measure and the columns it reads, and end.")] = False,
    as_json: flags.Json = False,
    config: flags.Config = None,
) -> None:
    """Measure whether a confidence knows what is right: ranking, calibration, proper scores, control, each with its interval."""
    from nosce.core.errors import InputError, unknown
    from nosce.metrics.inventory import inventory, measure_all
    from nosce.tasks.scored import read_scored

    if list_:
        _list(as_json)
        return
    if data is None:
        raise InputError("say what to score: nosce score FILE (a table, lm-eval samples, an Inspect log, a run's folder)")
    known = [m.name for m in inventory()]
    for name in measure or ():
        if name not in known:
            raise unknown("measure", name, known)
    if by not in (None, "family"):
        raise InputError(f"--by {by!r}: expected family (name its column with --column family=NAME)")
    scored = read_scored(
        data, columns=flags.pairs(column, "--column"), scale=scale, pass_mark=pass_mark, where=flags.pairs(where, "--where")
    )
    card = measure_all(scored.columns, only=tuple(measure or ()))
    screen = _screen(scored)
    groups = _groups(scored, tuple(measure or ())) if by else {}
    written = _written(scored, card, screen, out)
    _say(scored, card, screen, groups, written, as_json)


def _screen(scored: Scored) -> ValidityScreen | None:
    from nosce.core.errors import InputError
    from nosce.metrics.validity import validity_screen

    kept, correct = scored.columns.get("kept"), scored.columns["correct"]
    if kept is None or (kept == 1).all():
        return None
    rows = correct == correct  # not NaN
    try:
        return validity_screen(kept[rows], correct[rows])
    except InputError:
        return None


def _groups(scored: Scored, only: tuple[str, ...]) -> dict[str, Scorecard]:
    import numpy as np

    from nosce.metrics.inventory import measure_all

    names = np.asarray(scored.family, dtype=object)
    found = {}
    for name in sorted(set(scored.family)):
        rows = names == name
        found[name or "–"] = measure_all({field: values[rows] for field, values in scored.columns.items()}, only=only)
    return found


def _written(scored: Scored, card: Scorecard, screen: ValidityScreen | None, out: Path | None) -> Path | None:
    if out is None:
        return None
    from nosce.cli.speak import need_report
    from nosce.report.scored import write_score

    need_report("--out")
    return write_score(scored, card, screen, out)


def _say(
    scored: Scored, card: Scorecard, screen: ValidityScreen | None, groups: dict[str, Scorecard], written: Path | None,
    as_json: bool,
) -> None:  # fmt: skip
    from nosce.cli.speak import say, say_json
    from nosce.report.scored import headline, score_lines, screened

    if as_json:
        say_json({
            "source": str(scored.source), "form": scored.form, "rows": scored.n, "measured": int(scored.known.sum()),
            **_plain(card), "by_family": {name: _plain(own) for name, own in groups.items()},
            "validity": None if screen is None else {"verdict": screen.verdict, "reasons": list(screen.reasons)},
            "written": None if written is None else str(written),
        })  # fmt: skip
        return
    from nosce.report.terminal import accented, table

    theme, lines = "", []
    for line in score_lines(card):
        lines.append(("" if line.theme == theme else accented(line.theme), line.name, line.value, line.interval, line.n, line.more))
        theme = line.theme
    say(headline(scored, card), table(("", "measure", "value", "95% interval", "rows", ""), lines, left=(0, 1, 5)))
    if groups:
        say(_by_family(groups))
    lacking = {name: why for name, why in card.missing.items() if not why.startswith("needs the column")}
    say(*(f"{name} could not be measured: {why}" for name, why in lacking.items()), *filter(None, [screened(screen)]))
    say(*([str(written)] if written else []))


def _by_family(groups: dict[str, Scorecard]) -> object:
    from nosce.report.terminal import table
    from nosce.report.text import percent_of, share_of

    shown = ("auroc2", "aurc", "ece", "brier")
    rows = [
        (name, percent_of(card.measures.get("accuracy")), *(share_of(card.measures.get(measure)) for measure in shown))
        for name, card in groups.items()
    ]
    return table(("family", "right", *shown), rows)


def _plain(card: Scorecard) -> dict[str, object]:
    return {"measures": {name: found.to_dict() for name, found in card.measures.items()}, "missing": dict(card.missing)}


def _list(as_json: bool) -> None:
    from nosce.cli.speak import say, say_json
    from nosce.metrics.inventory import COLUMNS, inventory
    from nosce.report.terminal import accented, table

    if as_json:
        measures = [{"name": m.name, "theme": m.theme, "reads": list(m.reads)} for m in inventory()]
        say_json({"columns": COLUMNS, "measures": measures})
        return
    rows = [(accented(m.name), m.theme, ", ".join(m.reads)) for m in inventory()]
    say(table(("measure", "about", "reads"), rows, left=(0, 1, 2)), table(("column", "holds"), list(COLUMNS.items()), left=(0, 1)))
