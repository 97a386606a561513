"""Write the shipped problem sets: `python -m training.examples`.

`examples/mixed.jsonl` from the test split, `examples/calibration.jsonl` from the calibration split, `examples/dev.jsonl` from the
development split; as many of every family and level as there are different ones, questions as a person types them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from nosce.tasks import families
from nosce.tasks.families import FAMILIES, Item, Split, facts

SETS: dict[str, tuple[Split, int, int]] = {"mixed": ("test", 17, 101), "calibration": ("cal", 60, 102), "dev": ("dev", 17, 103)}
PASSAGES = 0.2  # this share of the factual questions of levels 1 and 2 come with a passage


def unique(rng: np.random.Generator, name: str, level: int, want: Split, count: int) -> Iterator[Item]:
    """Up to `count` different items of one cell; fewer where the split has fewer."""
    seen: set[str] = set()
    for _ in range(count * 400):
        item = families.draw(rng, name, level)
        if families.split(item) == want and item.question not in seen:
            seen.add(item.question)
            yield item
        if len(seen) == count:
            return


def passages(rng: np.random.Generator, want: Split, count: int) -> Iterator[Item]:
    """`count` questions with a passage."""
    while count:
        if families.split(item := facts.draw_with_passage(rng)) == want:
            count -= 1
            yield item


def record(item: Item, name: str, number: int, offered: bool) -> dict[str, object]:
    """One line of a file."""
    line: dict[str, object] = {"id": f"{name}-{number:04d}", "question": item.question, "answer": item.answer,
                               "family": item.family, "level": item.level}  # fmt: skip
    if item.context:
        line["context"] = item.context
    if offered:
        line["tools"] = list(item.tools)
    return line


def main() -> None:
    """The command."""
    folder = Path(__file__).parents[1] / "examples"
    for name, (want, count, seed) in SETS.items():
        rng = np.random.default_rng(seed)
        items = [i for f in FAMILIES for level in range(1, 7) for i in unique(rng, f, level, want, count)]
        items += passages(rng, want, int(2 * count * PASSAGES))
        order = rng.permutation(len(items))
        lines = []
        for number, k in enumerate(order):
            item = items[int(k)]
            lines.append(record(item, name, number, item.family == "sums" and rng.random() < 0.25))
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))
        print(name, len(lines))


if __name__ == "__main__":
    main()
