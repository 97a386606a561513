"""The page of all training claims, from the shipped ledger alone: `python -m nosce.report.training_page docs`.

It writes `training.md` and `images/training.svg`. Needs the extra `nosce[report]`.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nosce.core.registry import System, registry
from nosce.evidence.ledger import latest
from nosce.report.charts import svg
from nosce.report.learning_curves import learning_curves

Record = Mapping[str, Any]

HEAD = """# Training, re-tested

Every registered recipe that makes a claim, trained on the bundled model and read off the shipped ledger. `nosce prove ID`
runs one again; `make evidence` runs all that have no record yet, and goes on where it was stopped.

Both sides of a claim start from the same weights and learn from the same problems with the same rollout tokens; what differs
is the recipe. They start from `socrates-weak`, a checkpoint that was stopped early on purpose, or from `socrates` where the
recipe needs an act that only this one was taught. SFT, which draws nothing, imitates as many gold solutions as GRPO draws
thoughts. Runs are short, at most {steps} updates or {tokens:,} rollout tokens unless a claim says otherwise. The interval is
a 95% t interval over training seeds. An effect is seen when all of the interval lies beyond the margin of the claim, not seen
when none of it does, else unclear. `tokens_to_reach` times both sides to the accuracy on development problems at which the
baseline ends, each to the first crossing of its own curve; a curve that never gets there counts with twice all its tokens.
This shows whether our code does what the paper describes and whether the effect appears in a model of a million parameters;
not whether the paper is right.
"""

CURVES = """## Learning curves

[![Accuracy on development problems against rollout tokens, one panel a recipe](images/training.svg)](images/training.svg)

Accuracy on development problems against rollout tokens. In colour the recipe, its band from the lowest to the highest seed;
grey, GRPO on the same problems; dashed, SFT, drawn at the share of its steps. Where no side draws
rollouts, against steps. Axes differ between panels: recipes start from
different weights.
"""

NUMBERS = """## After training

On test problems, means over seeds, before → after. Against the baseline: points of accuracy more than the claim's baseline has,
whatever the claim is about, where its record holds them. Tokens are those of one answer. ECE (lower is better) and AUROC2 (0.5
is chance) are those of the confidence that comes with an answer: stated where the recipe trains the model to state one, else the
mean probability of its own tokens. Held out: accuracy on the bundled families that no problem was learned from, in brackets
that of GRPO.
"""


COLUMNS = {"accuracy": ".1%", "tokens": ".1f", "ece": ".3f", "auroc2": ".3f"}


def proved(records: Mapping[str, Record]) -> list[tuple[System, Record]]:
    """Recipes with a record of their claim, in the order of the registry."""
    pairs = [(system, records.get(f"{system.id}/{system.part}")) for system in registry if system.kind == "recipe"]
    return [(system, record) for system, record in pairs if record is not None]


def page(records: Mapping[str, Record]) -> str:
    """The whole page as Markdown."""
    from nosce.evidence.training_run import STEPS, TOKENS

    found = proved(records)
    head, rest = HEAD.format(steps=STEPS, tokens=TOKENS), _rest({system.name for system, _ in found})
    curves = [CURVES] if any("curves" in record["details"] for _, record in found) else []
    return "\n".join([head, _claims(found), *_sweeps(found), *curves, NUMBERS, _numbers(found), rest])


def _claims(found: list[tuple[System, Record]]) -> str:
    counts = Counter(record["outcome"] for _, record in found)
    said = ", ".join(f"{counts[verdict]} {verdict}" for verdict in ("effect seen", "not seen", "unclear"))
    lines = ["## What was claimed, what was seen", "", f"{len(found)} claims: {said}.", ""]
    lines += ["| recipe | claim | verdict | effect (95%) | seeds |", "|---|---|---|--:|--:|"]
    for system, record in found:
        effect = f"{record['effect']:+.3f} [{record['interval'][0]:+.3f}, {record['interval'][1]:+.3f}]"
        margin = f", margin {record['claim']['margin']:g}" if record["claim"]["margin"] else ""
        seen = f"**{record['outcome']}**" if record["outcome"] == "effect seen" else record["outcome"]
        claim = f"{record['claim']['statement']} <br>*{record['endpoint']} against {record['claim']['baseline']}{margin}*"
        lines.append(f"| {_name(system)} | {claim} | {seen} | {effect} | {len(record['seeds'])} |")
    return "\n".join([*lines, ""])


def _sweeps(found: list[tuple[System, Record]]) -> list[str]:
    """Claims about every value of a parameter, one table each."""
    tables = []
    for system, record in found:
        if rows := record["details"].get("sweep"):
            name = next(iter(record["claim"]["options"]["sweep"]))
            lines = [f"### {system.name} at every {name}", "", f"| {name} | {system.name} | best rival | effect (95%) |"]
            lines.append("|--:|--:|--:|--:|")
            lines += [
                f"| {row[name]:g} | {row['value']:.3f} | {row['reference']:.3f} | "
                f"{row['effect']:+.3f} [{row['interval'][0]:+.3f}, {row['interval'][1]:+.3f}] |"
                for row in rows
            ]
            tables.append("\n".join([*lines, ""]))
    return tables


def _name(system: System) -> str:
    return f"[{system.name}](systems/{system.family}.md)" + (f"<br>{system.id}" if system.id != system.slug else "")


def _numbers(found: list[tuple[System, Record]]) -> str:
    lines = ["| recipe | accuracy | against the baseline | tokens | ECE | AUROC2 | held out |", "|---|--:|--:|--:|--:|--:|--:|"]
    for system, record in found:
        before, after = record["details"]["before"], record["details"]["after"]
        cells = [_change(before, after, name, form) for name, form in COLUMNS.items()]
        cells.insert(1, _apart(record))
        lines.append(f"| {system.name} | {' | '.join(cells)} | {_held_out(system, record)} |")
    return "\n".join([*lines, ""])


def _change(before: Mapping[str, float], after: Mapping[str, float], name: str, form: str) -> str:
    a, b = (format(side[name], form) if side.get(name) is not None else "–" for side in (before, after))
    return "–" if a == b == "–" else f"{a} → {b}"


def _apart(record: Record) -> str:
    """Accuracy less the baseline's, in points with its interval."""
    found = record["details"].get("differences", {}).get("accuracy")
    if found is None:
        return "–"
    value, low, high = (100 * number for number in found)
    return f"{value:+.1f} [{low:+.1f}, {high:+.1f}]"


def _held_out(system: System, record: Record) -> str:
    seen = record["details"].get("held_out")
    if seen is None:
        return "–"
    grpo = of_grpo(system, record, seen)
    after = f"{seen['before']:.1%} → {_mean(seen['ours']):.1%}"
    return f"{after} ({_mean(grpo):.1%})" if grpo and grpo is not seen["ours"] else after


def of_grpo(system: System, record: Record, sides: Mapping[str, Any]) -> Any:
    """Of values kept by side of a claim, those of GRPO, whichever side it was on; None where it was on none."""
    if system.slug == "grpo":
        return sides["ours"]
    return sides["baseline"] if record["claim"]["baseline"] == "grpo" else sides.get("grpo")


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)


def _rest(shown: set[str]) -> str:
    left = [s.name for s in registry if s.kind == "recipe" and s.name not in shown]
    return f"Registered too, without a record of a claim: {', '.join(left)}.\n" if left else ""


def write(folder: Path, ledger: Path | None = None) -> list[Path]:
    """Write the page and its picture; returns the files."""
    records = latest(ledger or folder / "no-records-of-ones-own")
    curves = [(s, r, of_grpo(s, r, r["details"]["curves"])) for s, r in proved(records) if "curves" in r["details"]]
    files = {folder / "training.md": page(records)}
    if curves:
        files[folder / "images" / "training.svg"] = svg(learning_curves([_panel(*one) for one in curves]))
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return list(files)


def _panel(system: System, record: Record, grpo: Any) -> dict[str, Any]:
    kept = record["details"]["curves"]
    sft = kept["baseline"] if record["claim"]["baseline"] == "sft" else kept.get("sft")
    return {"name": system.name, "verdict": record["outcome"], "ours": kept["ours"], "grpo": None if grpo is kept["ours"] else grpo,
            "sft": None if system.slug == "sft" else sft}  # fmt: skip


if __name__ == "__main__":
    for written in write(Path(sys.argv[1])):
        print(written)
