"""Print every figure of the model card: `python -m training.figures [FOLDER] [--per-cell 20] [--split dev] [--json]`.

While choosing between checkpoints measure on `dev` or `cal`; the card itself is read off `test`, once, at the end.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from nosce.evidence.organism.figures import measure
from nosce.evidence.organism.speaker import Speaker
from nosce.models.socrates import weights
from nosce.tasks.families import FAMILIES
from training.card import MUST, values


def table(found: dict[str, float]) -> str:
    """The figures by family and level, then the rest."""
    lines = []
    for what in ("one", "vote", "any", "direct"):
        for name in FAMILIES:
            lines.append(f"{what:7s}{name:11s}" + " ".join(f"{found[f'{what}/{name}/{level}']:.2f}" for level in range(1, 7)))
    judged = zip(MUST, values(found), strict=True)
    must = [f"{'reached' if ok else 'MISSED':8s}{what}: {text}" for (what, _), (_, ok, text) in judged]
    return "\n".join(lines + must + [f"{key:28s}{value:.3f}" for key, value in found.items() if "/" not in key])


def main() -> None:
    """The command."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("folder", type=Path, nargs="?", default=weights())
    words.add_argument("--per-cell", type=int, default=20)
    words.add_argument("--draws", type=int, default=16)
    words.add_argument("--split", choices=("test", "dev", "cal"), default="test")
    words.add_argument("--seed", type=int, default=5, help="which problems of the split")
    words.add_argument("--temperature", type=float, default=0.7, help="of the thoughts")
    words.add_argument("--json", action="store_true")
    found = words.parse_args()
    which = {"want": found.split, "seed": found.seed, "temperature": found.temperature}
    figures = measure(Speaker(found.folder), found.per_cell, found.draws, **which)
    print(json.dumps({key: round(value, 4) for key, value in figures.items()}, indent=1) if found.json else table(figures))


if __name__ == "__main__":
    main()
