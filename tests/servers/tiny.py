"""A random Llama of 40,000 parameters with a byte-level tokenizer, written to a folder."""

from __future__ import annotations

import json
from pathlib import Path

TEMPLATE = (
    "{% for m in messages %}<|{{ m['role'] }}|>{{ m['content'] }}"
    "{% if not loop.last or m['role'] != 'assistant' %}<|end|>{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
SPECIAL = ["<|end|>", "<|system|>", "<|user|>", "<|assistant|>"]


def write(folder: Path, *, template: bool = True, sharpness: float = 6.0) -> Path:
    """Write config, weights and tokenizer; `sharpness` scales the weights, so that the text is not uniform noise."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    raw = Tokenizer(models.BPE({token: i for i, token in enumerate([*SPECIAL, *alphabet])}, []))
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=raw, eos_token="<|end|>", pad_token="<|end|>", extra_special_tokens=SPECIAL[1:]
    )
    tokenizer.chat_template = TEMPLATE if template else None
    torch.manual_seed(5)
    config = LlamaConfig(
        vocab_size=len(alphabet) + 4, hidden_size=64, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2,
        max_position_embeddings=512, tie_word_embeddings=True, bos_token_id=None, eos_token_id=0, pad_token_id=0,
    )  # fmt: skip
    network = LlamaForCausalLM(config)
    with torch.no_grad():
        network.model.embed_tokens.weight *= sharpness
        allowed = [raw.token_to_id(c) for c in "abcdefghijklmnopqrstuvwxyz"]
        others = [i for i in range(config.vocab_size) if i not in allowed]
        network.model.embed_tokens.weight[others] *= 0.02  # so that nearly all it writes are letters
    folder.mkdir(parents=True, exist_ok=True)
    network.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    settings = json.loads((folder / "generation_config.json").read_text())
    (folder / "generation_config.json").write_text(json.dumps({**settings, "eos_token_id": 0, "pad_token_id": 0}))
    return folder
