"""What only a model can tell: tokens that matter, a prior, layers, sameness; and what stands in where it cannot."""

import asyncio
from math import log

import numpy as np
import pytest
from tests.systems.conftest import scripted, tiny_network

from nosce.core.attempt import Attempt
from nosce.core.cost import Budget
from nosce.core.errors import BudgetExhausted, CapabilityError
from nosce.core.problem import Problem
from nosce.core.registry import registry
from nosce.mind.engine import Engine
from nosce.mind.mind import Mind
from nosce.models.base import Capabilities, Prompt
from nosce.models.socrates.model import SocratesModel
from nosce.monitor.fallback import fallback
from nosce.monitor.measure import measures
from nosce.monitor.observe import drawn, observe
from nosce.monitor.statistics import NEEDS

SUM = Problem("p", "7+5", reference="12")
PARIS = Problem("q", "Capital of France?")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> SocratesModel:
    return SocratesModel(str(tiny_network(tmp_path_factory.mktemp("organism"))), dialect="socrates")


def thought(model: SocratesModel, n: int = 2, budget: Budget | None = None) -> tuple[Mind, list[Attempt]]:
    mind = Engine({"main": model}, budget or Budget()).mind(SUM)
    return mind, asyncio.run(mind.think(SUM, n=n, max_tokens=12))


def test_rereading_gives_the_probabilities_that_were_drawn_with(model):
    _, (attempt, _) = thought(model)
    logprobs, preferred = model.reread(Prompt(text="<q> 7+5 <think>"), attempt.token_ids)
    assert logprobs == pytest.approx(np.array(attempt.logprobs), abs=1e-4)
    session = model.session(Prompt(text="<q> 7+5 <think>"))
    assert preferred[-1, 0] == session.logits.argmax()
    assert preferred.shape == (3, len(attempt.token_ids))


def test_the_prior_knows_only_the_last_token_of_the_prompt(model):
    mind, attempts = thought(model)
    stats = asyncio.run(observe(SUM, attempts, mind, {"prior"}))
    session, expected = model.session(Prompt(text="<think>")), []
    for token in attempts[0].token_ids:
        expected.append(session.logits[token] - np.logaddexp.reduce(session.logits))
        session.step(token)
    assert stats.prior == pytest.approx(expected, abs=1e-4)


def test_readings_are_paid_for(model):
    mind, attempts = thought(model, n=1)
    before, length = mind.work.meter.spent, len(attempts[0].token_ids)
    asyncio.run(observe(SUM, attempts, mind, set(NEEDS)))
    spent = mind.work.meter.spent
    assert spent.calls - before.calls == 2
    assert spent.prompt_tokens - before.prompt_tokens == (1 + length) + (model.count(Prompt(text="<q> 7+5 <think>")) + length)
    poor, attempts = thought(model, n=1, budget=Budget(calls=1))
    with pytest.raises(BudgetExhausted):
        asyncio.run(observe(SUM, attempts, poor, {"layers"}))


def test_a_token_matters_as_much_as_the_text_changes_without_it(model):
    mind, attempts = thought(model)
    marks = []

    def embed(texts):
        marks.extend(texts)
        return [[1.0, 0.0]] + [[1.0, 0.0]] * (len(texts) - 2) + [[0.0, 1.0]]  # only the last token changes anything

    stats = asyncio.run(observe(SUM, attempts[:1], mind, {"pieces"}, embed=embed))
    assert stats.relevance[0].tolist() == [0.0] * (len(attempts[0].token_ids) - 1) + [1.0]
    assert marks[0] == model.decode(attempts[0].token_ids)
    assert marks[1] == model.decode(attempts[0].token_ids[1:])
    assert measures()["token-sar"](stats).value == pytest.approx(-attempts[0].logprobs[-1])


def test_tokens_are_found_among_their_alternatives():
    top = ((("a", log(0.5)), ("b", log(0.3))), ((" c", log(0.9)),))
    assert drawn(Attempt("n0", "b c", None, logprobs=(log(0.3), log(0.9)), top=top)) == ["b", " c"]
    assert drawn(Attempt("n0", "z c", None, logprobs=(log(0.1), log(0.9)), top=top)) is None


def test_the_model_judges_what_means_the_same():
    asked = []

    def reply(prompt: str, _: int) -> str:
        asked.append(prompt)
        return "Choice: 1" if "First answer: Paris\nSecond answer: the city of light" in prompt else "Choice: 2"

    mind = Engine({"main": scripted(reply)}).mind(PARIS)
    attempts = [Attempt(f"n{i}", a or "", a) for i, a in enumerate(("Paris", "the city of light", "paris", "Lyon", None))]
    stats = asyncio.run(observe(PARIS, attempts, mind, judge=True))
    assert stats.classes.tolist() == [0, 0, 0, 1, 2]
    assert len(asked) == 2  # the city against Paris, Lyon against Paris; paris matches, and no answer is not asked about
    found = asyncio.run(registry.find("discrete-semantic-entropy/model-judged").run(PARIS, attempts, mind))
    assert found.value == pytest.approx(-0.6 * log(0.6) - 0.4 * log(0.2))


def test_what_stands_in_and_what_it_costs():
    assert fallback({"logprobs"}, {"logprobs"}) is None
    assert str(fallback({"logprobs"}, ())) == "self-consistency-share (5 attempts a question)"
    assert str(fallback({"top"}, {"logprobs"})) == "length-normalized-probability (no further cost)"
    assert fallback({"top"}, ()).name == "self-consistency-share"
    assert fallback({"samples", "sample_logprobs"}, ()).name == "discrete-semantic-entropy"
    assert fallback({"samples", "nli"}, ()).attempts == 5
    for measure in measures().values():
        stand_in = fallback(measure.needs, ())
        assert stand_in is None or not measures()[stand_in.name].needs - {"samples"}, measure.name


def test_a_black_box_is_told_what_stands_in():
    engine = Engine({"main": scripted(lambda *_: "Answer: 4", capabilities=Capabilities())})
    with pytest.raises(CapabilityError, match=r"the estimator self-consistency-share \(5 attempts a question\)"):
        engine.check(registry.find("token-sar"))
