"""How the bundled model is trained: where a stage begins, how thoughts are scored, what mending teaches."""

from itertools import repeat

import numpy as np
import pytest

from nosce.models.socrates import tokenizer as marks
from nosce.models.socrates import weights
from nosce.models.socrates.network import Network
from nosce.tasks import families

torch = pytest.importorskip("torch")
from training import acts, mixture  # noqa: E402
from training.rows import END, encode, pack, thought  # noqa: E402
from training.train import begun, loss_of  # noqa: E402

from nosce.learn.torch_network import Decoder, Shape  # noqa: E402  # after the check for torch


def item(question="37+48-12"):
    found = families.parse(question)
    assert found is not None
    return found


def test_a_stage_begins_from_the_shipped_folder_with_the_shipped_weights():
    model, text = Decoder(Shape(len(marks.VOCABULARY))), [1, 9, 30, 31, 32]
    model.load_state_dict(begun(weights(), "cpu")["model"])
    tokens = torch.tensor([text])
    one = torch.ones_like(tokens)
    with torch.no_grad():
        logits = model(tokens, torch.arange(5)[None], one, 0 * one, one)[0, -1]
    assert np.allclose(logits.log_softmax(-1), Network.load(weights()).next_logprobs([text])[0], atol=1e-3)


@pytest.mark.parametrize("drawn", [1.0, 0.7])
def test_a_thought_is_scored_at_the_temperature_it_is_drawn_with_and_the_rest_at_one(drawn):
    def fixed(*_):
        return torch.tensor([[[2.0, 0.0], [2.0, 0.0]]])  # the same two-token logits at both places

    rows = torch.zeros(1, 8, 2, dtype=torch.long)
    rows[0, 6], rows[0, 7] = 1, torch.tensor([1, 0])  # the first target belongs to a thought, the second does not
    thinking, other = (np.log1p(np.exp(-2.0 / t)) for t in (drawn, 1.0))
    assert float(loss_of(fixed, rows, torch.ones(2), drawn)) == pytest.approx((thinking + other) / 2, abs=1e-6)


def test_what_follows_think_is_a_thought_and_a_direct_answer_is_none():
    tree = mixture.solving(np.random.default_rng(1), item())
    row = pack(repeat(tree), 1)[0]
    ids, thinks = row[0], row[7].astype(bool)
    written = encode(f"{marks.THINK} {thought(item().steps, item().answer)}")
    assert tuple(ids[thinks][: len(written)]) == written
    assert encode(marks.FAST)[0] not in ids[thinks]


def test_mending_teaches_only_what_follows_the_critique_of_a_wrong_thought():
    tried = {"direct": False, "steps": ["37+48=75", "75-12=63"], "answer": "63", "right": False}
    right = {"direct": False, "steps": list(item().steps), "answer": "73", "right": True}
    tree = acts.mend(np.random.default_rng(0), acts.Own(item(), 0.5, 20.0, (tried, right), newest=False))
    learned = [target for target in tree.columns[1] if target >= 0]
    assert learned[: len(encode(thought(item().steps, "73")))] == list(encode(thought(item().steps, "73")))
    assert learned.count(END) == learned.count(encode(marks.ANS)[0])
    assert acts.mend(np.random.default_rng(0), acts.Own(item(), 1.0, 20.0, (right,))) is None
