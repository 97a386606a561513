"""Sampling many sequences at once from a causal LM of transformers, each from its own random stream."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nosce.models.socrates import sampling


@dataclass(slots=True, eq=False)
class Row:
    """One sequence under way. `stop` token ids end it and are kept as its last token; `ended` looks at the text so far.

    `logprobs` and `entropies` are those at temperature 1 before any bias. `cancelled` takes it out at the next step.
    """

    key: int
    prompt: tuple[int, ...]
    most: int
    temperature: float
    top_p: float
    top: int
    stop: frozenset[int]
    bias: tuple[tuple[int, float], ...] = ()
    ended: Callable[[Sequence[int]], bool] | None = None
    tokens: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    entropies: list[float] = field(default_factory=list)
    alternatives: list[list[tuple[int, float]]] = field(default_factory=list)
    finish: str = ""
    cancelled: bool = False

    def add(self, token: int, logprob: float, entropy: float) -> None:
        """Append what was drawn and see whether that ends the row."""
        self.tokens.append(token)
        self.logprobs.append(logprob)
        self.entropies.append(entropy)
        if token in self.stop or (self.ended is not None and self.ended(self.tokens)):
            self.finish = "stop"
        elif len(self.tokens) >= self.most:
            self.finish = "length"


def layers_of(network: Any) -> Any:
    """The decoder blocks: the module list as long as the configuration says."""
    import torch

    depth = int(network.config.get_text_config().num_hidden_layers)
    lists = [m for m in network.modules() if isinstance(m, torch.nn.ModuleList) and len(m) == depth]
    if not lists:
        raise ValueError(f"no list of {depth} blocks found in {type(network).__name__}")
    return lists[0]


def final_norm_of(network: Any) -> Any:
    """The norm between the last block and the head; nothing where the network has none."""
    import torch

    children = dict(network.base_model.named_children())
    children |= dict(children["decoder"].named_children()) if "decoder" in children else {}
    names = ("norm", "ln_f", "final_layernorm", "final_layer_norm")
    return next((children[name] for name in names if children.get(name) is not None), torch.nn.Identity())


@contextmanager
def edited(network: Any, edits: dict[int, Callable[[Any], Any]]) -> Iterator[None]:
    """Pass hidden state k [B, T, d] (0 the embedding, k after block k) through `edits[k]` while this is open."""
    blocks, held = layers_of(network), []

    def before(edit: Callable[[Any], Any]) -> Any:
        def hook(_: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
            if args:
                return (edit(args[0]), *args[1:]), kwargs
            return args, {**kwargs, "hidden_states": edit(kwargs["hidden_states"])}

        return hook

    def after(edit: Callable[[Any], Any]) -> Any:
        def hook(_: Any, __: Any, out: Any) -> Any:
            return (edit(out[0]), *out[1:]) if isinstance(out, tuple) else edit(out)

        return hook

    for k, edit in edits.items():
        if k == 0:
            held.append(blocks[0].register_forward_pre_hook(before(edit), with_kwargs=True))
        else:
            held.append(blocks[k - 1].register_forward_hook(after(edit)))
    try:
        yield
    finally:
        for handle in held:
            handle.remove()


def adding(vector: Any) -> Callable[[Any], Any]:
    """An edit that adds a vector [d] to the last position."""

    def edit(x: Any) -> Any:
        x = x.clone()
        x[:, -1] += vector.to(x)
        return x

    return edit


def generate(network: Any, rows: Sequence[Row], steer: tuple[int, tuple[float, ...]] | None = None) -> None:
    """Decode the rows until each has its `finish`. Equal prompts are read once; finished rows leave the batch."""
    import torch

    edits = {} if steer is None else {steer[0]: adding(torch.tensor(steer[1]))}
    with torch.inference_mode(), edited(network, edits):
        logits, cache, mask, place = _read(network, rows)
        live = list(rows)
        while live:
            _draw(logits, live)
            keep = [i for i, row in enumerate(live) if not row.finish and not row.cancelled]
            if not keep:
                return
            if len(keep) < len(live):
                chosen = torch.tensor(keep, device=mask.device)
                cache.reorder_cache(chosen)
                mask, place, live = mask[chosen], place[chosen], [live[i] for i in keep]
            newest = torch.tensor([[row.tokens[-1]] for row in live], device=mask.device)
            mask, place = torch.cat([mask, torch.ones_like(newest)], 1), place + 1
            out = network(input_ids=newest, attention_mask=mask, position_ids=place, past_key_values=cache, use_cache=True)
            logits, cache = out.logits[:, -1], out.past_key_values


def _read(network: Any, rows: Sequence[Row]) -> tuple[Any, Any, Any, Any]:
    """Run the different prompts, padded on the left, and give each row its copy: logits [B, V], cache, mask, last place [B, 1]."""
    import torch

    prompts = list(dict.fromkeys(row.prompt for row in rows))
    longest = max(map(len, prompts))
    ids = torch.tensor([[0] * (longest - len(p)) + list(p) for p in prompts], device=network.device)
    mask = torch.tensor([[0] * (longest - len(p)) + [1] * len(p) for p in prompts], device=network.device)
    places = (mask.cumsum(1) - 1).clamp(min=0)
    out = network(input_ids=ids, attention_mask=mask, position_ids=places, use_cache=True)
    owner = {prompt: i for i, prompt in enumerate(prompts)}
    chosen = torch.tensor([owner[row.prompt] for row in rows], device=network.device)
    cache = out.past_key_values
    cache.reorder_cache(chosen)
    return out.logits[chosen, -1], cache, mask[chosen], places[chosen, -1:]


def _draw(logits: Any, rows: Sequence[Row]) -> None:
    """Draw one token a row by the inverse of its cumulative distribution, summed in float64."""
    import torch

    logits = logits.float()
    plain = torch.log_softmax(logits, -1)  # [B, V]
    entropies = torch.special.entr(plain.exp()).sum(-1).tolist()
    weights = _weights(logits, rows).cumsum(-1)
    streams = np.array([sampling.stream(row.key) for row in rows], dtype=np.uint64)
    uniform = torch.from_numpy(sampling.uniforms(streams, np.array([len(row.tokens) for row in rows]))).to(weights.device)
    level = torch.minimum(uniform * weights[:, -1], torch.nextafter(weights[:, -1], torch.zeros_like(weights[:, -1])))
    tokens = torch.searchsorted(weights, level[:, None], right=True)  # [B, 1]
    chosen = plain.gather(1, tokens)[:, 0].tolist()
    most = max(row.top for row in rows)
    best = torch.topk(plain, min(most, plain.shape[-1])) if most else None
    for i, row in enumerate(rows):
        if row.top and best is not None:
            pairs = zip(best.indices[i].tolist(), best.values[i].tolist(), strict=True)
            row.alternatives.append(list(pairs)[: row.top])
        row.add(int(tokens[i, 0]), min(chosen[i], 0.0), max(entropies[i], 0.0))


def _weights(logits: Any, rows: Sequence[Row]) -> Any:
    """Unnormalised weights [B, V] in float64 after bias, temperature (0: the first largest logit alone) and nucleus."""
    import torch

    biased = logits.double()
    for i, row in enumerate(rows):
        for token, value in row.bias:
            biased[i, token] += value
    warmth = torch.tensor([row.temperature for row in rows], dtype=torch.float64, device=logits.device)[:, None]
    weights = torch.softmax(biased / torch.where(warmth > 0, warmth, 1.0), -1)
    greedy = torch.nn.functional.one_hot(biased.argmax(-1), biased.shape[-1]).double()
    weights = torch.where(warmth > 0, weights, greedy)
    if any(row.top_p < 1 for row in rows):
        share = torch.tensor([row.top_p for row in rows], dtype=torch.float64, device=logits.device)[:, None]
        ranked, order = weights.sort(dim=-1, descending=True, stable=True)
        ranked[(ranked.cumsum(-1) - ranked >= share) & (share < 1)] = 0
        weights = torch.zeros_like(weights).scatter(-1, order, ranked)
    return weights
