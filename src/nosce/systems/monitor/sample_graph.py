"""The samples as a graph whose edges are their affinities: how many clusters, how far apart.

Affinity: the mean entailment of both directions where an entailment model is given, else the similarity of embeddings.
"""

from __future__ import annotations

from math import log, sqrt

import numpy as np

from nosce.core.errors import InputError
from nosce.monitor.equivalence import CONTRADICTION, NEUTRAL
from nosce.monitor.measure import measure
from nosce.monitor.statistics import Floats, Statistics, plogp


@measure("degree-matrix", needs={"samples"}, uncertainty=(0.0, 1.0))
def degree_matrix(stats: Statistics) -> float:
    """Mean distance of two samples, trace(n − D)/n² = 1 − mean affinity.

    An uncertainty in [0, 1]. lm-polygraph's DegMat.
    """
    return 1 - float(stats.affinity.mean())


@measure("eigenvalue-laplacian", needs={"samples"}, uncertainty=lambda stats: (1.0, float(len(stats.samples))))
def eigenvalue_laplacian(stats: Statistics) -> float:
    """How many clusters the samples form, counted continuously: Σ max(0, 1 − λ) over the eigenvalues of the normalised Laplacian.

    An uncertainty in [1, n]. lm-polygraph's EigValLaplacian.
    """
    return float(np.maximum(stats.spectrum[0], 0.0).sum())


@measure("eccentricity", needs={"samples"}, uncertainty=lambda stats: (0.0, sqrt(len(stats.samples))))
def eccentricity(stats: Statistics, *, threshold: float = 0.9) -> float:
    """How far the samples lie from their centre in the space of the Laplacian's informative eigenvectors.

    Rule: √Σ_j ‖v_j − mean v_j‖² over eigenvectors v_j with eigenvalue below `threshold`. An uncertainty in [0, √n].
    lm-polygraph's Eccentricity.
    """
    values, vectors = stats.spectrum
    kept = vectors[:, 1 - values < threshold]
    return float(np.linalg.norm(kept - kept.mean(axis=0)))


@measure("kernel-language-entropy", needs={"samples"}, uncertainty=(0.0, 1.0))
def kernel_language_entropy(stats: Statistics, *, heat: float = 0.3) -> float:
    """Von Neumann entropy of the heat kernel of the samples' graph, over its greatest value log n.

    Rule: K = exp(−t(D − W)) with `heat` t, scaled to a unit diagonal over n; −Σ κ log κ over its eigenvalues. W sums over both
    directions entailment + ½·neutrality, or twice the similarity. An uncertainty in [0, 1]. lm-polygraph's KernelLanguageEntropy.
    """
    if heat <= 0:
        raise InputError(f"kernel-language-entropy: heat={heat}; expected above 0")
    graph = _graph(stats)
    values, vectors = np.linalg.eigh(np.diag(graph.sum(axis=0)) - graph)
    kernel = (vectors * np.exp(-heat * values)) @ vectors.T
    root = np.sqrt(kernel.diagonal())
    kappa = np.maximum(np.linalg.eigvalsh(kernel / (root[:, None] * root)), 0.0) / len(root)
    return float(plogp(kappa)) / log(len(root))


def _graph(stats: Statistics) -> Floats:
    """Edge weights [n, n] in [0, 2]."""
    if "nli" not in stats.has:
        return 2 * stats.affinity
    at = slice(stats.start, None)
    against = stats.entailment[at, at, CONTRADICTION]
    return np.asarray(stats.affinity + 1 - (against + against.T) / 2)


@measure("semantic-density", needs={"samples", "sample_logprobs"})
def semantic_density(stats: Statistics, *, own: bool = True) -> float:
    """How densely the samples' probability lies around the attempt: their mean closeness to it, weighted by probability.

    Rule: Σ p_i k_i/Σ p_i over different texts and the attempt itself (k = 1); p length-normalised, k = 1 − (contradiction +
    ½·neutrality) of attempt and sample, or their similarity. In [0, 1], higher is surer. lm-polygraph's SemanticDensity. With
    own=False the other samples alone, each as often as it was drawn: uqlm's.
    """
    first = {text: i for i, text in reversed(list(enumerate(stats.texts))) if i}
    kept = [0, *sorted(first.values())] if own else list(range(1, len(stats.texts)))
    p = np.exp(np.minimum(stats.sequence_logprobs / stats.lengths, 0.0))[kept]
    near = _nearness(stats)[kept]
    near[0] = 1.0 if own else near[0]
    return float(p @ near / p.sum()) if p.sum() > 0 else float(near.mean())


def _nearness(stats: Statistics) -> Floats:
    """Closeness [n] of every attempt to the first, in [0, 1]."""
    if "nli" not in stats.has:
        return np.asarray(np.clip(stats.alike[0], 0, 1))
    found = stats.entailment[0]
    return np.asarray(np.clip(1 - found[:, CONTRADICTION] - found[:, NEUTRAL] / 2, 0, 1))
