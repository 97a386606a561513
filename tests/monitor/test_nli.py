"""A real NLI classifier of transformers, small, made by `make_nli.py`: what estimators hear from it, and what that is worth."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from nosce.core.errors import InputError
from nosce.evidence.signals.comparing import comparing
from nosce.metrics import auroc2
from nosce.mind.engine import UNKNOWN, Engine
from nosce.models.load import load
from nosce.monitor.equivalence import CONTRADICTION, ENTAILMENT, NEUTRAL, Entails
from nosce.monitor.measure import measures
from nosce.monitor.nli import nli_model
from nosce.monitor.statistics import Statistics
from nosce.tasks.bundled import draw_problems

pytest.importorskip("transformers")
FOLDER = Path(__file__).with_name("nli")


@pytest.fixture(scope="module", name="entails")
def _entails() -> Entails:
    return nli_model(str(FOLDER))


def test_it_tells_the_three_apart(entails: Entails) -> None:
    said = "home of zor is cave"
    others = ("zor has home cave", "zor has home tower", "vak has home tower")
    found = entails([*((said, other) for other in others), ("red", "red"), ("red", "blue"), ("red", "fish")])
    assert found.shape == (6, 3)
    assert np.allclose(found.sum(1), 1, atol=1e-5)
    assert found.argmax(1).tolist() == [ENTAILMENT, CONTRADICTION, NEUTRAL, ENTAILMENT, CONTRADICTION, NEUTRAL]


def test_the_order_of_its_labels_does_not_matter_but_their_names_do(entails: Entails, tmp_path: Path) -> None:
    shutil.copytree(FOLDER, tmp_path / "nli")
    config = json.loads((FOLDER / "config.json").read_text())
    told = {**config, "id2label": {"0": "CONTRADICTION", "1": "Neutral", "2": "ENTAILMENT"}, "label2id": {}}
    (tmp_path / "nli" / "config.json").write_text(json.dumps(told))
    turned = nli_model(f"hf:{tmp_path / 'nli'}")
    assert np.allclose(turned([("red", "red")])[:, ::-1], entails([("red", "red")]), atol=1e-6)
    told["id2label"] = {"0": "LABEL_0", "1": "LABEL_1", "2": "LABEL_2"}
    (tmp_path / "nli" / "config.json").write_text(json.dumps(told))
    with pytest.raises(InputError, match="its labels are label_0, label_1, label_2; expected entailment"):
        nli_model(str(tmp_path / "nli"))


def test_what_cannot_be_had_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no classifier of transformers there"):
        nli_model(str(tmp_path))
    with pytest.raises(InputError, match="add --nli PATH"):
        comparing(same="nli")
    with pytest.raises(InputError, match="did you mean embedding"):
        comparing(same="embeding")
    with pytest.raises(InputError, match="unknown view"):
        comparing(view="thoughts")


def test_with_it_contradiction_meaning_and_claims_tell_right_from_wrong(entails: Entails) -> None:
    """The bundled model on its facts: samples of answers that it half remembers contradict each other."""
    given = comparing(str(FOLDER), "nli", "answer")
    engine = Engine({"main": load("socrates")})
    names = ("noncontradiction", "semantic-entropy", "claim-conditioned-probability")

    async def one(problem):
        attempts = await engine.mind(problem).direct(problem, n=5, top=10)
        if attempts[0].answer in (None, UNKNOWN):  # there is nothing to be sure of
            return None
        stats = Statistics(problem, attempts, **given)
        return problem.check(attempts[0].answer), [measures()[name](stats).confidence for name in names]

    async def all_of_them():
        return await asyncio.gather(*(one(problem) for problem in draw_problems(("facts",), n=200, part="dev")))

    seen = [row for row in asyncio.run(all_of_them()) if row]
    right, sure = np.array([r >= 1 for r, _ in seen]), np.array([s for _, s in seen])
    for name, column in zip(names, sure.T, strict=True):
        assert auroc2(column, right).interval[0] > 0.7, name
