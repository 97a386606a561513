"""PDR: what each round reads, what is kept of it, and what comes out."""

import pytest

from nosce.core.problem import Problem
from nosce.systems.control.pdr import bounded

ASKED = Problem("p", "How many?", reference="9")


def improving(log):
    """Drafts of round one: 5, 7, 7, 3; a draft that reads the note `7` says 9; a summary is `look at 7`."""

    def reply(prompt: str, k: int) -> str:
        log.append(prompt)
        if "Condense" in prompt:
            return "look at 7"
        return "Answer: 9" if "- look at 7" in prompt or "- 7" in prompt else f"Answer: {'5773'[k]}"

    return reply


@pytest.mark.parametrize("distiller", [None, "summary", "top-k"])
def test_last_draft_is_conditioned_on_the_workspace(scripted, run, distiller):
    log: list[str] = []
    answer = run(scripted(improving(log)), "pdr", ASKED, rounds=1, distiller=distiller).answer
    assert (answer.value, answer.confidence) == ("9", 1 / 5)
    assert len(log) == (5 if distiller == "top-k" else 6)


def test_top_k_keeps_the_commonest_first_drawn_first(scripted, run):
    log: list[str] = []
    run(scripted(improving(log)), "pdr", ASKED, rounds=1, distiller="top-k", kept=2)
    assert "Notes:\n- 7\n- 5\n" in log[-1]
    assert "- 3" not in log[-1]


def test_workspace_is_rebuilt_each_round(scripted, run):
    """Round two says 9 four times: then 9 is all that the last draft reads, and 5, 7, 3 are forgotten."""
    log: list[str] = []
    answer = run(scripted(improving(log)), "pdr", ASKED, rounds=2, distiller="top-k").answer
    assert "Notes:\n- 9\n\n" in log[-1]
    assert (answer.cost.completion_tokens, len(log)) == (2 * 9, 9)


def test_random_k_draws_anew_for_each_draft_and_repeats_under_a_seed(scripted, run):
    first, second = [], []
    for log in (first, second):
        run(scripted(improving(log)), "pdr", ASKED, rounds=2, kept=1, distiller="random-k", seed=3)
    notes = [prompt.partition("Notes:")[2][:5] for prompt in first[4:8]]
    assert first == second
    assert len(set(notes)) > 1


def test_parallelism_one_is_sequential_refinement(scripted, run):
    """One draft a round, each shown the one before: 5, then (note 5) 5, then (note 5) 7, then (note 7) 9."""
    log: list[str] = []
    answer = run(scripted(improving(log)), "pdr", ASKED, drafts=1, rounds=3, distiller="top-k").answer
    assert [prompt.partition("Notes:\n- ")[2][:1] for prompt in log] == ["", "5", "5", "7"]
    assert (answer.value, answer.confidence) == ("9", 0.5)


def test_bound_on_the_workspace_holds(organism, run):
    from nosce.mind.engine import Engine

    mind = Engine({"main": organism}).mind(ASKED)
    assert bounded(mind, ["12", "345", "6"], 5) == ("12", "345")
    assert bounded(mind, ["12", "3456", "7"], 5) == ("12",)


def test_runs_on_the_bundled_dialect(organism, run):
    solved = run(organism, "pdr", Problem("q", "37+48-12", reference="73"), drafts=2, rounds=1)
    assert solved.answer.outcome in ("answered", "abstained")
