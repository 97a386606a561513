"""Train the bundled model: `python -m training.train --stage solve --tokens 22e6 --out runs/one`.

Muon for the matrices, AdamW for the embedding and the norms; a warm-up, a plateau and a linear decay to zero over the last part of
a stage. A run is resumed from its last checkpoint when started again with the same words. Data come from a second process.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing as mp
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from nosce.learn.torch_network import Decoder, Shape, describe
from training import mixture
from training.rows import pack

BLOCK = 512  # rows in one block of data


def feed(queue: Any, stage: str, seed: int, start: int, blocks: int, attempts: list[Path]) -> None:
    """Make blocks of rows for ever, `start` onwards, into a queue (its size bounds the work ahead)."""
    os.nice(5)
    from training import acts

    own = [found for path in attempts for found in acts.load(path, newest=path == attempts[-1])]
    for block in range(start, blocks + 1000):
        trees = mixture.documents(stage, seed, block, min(block / blocks, 1.0), own)
        queue.put(pack(trees, BLOCK))


@torch.no_grad()
def orthogonal(g: Tensor, rounds: int = 5) -> Tensor:
    """Nearest orthogonal matrix by the quintic Newton–Schulz iteration (batched over the first axis)."""
    a, b, c = 3.4445, -4.7750, 2.0315
    wide = g.shape[-2] <= g.shape[-1]
    x = g if wide else g.mT
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(rounds):
        y = x @ x.mT
        x = a * x + (b * y + c * y @ y) @ x
    return x if wide else x.mT


class Muon(torch.optim.Optimizer):
    """Momentum, orthogonalised; matrices of one shape go together."""

    def __init__(self, matrices: list[Tensor], lr: float, momentum: float = 0.95, decay: float = 0.01) -> None:
        super().__init__(matrices, {"lr": lr, "momentum": momentum, "decay": decay})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]  # no closure is ever used
        for group in self.param_groups:
            shapes: dict[tuple[int, ...], list[Tensor]] = {}
            for weight in group["params"]:
                shapes.setdefault(tuple(weight.shape), []).append(weight)
            for weights in shapes.values():
                self._together(group, weights)

    def _together(self, group: dict[str, Any], weights: list[Tensor]) -> None:
        steps = []
        for weight in weights:
            memory = self.state[weight].setdefault("memory", torch.zeros_like(weight))
            memory.lerp_(weight.grad, 1 - group["momentum"])
            steps.append(weight.grad.lerp(memory, group["momentum"]))
        updates = orthogonal(torch.stack(steps))
        scale = max(1.0, weights[0].shape[0] / weights[0].shape[1]) ** 0.5
        for weight, update in zip(weights, updates, strict=True):
            weight.mul_(1 - group["lr"] * group["decay"]).add_(update, alpha=-group["lr"] * scale)


def rate(done: float, warm: float, anneal: float) -> float:
    """Share of the full rate at a share `done` of the stage."""
    return min(1.0, (done + 1e-4) / warm) * min(1.0, max(0.0, (1 - done) / anneal))


def weights_of_tokens() -> Tensor:
    """Weight of each token as a target: verdicts count more, since comparing is hard to come by and they are few."""
    heavy = {mixture.marks.OK: 8.0, mixture.marks.BAD: 8.0, mixture.marks.YES: 3.0, mixture.marks.NO: 3.0}
    heavy |= dict.fromkeys(mixture.marks.RATINGS, 2.0)
    return torch.tensor([heavy.get(token, 1.0) for token in mixture.marks.VOCABULARY])


def loss_of(model: Decoder, rows: Tensor, weights: Tensor, drawn: float = 1.0) -> Tensor:
    """Weighted mean cross-entropy over the learned tokens of (rows, 8, tokens).

    Thoughts are scored at temperature `drawn`. At the one they will be drawn with, they come out as varied as the model
    is unsure; scored at 1 and drawn lower, they repeat each other's mistakes and votes have little to mend.
    """
    token, target, position, document, branch, ancestors, weight, thinks = rows.unbind(1)
    logits = model(token, position, document, branch, ancestors)
    logits = logits * (1 + thinks * (1 / drawn - 1))[..., None]
    each = F.cross_entropy(logits.flatten(0, 1), target.flatten(), ignore_index=-1, reduction="none")
    count = weights[target.flatten().clamp(min=0)] * weight.flatten() * (target.flatten() >= 0)
    return (each * count).sum() / count.sum()


def options() -> argparse.Namespace:
    """The words of the command."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--stage", default="solve")
    words.add_argument("--tokens", type=float, default=22e6, help="length of the stage in tokens")
    words.add_argument("--out", type=Path, default=Path("runs/one"))
    words.add_argument("--start", type=Path, help="checkpoint, or exported model folder, to begin from")
    words.add_argument("--attempts", type=Path, nargs="*", default=[], help="files that training.collect wrote, the newest last")
    words.add_argument("--rows", type=int, default=32, help="rows in a batch")
    words.add_argument("--lr", type=float, default=0.012, help="Muon's rate; AdamW gets a quarter of it")
    words.add_argument("--drawn", type=float, default=1.0, help="temperature at which thoughts are scored, and meant to be drawn")
    words.add_argument("--warm", type=float, default=0.02)
    words.add_argument("--anneal", type=float, default=0.3, help="share of the stage with a falling rate")
    words.add_argument("--seed", type=int, default=1)
    words.add_argument("--threads", type=int, default=2)
    words.add_argument("--device", default="cpu")
    words.add_argument("--keep-every", type=float, default=2e6, help="also keep a snapshot each so many tokens")
    return words.parse_args()


def begun(start: Path, device: str) -> dict[str, Any]:
    """The weights to begin from, in full precision: a checkpoint, or a folder that training.export wrote (the package's too)."""
    if not start.is_dir():
        return torch.load(start, map_location=device)  # type: ignore[no-any-return]  # a checkpoint is a dictionary
    from safetensors.torch import load_file

    return {"model": {name: weight.float() for name, weight in load_file(start / "model.safetensors", device=device).items()}}


class Run:
    """One stage: model, optimisers, place in the data."""

    def __init__(self, words: argparse.Namespace) -> None:
        torch.manual_seed(words.seed)
        torch.set_num_threads(words.threads)
        self.words, self.seen, self.folder = words, 0, words.out / words.stage
        self.mixture = mixture.digest()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.model = Decoder(Shape(len(mixture.marks.VOCABULARY))).to(words.device)
        matrices = [p for n, p in self.model.named_parameters() if p.ndim == 2 and "embed" not in n]
        others = [p for n, p in self.model.named_parameters() if p.ndim != 2 or "embed" in n]
        adam = torch.optim.AdamW(others, lr=words.lr / 4, betas=(0.9, 0.98), weight_decay=0.0)
        self.optimisers: list[torch.optim.Optimizer] = [Muon(matrices, words.lr), adam]
        self.full = [words.lr, words.lr / 4]
        self._resume()

    def _resume(self) -> None:
        last = self.folder / "last.pt"
        if last.exists():
            state = torch.load(last, map_location=self.words.device)
            for optimiser, saved in zip(self.optimisers, state["optimisers"], strict=True):
                optimiser.load_state_dict(saved)
            self.seen = state["seen"]
        elif self.words.start:
            state = begun(self.words.start, self.words.device)
        else:
            return
        self.model.load_state_dict(state["model"])

    def save(self, name: str, optimisers: bool = True) -> None:
        """Write a checkpoint beside the others, then rename it into place."""
        state = {"model": self.model.state_dict(), "seen": self.seen, "shape": describe(self.model.shape), "mixture": self.mixture}
        if optimisers:
            state["optimisers"] = [o.state_dict() for o in self.optimisers]
        torch.save(state, self.folder / "writing.pt")
        (self.folder / "writing.pt").rename(self.folder / name)

    def learn(self) -> None:
        """The loop."""
        words = self.words
        per_block = BLOCK * 256
        blocks = int(words.tokens / per_block)
        queue: Any = mp.get_context("spawn").Queue(maxsize=6)
        start = self.seen // per_block
        told = (queue, words.stage, words.seed, start, blocks, words.attempts)
        feeder = mp.get_context("spawn").Process(target=feed, args=told, daemon=True)
        feeder.start()
        compiled, weights = torch.compile(loss_of), weights_of_tokens().to(words.device)
        clock, total, count, saved = time.time(), 0.0, 0, time.time()
        log = (self.folder / "log.jsonl").open("a")
        print(json.dumps({"stage": words.stage, "mixture": self.mixture, "blocks": blocks, "from": start}), flush=True)
        while self.seen < blocks * per_block:
            waited = time.time()
            rows = torch.from_numpy(np.ascontiguousarray(queue.get())).int()
            waited = time.time() - waited
            for batch in rows[torch.randperm(BLOCK)].split(words.rows):
                share = rate(self.seen / (blocks * per_block), words.warm, words.anneal)
                for optimiser, full in zip(self.optimisers, self.full, strict=True):
                    optimiser.param_groups[0]["lr"] = full * share
                batch = batch.to(words.device)
                loss = compiled(self.model, batch.long(), weights, words.drawn)
                loss.backward()
                torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
                for optimiser in self.optimisers:
                    optimiser.step()
                self.model.zero_grad(set_to_none=True)
                total, count, self.seen = total + float(loss.detach()), count + 1, self.seen + batch.shape[0] * 256
            line = {"seen": self.seen, "loss": round(total / count, 4), "tokens_per_s": int(per_block / (time.time() - clock)),
                    "waited": round(waited, 2), "rate": round(share, 3), "at": time.strftime("%H:%M:%S")}  # fmt: skip
            print(json.dumps(line), file=log, flush=True)
            clock, total, count = time.time(), 0.0, 0
            if time.time() - saved > 120:
                self.save("last.pt")
                saved = time.time()
            if self.seen // int(words.keep_every) != (self.seen - per_block) // int(words.keep_every):
                self.save(f"at-{self.seen // 1_000_000}M.pt", optimisers=False)
        self.save("last.pt")
        self.save("done.pt", optimisers=False)


if __name__ == "__main__":
    Run(options()).learn()
