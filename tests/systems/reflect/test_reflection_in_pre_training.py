"""A chain with a planted error: what is put before the model, and the two checkpoints that are compared."""

import asyncio
from dataclasses import replace

import numpy as np
import pytest

from nosce.core.errors import InputError
from nosce.core.problem import Problem
from nosce.core.registry import registry
from nosce.evidence.arms import Bench
from nosce.mind.engine import Engine
from nosce.systems.reflect.reflection_in_pre_training import experiment, items, recovery, relative
from nosce.tasks.families import parse
from nosce.tasks.families._judge import judge

ASKED = Problem("p", "37+48-12", reference="73")
CHAIN = {"steps": ["37+48=86", "86-12=74"], "wrong": "74", "fault": 1}


def put(model, problem: Problem = ASKED, **given):
    return asyncio.run(recovery(problem, Engine({"main": model}).mind(problem), **(given or CHAIN)))


@pytest.mark.parametrize("source", ["bundled", "general"])
def test_every_chain_has_its_error_on_the_way_and_ends_wrong(source):
    for item in items(24, 0, source):
        assert item.problem.check(item.given["wrong"]) < 0.5
        assert 1 <= item.given["fault"] < len(item.given["steps"])
        parsed = parse(item.problem.text) if source == "bundled" else None
        if parsed is not None:
            assert judge(parsed, item.given["steps"], item.given["wrong"]).fault == item.given["fault"]


def test_a_model_of_words_goes_on_after_the_wrong_answer_and_wait(scripted):
    def reply(prompt: str, k: int) -> str:
        prefix = prompt.partition("[prefix] ")[2]
        return ", step 1 is wrong.\nAnswer: 73" if prefix.endswith("Wait") else "1. so\nAnswer: 74"

    row = put(scripted(reply))
    assert row["shown"] == "1. 37+48=86\n2. 86-12=74\nAnswer: 74\nWait"
    assert (row["recovered"], row["explicit"], row["own"], row["clean"]) == (True, True, True, False)


def test_saying_nothing_new_is_no_recovery_and_not_explicit(scripted):
    row = put(scripted(lambda prompt, k: ", yes." if prompt.endswith("Wait") else "1. so\nAnswer: 73"))
    assert (row["answer"], row["recovered"], row["explicit"], row["clean"]) == ("74", False, False, True)
    assert "own" not in row  # no thought of its own ends wrong


def test_on_control_tokens_the_chain_is_cut_before_its_answer(scripted):
    seen: list[str] = []

    def reply(prompt: str, k: int) -> str:
        seen.append(prompt)
        return "<ans> 74" if "86" in prompt else "<s1> 37+48=85 <s2> 85-12=73 <ans> 73"

    row = put(scripted(reply, dialect="socrates-base"))
    assert row["shown"] == "<s1> 37+48=86 <s2> 86-12=74"
    assert (row["recovered"], row["clean"], "explicit" in row) == (False, True, False)


def test_relative_is_to_the_same_chains_without_the_error():
    assert relative(np.array([1.0, 0, 0, 0]), np.array([1.0, 1, 0, 0])) == 0.5
    with pytest.raises(InputError):
        relative(np.zeros(2), np.zeros(2))


def test_two_checkpoints_are_put_the_same_chains_and_the_earlier_one_must_be_named(scripted):
    def recovering(prompt: str, k: int) -> str:
        return "no.\nAnswer: " + key[next(text for text in key if text in prompt)]

    drawn = items(6, 0, "general")
    key = {item.problem.text: str(item.problem.reference) for item in drawn}
    claim = registry.find("S276").claim
    assert claim is not None
    roster = {"main": scripted(recovering), "early": scripted(lambda prompt, k: ", yes.")}
    roster["early"].version = "early"  # or the two would share their draws
    pairs = asyncio.run(experiment(Bench([], roster), replace(claim, n=6), 0))
    assert [(pair.system, pair.baseline) for pair in pairs] == [(1.0, 0.0)] * 6
    with pytest.raises(InputError, match="early="):
        asyncio.run(experiment(Bench([], {"main": roster["main"]}), claim, 0))
