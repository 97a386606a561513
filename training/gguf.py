"""The bundled weights for llama.cpp: `python -m training.gguf [FOLDER] FILE.gguf` (needs the package gguf; no torch).

llama.cpp finds the tokens by text, longest first, and drops the white space between them; a word carries the space before it,
so that what the server writes can be read again. The server's text is the wire form of nosce.models.socrates_wire.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nosce.models.socrates import tokenizer, weights
from nosce.models.socrates.network import Shape
from nosce.models.socrates_wire import TEMPLATE, piece

BLOCK = {
    "input_layernorm": "attn_norm", "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output", "post_attention_layernorm": "ffn_norm", "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down",
}  # fmt: skip
"""Names of one block's tensors: transformers to llama.cpp."""

WHOLE = {
    "model.embed_tokens.weight": "token_embd.weight",
    "model.norm.weight": "output_norm.weight",
    "lm_head.weight": "output.weight",
}


def renamed(name: str) -> str:
    """A tensor's name in a GGUF file. Raises KeyError for one that is not known."""
    if name in WHOLE:
        return WHOLE[name]
    _, _, index, rest = name.split(".", 3)
    return f"blk.{index}.{BLOCK[rest.removesuffix('.weight')]}.weight"


def interleaved(matrix: NDArray[np.float32], heads: int) -> NDArray[np.float32]:
    """Rows of each head [out, in] reordered from halves (transformers) to pairs (llama.cpp's rotary embedding)."""
    out, inner = matrix.shape
    return np.ascontiguousarray(matrix.reshape(heads, 2, out // heads // 2, inner).swapaxes(1, 2).reshape(out, inner))


def convert(folder: Path, file: Path) -> None:
    """Write the checkpoint in `folder` as GGUF, float32."""
    import gguf
    from safetensors.numpy import load_file

    shape = Shape.read(folder / "config.json")
    writer = gguf.GGUFWriter(str(file), "llama")
    _sizes(writer, shape)
    _vocabulary(writer, gguf.TokenType)
    for name, tensor in load_file(folder / "model.safetensors").items():
        values: NDArray[np.float32] = tensor.astype(np.float32)
        if ".q_proj." in name or ".k_proj." in name:
            values = interleaved(values, shape.heads if ".q_proj." in name else shape.groups)
        writer.add_tensor(renamed(name), values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _sizes(writer: Any, shape: Shape) -> None:
    writer.add_name("socrates")
    writer.add_file_type(0)  # all float32
    writer.add_vocab_size(shape.vocabulary)
    writer.add_context_length(shape.context)
    writer.add_embedding_length(shape.width)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.inner)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.groups)
    writer.add_rope_dimension_count(shape.head)
    writer.add_rope_freq_base(shape.theta)
    writer.add_layer_norm_rms_eps(shape.epsilon)


def _vocabulary(writer: Any, kinds: Any) -> None:
    words = tokenizer.VOCABULARY
    end, pad, first = (words.index(t) for t in (tokenizer.END, tokenizer.PAD, tokenizer.Q))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("default")
    writer.add_token_list([piece(word) for word in words])
    writer.add_token_types([kinds.CONTROL if k in (end, pad) else kinds.USER_DEFINED for k in range(len(words))])
    writer.add_token_merges(["Ġ Ġ"])  # one must be there; it joins nothing that is a token
    writer.add_bos_token_id(first)
    writer.add_eos_token_id(end)
    writer.add_pad_token_id(pad)
    writer.add_add_bos_token(False)
    writer.add_chat_template(TEMPLATE)


def main() -> None:
    """The command."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument(
        "folder", type=Path, nargs="?", help="a folder with config.json and model.safetensors (default: the bundled model)"
    )
    words.add_argument("file", type=Path)
    found = words.parse_args()
    convert(found.folder or weights("socrates"), found.file)


if __name__ == "__main__":
    main()
