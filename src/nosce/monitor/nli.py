"""An entailment model on this machine, as the estimators ask it: any NLI classifier of transformers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nosce.core.errors import CapabilityError, InputError
from nosce.monitor.equivalence import Entails

LABELS = ("entail", "neutral", "contradict")
"""How the three labels begin, in the order of the probabilities that estimators are given."""


def nli_model(path: str, *, batch: int = 64) -> Entails:
    """The classifier in a folder (or of a name in the local cache; nothing is downloaded), with or without `hf:` before it.

    Pairs (premise, hypothesis) [m] to probabilities [m, 3] of entailment, neutrality and contradiction, whatever the order of
    its own labels; pairs longer than it reads are cut. Raises InputError where there is no such model or its labels are others,
    CapabilityError without transformers.
    """
    path = path.removeprefix("hf:")
    try:
        import torch
        from transformers import AutoModelForSequenceClassification, AutoTokenizer
    except ImportError as error:
        raise CapabilityError(f"{error.name} (install nosce[local])", f"--nli {path}", "signals that compare answers") from None
    try:
        words = AutoTokenizer.from_pretrained(path, local_files_only=True)
        network = AutoModelForSequenceClassification.from_pretrained(path, local_files_only=True, dtype=torch.float32).eval()
    except (OSError, ValueError, KeyError, ImportError) as error:
        raise InputError(f"--nli {path}: no classifier of transformers there ({' '.join(str(error).split())[:120]})") from None
    order = ordered(network.config.id2label, path)
    longest = int(getattr(network.config, "max_position_embeddings", 512))

    def entails(pairs: Sequence[tuple[str, str]]) -> NDArray[Any]:
        found = np.empty((len(pairs), len(LABELS)))
        by_length = sorted(range(len(pairs)), key=lambda i: len(pairs[i][0]) + len(pairs[i][1]))
        with torch.inference_mode():
            for at in range(0, len(pairs), batch):
                rows = by_length[at : at + batch]
                told = words(
                    [pairs[i][0] for i in rows], [pairs[i][1] for i in rows], padding=True, truncation=True,
                    max_length=longest, return_tensors="pt",
                )  # fmt: skip
                found[rows] = network(**told).logits.softmax(-1)[:, order].numpy()
        return found

    return entails


def ordered(names: Mapping[Any, str] | Iterable[tuple[Any, str]], path: str) -> list[int]:
    """The places of entailment, neutrality and contradiction among a classifier's labels. Raises InputError for other labels."""
    labels = {str(name).lower(): int(place) for place, name in dict(names).items()}
    found = [[place for name, place in labels.items() if name.startswith(start)] for start in LABELS]
    if len(labels) != len(LABELS) or any(len(places) != 1 for places in found):
        raise InputError(f"--nli {path}: its labels are {', '.join(labels)}; expected entailment, neutral and contradiction")
    return [places[0] for places in found]
