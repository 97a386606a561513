"""Claims and what supports them, by hand."""

import numpy as np
import pytest

from nosce.monitor.claims import claims, contained, entailing, support


def test_sentences_lines_and_list_items_are_claims():
    text = "Dr. Curie was born in 1867. She won two prizes!\n- Radium glows.\n2) It weighs 3.5 g (about 0.1 oz).\n\nAnswer: 1867"
    assert claims(text) == [
        "Dr. Curie was born in 1867.", "She won two prizes!", "Radium glows.", "It weighs 3.5 g (about 0.1 oz).", "1867",
    ]  # fmt: skip
    assert claims("") == claims(" \n- ") == []
    assert claims("J. S. Bach wrote it. So it was.") == ["J. S. Bach wrote it."]  # the rest says nothing


def test_containment_by_hand():
    """Born, Curie, Paris: two of three words; 1867: none of one number."""
    passage = "Marie Curie was born in Warsaw in 1867."
    assert contained([(passage, "Curie was born in Warsaw.")]) == [1.0]
    assert contained([(passage, "Curie was born in Paris.")]) == pytest.approx([2 / 3])
    assert contained([(passage, "Curie was born in 1868.")]) == [0.0]
    assert contained([("", "Curie was born.")]) == [0.0]


def test_any_judge_of_support_can_be_put_in():
    def nli(pairs):
        return np.array([[0.9, 0.1, 0.0] if claim in text else [0.1, 0.2, 0.7] for text, claim in pairs])

    found = support(["a", "b"], ["a x", "b a", "c"], entailing(nli))
    assert found == pytest.approx(np.array([[0.9, 0.9, 0.1], [0.1, 0.9, 0.1]]))
