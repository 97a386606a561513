"""`nosce monitor`: which signals tell this model's right answers from its wrong ones?"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nosce.cli import flags
from nosce.cli.flags import examples

if TYPE_CHECKING:
    from nosce.core.signal import Signal
    from nosce.evidence.signals.monitoring import Monitoring
    from nosce.evidence.signals.study import Study

EXAMPLES = examples(
    "nosce monitor labelled.jsonl",
    "nosce monitor labelled.jsonl --signals semantic-entropy,p-true,perplexity --samples 8",
    "nosce monitor test.jsonl --calibrate dev.jsonl --model openai:llama-3@http://127.0.0.1:8080/v1 --out monitored",
    "nosce monitor labelled.jsonl --nli models/deberta-nli --same nli --view answer",
    "nosce monitor runs/first",
)


def monitor(
    data: Annotated[
        str, typer.Argument(help="Graded questions, or the folder of a run: its attempts are measured as they are.", metavar="DATA")
    ],
    signals: Annotated[
        str, typer.Option("--signals", "-s", metavar="A,B,C", help="The signals, by slug or id; all: every registered one.")
    ] = "all",
    model: Annotated[
        str | None, typer.Option("--model", "-m", metavar="SPEC", help="The model that is watched.", show_default="socrates")
    ] = None,
    samples: Annotated[int, typer.Option("--samples", "-k", metavar="K", help="Attempts at each question.")] = 5,
    calibrate: Annotated[
        str | None,
        typer.Option("--calibrate", metavar="DATA", help="Labelled questions to fit and choose on.", show_default="a part of DATA"),
    ] = None,
    nli: Annotated[
        str | None, typer.Option("--nli", metavar="PATH", help="An NLI classifier of transformers, for signals that need one.")
    ] = None,
    same: Annotated[
        str | None,
        typer.Option("--same", metavar="WAY", help="Which attempts say the same: match, embedding or nli.", show_default="match"),
    ] = None,
    view: Annotated[
        str | None, typer.Option("--view", metavar="PART", help="What else is compared: text or answer.", show_default="text")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Seed of every draw.")] = 0,
    temperature: flags.Temperature = None,
    column: flags.Column = None,
    kind: flags.Kind = None,
    limit: flags.Limit = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="DIR", help="Keep the responses, and write signals.json, signals.jsonl, report.html."),
    ] = None,
    resume: flags.Resume = False,
    charts: flags.Charts = None,
    as_json: flags.Json = False,
    config: flags.Config = None,
) -> None:
    """Measure every signal of confidence on graded questions, beside a guess from the question alone, and say which to use."""
    from nosce.cli.kept import kept
    from nosce.cli.speak import need_report, say, say_json
    from nosce.evidence.signals.study import plan_signals
    from nosce.report.signals_table import NOTE, ensemble_sentence, few, left_out, sentence
    from nosce.report.terminal import signals_table
    from nosce.report.text import twice

    if charts:
        need_report("--charts", charts)
    study = plan_signals(
        data, signals=signals, model=model, samples=samples, calibrate=calibrate, seed=seed, temperature=temperature,
        columns=flags.pairs(column, "--column"), kind=kind, limit=limit, nli=nli, same=same, view=view,
    )  # fmt: skip
    with kept(out, "monitor", study.identity()) as folder:
        found = _carried_out(study, folder, resume)
        written = _written(found, out, charts)
        if as_json:
            say_json({**found.to_data(), "sentence": sentence(found), "written": [str(path) for path in written]})
            return
        say(signals_table(found), f"{NOTE}\n", sentence(found), *few(found), ensemble_sentence(found), "")
        say(*left_out(found), *_lost(found), *twice(found.in_flight), *(str(path) for path in written))


def _carried_out(study: Study, folder: Path, resume: bool) -> Monitoring:
    from nosce.cli.live import Live
    from nosce.evidence.signals.monitoring import monitor as measure_all

    with Live() as live:
        return asyncio.run(measure_all(study, out=folder, resume=resume, watch=live.step))


def _lost(found: Monitoring) -> list[str]:
    if not found.failed:
        return []
    first, why = next(iter(found.failed.items()))
    return [f"{len(found.failed)} questions failed and are left out (first: {first}: {why})"]


def _plain(signal: Signal) -> dict[str, Any]:
    return {"value": signal.value, "confidence": signal.confidence, "source": signal.source}


def _written(found: Monitoring, out: Path | None, charts: Path | None) -> list[Path]:
    import json

    from nosce.cli.speak import can_report, note
    from nosce.report.files import write_whole

    written = []
    if out:
        rows = [
            {"id": s.problem.id, "answer": s.answer, "right": s.right, "signals": {n: _plain(v) for n, v in s.signals.items()}}
            for s in found.seen
        ]
        written.append(write_whole(out / "signals.json", json.dumps(found.to_data(), indent=1)))
        written.append(write_whole(out / "signals.jsonl", "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)))
    if out and not can_report():
        note("No report: it needs an extra, pip install 'nosce[report]'.")
    elif out:
        from nosce.report.html import write_signals

        written.append(write_signals(found, out / "report.html"))
    if charts:
        from nosce.report.charts import save
        from nosce.report.signals_chart import signals_chart

        written += save({"signals": signals_chart(found)}, charts)
    return written
