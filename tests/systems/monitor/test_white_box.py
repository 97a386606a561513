"""White-box estimators on tokens whose probabilities are written down."""

from math import acos, exp, log, pi, sqrt

import numpy as np
import pytest
from tests.systems.monitor.worked import many, of, one, token

from nosce.core.errors import InputError

HALF, SURE = token(0.5, 0.25, 0.25), token(0.8, 0.1, 0.1)


def test_token_probabilities():
    stats = one([0.5, 0.8, 0.2])
    assert of("sequence-probability", stats) == pytest.approx(0.08)
    assert of("length-normalized-probability", stats) == pytest.approx(0.08 ** (1 / 3))
    assert of("perplexity", stats) == pytest.approx(12.5 ** (1 / 3))
    assert of("min-token-probability", stats) == pytest.approx(0.2)
    assert of("mean-token-probability", stats) == pytest.approx(0.5)


def test_entropies_are_the_models_own_where_it_gives_them():
    assert of("mean-token-entropy", one([0.5, 0.8], entropies=(0.3, 0.1))) == pytest.approx(0.2)
    assert of("max-token-entropy", one([0.5, 0.8], entropies=(0.3, 0.1))) == pytest.approx(0.3)
    assert of("mean-token-entropy", one([0.5], HALF)) == pytest.approx(1.5 * log(2))


def test_negentropies_are_over_the_largest_entropy():
    stats = one([0.5, 0.8], HALF, token(1 / 3, 1 / 3, 1 / 3))
    assert of("min-token-negentropy", stats) == pytest.approx(0, abs=1e-12)
    assert of("mean-token-negentropy", stats) == pytest.approx((1 - 1.5 * log(2) / log(3)) / 2)


def test_self_certainty_is_the_divergence_from_uniform_to_the_distribution():
    divergence = (log(1 / 3 / 0.5) + 2 * log(1 / 3 / 0.25)) / 3
    assert of("self-certainty", one([0.5], HALF)) == pytest.approx(-divergence)


def test_margin_is_the_gap_of_the_two_likeliest():
    assert of("probability-margin", one([0.25, 0.8], HALF, SURE)) == pytest.approx((0.25 + 0.7) / 2)


def test_renyi_divergence_from_uniform():
    p = [0.5, 0.25, 0.25]
    half = log(3) - 2 * log(sum(sqrt(x) for x in p))  # α = ½ at temperature 1: log k + log(Σ √p)/(−½)
    assert of("renyi-divergence", one([0.5], HALF), temperature=1.0) == pytest.approx(-half)
    kullback = sum(x * log(3 * x) for x in p)
    assert of("renyi-divergence", one([0.5], HALF), alpha=1.0, temperature=1.0) == pytest.approx(-kullback)
    flat = one([1 / 3], token(1 / 3, 1 / 3, 1 / 3))
    assert of("renyi-divergence", flat) == pytest.approx(0, abs=1e-12)


def test_fisher_rao_distance_is_an_angle():
    angle = acos(sum(sqrt(x / 3) for x in (0.5, 0.25, 0.25)))
    assert of("fisher-rao", one([0.5], HALF), temperature=1.0) == pytest.approx(2 / pi * angle)
    root = [sqrt(x) for x in (0.5, 0.25, 0.25)]  # temperature 2 takes square roots
    tempered = [x / sum(root) for x in root]
    assert of("fisher-rao", one([0.5], HALF)) == pytest.approx(2 / pi * acos(sum(sqrt(x / 3) for x in tempered)))


def test_group_confidence_finds_the_weakest_stretch():
    sure, unsure = token(0.98, 0.01, 0.01), HALF
    high, low = -log(0.98 * 0.01 * 0.01) / 3, -log(0.5 * 0.25 * 0.25) / 3
    stats = one([0.9] * 5, sure, sure, unsure, unsure, sure)
    assert of("mean-confidence", stats) == pytest.approx(-(3 * high + 2 * low) / 5)
    assert of("lowest-group-confidence", stats, window=2) == pytest.approx(-low)
    assert of("tail-confidence", stats, window=2) == pytest.approx(-(high + low) / 2)
    assert of("bottom-group-confidence", stats, window=2, share=0.5) == pytest.approx(-(low + (high + low) / 2) / 2)
    assert of("lowest-group-confidence", stats) == of("mean-confidence", stats)  # shorter than a window
    with pytest.raises(InputError, match="window=0"):
        of("tail-confidence", stats, window=0)


def test_mutual_information_with_the_question():
    prior = np.log([0.5, 0.1])
    stats = one([0.5, 0.2], prior=prior, entropies=(0.01, 1.0))
    assert of("pointwise-mutual-information", stats) == pytest.approx(-log(2) / 2)
    expected = -(log(0.5) + log(0.2) - 2 * log(0.1)) / 2  # the first token did not hesitate
    assert of("conditional-pointwise-mutual-information", stats, tau=0.5, weight=2.0) == pytest.approx(expected)
    unsure = one([0.5, 0.2], prior=prior, entropies=(3.5, 3.6))  # nats, about the paper's threshold of 3.5987
    expected = -(log(0.5) + log(0.2) - 0.0656 * log(0.1)) / 2
    assert of("conditional-pointwise-mutual-information", unsure) == pytest.approx(expected)


def test_hesitation_does_not_look_like_knowledge():
    """The surer attempt is the surer one by the rule as its authors set it, and the other with τ and λ exchanged."""
    sure, unsure = (one([p, p], prior=np.log([0.02, 0.02]), entropies=(h, h)) for p, h in ((0.99, 0.05), (0.6, 0.9)))
    name = "conditional-pointwise-mutual-information"
    assert of(name, sure) < of(name, unsure)
    assert of(name, sure, tau=0.0656, weight=3.599) > of(name, unsure, tau=0.0656, weight=3.599)


def test_tokens_count_as_much_as_they_matter():
    stats = one([0.5, 0.2], relevance=[np.array([0.75, 0.25])])
    assert of("token-sar", stats) == pytest.approx(-(0.75 * log(0.5) + 0.25 * log(0.2)))
    flat = one([0.5, 0.2], relevance=[np.zeros(2)])
    assert of("token-sar", flat) == pytest.approx(-log(0.1) / 2)


def test_relevance_comes_from_the_pieces():
    wordy = one([0.9, 0.1], pieces=[["the capital of the country is ", "x"]])
    assert of("token-sar", wordy) < -log(0.1) / 2  # the long piece matters more, and it was likely


def test_sentences_share_probability_as_far_as_they_are_alike():
    alike = np.array([[1, 0.5], [0.5, 1]])
    stats = many("a", "b", logprobs=[[log(0.2)], [log(0.4)]], similarity=alike)
    expected = -(log(0.2 + 0.5 * 0.4 / 0.1) + log(0.4 + 0.5 * 0.2 / 0.1)) / 2
    assert of("sentence-sar", stats, temperature=0.1) == pytest.approx(expected)
    weighted = many(
        "a", "b", logprobs=[[log(0.2), log(0.9)], [log(0.4), log(0.9)]], similarity=alike,
        relevance=[np.array([1.0, 0.0]), np.array([1.0, 0.0])],
    )  # fmt: skip
    assert of("sar", weighted, temperature=0.1) == pytest.approx(expected)


def test_long_samples_do_not_vanish():
    stats = many("a", "b", logprobs=[[-2000.0], [-900.0]], similarity=np.eye(2))
    assert of("sentence-sar", stats) == pytest.approx(1450)
    assert of("semantic-entropy", stats) == pytest.approx(1450)


def nli(pairs):
    """Equal words entail, numbers contradict each other, `big` entails `large` but not the reverse, the rest is neutral."""
    rows = []
    for a, b in pairs:
        rows.append([1, 0, 0] if a == b or (a, b) == ("big", "large") else [0, 0, 1] if a.isdigit() and b.isdigit() else [0, 1, 0])
    return rows


def alternatives(**words: float) -> tuple[tuple[str, float], ...]:
    return tuple((word, log(p)) for word, p in words.items())


def test_claim_conditioned_probability_counts_only_the_same_kind_of_claim():
    size = alternatives(large=0.3, big=0.2, blue=0.4)
    number = ((" 7", log(0.6)), (" 8", log(0.2)), (" x", log(0.1)))
    stats = one([0.3, 0.6], size, number, entails=nli)
    assert of("claim-conditioned-probability", stats) == pytest.approx(1 * 0.6 / 0.8)
    drawn_second = one([0.2], number, entails=nli)  # the token that was drawn is the one with its probability
    assert of("claim-conditioned-probability", drawn_second) == pytest.approx(0.2 / 0.8)
    unseen = one([0.05], alternatives(a=0.6, b=0.3), entails=nli)
    assert of("claim-conditioned-probability", unseen) == pytest.approx(1)  # nothing contradicts it


def test_layers_that_already_know():
    layers = np.array([[0, 0], [0, 1], [1, 0], [1, 1], [1, 1]])
    assert of("layer-agreement", one([0.5], layers=layers)) == pytest.approx(3 / 4)
    assert of("layer-agreement", one([0.5], layers=layers), share=1.0) == pytest.approx(4 / 8)


def test_probability_one_is_no_problem():
    stats = one([1.0], token(1.0, 1e-300), entropies=(0.0,))
    assert of("sequence-probability", stats) == of("perplexity", stats) == 1
    assert of("mean-token-entropy", stats) == 0
    assert of("fisher-rao", stats) == pytest.approx(2 / pi * acos(sqrt(0.5)))
    assert exp(of("self-certainty", stats) or 0) >= 0
