"""The engine of any causal LM of transformers: all its weights, or low-rank adapters through peft."""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from nosce.core.errors import CapabilityError, InputError
from nosce.learn.rollout import Turn
from nosce.learn.torch_engine import TorchEngine
from nosce.models.base import Prompt
from nosce.models.hf import HFModel


class HFEngine(TorchEngine):
    """`hf:PATH`. Sampler and trainer share one network, so publishing costs nothing.

    lora: rank of adapters on every linear layer (0: train all weights; the adapters are merged on export). device: `cpu`, `cuda`,
    or `auto`, which spreads the layers over all GPUs through accelerate. dtype: of the frozen weights.
    """

    def __init__(
        self, path: str, *, lora: int = 0, device: str = "cpu", dtype: str = "float32", taught: bool = False, download: bool = False
    ) -> None:
        self.spec = f"hf:{path}"
        self.model = HFModel(path, device=device, dtype=dtype, download=download)
        self.network: Any = self.model.network
        self.lora = lora
        self.reference: Any = None
        self.wrapped: Any = _adapted(self.network, lora) if lora else None
        if not lora:
            self.network.requires_grad_(True)
        self.start = None if lora else {name: weight.detach().clone() for name, weight in self.network.state_dict().items()}
        super().__init__([weight for weight in self.network.parameters() if weight.requires_grad])

    # -- tokens -------------------------------------------------------------------------------------------------------

    def encode(self, prompt: Prompt) -> Sequence[int]:
        """The ids that the model reads."""
        return self.model.encode(prompt)

    def write(self, text: str) -> Sequence[int]:
        """The ids of a reply, with the end of text after it."""
        end = self.model.words.tokenizer.eos_token_id
        return [*self.model.words.encode(text), *([] if end is None else [end])]

    def read(self, ids: Sequence[int]) -> str:
        """The text of ids."""
        return str(self.model.words.tokenizer.decode(list(ids), skip_special_tokens=False))

    def token(self, text: str) -> int:
        """The id of one token. Raises InputError when there is none."""
        found = self.model.words.one(text)
        if found is None:
            raise InputError(f"{self.spec} has no token {text!r}")
        return found

    # -- forward ------------------------------------------------------------------------------------------------------

    def forward(self, turns: Sequence[Turn]) -> tuple[Tensor, Tensor]:
        """Logits and last hidden states of the network in training."""
        return self._run(self.network, turns)

    def refer(self, turns: Sequence[Turn]) -> tuple[Tensor, Tensor]:
        """The same of the weights that training began with: adapters off, or a second copy of the network."""
        if self.wrapped is not None:
            with self.wrapped.disable_adapter():
                return self._run(self.network, turns)
        if self.reference is None:
            self.reference = copy.deepcopy(self.network).requires_grad_(False)
            self.reference.load_state_dict(self.start)
        return self._run(self.reference, turns)

    def head(self, hidden: Tensor) -> Tensor:
        """Logits of last hidden states, without what a model may do to them after its output matrix."""
        found: Tensor = self.network.get_output_embeddings()(hidden).float()
        return found

    def _run(self, network: Any, turns: Sequence[Turn]) -> tuple[Tensor, Tensor]:
        device = network.get_input_embeddings().weight.device
        longest = max(len(turn.prompt) + len(turn.tokens) for turn in turns) - 1
        ids = torch.zeros(len(turns), longest, dtype=torch.long)
        mask = torch.zeros_like(ids)
        rows: list[int] = []
        places: list[int] = []
        for row, turn in enumerate(turns):
            line = [*turn.prompt, *turn.tokens[:-1]]
            ids[row, : len(line)], mask[row, : len(line)] = torch.tensor(line), 1
            rows += [row] * len(turn.tokens)
            places += range(len(turn.prompt) - 1, len(line))
        said = network(input_ids=ids.to(device), attention_mask=mask.to(device), output_hidden_states=True, use_cache=False)
        return said.logits[rows, places].float(), said.hidden_states[-1][rows, places]

    # -- weights ------------------------------------------------------------------------------------------------------

    def publish(self, version: str) -> None:
        """The sampler's network is the one in training; only its version changes."""
        self.model.version = version

    def state(self) -> dict[str, Any]:
        """The weights that are trained, the optimizer, torch's random state."""
        names = {name for name, weight in self.network.named_parameters() if weight.requires_grad}
        mine = {name: weight for name, weight in self.network.state_dict().items() if name in names or not self.lora}
        return {"network": mine, "optimizer": self.optimizer.state_dict(), "start": self.start, "random": torch.get_rng_state()}

    def restore(self, state: dict[str, Any]) -> None:
        """The inverse of `state`."""
        self.network.load_state_dict(state["network"], strict=not self.lora)
        self.optimizer.load_state_dict(state["optimizer"])
        self.start, self.reference = state["start"], None
        torch.set_rng_state(state["random"])

    def export(self, folder: Path) -> None:
        """What `from_pretrained` reads: config, safetensors, tokenizer; adapters are merged into the weights."""
        with torch.no_grad():
            whole = copy.deepcopy(self.wrapped).merge_and_unload() if self.wrapped is not None else self.network
        whole.save_pretrained(folder)
        self.model.words.tokenizer.save_pretrained(folder)
        if self.model.words.dialect != "chat":
            config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
            (folder / "config.json").write_text(json.dumps({**config, "nosce_dialect": self.model.dialect}, indent=1) + "\n")

    def named(self, folder: Path) -> str:
        """How an exported folder is named as a model."""
        return f"hf:{folder}"

    def memory(self, tokens: int) -> int:
        """Gradients, two moments and (without adapters) a reference of the trained weights; states and logits of every token."""
        config = self.network.config.get_text_config()
        trained = sum(weight.numel() for weight in self.weights)
        kept = config.num_hidden_layers * 16 * config.hidden_size + 3 * len(self.model.words.tokenizer)
        return int(4 * ((3 if self.lora else 5) * trained + kept * tokens))


def _adapted(network: Any, rank: int) -> Any:
    """Put low-rank adapters into the network, in place."""
    try:
        from peft import LoraConfig, get_peft_model
    except ImportError:
        raise CapabilityError("extra train (peft)", "lora", "pip install 'nosce[train]'") from None
    config = LoraConfig(r=rank, lora_alpha=2 * rank, lora_dropout=0.0, target_modules="all-linear", task_type="CAUSAL_LM")
    return get_peft_model(network, config)



