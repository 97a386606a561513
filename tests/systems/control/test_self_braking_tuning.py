"""Where a thought is cut, by hand."""

import numpy as np
import pytest
from tests.learn.conftest import gradient

from nosce.core.problem import Problem
from nosce.core.registry import registry
from nosce.evidence.training_endpoints import compared
from nosce.evidence.training_run import Seen, Trained
from nosce.learn.context import Context
from nosce.learn.recipe import Settings
from nosce.learn.rollout import Rollout, Turn
from nosce.learn.tiny import TinyEngine
from nosce.models.socrates.tokenizer import SocratesTokenizer
from nosce.systems.control.sbt_truncation import right, spent
from nosce.systems.control.self_braking_tuning import CHAT, SOCRATES, Trace, braked, overthought, repeats, score, thought, turn

SUM = Problem("s", "84-60+87", reference="111")
ONCE = ("<s1> 84-60=24 ", "<s2> 24+87=111 ", "<ans> 111 ")
AGAIN = ("<check> <s1> 84-60=24 <ok> ", "<s2> 24+87=111 <ok> ", "<ans> 111 <ok> ")


@pytest.fixture(scope="module")
def taught() -> TinyEngine:
    return TinyEngine("socrates")


def said(text: str, outcome: float = 1.0) -> Rollout:
    return Rollout(SUM, [Turn((1,), (2, 3), text=text)], "111", outcome=outcome)


def test_the_score_counts_steps_after_the_answer_and_words_of_going_over_it_again() -> None:
    """2 of 4 steps to the answer, one mark among nine words: 0.1/9 + 0.9/2."""
    golden = registry.find("sbt", "recipe").run().golden
    trace = Trace(("<s1> a ", "<ans> b ", "<check> <s1> a ", "<ans> b "), golden["right"])
    assert score(trace, golden["steps"], SOCRATES) == pytest.approx(golden["score"])
    assert score(trace, 2, SOCRATES) == score(trace, 1, SOCRATES) == 0.0


def test_a_thought_is_read_in_steps_up_to_its_first_right_answer() -> None:
    text = "".join((*ONCE, *AGAIN)).strip()
    assert thought(said(text), SOCRATES) == Trace((*ONCE, *AGAIN), 3)
    assert thought(said("<s1> 84-60=23 <ans> 110 <check> <s1> 84-60=24 <ok> <ans> 111"), SOCRATES).right == 4
    assert thought(said("<s1> 84-60=23 <ans> 110"), SOCRATES) is None
    chat = thought(said("1. 84-60=24\n2. 24+87=111\n3. So 111.\nAnswer: 111"), CHAT)
    assert chat == Trace(("1. 84-60=24\n", "2. 24+87=111\n", "3. So 111.\n"), 2, "Answer: 111")
    assert thought(said("1. 84-60=24\nAnswer: 24", 0.0), CHAT) is None


def test_overthinking_says_the_same_again_as_often_as_there_is_room() -> None:
    assert overthought(Trace(ONCE, 3), 1, SOCRATES) == (*ONCE, *AGAIN)
    assert overthought(Trace((*ONCE, *AGAIN), 3), 2, SOCRATES) == (*ONCE, *AGAIN, *AGAIN)
    assert len(overthought(Trace(ONCE, 3), 99, SOCRATES)) // 3 == 1 + (180 - 23) // 27


def test_exact_keeps_one_more_solution_and_dynamic_stops_where_the_score_passes() -> None:
    trace = Trace((*ONCE, *AGAIN, *AGAIN), 3)
    assert braked(trace, "exact", SOCRATES) == ((*ONCE, *AGAIN), AGAIN[:1], "<yes>")
    assert braked(trace, "dynamic", SOCRATES) == (ONCE, AGAIN[:1], "<yes>")  # 0.9 · (1 − 3/4) > 0.2
    longer = Trace(tuple("abcdefghijklmn"), 9)
    assert [round(score(longer, k, SOCRATES), 3) for k in (11, 12, 13)] == [0.164, 0.225, 0.277]
    assert braked(longer, "dynamic", SOCRATES) == (tuple("abcdefghijk"), ("l",), "<yes>")
    assert braked(Trace(ONCE, 3), "exact", SOCRATES) == (ONCE, (), "")


def test_what_is_only_seen_has_no_gradient_and_the_brake_has(taught: TinyEngine) -> None:
    made = turn(Turn((5,), ()), taught, (ONCE, AGAIN[:1], "<yes>"))
    assert taught.read(made.tokens) == "".join((*ONCE, *AGAIN[:1], "<yes> <end>"))
    seen = len(taught.write(AGAIN[0])) - 1
    before = len(taught.write("".join(ONCE))) - 1
    assert made.ce.tolist() == [1.0] * before + [0.0] * seen + [1.0, 1.0]
    found = np.array(gradient(registry.find("sbt", "recipe").run(), [made], [0], [-0.5] * len(made.tokens)))
    assert found == pytest.approx(-made.ce / (before + 2))


def test_without_a_second_stage_it_is_imitation_of_whole_thoughts(taught: TinyEngine) -> None:
    group = [said("".join((*ONCE, *AGAIN, *AGAIN)).strip())]
    last = Context(taught, [SUM], Settings(), step=39, steps=40)
    whole = registry.find("sbt", "recipe").run(first=1.0).augment([group], last)[0]
    cut = registry.find("sbt", "recipe").run(first=0.5).augment([group], last)[0]
    assert whole.ce.all()
    assert "<yes>" not in whole.text
    assert cut.text.endswith("<yes>")
    assert repeats(Rollout(SUM, [whole])) >= 1.0
    assert registry.find("S101/dynamic", "recipe").run(first=1.0).augment([group], last)[0].text == whole.text


def test_a_thought_cut_short_answers_with_what_it_had_finished() -> None:
    """A first solution, and a second that is cut within its answer."""
    tokens = SocratesTokenizer().encode("".join((*ONCE, *AGAIN)))
    rollout = Rollout(SUM, [Turn((1,), tuple(tokens), text="")], "111", outcome=1.0)
    ends = tokens.index(SocratesTokenizer().encode("<check>")[0])
    assert right(rollout, most=ends) == 1.0
    assert right(rollout, most=ends - 1) == 0.0  # "11"
    assert right(rollout, most=len(tokens) - 2) == 1.0  # the second time only "11" again, the first answer stands
    assert right(rollout, most=5) == 0.0
    assert spent(rollout, most=ends) == ends
    assert spent(rollout, most=999) == len(tokens)


def test_truncation_is_read_between_the_two_lengths_that_spend_as_much() -> None:
    def seen(**columns: float) -> Seen:
        return Seen(Trained("", [], 0.0, 0.0, 0.0), columns, {})

    cut = seen(**{"tokens@5": 5.0, "right@5": 0.1, "tokens@100": 50.0, "right@100": 0.5, "tokens@10": 10.0, "right@10": 0.3})
    assert compared("accuracy at as many tokens", seen(accuracy=0.6, tokens=30.0), cut) == pytest.approx((0.6, 0.4, 0.2))
