"""The bundled model: where its weights lie. Nothing is loaded on import."""

from pathlib import Path

__all__ = ["CHECKPOINTS", "weights"]

CHECKPOINTS = ("socrates", "socrates-base", "socrates-weak")


def weights(name: str = "socrates") -> Path:
    """The folder of one shipped checkpoint (`config.json`, `model.safetensors`, tokenizer files)."""
    if name not in CHECKPOINTS:
        raise ValueError(f"no bundled checkpoint {name!r}; there are {', '.join(CHECKPOINTS)}")
    return Path(__file__).parent / "weights" / name
