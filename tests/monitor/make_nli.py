"""Makes `tests/monitor/nli`: a small BERT, trained here on sentences of our own, that tells entailment from contradiction.

    PYTHONPATH=src python tests/monitor/make_nli.py

Two sentences about the same thing's same property entail each other when the value is the same and contradict each other when it
is not; sentences about another thing or property are neutral. Lone words are such values.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import numpy as np

from nosce.models.socrates.tokenizer import VOCABULARY

FOLDER = Path(__file__).with_name("nli")
AT = {name: VOCABULARY.index(name) for name in ("red", "cave", "bread", "horse", "zor")}
VALUES = {
    "color": VOCABULARY[AT["red"] : AT["cave"]], "home": VOCABULARY[AT["cave"] : AT["bread"]],
    "food": VOCABULARY[AT["bread"] : AT["horse"]], "animal": VOCABULARY[AT["horse"] : AT["zor"]],
}  # fmt: skip
NAMES = VOCABULARY[AT["zor"] : AT["zor"] + 8]
FORMS = ("{r} of {n} is {v}", "{n} has {r} {v}")
WORDS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "of", "is", "has", *VALUES, *sum(VALUES.values(), ()), *NAMES)
LABELS = ("entailment", "neutral", "contradiction")
ENTAILMENT, NEUTRAL, CONTRADICTION = range(3)
LENGTH = 16


def pair(rng: np.random.Generator, lone: float) -> tuple[str, str, int]:
    """Premise, hypothesis and label, each label as often; `lone` is the share of lone words where they say it all."""
    relation, name = rng.choice(list(VALUES)), rng.choice(NAMES)
    value, label = rng.choice(VALUES[relation]), int(rng.integers(3))
    about, whose, other = relation, name, value
    if label == CONTRADICTION:
        other = rng.choice([v for v in VALUES[relation] if v != value])
    elif label == NEUTRAL and rng.random() < 0.5:
        about = rng.choice([r for r in VALUES if r != relation])
        other = rng.choice(VALUES[about])
    elif label == NEUTRAL:
        whose = rng.choice([n for n in NAMES if n != name])
        other = rng.choice(VALUES[relation]) if rng.random() < 0.5 else value
    if whose == name and rng.random() < lone:
        return str(value), str(other), label
    first, second = (str(rng.choice(FORMS)) for _ in range(2))
    return first.format(r=relation, n=name, v=value), second.format(r=about, n=whose, v=other), label


def batches(size: int, seed: int, easy: int = 0) -> Iterator[tuple[list[str], list[str], list[int]]]:
    """Endlessly many pairs; in the first `easy` batches nearly all are lone words, from which equality is learnt fast."""
    rng = np.random.default_rng(seed)
    for step in count():
        a, b, labels = zip(*(pair(rng, 0.95 if step < easy else 0.3) for _ in range(size)), strict=True)
        yield list(a), list(b), list(labels)


def main(steps: int = 3000, size: int = 64) -> None:
    """Train, say how well it does on fresh pairs, save."""
    import torch
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast

    torch.manual_seed(0)
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / "vocab.txt").write_text("\n".join(WORDS) + "\n")
    listed = FOLDER / "vocab.txt"
    listed.write_text("\n".join(WORDS) + "\n")
    words = BertTokenizerFast(str(listed))
    listed.unlink()
    config = BertConfig(
        vocab_size=len(WORDS), hidden_size=48, num_hidden_layers=2, num_attention_heads=4, intermediate_size=96,
        max_position_embeddings=LENGTH, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, num_labels=3,
        initializer_range=0.1, id2label=dict(enumerate(LABELS)), label2id={name: i for i, name in enumerate(LABELS)},
    )  # fmt: skip
    network = BertForSequenceClassification(config)
    maker = torch.optim.AdamW(network.parameters(), lr=1e-3, weight_decay=0.01)
    plan = torch.optim.lr_scheduler.OneCycleLR(maker, 1e-3, total_steps=steps, pct_start=0.1)
    for step, (a, b, labels) in zip(range(steps), batches(size, 1, easy=steps // 3), strict=False):
        told = words(a, b, padding=True, return_tensors="pt")
        loss = network(**told, labels=torch.tensor(labels)).loss
        maker.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        maker.step()
        plan.step()
        if step % 200 == 0:
            print(step, round(loss.item(), 3), flush=True)
    a, b, labels = next(batches(2000, 2))
    with torch.inference_mode():
        right = network.eval()(**words(a, b, padding=True, return_tensors="pt")).logits.argmax(-1).numpy() == np.array(labels)
    print(json.dumps({"right on fresh pairs": float(right.mean()), "parameters": network.num_parameters()}))
    network.save_pretrained(FOLDER)
    words.save_pretrained(FOLDER)


if __name__ == "__main__":
    main()
