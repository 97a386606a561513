"""uqlm's scorers on recorded generations; run by the Python of its own environment. Prints values and CPU seconds."""

import json
import sys
import time

import numpy as np
from uqlm.black_box.consistency import ConsistencyScorer
from uqlm.black_box.cosine import CosineScorer
from uqlm.black_box.match import MatchScorer
from uqlm.nli.nli import NLI
from uqlm.scorers.shortform.density import SemanticDensity
from uqlm.scorers.shortform.entropy import SemanticEntropy
from uqlm.white_box import SampledLogprobsScorer, SingleLogprobsScorer, TopLogprobsScorer

time.sleep = lambda seconds: None  # it rests a tenth of a second after each scorer: not computation


class KnownRelations(NLI):
    """uqlm's own NLI with every pair's probabilities in its cache already."""

    def __init__(self, recorded):
        self.label_mapping, self.max_length, self.probabilities = ["contradiction", "neutral", "entailment"], 10**9, {}
        for q in recorded:
            texts, table = [a["text"] for a in q["attempts"]], np.array(q["nli"])[..., ::-1]
            for i, a in enumerate(texts):
                for j, b in enumerate(texts):
                    self.probabilities[a, b] = self.probabilities[f"{q['id']}\n{a}", f"{q['id']}\n{b}"] = table[i, j][None]


class KnownCosines(CosineScorer):
    """uqlm's own cosine scorer on two-dimensional embeddings that have the recorded cosines."""

    def __init__(self, recorded):
        self.max_length, self.model = 10**9, None
        self._rows = iter([np.array(q["similarity"][0][1:]) for q in recorded])

    def _get_embeddings(self, texts1, texts2):
        row = next(self._rows)
        return np.tile([1.0, 0.0], (len(row), 1)), np.stack([row, np.sqrt(np.maximum(0, 1 - row**2))], axis=1)


def tokens(logprobs, top, **_):
    """Log-probabilities in the form in which servers give them."""
    pairs = zip(logprobs, top, strict=True)
    return [{"logprob": lp, "top_logprobs": [{"logprob": x} for _, x in row]} for lp, row in pairs]


def main(path):
    with open(path) as file:
        recorded = json.load(file)
    responses = [q["attempts"][0]["text"] for q in recorded]
    samples = [[a["text"] for a in q["attempts"][1:]] for q in recorded]
    prompts = [q["id"] for q in recorded]
    logprobs = [tokens(**q["attempts"][0]) for q in recorded]
    sampled = [[[{"logprob": lp} for lp in a["logprobs"]] for a in q["attempts"][1:]] for q in recorded]
    nli, values, seconds = KnownRelations(recorded), {}, {}
    entropy = SemanticEntropy(nli=nli, prompts_in_nli=False, use_best=False)  # else it rewrites the responses
    density = SemanticDensity(nli=nli)
    joint = SampledLogprobsScorer()
    joint._cosine_scorer = KnownCosines(recorded)
    single, top = SingleLogprobsScorer(), TopLogprobsScorer(top_k_logprobs=len(recorded[0]["attempts"][0]["top"][0]))
    quiet = {"show_progress_bars": False, "_display_header": False}

    def semantic():
        found = entropy.score(prompts=prompts, responses=responses, sampled_responses=samples, logprobs_results=logprobs,
                              sampled_logprobs_results=sampled, **quiet).data  # fmt: skip
        return {"discrete-semantic-entropy": found["discrete_entropy_values"],
                "number-of-semantic-sets": found["num_semantic_sets"],
                "semantic-negentropy": found["tokenprob_confidence_scores"]}  # fmt: skip

    def dense():
        return density.score(prompts=prompts, responses=responses, sampled_responses=samples, logprobs_results=logprobs,
                             sampled_logprobs_results=sampled, **quiet).data["semantic_density_values"]  # fmt: skip

    def consistent():
        scorer = ConsistencyScorer(nli=nli, scorers=["noncontradiction", "entailment"])
        found = scorer.evaluate(list(responses), [list(s) for s in samples])
        return {name: found[name] for name in ("noncontradiction", "entailment")}

    def alone():
        found = single.evaluate(logprobs)
        return {"min-token-probability": found["min_probability"], "length-normalized-probability": found["sequence_probability"]}

    def alternatives():
        found = top.evaluate(logprobs)
        return {"min-token-negentropy": found["min_token_negentropy"], "mean-token-negentropy": found["mean_token_negentropy"],
                "probability-margin": found["probability_margin"]}  # fmt: skip

    work = {
        "(single)": alone,
        "(top)": alternatives,
        "monte-carlo-probability": lambda: joint.monte_carlo_probability(responses, logprobs, sampled),
        "consistency-and-confidence": lambda: joint.compute_consistency_confidence(responses, samples, logprobs),
        "cosine-similarity": lambda: KnownCosines(recorded).evaluate(responses, samples),
        "exact-match": lambda: MatchScorer().evaluate(responses, samples),
        "(consistency)": consistent,
        "(semantic)": semantic,
        "semantic-density": dense,
    }
    for name, score in work.items():
        start = time.process_time()
        found = score()
        seconds[name] = time.process_time() - start
        values.update(found if isinstance(found, dict) else {name: found})
    print(json.dumps({"values": {name: [float(x) for x in row] for name, row in values.items()}, "seconds": seconds}))


main(sys.argv[1])
