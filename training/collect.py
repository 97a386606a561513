"""Let a checkpoint attempt train problems and write what came of it: `python -m training.collect FOLDER --items 6000 --to FILE`.

One line an item: pass rate over its thought attempts, their mean length, and a few attempts (one thought drawn blindly and
the direct one, then right and wrong ones in turn) each with the rate of the other attempts and, with `--recheck`, the
model's own written re-check up to its verdict.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from nosce.evidence.organism.speaker import Speaker, Try
from nosce.models.socrates import tokenizer as marks
from nosce.tasks.families import FAMILIES, Item
from training import acts


def own_rechecks(speaker: Speaker, tries: list[Try], temperature: float) -> list[str]:
    """The text between `<check>` and the verdict."""
    said = speaker.texts([f"{t.text()} {marks.CHECK}" for t in tries], temperature=temperature)
    return [text.partition(marks.YES)[0].partition(marks.NO)[0].strip() for text in said]


def chosen(tries: list[Try], rng: np.random.Generator, most: int) -> list[int]:
    """Indices of a few finished attempts with different answers, right and wrong in turn as far as there are both."""
    order = [int(k) for k in rng.permutation(len(tries)) if tries[int(k)].answer]
    seen: set[tuple[bool, str]] = set()
    fresh = [k for k in order if (key := (tries[k].direct, tries[k].answer)) not in seen and not seen.add(key)]  # type: ignore[func-returns-value]
    right = [k for k in fresh if tries[k].right]
    wrong = [k for k in fresh if not tries[k].right]
    mixed = [k for pair in zip(right, wrong, strict=False) for k in pair]
    return [*mixed, *(k for k in fresh if k not in mixed)][:most]


def collect(
    speaker: Speaker, items: list[Item], *, draws: int, recheck: bool, seed: int, temperature: float = 0.7
) -> list[dict[str, object]]:
    """The lines of the file."""
    rng = np.random.default_rng(seed)
    thoughts = speaker.attempt([item for item in items for _ in range(draws)], temperature=temperature)
    direct = speaker.attempt(items)
    lines, picked = [], []
    for k, item in enumerate(items):
        mine = thoughts[k * draws : (k + 1) * draws]
        share = float(np.mean([t.right for t in mine]))
        fair = [int(rng.integers(draws)), draws]  # drawn blindly: only these may teach how often an attempt is right
        keep = [*fair, *(j for j in chosen([*mine, direct[k]], rng, 4) if j not in fair)][:4]
        rows = []
        for j in keep:
            tried = [*mine, direct[k]][j]
            others = [t.right for i, t in enumerate(mine) if i != j]
            rows.append({"direct": tried.direct, "steps": tried.steps, "answer": tried.answer, "right": tried.right,
                         "fair": j in fair, "rate": float(np.mean(others)) if not tried.direct else share})  # fmt: skip
            picked.append((rows[-1], tried))
        length = float(np.mean([t.length for t in mine]))
        lines.append({"question": item.question, "context": item.context, "rate": share, "length": length, "attempts": rows})
    if recheck:
        tries = [tried for _, tried in picked if tried.answer != marks.UNKNOWN]
        texts = iter(own_rechecks(speaker, tries, 0.5))
        for row, tried in picked:
            if tried.answer != marks.UNKNOWN:
                row["recheck"] = next(texts)
    return lines


def main() -> None:
    """The command."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("folder", type=Path)
    words.add_argument("--items", type=int, default=6000)
    words.add_argument("--draws", type=int, default=8)
    words.add_argument("--temperature", type=float, default=0.7, help="of the thoughts")
    words.add_argument("--recheck", action="store_true")
    words.add_argument("--seed", type=int, default=11)
    words.add_argument("--to", type=Path, required=True)
    found = words.parse_args()
    rng, speaker = np.random.default_rng(found.seed), Speaker(found.folder)
    names = list(FAMILIES)
    with found.to.open("w") as out:
        for start in range(0, found.items, 500):
            here = range(start, min(start + 500, found.items))
            items = [acts.act_item(rng, names[k % 6], level=1 + k // 6 % 6) for k in here]
            told = {"draws": found.draws, "recheck": found.recheck, "seed": found.seed + start, "temperature": found.temperature}
            for line in collect(speaker, items, **told):
                out.write(json.dumps(line) + "\n")
            out.flush()


if __name__ == "__main__":
    main()
