"""Write a checkpoint as the package ships it: `python -m training.export runs/one/solve/done.pt --name socrates-base`.

Several checkpoints (runs of one stage from one start, with other seeds) are shipped as their mean.
A folder with `config.json`, `model.safetensors` (half precision, the key names of LlamaForCausalLM) and the tokenizer's files.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import save_file

from nosce.learn.torch_network import Shape
from nosce.models.socrates import tokenizer


def export(checkpoints: Sequence[Path], folder: Path) -> None:
    """One checkpoint, or the mean of several, into one folder; `tokens` is what all of them saw."""
    states = [torch.load(checkpoint, map_location="cpu") for checkpoint in checkpoints]
    state = states[0]
    mean = {name: sum(each["model"][name] for each in states) / len(states) for name in state["model"]}
    tensors = {name: weight.half().contiguous() for name, weight in mean.items()}
    folder.mkdir(parents=True, exist_ok=True)
    about = {"format": "pt", "mixture": state["mixture"], "tokens": str(sum(each["seen"] for each in states))}
    save_file(tensors, folder / "model.safetensors", metadata=about)
    (folder / "model.safetensors").chmod(0o644)
    (folder / "config.json").write_text(json.dumps(Shape(**state["shape"]).as_config(), indent=1) + "\n")
    tokenizer.save(folder)


def main() -> None:
    """The command."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("checkpoints", type=Path, nargs="+")
    words.add_argument("--name", default="socrates")
    words.add_argument("--to", type=Path, help="another folder than the package's")
    found = words.parse_args()
    from nosce.models.socrates import weights

    export(found.checkpoints, found.to or weights(found.name))


if __name__ == "__main__":
    main()
