"""What every engine on torch shares: log-probabilities with a gradient, scores without, one optimizer step."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nosce.learn.batch import Batch, Counts, pieces, shares
from nosce.learn.engine import Diverged
from nosce.learn.losses import hears_all
from nosce.learn.recipe import Loss
from nosce.learn.rollout import Floats, Turn

Forward = Callable[[Sequence[Turn]], tuple[Tensor, Tensor]]
"""Logits [N, V] of every written token, and the hidden states [N, d] that they are read from."""


class TorchEngine(ABC):
    """Score and update for a network; an engine adds how it runs forward, what it samples with, and its files.

    AdamW without decay over the weights that want a gradient; `most` is how many tokens are scored at once.
    """

    most = 8192

    def __init__(self, weights: Sequence[Tensor]) -> None:
        self.weights = list(weights)
        self.optimizer = torch.optim.AdamW(self.weights, lr=0.0, betas=(0.9, 0.99), weight_decay=0.0)

    @abstractmethod
    def forward(self, turns: Sequence[Turn]) -> tuple[Tensor, Tensor]:
        """Logits and hidden states of the network in training."""

    @abstractmethod
    def refer(self, turns: Sequence[Turn]) -> tuple[Tensor, Tensor]:
        """The same of the weights that training began with."""

    @abstractmethod
    def head(self, hidden: Tensor) -> Tensor:
        """Logits [N, V] of hidden states [N, d]."""

    def score(self, turns: Sequence[Turn], needs: Sequence[str]) -> dict[str, list[Floats]]:
        """See the protocol. `entropy` and `self_certainty` at temperature 1, without bias."""
        found: dict[str, list[Floats]] = {name: [np.empty(0, dtype=np.float32)] * len(turns) for name in needs}
        with torch.no_grad():
            for chosen in pieces(turns, self.most) if needs else []:
                here = [turns[i] for i in chosen]
                logits = self.forward(here)[0] if set(needs) - {"ref"} else None
                for name in needs:
                    source = self.refer(here)[0] if name == "ref" or logits is None else logits
                    values = SCORES[name](source, here).float().cpu()
                    for i, part in zip(chosen, torch.split(values, [len(turn.tokens) for turn in here]), strict=True):
                        found[name][i] = part.numpy()
        return found

    def update(
        self, turns: Sequence[Turn], owner: Sequence[int], loss: Loss, *, lr: float, clip_norm: float = 1.0,
        tokens_at_once: int = 4096, reads: frozenset[str] = frozenset(),
    ) -> dict[str, float]:  # fmt: skip
        """See the protocol."""
        self.optimizer.zero_grad(set_to_none=True)
        said: dict[str, Any] = {}
        heard = None if hears_all(loss) else [i for i, turn in enumerate(turns) if not turn.silent] or [0]
        for logp, batch in self.batches(turns, owner, tokens_at_once, reads, heard):
            value, parts = loss(logp, batch)
            value.backward()
            for name, part in {"loss": value.detach(), "drift": drift(batch), **parts}.items():
                said[name] = said.get(name, 0.0) + part
        norm = torch.nn.utils.clip_grad_norm_(self.weights, clip_norm)
        numbers = {name: float(part) for name, part in {**said, "grad_norm": norm}.items()}
        if not np.isfinite(numbers["loss"]) or not np.isfinite(numbers["grad_norm"]):
            raise Diverged(f"the loss is {numbers['loss']} and the gradient's norm {numbers['grad_norm']}")
        for group in self.optimizer.param_groups:
            group["lr"] = lr
        self.optimizer.step()
        return numbers

    def batches(
        self, turns: Sequence[Turn], owner: Sequence[int], most: int, reads: frozenset[str] = frozenset(),
        heard: Sequence[int] | None = None,
    ) -> Iterator[tuple[Tensor, Batch]]:  # fmt: skip
        """Log-probabilities [N] with their gradient, and the streams beside them, piece by piece; counts are of all turns, also
        where only those `heard` are run."""
        counts, share = Counts.of(turns, owner), shares(turns, owner)
        if heard is not None:
            turns, share = [turns[i] for i in heard], [share[i] for i in heard]
            counts.tokens = max(sum(len(turn.tokens) for turn in turns), 1)
        for chosen in pieces(turns, most):
            here = [turns[i] for i in chosen]
            logits, hidden = self.forward(here)
            logp = chosen_logprobs(logits, here)
            batch = laid_flat(here, [share[i] for i in chosen], counts, logits.device)
            batch.old = logp.detach() if batch.old is None else batch.old
            batch.seen = drawn(here).to(logits.device)
            batch.logits = logits if "logits" in reads else None
            batch.hidden = hidden if "hidden" in reads else None
            batch.head = self.head(hidden.detach()) if "head" in reads else None
            yield logp, batch


def chosen_logprobs(logits: Tensor, turns: Sequence[Turn]) -> Tensor:
    """Log-probability [N] of every written token under the distribution it was drawn from: softmax((logits + bias) / T)."""
    device = logits.device
    sizes = torch.tensor([len(turn.tokens) for turn in turns], device=device)
    if any(turn.bias for turn in turns):
        shift = torch.zeros(len(turns), logits.shape[1], device=device)
        for row, turn in enumerate(turns):
            for token, value in turn.bias:
                shift[row, token] = value
        logits = logits + shift.repeat_interleave(sizes, 0)
    warmth = torch.tensor([turn.temperature if turn.sampled and turn.temperature > 0 else 1.0 for turn in turns], device=device)
    if bool((warmth != 1).any()):
        logits = logits / warmth.repeat_interleave(sizes)[:, None]
    tokens = torch.tensor([token for turn in turns for token in turn.tokens], device=device)
    return logits.gather(1, tokens[:, None])[:, 0] - logits.logsumexp(1)


def drawn(turns: Sequence[Turn]) -> Tensor:
    """The sampler's own log-probabilities [N]; NaN where it drew from another distribution than training scores, or not at all."""
    found: list[float] = []
    for turn in turns:
        alike = turn.sampled and turn.temperature == 1 and not turn.bias and len(turn.logprobs) == len(turn.tokens)
        found.extend(turn.logprobs if alike else [float("nan")] * len(turn.tokens))
    return torch.tensor(found)


def drift(batch: Batch) -> Tensor:
    """Mean |log π_trainer − log π_sampler| over the tokens that were run, as a part of the whole update."""
    found: Tensor = (batch.old - batch.seen).abs().nan_to_num(0.0).sum() / batch.counts.tokens
    return found


def _entropy(logits: Tensor, turns: Sequence[Turn]) -> Tensor:
    logp = logits.log_softmax(1)
    return -(logp.exp() * logp).sum(1)


def _self_certainty(logits: Tensor, turns: Sequence[Turn]) -> Tensor:
    """KL(uniform ‖ p) = −mean log p − log V, in nats."""
    return -logits.log_softmax(1).mean(1) - float(np.log(logits.shape[1]))


SCORES = {"old": chosen_logprobs, "ref": chosen_logprobs, "entropy": _entropy, "self_certainty": _self_certainty}
"""What `score` can give, from logits."""


def laid_flat(turns: Sequence[Turn], share: Sequence[float], counts: Counts, device: Any = None) -> Batch:
    """The turns' streams as tensors."""
    sizes = torch.tensor([len(turn.tokens) for turn in turns], device=device)

    def flat(values: Sequence[Floats]) -> Tensor:
        return torch.from_numpy(np.concatenate(values).astype(np.float32, copy=False)).to(device)

    names = dict.fromkeys(name for turn in turns for name in turn.extra)
    extra = {name: flat([turn.extra.get(name, np.zeros(len(turn.tokens), np.float32)) for turn in turns]) for name in names}
    return Batch(
        flat([t.advantage for t in turns]), flat([t.rl for t in turns]), flat([t.ce for t in turns]), flat([t.kl for t in turns]),
        torch.arange(len(turns), device=device).repeat_interleave(sizes),
        torch.tensor(share, device=device).repeat_interleave(sizes), len(turns), counts,
        old=extra.pop("old", None), ref=extra.pop("ref", None), extra=extra,
    )  # fmt: skip
