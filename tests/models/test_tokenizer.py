"""The bundled tokenizer: both ways, the same in transformers, and small."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nosce.models.socrates import tokenizer as marks
from nosce.models.socrates import weights
from nosce.models.socrates.tokenizer import SocratesTokenizer
from nosce.tasks import families
from nosce.tasks.families import FAMILIES

WORDS = SocratesTokenizer()


@given(st.sampled_from(list(FAMILIES)), st.integers(1, 6), st.integers(0, 2**32 - 1))
@settings(max_examples=150, deadline=None)
def test_questions_steps_and_answers_come_back_as_typed(name, level, seed):
    item = families.draw(np.random.default_rng(seed), name, level)
    for text in (item.question, item.answer, *item.steps):
        assert WORDS.decode(WORDS.encode(text)) == text


@given(st.lists(st.sampled_from([t for t in marks.VOCABULARY if t != "_"]), max_size=30))
@settings(max_examples=200, deadline=None)
def test_encode_undoes_decode_for_what_encode_gives(tokens):
    try:
        ids = WORDS.encode(" ".join(tokens))
    except ValueError:
        return
    assert WORDS.encode(WORDS.decode(ids)) == ids


def test_vocabulary_is_small_and_control_marks_are_single_tokens():
    assert len(WORDS) < 300
    assert len(set(marks.VOCABULARY)) == len(WORDS)
    assert all(WORDS.encode(mark) == [k] for k, mark in enumerate(marks.CONTROL))
    assert WORDS.encode("407") == [WORDS.ids[d] for d in "407"]


@pytest.mark.parametrize("text", ["hello", "37 & 4", "<nothing>", "é"])
def test_text_outside_the_vocabulary_is_refused(text):
    with pytest.raises(ValueError, match=r"outside the vocabulary|no such control mark"):
        WORDS.encode(text)


@pytest.mark.parametrize("name", ["socrates", "socrates-base", "socrates-weak"])
def test_the_shipped_tokenizer_files_are_those_of_the_code(name):
    for file, content in marks.files().items():
        assert json.loads((weights(name) / file).read_text()) == content


def test_transformers_gives_the_same_ids():
    transformers = pytest.importorskip("transformers")
    theirs = transformers.PreTrainedTokenizerFast.from_pretrained(weights())
    rng = np.random.default_rng(0)
    for name in FAMILIES:
        for level in range(1, 7):
            item = families.draw(rng, name, level)
            text = f"<q> {item.question} <think> <s1> {item.steps[0]} <ans> {item.answer} <end>"
            assert theirs(text)["input_ids"] == WORDS.encode(text)
