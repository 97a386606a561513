"""lm-polygraph's estimators on recorded generations; run by the Python of its own environment. Prints values and CPU seconds."""

import json
import sys
import time

import numpy as np
from lm_polygraph import estimators as peer
from lm_polygraph.stat_calculators.entropy import EntropyCalculator
from lm_polygraph.stat_calculators.semantic_classes import SemanticClassesCalculator
from rouge_score.rouge_scorer import RougeScorer

RELATIONS = ("entail", "neutral", "contra")


def statistics(recorded):
    """What lm-polygraph's own calculators would have left: the first attempt is greedy, the rest are samples."""
    nli = np.array([q["nli"] for q in recorded])
    alike = np.array([q["similarity"] for q in recorded])
    samples = [q["attempts"][1:] for q in recorded]
    return {
        "greedy_log_likelihoods": [q["attempts"][0]["logprobs"] for q in recorded],
        "greedy_lm_log_likelihoods": [q["prior"] for q in recorded],
        "greedy_log_probs": [[log_softmax(np.array([lp for _, lp in row])) for row in q["attempts"][0]["top"]] for q in recorded],
        "greedy_tokens": [[row[0][0] for row in q["attempts"][0]["top"]] for q in recorded],
        "greedy_tokens_alternatives": [q["attempts"][0]["top"] for q in recorded],
        "greedy_tokens_alternatives_nli": [[nli_matrix(*pair) for pair in q["relations"]] for q in recorded],
        "token_similarity": [1 - np.array(q["relevance"][0]) for q in recorded],
        "sample_token_similarity": [[1 - np.array(row) for row in q["relevance"][1:]] for q in recorded],
        "sample_log_likelihoods": [[a["logprobs"] for a in attempts] for attempts in samples],
        "sample_log_probs": [[sum(a["logprobs"]) for a in attempts] for attempts in samples],
        "sample_tokens": [[list(range(len(a["logprobs"]))) for a in attempts] for attempts in samples],
        "sample_texts": [[a["text"] for a in attempts] for attempts in samples],
        "sample_sentence_similarity": alike[:, 1:, 1:],
        "greedy_sentence_similarity": alike[:, 0, 1:],
        "semantic_matrix_entail": nli[:, 1:, 1:, 0],
        "semantic_matrix_contra": nli[:, 1:, 1:, 2],
        "semantic_matrix_classes": nli[:, 1:, 1:].argmax(-1),
        "entailment_id": 0,
        "greedy_semantic_matrix_contra_forward": nli[:, 0, 1:, 2],
        "greedy_semantic_matrix_neutral_forward": nli[:, 0, 1:, 1],
    }


def log_softmax(row):
    shifted = row - row.max()
    return shifted - np.log(np.exp(shifted).sum())


def nli_matrix(forward, backward):
    """The relations of the token that was drawn (place 0) and each alternative, in both directions."""
    size = len(forward)
    found = [[None] * size for _ in range(size)]
    for i in range(size):
        found[0][i], found[i][0] = RELATIONS[forward[i]], RELATIONS[backward[i]]
    return found


def estimators():
    lexical = peer.LexicalSimilarity("rougeL")
    lexical.scorer = RougeScorer(["rougeL"], use_stemmer=False)  # on the words themselves
    return {
        "sequence-probability": peer.MaximumSequenceProbability(),
        "perplexity": peer.Perplexity(),
        "mean-token-entropy": peer.MeanTokenEntropy(),
        "self-certainty": peer.SelfCertainty(),
        "renyi-divergence": peer.RenyiNeg(),
        "fisher-rao": peer.FisherRao(),
        "pointwise-mutual-information": peer.MeanPointwiseMutualInformation(),
        "conditional-pointwise-mutual-information": peer.MeanConditionalPointwiseMutualInformation(),
        "claim-conditioned-probability": peer.ClaimConditionedProbability(),
        "token-sar": peer.TokenSAR(),
        "sentence-sar": peer.SentenceSAR(),
        "sar": peer.SAR(),
        "monte-carlo-sequence-entropy": peer.MonteCarloSequenceEntropy(),
        "monte-carlo-normalized-sequence-entropy": peer.MonteCarloNormalizedSequenceEntropy(),
        "semantic-entropy": peer.SemanticEntropy(),
        "discrete-semantic-entropy": peer.SemanticEntropy(class_probability_estimation="frequency"),
        "number-of-semantic-sets": peer.NumSemSets(),
        "degree-matrix": peer.DegMat(),
        "eigenvalue-laplacian": peer.EigValLaplacian(),
        "eccentricity": peer.Eccentricity(),
        "kernel-language-entropy": peer.KernelLanguageEntropy(),
        "semantic-density": peer.SemanticDensity(concat_input=False),
        "lexical-similarity": lexical,
        "cocoa-msp": peer.CocoaMSP(),
        "cocoa-ppl": peer.CocoaPPL(),
        "cocoa-mte": peer.CocoaMTE(),
    }


def main(path):
    with open(path) as file:
        stats = statistics(json.load(file))
    values, seconds = {}, {}
    start = time.process_time()
    stats.update(EntropyCalculator()(stats))
    seconds["(entropies)"] = time.process_time() - start
    start = time.process_time()
    stats.update(SemanticClassesCalculator()(stats, [], None))
    seconds["(semantic classes)"] = time.process_time() - start
    for name, estimator in estimators().items():
        start = time.process_time()
        found = estimator(stats)
        seconds[name] = time.process_time() - start
        values[name] = [float(x) for x in found]
    print(json.dumps({"values": values, "seconds": seconds}))


main(sys.argv[1])
