"""The engine of the bundled model: torch on the CPU for the update, numpy for the rollouts, one set of weights."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nosce.core.errors import InputError
from nosce.learn.batch import Batch, Counts, pieces, shares
from nosce.learn.engine import Diverged
from nosce.learn.recipe import Loss
from nosce.learn.rollout import Floats, Turn
from nosce.learn.torch_network import Decoder, load
from nosce.models.base import Prompt
from nosce.models.socrates import tokenizer as marks
from nosce.models.socrates.model import SocratesModel


class TinyEngine:
    """`socrates`, `socrates-weak`, or a folder that training wrote. AdamW without decay.

    `taught`: whether the taught acts may be asked for, also of a model that is only now to learn them.
    """

    def __init__(self, spec: str = "socrates-weak", *, taught: bool = False) -> None:
        self.spec = spec
        self.model = SocratesModel(spec, dialect="socrates" if taught else None)
        self.began = self.model.version
        self.network: Decoder = load(self.model.folder)
        self.reference: Decoder | None = None
        self.start = copy.deepcopy(self.network.state_dict())
        self.optimizer = torch.optim.AdamW(self.network.parameters(), lr=0.0, betas=(0.9, 0.99), weight_decay=0.0, fused=True)

    # -- tokens -------------------------------------------------------------------------------------------------------

    def encode(self, prompt: Prompt) -> Sequence[int]:
        """The ids that the model reads."""
        return self.model.encode(prompt)

    def write(self, text: str) -> Sequence[int]:
        """The ids of a reply, with the end of text after it."""
        return [*self.model.tokenizer.encode(text), self.model.tokenizer.end_id]

    def token(self, text: str) -> int:
        """The id of one token. Raises InputError when there is none."""
        if text not in self.model.tokenizer.ids:
            raise InputError(f"{self.spec} has no token {text!r}")
        return self.model.tokenizer.ids[text]

    # -- forward ------------------------------------------------------------------------------------------------------

    def _final(self, network: Decoder, turns: Sequence[Turn]) -> Tensor:
        return network.read([turn.prompt for turn in turns], [turn.tokens for turn in turns])

    def score(self, turns: Sequence[Turn], needs: Sequence[str]) -> dict[str, list[Floats]]:
        """See the protocol. `entropy` and `self_certainty` at temperature 1, without bias."""
        found: dict[str, list[Floats]] = {name: [np.empty(0, dtype=np.float32)] * len(turns) for name in needs}
        if "ref" in needs and self.reference is None:
            self.reference = copy.deepcopy(self.network).requires_grad_(False)
            self.reference.load_state_dict(self.start)
        with torch.no_grad():
            for chosen in pieces(turns, 16384):
                here = [turns[i] for i in chosen]
                logits = self.network.logits(self._final(self.network, here))
                for name in needs:
                    source = logits
                    if name == "ref" and self.reference is not None:
                        source = self.reference.logits(self._final(self.reference, here))
                    values = SCORES[name](source, here)
                    cut = torch.split(values, [len(turn.tokens) for turn in here])
                    for i, part in zip(chosen, cut, strict=True):
                        found[name][i] = part.numpy()
        return found

    # -- update -------------------------------------------------------------------------------------------------------

    def update(
        self, turns: Sequence[Turn], owner: Sequence[int], loss: Loss, *, lr: float, clip_norm: float = 1.0,
        tokens_at_once: int = 16384, reads: frozenset[str] = frozenset(),
    ) -> dict[str, float]:  # fmt: skip
        """See the protocol."""
        self.optimizer.zero_grad(set_to_none=True)
        said: dict[str, float] = {}
        for logp, batch in self.batches(turns, owner, tokens_at_once, reads):
            value, parts = loss(logp, batch)
            value.backward()
            for name, part in {"loss": value.detach(), "drift": drift(batch), **parts}.items():
                said[name] = said.get(name, 0.0) + float(part)
        norm = float(torch.nn.utils.clip_grad_norm_(self.network.parameters(), clip_norm))
        if not np.isfinite(said["loss"]) or not np.isfinite(norm):
            raise Diverged(f"the loss is {said['loss']} and the gradient's norm {norm}")
        for group in self.optimizer.param_groups:
            group["lr"] = lr
        self.optimizer.step()
        return {**said, "grad_norm": norm}

    def batches(
        self, turns: Sequence[Turn], owner: Sequence[int], most: int, reads: frozenset[str] = frozenset()
    ) -> Iterator[tuple[Tensor, Batch]]:
        """Log-probabilities [N] with their gradient, and the streams beside them, piece by piece."""
        counts, share = Counts.of(turns, owner), shares(turns, owner)
        for chosen in pieces(turns, most):
            here = [turns[i] for i in chosen]
            final = self._final(self.network, here)
            logits = self.network.logits(final)
            logp = chosen_logprobs(logits, here)
            batch = laid_flat(here, [share[i] for i in chosen], counts)
            batch.old = logp.detach() if batch.old is None else batch.old
            batch.seen = drawn(here)
            batch.logits = logits if "logits" in reads else None
            batch.hidden = final if "hidden" in reads else None
            yield logp, batch

    # -- weights ------------------------------------------------------------------------------------------------------

    def publish(self, version: str) -> None:
        """Let the numpy decoder sample with the trained weights."""
        self.model.load_weights(self._tensors(), version)

    def _tensors(self) -> dict[str, Any]:
        return {name: weight.detach().numpy() for name, weight in self.network.state_dict().items()}

    def state(self) -> dict[str, Any]:
        """Weights, optimizer, torch's random state."""
        return {
            "network": self.network.state_dict(), "optimizer": self.optimizer.state_dict(), "start": self.start,
            "random": torch.get_rng_state(),
        }  # fmt: skip

    def restore(self, state: dict[str, Any]) -> None:
        """The inverse of `state`."""
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.start, self.reference = state["start"], None
        torch.set_rng_state(state["random"])

    def export(self, folder: Path) -> None:
        """`config.json`, `model.safetensors` and the tokenizer's files."""
        from safetensors.numpy import save_file

        folder.mkdir(parents=True, exist_ok=True)
        tensors = {name: np.ascontiguousarray(weight) for name, weight in self._tensors().items()}
        save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
        (folder / "model.safetensors").chmod(0o644)
        config = {**self.network.shape.as_config(), "torch_dtype": "float32", "nosce_dialect": self.model.dialect}
        (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n")
        marks.save(folder)

    def named(self, folder: Path) -> str:
        """How an exported folder is named as a model."""
        return f"socrates:{folder}"

    def memory(self, tokens: int) -> int:
        """Weights, gradients, two moments and a reference, and what a layer keeps of every token for the way back."""
        shape = self.network.shape
        weights = sum(weight.numel() for weight in self.network.parameters())
        kept = shape.layers * (12 * shape.width + 4 * shape.hidden) + 4 * shape.vocabulary
        return 4 * (6 * int(weights) + kept * tokens)


def chosen_logprobs(logits: Tensor, turns: Sequence[Turn]) -> Tensor:
    """Log-probability [N] of every written token under the distribution it was drawn from: softmax((logits + bias) / T)."""
    sizes = torch.tensor([len(turn.tokens) for turn in turns])
    if any(turn.bias for turn in turns):
        shift = torch.zeros(len(turns), logits.shape[1])
        for row, turn in enumerate(turns):
            for token, value in turn.bias:
                shift[row, token] = value
        logits = logits + shift.repeat_interleave(sizes, 0)
    warmth = torch.tensor([turn.temperature if turn.sampled and turn.temperature > 0 else 1.0 for turn in turns])
    if bool((warmth != 1).any()):
        logits = logits / warmth.repeat_interleave(sizes)[:, None]
    tokens = torch.tensor([token for turn in turns for token in turn.tokens])
    return logits.gather(1, tokens[:, None])[:, 0] - logits.logsumexp(1)


def drawn(turns: Sequence[Turn]) -> Tensor:
    """The sampler's own log-probabilities [N]; NaN where it drew from another distribution than training scores, or not at all."""
    found: list[float] = []
    for turn in turns:
        alike = turn.sampled and turn.temperature == 1 and not turn.bias and len(turn.logprobs) == len(turn.tokens)
        found.extend(turn.logprobs if alike else [float("nan")] * len(turn.tokens))
    return torch.tensor(found)


def drift(batch: Batch) -> Tensor:
    """Mean |log π_trainer − log π_sampler| over the tokens that were drawn, as a part of the whole update."""
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


def laid_flat(turns: Sequence[Turn], share: Sequence[float], counts: Counts) -> Batch:
    """The turns' streams as tensors."""
    sizes = torch.tensor([len(turn.tokens) for turn in turns])

    def flat(values: Sequence[Floats]) -> Tensor:
        return torch.from_numpy(np.concatenate(values).astype(np.float32, copy=False))

    names = dict.fromkeys(name for turn in turns for name in turn.extra)
    extra = {name: flat([turn.extra.get(name, np.zeros(len(turn.tokens), np.float32)) for turn in turns]) for name in names}
    return Batch(
        flat([t.advantage for t in turns]), flat([t.rl for t in turns]), flat([t.ce for t in turns]), flat([t.kl for t in turns]),
        torch.arange(len(turns)).repeat_interleave(sizes), torch.tensor(share).repeat_interleave(sizes), len(turns), counts,
        old=extra.pop("old", None), ref=extra.pop("ref", None), extra=extra,
    )  # fmt: skip
