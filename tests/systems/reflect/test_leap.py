"""Who hears whom, what is put into a path, and when it ends."""

import asyncio

import pytest

from nosce.core.problem import Problem
from nosce.mind.engine import Engine
from nosce.models.base import Sample
from nosce.systems.reflect.leap import items, prefix_trap, route, similarity
from nosce.tasks.families import parse, recheck

ASKED = Problem("p", "37+48-12", reference="73")
SAID = ["a b c d", "a b c x", "a b y z", "p q r s t"]


def piece(text: str, finish: str = "stop") -> Sample:
    return Sample(text, finish=finish, prompt_tokens=5, completion_tokens=max(1, len(text.split())))


@pytest.mark.parametrize(
    ("a", "b", "value"),
    [("a b c d", "a b c d", 1.0), ("a b c d", "a b c x", 3 / 4), ("a b c d", "b c d", 3 / 4), ("a", "b c", 0.0), ("", "", 1.0),
     ("", "a b", 0.0), ("k i t t e n", "s i t t i n g", 4 / 7)],
)  # fmt: skip
def test_similarity_is_one_minus_levenshtein_over_words(a, b, value):
    assert similarity(a, b) == pytest.approx(value) == similarity(b, a)


@pytest.mark.parametrize(
    ("routing", "peers", "heard"),
    [("dispersed", 1, [3]), ("dispersed", 2, [3, 2]), ("clustered", 2, [1, 2]), ("hybrid", 2, [3, 1]), ("hybrid", 3, [3, 2, 1]),
     ("dispersed", 9, [3, 2, 1]), ("dispersed", 0, [])],
)  # fmt: skip
def test_routes_by_hand(routing, peers, heard):
    assert route(SAID, 0, peers, routing) == heard


def test_paths_drop_what_is_unfinished_hear_each_other_and_go_on(scripted, run):
    """Two open paths and one that has ended: the two hear each other and not the third."""
    firsts = [piece("1. 37+48=85\n2. 85-1", "length"), piece("1. 48-12=36\n2. 36+3", "length"), piece("Answer: 5")]
    seen: list[str] = []

    def reply(prompt: str, k: int) -> Sample:
        if "Say in at most 60 words" in prompt:
            return piece("Has 85." if "37+48=85" in prompt else "Has 36.")
        so_far = prompt.partition("[prefix] ")[2]
        if so_far:
            seen.append(so_far)
            return piece("2. it is 73\nAnswer: 73")
        return firsts[k]

    got = run(scripted(reply), "leap", ASKED, paths=3).answer
    assert sorted(text.partition("\nOthers")[0] for text in seen) == ["1. 37+48=85\n", "1. 48-12=36\n"]
    assert ["- Has 36." in text and "Has 85." not in text for text in sorted(seen)] == [True, False]
    assert (got.value, got.confidence) == ("73", pytest.approx(2 / 3))


def test_a_path_left_alone_hears_nothing(scripted, run):
    firsts = [piece("1. 37+48=85\n2. 85", "length"), piece("Answer: 73")]

    def reply(prompt: str, k: int) -> Sample:
        assert "Others who work" not in prompt
        assert "Say in at most" not in prompt
        return piece("Answer: 73") if "[prefix]" in prompt else firsts[k]

    assert run(scripted(reply), "leap", ASKED, paths=2).answer.confidence == 1.0


def test_on_control_tokens_a_finished_step_is_the_summary_and_a_note(scripted, run):
    firsts = [piece("<s1> 37+48=85 <s2> 85-1", "length"), piece("<s1> 48-12=36 <s2> 3", "length")]
    seen: list[str] = []

    def reply(prompt: str, k: int) -> Sample:
        if "<note>" not in prompt:
            return firsts[k]
        seen.append(prompt)
        return piece("<s2> 36+37=73 <ans> 73")

    assert run(scripted(reply, dialect="socrates"), "leap", ASKED, paths=2).answer.value == "73"
    assert sorted(seen) == [
        "<q> 37+48-12 <note> 37+48=85 <think> <s1> 48-12=36", "<q> 37+48-12 <note> 48-12=36 <think> <s1> 37+48=85",
    ]  # fmt: skip


def test_after_the_last_turn_the_rest_is_finished(scripted, run):
    asked: list[bool] = []

    def reply(prompt: str, k: int) -> Sample:
        asked.append("[prefix]" in prompt)
        return piece("\nstep", "length") if len(asked) < 7 else piece("\nAnswer: 73")

    run(scripted(reply), "leap", ASKED, paths=1, turns=3)
    assert asked == [False, True, True, True]


@pytest.mark.parametrize("source", ["bundled", "general"])
def test_a_forced_beginning_ends_in_its_first_wrong_step(source):
    for item in items(12, 0, source):
        parsed, steps = parse(item.problem.text), item.given["steps"]
        if parsed is not None:
            assert [recheck(parsed, steps[:i], step)[1] for i, step in enumerate(steps)] == [True] * (len(steps) - 1) + [False]
        else:
            left, _, result = steps[-1].partition("=")
            assert eval(left) != int(result)


def test_the_trapped_path_hears_peers_that_began_by_themselves(scripted):
    def reply(prompt: str, k: int) -> Sample:
        if "Say in at most 60 words" in prompt:
            return piece("Has 86." if "37+48=86" in prompt else "Has 85.")
        so_far = prompt.partition("[prefix] ")[2]
        if not so_far:
            return piece("1. 37+48=85\n2. 85", "length") if k < 2 else piece("Answer: 73")
        return piece("No.\nAnswer: 73" if "- Has 85." in so_far else "Answer: 74")

    row = asyncio.run(prefix_trap(ASKED, Engine({"main": scripted(reply)}).mind(ASKED), steps=["37+48=86"]))
    assert row == {"answer": "73", "notes": ["Has 85."] * 2, "free": True, "alone": False, "heard": True}


def test_on_control_tokens_a_peer_that_has_ended_tells_its_last_step(scripted):
    seen: list[str] = []

    def reply(prompt: str, k: int) -> Sample:
        seen.append(prompt)
        if prompt.endswith("<think>"):
            return piece("<s1> 37+48=85 <s2> 85-12=73 <ans> 73") if k != 1 else piece("<s1> 37+48=85 <s2> 85", "length")
        return piece("<s2> 85-12=73 <ans> 73") if "<note>" in prompt else piece("<s2> 86-12=74 <ans> 74")

    row = asyncio.run(prefix_trap(ASKED, Engine({"main": scripted(reply, dialect="socrates")}).mind(ASKED), steps=["37+48=86"]))
    assert row == {"answer": "73", "notes": ["85-12=73", "37+48=85"], "free": True, "alone": False, "heard": True}
    assert seen[-1] == "<q> 37+48-12 <note> 85-12=73 <note> 37+48=85 <think> <s1> 37+48=86"
