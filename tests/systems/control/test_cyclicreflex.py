"""CyclicReflex: the wave in closed form, and what it does to a thought."""

import pytest

from nosce.core.cost import Budget
from nosce.core.problem import Problem
from nosce.systems.control.cyclicreflex import STEPS, single_tokens, triangle

ASKED = Problem("p", "37+48-12", reference="73")


@pytest.mark.parametrize(("t", "delta"), [(0, 0), (3, 2), (6, 4), (9, 2), (12, 0), (18, -4), (21, -2), (24, 0), (30, 4)])
def test_triangle_rises_first_and_repeats(t, delta):
    assert triangle(t, amplitude=4, period=24) == pytest.approx(delta)


def thought(solved):
    return next(event.data["sample"]["token_ids"] for event in solved.trace.of("sampled"))


@pytest.mark.parametrize("seed", range(5))
def test_amplitude_zero_is_plain_decoding_token_for_token(organism, run, seed):
    plain, cyclic = run(organism, "think", ASKED, seed=seed), run(organism, "cyclicreflex", ASKED, amplitude=0.0, seed=seed)
    assert thought(cyclic) == thought(plain)
    assert cyclic.answer.value == plain.answer.value
    assert cyclic.answer.confidence == pytest.approx(plain.answer.confidence, abs=1e-6)  # sums of float32 in another order


def test_wave_decides_where_steps_begin(organism, run):
    """With an overwhelming amplitude step marks fill the rising halves (t mod 8 in 1..3) and never stand in the falling ones."""
    marks = {organism.tokenizer.ids[mark] for mark in STEPS}
    tokens = thought(run(organism, "cyclicreflex", ASKED, amplitude=200.0, period=8.0))
    ends = next((t for t, token in enumerate(tokens) if token == organism.tokenizer.ids["<ans>"]), len(tokens))
    assert all((token in marks) == (t % 8 in (1, 2, 3)) for t, token in enumerate(tokens[:ends]) if t % 4)
    assert ends > 4


def test_cues_are_single_tokens(organism):
    from nosce.models.base import Prompt

    session = organism.session(Prompt(text="<q> 1+1 <think>"))
    assert len(single_tokens(session, STEPS)) == len(STEPS) == 11
    assert single_tokens(session, ["wait", "37"]) == []


def test_budget_holds_and_is_charged_in_full(organism, run):
    answer = run(organism, "cyclicreflex", ASKED, budget=Budget(completion_tokens=7)).answer
    assert answer.cost.completion_tokens <= 7
    assert answer.cost.prompt_tokens == 10
