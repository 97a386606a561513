"""The joint over reward and remaining length, by hand and in closed form."""

import asyncio
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from nosce.core.errors import CapabilityError, InputError
from nosce.core.registry import registry
from nosce.inside.joint_head import BINS, JointHead, reserved, trained
from nosce.learn.context import Context
from nosce.learn.plan import plan
from nosce.learn.recipe import Recipe, Settings
from nosce.learn.rollout import Group
from nosce.learn.tiny import TinyEngine
from nosce.learn.trainer import Trainer
from nosce.mind.engine import Engine
from nosce.models.socrates.model import SocratesModel
from nosce.systems.control.zip_rc import foretold
from nosce.tasks.bundled import draw_problems

TRAIN = draw_problems(["arithmetic", "lists"], [1, 2], 8, part="train")
GRID = JointHead(first=2, rewards=(0.0, 1.0), unit=2)


@pytest.fixture(scope="module")
def weak() -> TinyEngine:
    return TinyEngine("socrates-weak")


def recipe(**options: object) -> Recipe:
    made: Recipe = registry.find("zip-rc/head", "recipe").run(**options)
    return made


def credited(engine: TinyEngine, made: Recipe) -> list[Group]:
    context = Context(engine, TRAIN, Settings(), seed=3)
    groups = [asyncio.run(made.rollout(problem, context, 2)) for problem in TRAIN[:3]]
    made.credit(groups, context)
    return groups


def test_cells_are_length_bins_and_reward_levels() -> None:
    golden = recipe().golden
    assert GRID.cell(1.0, np.array(golden["remaining"])).tolist() == golden["right"]
    assert GRID.cell(0.0, np.array(golden["remaining"])).tolist() == golden["wrong"]
    published = JointHead(0, (0.0, 1.0), 256)
    assert published.cell(0.0, np.array([255, 256, 511, 512, 16383, 16384, 40000])).tolist() == [0, 1, 1, 2, 6, 7, 7]


def test_expectations_are_those_of_the_softmax_over_the_grid_alone() -> None:
    """ln 3 more on one right cell: its odds to each other cell are 3 : 1, so E[reward] = (3 + 7)/(3 + 15)."""
    logits = np.zeros(2 + GRID.size + 3)
    logits[:2] = 50.0
    logits[2 + BINS] = np.log(3.0)
    joint = GRID.joint(logits)
    assert joint.shape == (2, BINS)
    assert float(GRID.reward(joint)) == pytest.approx(10 / 18)
    middles = np.array([1, 3, 6, 12, 24, 48, 96, 192])
    assert float(GRID.remaining(joint)) == pytest.approx((2 * middles.sum() + 2 * middles[0]) / 18)


def test_every_token_is_told_what_was_still_to_come(weak: TinyEngine) -> None:
    first, tokens = reserved(weak.model, 16)
    for rollout in (rollout for group in credited(weak, recipe()) for rollout in group):
        turn = rollout.turns[0]
        left = len(turn.tokens) - np.arange(len(turn.tokens))
        assert turn.extra["cell"].tolist() == JointHead(first, (0.0, 1.0), 2).cell(rollout.outcome or 0.0, left).tolist()
        assert {token for token, _ in turn.bias} == {weak.token(token) for token in tokens} == set(range(first, first + 16))
        assert not turn.kl.any()


def test_the_loss_is_the_mean_surprise_at_the_cells_that_came_true(weak: TinyEngine) -> None:
    made = recipe()
    turns = [turn for group in credited(weak, made) for rollout in group for turn in rollout.turns]
    logp, batch = next(iter(weak.batches(turns, range(len(turns)), 10**6, made.reads)))
    value, parts = made.loss(logp, batch)
    turns.sort(key=lambda turn: len(turn.prompt) + len(turn.tokens))  # as the engine lays them out
    grid = JointHead(reserved(weak.model, 16)[0], (0.0, 1.0), 2)
    cells = np.concatenate([turn.extra["cell"] for turn in turns]).astype(int)
    joint = grid.joint(weak.forward(turns)[0].detach().numpy()).reshape(len(cells), -1)
    assert value.item() == pytest.approx(-np.log(joint[np.arange(len(cells)), cells]).mean(), rel=1e-4)
    assert 0 <= float(parts["reserved"]) < 1


def test_lite_moves_the_reserved_rows_and_nothing_else() -> None:
    engine = TinyEngine("socrates-weak")
    before = {name: weight.clone() for name, weight in engine.network.state_dict().items()}
    Trainer(recipe(), engine, TRAIN, 1, settings=Settings(batch=2, group=2, lr=1e-2)).run()
    first, _ = reserved(engine.model, 16)
    for name, weight in engine.network.state_dict().items():
        rows = slice(None, first) if "embed" in name else slice(None)
        assert torch.equal(weight[rows], before[name][rows]), name
    embedding = engine.network.model.embed_tokens.weight
    assert not torch.equal(embedding[first:], before["model.embed_tokens.weight"][first:])


def test_the_whole_form_stays_near_its_start_by_the_weight_of_the_distance(weak: TinyEngine) -> None:
    made = recipe(lite=False, kl=7.0)
    assert made.needs == {"ref"}
    assert {float(v) for g in credited(weak, made) for r in g for v in r.turns[0].kl} == {7.0}


def test_only_a_model_that_was_trained_for_it_gives_a_signal(tmp_path: Path) -> None:
    run = plan("zip-rc/head", "socrates-weak", TRAIN, steps=1, out=tmp_path / "run", options={"batch": 1, "group": 1})
    run.run()
    assert json.loads((tmp_path / "run/model/nosce.json").read_text())["recipe"] == "S006/head"
    model = SocratesModel(f"socrates:{tmp_path}/run/model")
    assert trained(model) == JointHead(reserved(model, 16)[0], (0.0, 1.0), 2)
    assert trained(SocratesModel("socrates-weak")) is None

    async def told(on: SocratesModel) -> tuple[float | None, float | None]:
        mind = Engine({"main": on}, seed=5).mind(TRAIN[0])
        answer = await foretold(TRAIN[0], mind)
        signal = await registry.find("zip-rc/expected-reward").run(TRAIN[0], mind.work.attempts, mind)
        return answer.confidence, signal.value

    said, signal = asyncio.run(told(model))
    assert said == signal
    assert asyncio.run(told(SocratesModel("socrates-weak")))[1] is None


def test_values_go_on_from_a_head_and_a_tokenizer_must_have_room(weak: TinyEngine, scripted) -> None:
    with pytest.raises(InputError, match="target=correct"):
        plan("zip-rc/head", "socrates-weak", TRAIN, steps=1, options={"target": "value"})
    with pytest.raises(CapabilityError, match="16 reserved tokens"):
        reserved(scripted(lambda prompt, k: "Answer: 4"), 16)
