"""Sampling estimators on a few samples whose relations are written down, and what holds of every estimator."""

import asyncio
from dataclasses import replace
from math import exp, log, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.systems.monitor.worked import ASKED, many, of, relations, token

from nosce.core.attempt import Attempt
from nosce.core.errors import InputError
from nosce.core.registry import registry
from nosce.evidence.trials import answering
from nosce.mind.engine import Engine
from nosce.models.base import Sample
from nosce.monitor.equivalence import connected, tied
from nosce.monitor.measure import measures
from nosce.monitor.statistics import NEEDS, Statistics

LOGS = [[log(0.2)], [log(0.1)], [log(0.3), log(0.5)]]


def test_shares_and_entropies_of_classes():
    stats = many("a", "b", "a", "a")
    entropy = -0.75 * log(0.75) - 0.25 * log(0.25)
    assert of("discrete-semantic-entropy", stats) == pytest.approx(entropy)
    assert measures()["discrete-semantic-entropy"](stats).confidence == pytest.approx(1 - entropy / log(4))
    assert of("number-of-semantic-sets", stats) == 2
    assert measures()["number-of-semantic-sets"](stats).confidence == pytest.approx(2 / 3)
    assert of("self-consistency-share", stats) == 0.75
    assert of("self-consistency-share", many("a", "b", "a", "a", apart=True)) == pytest.approx(2 / 3)
    assert of("self-consistency-share", many("z", "b", "b", apart=True)) == 0


def test_semantic_entropy_sums_the_probability_of_a_class():
    stats = many("a", "b", "a", logprobs=LOGS)  # sequences: 0.2, 0.1, 0.15
    assert of("semantic-entropy", stats) == pytest.approx(-(2 * log(0.35) + log(0.1)) / 3)
    p = np.array([0.35, 0.1]) / 0.45
    assert of("semantic-negentropy", stats, per_token=False) == pytest.approx(1 + (p @ np.log(p)) / log(3))
    q = np.array([0.2 + sqrt(0.15), 0.1]) / (0.3 + sqrt(0.15))
    assert of("semantic-negentropy", stats) == pytest.approx(1 + (q @ np.log(q)) / log(3))


def test_monte_carlo_means():
    stats = many("a", "b", "c", logprobs=LOGS)
    assert of("monte-carlo-sequence-entropy", stats) == pytest.approx(-(log(0.2) + log(0.1) + log(0.15)) / 3)
    assert of("monte-carlo-normalized-sequence-entropy", stats) == pytest.approx(-(log(0.2) + log(0.1) + log(0.15) / 2) / 3)
    assert of("monte-carlo-probability", stats) == pytest.approx((0.2 + 0.1 + sqrt(0.15)) / 3)
    assert of("monte-carlo-probability", many("a", "b", "c", logprobs=LOGS, apart=True)) == pytest.approx((0.1 + sqrt(0.15)) / 2)


def test_a_graph_of_two_separate_clusters():
    block = np.array([[1, 1, 0], [1, 1, 0], [0, 0, 1]], dtype=float)
    stats = many("a", "b", "c", similarity=block)
    assert of("degree-matrix", stats) == pytest.approx(1 - 5 / 9)
    assert of("eigenvalue-laplacian", stats) == pytest.approx(2)  # one for each cluster
    assert of("eccentricity", stats) == pytest.approx(1)  # two indicator vectors, less the constant one


def test_a_graph_of_two_samples_by_hand():
    stats = many("a", "b", nli=relations([[1, 0.6], [0.2, 1]], [[0, 0.1], [0.3, 0]]))
    assert of("degree-matrix", stats) == pytest.approx(1 - (2 + 2 * 0.4) / 4)
    assert of("eigenvalue-laplacian", stats) == pytest.approx(1 + 0.6 / 1.4)  # 1 and (1 − a)/(1 + a), a = 0.4
    assert of("eccentricity", stats) == pytest.approx(1)  # (1, −1)/√2 has eigenvalue 1 − 0.6/1.4 < 0.9
    assert of("eccentricity", stats, threshold=0.5) == pytest.approx(0, abs=1e-7)
    edge = 0.6 + 0.2 + 0.5 * (0.3 + 0.5)  # entailment and half of neutrality, both directions
    near = (1 - exp(-0.3 * 2 * edge)) / (1 + exp(-0.3 * 2 * edge))  # normalised off-diagonal of the heat kernel
    kappa = [(1 + near) / 2, (1 - near) / 2]
    assert of("kernel-language-entropy", stats) == pytest.approx(-sum(k * log(k) for k in kappa) / log(2))


def test_semantic_density_counts_different_texts_once():
    yes = [[1, 0.6, 0.6], [1, 1, 1], [1, 1, 1]]
    stats = many("a", "b", "b", logprobs=LOGS, nli=relations(yes, [[0, 0.1, 0.1], [0, 0, 0], [0, 0, 0]]))
    near = 1 - 0.1 - 0.3 / 2
    assert of("semantic-density", stats) == pytest.approx((0.2 + 0.1 * near) / 0.3)


def test_agreement_text_by_text():
    yes, no = [[1, 0.6, 0], [0.2, 1, 0], [0, 0, 1]], [[0, 0.1, 1], [0.3, 0, 1], [0.8, 1, 0]]
    stats = many("one two", "one three", "four", nli=relations(yes, no))
    assert of("lexical-similarity", stats) == pytest.approx(0.5 / 3)
    assert of("noncontradiction", stats) == pytest.approx(1 - (0.2 + 0.9) / 2)
    assert of("entailment", stats) == pytest.approx((0.4 + 0) / 2)
    assert of("exact-match", many("a", "a", "b")) == 0.5


def test_likelihood_and_agreement_together():
    alike = np.array([[1, 0.8, -0.2], [0.8, 1, 0], [-0.2, 0, 1]])
    stats = many("a", "b", "c", logprobs=[[log(0.5), log(0.2)], [-1], [-1]], similarity=alike)
    assert of("cosine-similarity", stats) == pytest.approx(0.65)
    assert of("consistency-and-confidence", stats) == pytest.approx(0.65 * sqrt(0.1))
    assert of("cocoa-msp", stats) == pytest.approx(-log(0.1) * 0.7)
    assert of("cocoa-ppl", stats) == pytest.approx(-log(0.1) / 2 * 0.7)
    first = replace(stats.attempts[0], entropies=(0.4, 0.6))
    assert of("cocoa-mte", Statistics(ASKED, [first, *stats.attempts[1:]], similarity=alike)) == pytest.approx(0.5 * 0.7)


def test_ngram_surprise_by_counting():
    stats = many("a b", "a c", "a b b")  # a 3, b 3, c 1: seven words of three kinds
    assert of("selfcheck-ngram", stats) == pytest.approx(-log(3 / 7))
    assert of("selfcheck-ngram", stats, smoothing=1.0) == pytest.approx(-log(4 / 10))
    assert of("selfcheck-ngram-max", many("a c", "a b", "a b b")) == pytest.approx(-log(1 / 7))
    assert of("selfcheck-ngram", stats, n=2) == pytest.approx(-log(2 / 3) / 2)  # a starts every text; b after a: 2 of 3
    with pytest.raises(InputError, match="n=0"):
        of("selfcheck-ngram", stats, n=0)


def test_ties_reach_through_others():
    assert connected(np.array([[1, 1, 0], [1, 1, 1], [0, 1, 1]], dtype=bool)).tolist() == [0, 0, 0]

    def chain(pairs):  # neighbours in the alphabet entail each other
        return [[0.6, 0.2, 0.2] if abs(ord(a) - ord(b)) < 2 else [0.1, 0.1, 0.8] for a, b in pairs]

    assert many("a", "c", "b", "x", same=tied(chain)).sizes.tolist() == [3, 1]


# -- every one of them ----------------------------------------------------------------------------------------------------

def everything(draw, n: int, apart: bool) -> Statistics:
    texts = draw(st.lists(st.sampled_from(["4", "5", "it is 4", "", "five times 2"]), min_size=n, max_size=n))
    length = draw(st.lists(st.integers(1, 4), min_size=n, max_size=n))
    p = st.floats(1e-6, 1.0)
    attempts = [
        Attempt(
            f"n{i}", text, text or None, logprobs=tuple(log(draw(p)) for _ in range(k)), entropies=(0.5,) * k,
            top=tuple(token(*sorted(draw(st.lists(p, min_size=3, max_size=3)))) for _ in range(k)),
        )
        for i, (text, k) in enumerate(zip(texts, length, strict=True))
    ]  # fmt: skip
    raw = np.array(draw(st.lists(st.floats(0.01, 1), min_size=3 * n * n, max_size=3 * n * n))).reshape(n, n, 3)
    nli = raw / raw.sum(axis=-1, keepdims=True)
    if draw(st.booleans()):
        nli = None
    relevance = [np.linspace(0, 1, k) for k in length]
    prior, layers = np.full(length[0], -1.0), np.ones((3, length[0]))
    return Statistics(
        ASKED, attempts, apart, nli=nli, entails=lambda pairs: [[1, 0, 0] if a == b else [0, 0, 1] for a, b in pairs],
        relevance=relevance, prior=prior, layers=layers,
    )  # fmt: skip


@settings(deadline=None, max_examples=60)
@given(st.data(), st.integers(2, 5), st.booleans())
def test_every_signal_stays_in_its_range_and_samples_may_come_in_any_order(data, n, apart):
    stats = everything(data.draw, n + apart, apart)
    assert stats.has == set(NEEDS)
    order = [0, *data.draw(st.permutations(range(1, n + apart)))]
    turned = Statistics(
        ASKED, [stats.attempts[i] for i in order], apart, nli=None if stats.nli is None else stats.nli[np.ix_(order, order)],
        entails=stats.entails, relevance=[stats.relevance[i] for i in order], prior=stats.prior, layers=stats.layers,
    )  # fmt: skip
    for name, measure in measures().items():
        signal = measure(stats)
        assert signal.low <= signal.value <= signal.high, name
        assert 0 <= signal.confidence <= 1, name
        if name != "semantic-density":  # of equal texts it keeps the first, whatever its probability
            assert measure(turned).value == pytest.approx(signal.value, rel=1e-6, abs=1e-6), name


def test_each_says_what_it_lacks():
    bare = Statistics(ASKED, [Attempt("n0", "4", "4")])
    for name, measure in measures().items():
        assert measure(bare).source == "none"
        assert measure.lacks(bare) == sorted(measure.needs), name


def test_a_measure_is_an_estimator_and_its_confidence_an_answers(scripted):
    texts = ("Answer: 4", "Answer: 5", "Answer: 4", "Answer: 4", "Answer: 4")
    model = scripted(lambda _, k: Sample(texts[k], logprobs=(-0.5,), prompt_tokens=3, completion_tokens=2))
    system = answering(registry.find("discrete-semantic-entropy"))
    solved = asyncio.run(Engine({"main": model}).solve(ASKED, system))
    entropy = -0.8 * log(0.8) - 0.2 * log(0.2)
    assert solved.answer.confidence == pytest.approx(1 - entropy / log(5))
    assert solved.answer.signals[0].value == pytest.approx(entropy)
    assert next(solved.trace.of("measured")).data["name"] == "discrete_semantic_entropy"
