"""Rows with a confidence and a grade, as they come from anywhere: tables, Parquet, lm-eval samples, Inspect logs, our own runs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nosce.core.errors import CapabilityError, InputError
from nosce.tasks._rows import Row, read_rows


@dataclass(frozen=True)
class ScoredFile:
    """A file's rows, the `form` it was recognised as, and which column holds which field unless the caller says otherwise."""

    source: Path
    form: str
    rows: list[Row]
    columns: Mapping[str, str]


def open_scored(source: Path) -> ScoredFile:
    """Reads a file of any known form. Raises InputError for what cannot be read, CapabilityError where a library is missing."""
    if source.is_dir():
        source = source / "results.jsonl"
    suffix = source.suffix.lower()
    if suffix == ".parquet":
        return ScoredFile(source, "Parquet", _parquet(source), {})
    if suffix == ".eval" or (suffix == ".json" and _says_inspect(source)):
        return _inspect(source)
    rows = read_rows(source)
    first = rows[0].values
    if "doc_id" in first and ("filtered_resps" in first or "resps" in first):
        return _lm_eval(source, rows)
    if {"trace_id", "outcome", "confidence", "correct"} <= first.keys():
        return _own(source, rows)
    return ScoredFile(source, suffix.lstrip(".").upper() if suffix in (".csv", ".tsv") else "JSONL", rows, {})


def _own(source: Path, rows: list[Row]) -> ScoredFile:
    """Results of `nosce solve`: the calibrated confidence where there is one; what was withheld is graded too."""
    for row in rows:
        values = row.values
        values["stated"] = values["confidence"] if values.get("calibrated") is None else values["calibrated"]
        values["kept"] = values["outcome"] == "answered"
        values["tokens"] = sum((values.get("cost") or {}).get(f"{part}_tokens", 0) for part in ("prompt", "completion"))
        if values.get("answer") is None and values.get("withheld") is None:
            values["correct"] = values["stated"] = None
    return ScoredFile(source, "nosce solve", rows, {"confidence": "stated"})


def _parquet(source: Path) -> list[Row]:
    try:
        import pyarrow.parquet as parquet
    except ImportError:
        raise CapabilityError("library pyarrow", "Parquet", "pip install 'nosce[data]'") from None
    try:
        table = parquet.read_table(source)
    except FileNotFoundError:
        raise InputError(f"{source}: no such file") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{source}: not a Parquet file: {str(error).splitlines()[0]}") from None
    rows = [Row(source, number, values) for number, values in enumerate(table.to_pylist(), 1)]
    if not rows:
        raise InputError(f"{source} holds no rows")
    return rows


def _lm_eval(source: Path, rows: list[Row]) -> ScoredFile:
    """Samples of lm-eval (`--log_samples`): confidence is the greatest softmax of the options' log-likelihoods.

    That is the model's probability of its choice among the options given, and goes with `acc`, which scores the same choice.
    """
    for row in rows:
        values = row.values
        values["chosen"] = _greatest(values)
        values["question"] = _question(values.get("doc"))
    metrics = rows[0].values.get("metrics") or [name for name in ("acc", "exact_match") if name in rows[0].values]
    columns = {"confidence": "chosen", "id": "doc_id"} | ({"correct": metrics[0]} if metrics else {})
    return ScoredFile(source, "lm-eval samples", rows, columns)


def _greatest(values: Mapping[str, Any]) -> float | None:
    likely = [_log_likelihood(option) for option in values.get("filtered_resps") or values.get("resps") or ()]
    if "acc_mutual_info" in (values.get("metrics") or ()):
        likely = likely[: len(likely) // 2]  # the second half scores the options without the question
    known = [x for x in likely if x is not None]
    if len(known) < 2 or len(known) < len(likely):
        return None
    top = max(known)
    return 1 / sum(math.exp(x - top) for x in known)


def _log_likelihood(option: Any) -> float | None:
    """(log-likelihood, is greedy), perhaps wrapped in a list, perhaps as text; None for generated text."""
    while isinstance(option, list) and len(option) == 1:
        option = option[0]
    if not (isinstance(option, list) and len(option) == 2 and str(option[1]) in ("True", "False", "0.0", "1.0", "0", "1")):
        return None
    try:
        return float(option[0])
    except (TypeError, ValueError):
        return None


def _question(doc: Any) -> str | None:
    if not isinstance(doc, dict):
        return None
    return next((str(doc[name]) for name in ("question", "query", "input", "prompt", "text", "ctx") if doc.get(name)), None)


def _says_inspect(source: Path) -> bool:
    """Whether a JSON file begins like a log of Inspect."""
    try:
        with source.open(encoding="utf-8") as file:
            head = file.read(4000)
    except (OSError, UnicodeDecodeError):
        return False
    return head.lstrip().startswith("{") and '"eval"' in head and '"version"' in head


def _inspect(source: Path) -> ScoredFile:
    """A log of Inspect AI, read by its own library: a row a sample, with every scorer's value and metadata.

    Columns: `SCORER.value`, `SCORER.answer`, `SCORER.KEY` for the score's metadata, `metadata.KEY` for the sample's. C, I and P
    read 1, 0 and ½; N (no answer) is a row that is not kept.
    """
    try:
        from inspect_ai.log import read_eval_log
    except ImportError:
        raise CapabilityError("library inspect_ai", "a log of Inspect", "pip install 'nosce[inspect]'") from None
    if not source.is_file():
        raise InputError(f"{source}: no such file")
    try:
        log = read_eval_log(str(source))
    except Exception as error:  # the library raises whatever its reader meets
        raise InputError(f"{source}: not a log that Inspect can read: {str(error).splitlines()[0]}") from None
    rows = [Row(source, number, _sample(sample)) for number, sample in enumerate(log.samples or (), 1)]
    if not rows:
        raise InputError(f"{source} holds no samples (its status is {log.status!r}); score a log that was run")
    scorers = list(dict.fromkeys(name for sample in log.samples or () for name in sample.scores or ()))
    sure = next((name for name in scorers if any(row.values.get(f"{name}.confidence") is not None for row in rows)), None)
    chosen = sure or (scorers[0] if scorers else None)
    columns = {"question": "input"} | ({"correct": f"{chosen}.value", "kept": f"{chosen}.kept"} if chosen else {})
    return ScoredFile(source, "Inspect log", rows, columns | ({"confidence": f"{sure}.confidence"} if sure else {}))


def _sample(sample: Any) -> dict[str, Any]:
    values: dict[str, Any] = {"id": f"{sample.id}-{sample.epoch}" if sample.epoch > 1 else str(sample.id)}
    values["input"] = sample.input if isinstance(sample.input, str) else sample.input[-1].text
    values |= {f"metadata.{key}": value for key, value in (sample.metadata or {}).items()}
    for name, score in (sample.scores or {}).items():
        values |= {f"{name}.{key}": value for key, value in (score.metadata or {}).items()}
        marks = {"C": 1.0, "I": 0.0, "P": 0.5, "N": None}
        known = isinstance(score.value, str) and score.value in marks
        graded = (score.metadata or {}).get("graded")
        values[f"{name}.value"] = (marks[score.value] if score.value != "N" else graded) if known else score.value
        values[f"{name}.answer"], values[f"{name}.kept"] = score.answer, score.value != "N"
    return values


def numeric(rows: Sequence[Row], most: int = 200) -> list[str]:
    """The columns whose first values are all numbers in [0, 1], not all whole: what could be a confidence."""
    names: Iterable[str] = dict.fromkeys(name for row in rows[:most] for name in row.values)
    return [name for name in names if _looks_like_shares([row.values.get(name) for row in rows[:most]])]


def _looks_like_shares(values: Sequence[Any]) -> bool:
    known = [value for value in values if value is not None and value != ""]
    try:
        numbers = [float(value) for value in known]
        return any(number % 1 for number in numbers) and all(0 <= number <= 1 for number in numbers)
    except (TypeError, ValueError):
        return False
