"""Personas chosen for the question, or one for all."""

import pytest

from nosce.core.errors import CapabilityError
from nosce.core.problem import Problem

ASKED = Problem("p", "How many?", reference="9")


@pytest.mark.parametrize("chosen", [True, False])
def test_one_call_whose_last_answer_counts(scripted, run, chosen):
    seen: list[str] = []

    def reply(prompt: str, k: int) -> str:
        seen.append(prompt)
        return "Draft.\nAnswer: 7\nThe expert disagrees.\nAnswer: 9"

    assert run(scripted(reply), "spp", ASKED, chosen=chosen).answer.value == "9"
    assert len(seen) == 1
    assert ("whom this very question calls for" in seen[0], "and one expert" in seen[0]) == (chosen, not chosen)


def test_the_bundled_models_dialect_refuses(scripted, run):
    with pytest.raises(CapabilityError, match="cue solo-performance"):
        run(scripted(lambda prompt, k: 1 / 0, dialect="socrates"), "spp", Problem("p", "3*3"))
