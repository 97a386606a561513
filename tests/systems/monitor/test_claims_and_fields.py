"""Long answers claim by claim and structured ones field by field, run for real on scripted chat models."""

import asyncio
import json
import math
import re

import pytest

from nosce.core.cost import Budget
from nosce.core.errors import CapabilityError
from nosce.core.problem import Problem
from nosce.core.registry import registry
from nosce.mind.engine import Engine
from nosce.models.base import Capabilities, Sample
from nosce.monitor.measure import measures
from nosce.monitor.statistics import Statistics

ASKED = Problem("p", "Who was Ann?", reference="Ann")
GROUNDED = Problem("p", "Who was Ann?", context="Ann sold bread in Rome.", reference="Ann")
STORIES = ("Ann sold bread. Ann lived in Rome.\nAnswer: Ann", "Ann sold bread. Ann lived in Oslo.\nAnswer: Ann",
           "Ann sold bread. Ann lived in Rome.\nAnswer: Ann")  # fmt: skip


def teller(prompt: str, draw: int) -> Sample:
    """Tells one of three stories; believes in bread and doubts Rome."""
    if "Is the proposed answer correct" not in prompt:
        text = STORIES[draw % 3]
        return Sample(text, logprobs=(-0.1,), prompt_tokens=10, completion_tokens=len(text.split()))
    sure = 0.9 if "Proposed answer: Ann sold bread" in prompt else 0.5
    top = ((("True", math.log(sure)), ("False", math.log(1 - sure))),)
    return Sample("True", top=top, logprobs=(math.log(sure),), prompt_tokens=20, completion_tokens=1)


def told(signals):
    return {signal.name: pytest.approx(signal.value) for signal in signals}


def test_each_claim_is_as_sure_as_the_other_samples_support_it(scripted, run):
    answer = run(scripted(teller), "by-claim", ASKED, k=3).answer
    assert told(answer.signals) == {"Ann sold bread.": 1.0, "Ann lived in Rome.": (2 / 3 + 1) / 2, "Ann": 1.0}
    assert answer.confidence == pytest.approx((1 + 5 / 6 + 1) / 3)
    assert answer.source == "samples"
    assert "3 claims scored by samples at 18 tokens" in answer.reason


def test_the_model_itself_may_be_asked_about_each_claim(scripted, run):
    solved = run(scripted(teller), "by-claim", ASKED, by="verify")
    assert told(solved.answer.signals) == {"Ann sold bread.": 0.9, "Ann lived in Rome.": 0.5, "Ann": 0.5}
    assert solved.answer.cost.calls == 4
    assert solved.answer.source == "logprobs"


def test_a_passage_decides_where_there_is_one(scripted, run):
    answer = run(scripted(teller), "by-claim", GROUNDED).answer
    assert told(answer.signals) == {"Ann sold bread.": 1.0, "Ann lived in Rome.": 2 / 3, "Ann": 1.0}
    assert (answer.source, answer.cost.calls) == ("verifier", 1)
    assert "at 0 tokens" in answer.reason


def test_a_passage_may_be_judged_by_the_model_or_by_any_entailment_model(scripted, run):
    def reads(prompt, draw):
        if "Options:" not in prompt:
            return teller(prompt, draw)
        assert "Passage: Ann sold bread in Rome." in prompt
        return Sample("Choice: 1" if "Claim: Ann sold" in prompt else "Choice: 2", prompt_tokens=9, completion_tokens=2)

    answer = run(scripted(reads), "by-claim", GROUNDED, by="judge").answer
    assert told(answer.signals) == {"Ann sold bread.": 1.0, "Ann lived in Rome.": 0.0, "Ann": 0.0}
    assert (answer.source, answer.cost.calls) == ("verbal", 4)
    by_half = run(scripted(teller), "by-claim", GROUNDED, supports=lambda pairs: [0.5 for _ in pairs]).answer
    assert by_half.confidence == 0.5


def test_a_second_sample_that_does_not_fit_leaves_the_answer_without_a_confidence(scripted, run):
    model = scripted(teller, capabilities=Capabilities(logprobs=True, top=20))
    answer = run(model, "by-claim", ASKED, budget=Budget(calls=1)).answer
    assert (answer.value, answer.confidence) == ("Ann", None)


def test_the_estimators_are_the_means(scripted):
    engine = Engine({"main": scripted(teller)})

    async def seen(name, problem):
        mind = engine.mind(problem)
        return await registry.find(name).run(problem, await mind.think(problem, n=3), mind)

    assert asyncio.run(seen("claim-support", ASKED)).value == pytest.approx((1 + 5 / 6 + 1) / 3)
    assert asyncio.run(seen("claim-support/verify", ASKED)).value == pytest.approx((0.9 + 0.5 + 0.5) / 3)
    assert asyncio.run(seen("passage-support", GROUNDED)).value == pytest.approx((1 + 2 / 3 + 1) / 3)
    assert asyncio.run(seen("passage-support", ASKED)).source == "none"
    assert asyncio.run(seen("field-agreement", ASKED)).source == "none"
    judged = measures()["claim-support"](Statistics(ASKED, asyncio.run(engine.mind(ASKED).think(ASKED, n=2))))
    assert judged.value == pytest.approx((1 + 2 / 3 + 1) / 3)


RECORDS = ({"who": "Ann", "age": 31}, {"who": "Ann", "age": 32}, {"who": "Ann", "age": 31}, {"who": "ann", "age": 40})


def clerk(logprobs: bool):
    """Writes a record; the tokens of the age are doubted."""

    def reply(prompt: str, draw: int) -> Sample:
        text = "Here:\n" + json.dumps(RECORDS[draw % 4])
        pieces = re.findall(r"\s*[^\s]+|\s+$", text)
        chances = [0.25 if piece.strip("} ").isdigit() else 1.0 for piece in pieces]
        logs = tuple(math.log(p) - 1e-3 * i for i, p in enumerate(chances))
        top = tuple(((piece, lp), ("?", -20.0)) for piece, lp in zip(pieces, logs, strict=True))
        given = {"logprobs": logs, "top": top} if logprobs else {}
        return Sample(text, prompt_tokens=10, completion_tokens=len(pieces), **given)

    return reply


def test_a_field_is_as_sure_as_its_tokens(scripted, run):
    answer = run(scripted(clerk(True)), "by-field", ASKED).answer
    assert json.loads(answer.value) == RECORDS[0]
    assert answer.signals[0].name == "$.who"
    assert answer.signals[0].value > 0.9
    assert answer.signals[1].value == pytest.approx(0.25, abs=0.01)
    assert (answer.confidence, answer.source, answer.cost.calls) == (answer.signals[1].value, "logprobs", 1)


def test_without_log_probabilities_samples_are_compared_and_the_reason_says_so(scripted, run):
    model = scripted(clerk(False), capabilities=Capabilities(n=True))
    answer = run(model, "by-field", ASKED, k=4).answer
    assert told(answer.signals) == {"$.who": 1.0, "$.age": 0.5}
    assert (answer.confidence, answer.source) == (0.5, "samples")
    assert answer.reason.startswith("the model gives no log-probabilities of its text: 2 fields scored by agreement at 2")
    with pytest.raises(CapabilityError, match="by=agreement"):
        asyncio.run(registry.find("by-field").run(ASKED, Engine({"main": model}).mind(ASKED), by="probability"))


def test_a_reply_without_json_is_no_answer(scripted, run):
    answer = run(scripted(teller), "by-field", ASKED).answer
    assert (answer.outcome, answer.reason) == ("abstained", "the reply holds no JSON")


def test_field_estimators_take_the_weakest_field(scripted):
    engine = Engine({"main": scripted(clerk(True))})

    async def seen(name):
        mind = engine.mind(ASKED)
        return await registry.find(name).run(ASKED, await mind.think(ASKED, n=4, top=20), mind)

    assert asyncio.run(seen("field-agreement")).value == 0.5
    assert asyncio.run(seen("field-probability")).value == pytest.approx(0.25, abs=0.01)
