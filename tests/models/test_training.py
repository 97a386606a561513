"""How the bundled model is trained: where a stage begins, and what its solving rows may get wrong."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nosce.models.socrates import weights
from nosce.models.socrates.network import Network
from nosce.tasks import families
from nosce.tasks.families._judge import judge

slips = pytest.importorskip("training.slips", reason="the training scripts are not installed with the package")


def test_a_stage_begins_from_the_shipped_folder_with_the_shipped_weights():
    torch = pytest.importorskip("torch")
    from training.network import Decoder, Shape
    from training.train import begun

    model, text = Decoder(Shape(len(begun(weights(), "cpu")["model"]["model.embed_tokens.weight"]))), [1, 9, 30, 31, 32]
    model.load_state_dict(begun(weights(), "cpu")["model"])
    tokens = torch.tensor([text])
    one = torch.ones_like(tokens)
    with torch.no_grad():
        logits = model(tokens, torch.arange(5)[None], one, 0 * one, one)[0, -1]
    assert np.allclose(logits.log_softmax(-1), Network.load(weights()).next_logprobs([text])[0], atol=1e-3)


@given(st.sampled_from(slips.FAMILIES), st.sampled_from(sorted(slips.RATE)), st.integers(0, 2**32 - 1))
@settings(max_examples=100, deadline=None)
def test_a_slip_is_one_wrong_step_from_which_the_thought_goes_on_consistently(name, level, seed):
    rng = np.random.default_rng(seed)
    item = families.draw(rng, name, level)
    steps, answer = slips.slipped(rng, item)
    fault = judge(item, steps, answer).fault
    if steps == item.steps:
        assert fault is None
        return
    assert 1 <= fault <= len(steps)
    assert not families.right(item, answer)
    assert families.conclude(item, steps) == answer
    if "=" in steps[fault - 1]:
        assert families.go_on(item, steps[:fault]) == (list(steps[fault:]), answer)
    else:  # two neighbours of a list
        assert sorted(steps) == sorted(item.steps)


@pytest.mark.parametrize("name", slips.FAMILIES)
def test_thoughts_slip_at_the_rate_of_their_level_and_easy_ones_never(name):
    rng = np.random.default_rng(5)

    def share(level):
        items = [families.draw(rng, name, level) for _ in range(300)]
        return np.mean([slips.slipped(rng, item)[0] != item.steps for item in items])

    assert share(1) == 0
    assert 0 < share(3) <= slips.RATE[3] + 0.08
    assert 0 < share(2) <= slips.RATE[2] + 0.08
