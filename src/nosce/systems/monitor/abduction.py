"""S007 consistency-based abduction: which predictions of several models to believe when none is at home here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nosce.core.claim import Claim
from nosce.core.registry import study
from nosce.mind.mind import Mind

if TYPE_CHECKING:
    from nosce.metrics.estimate import Integers

STRICTNESS = (0.02, 0.05, 0.1, 0.2, 0.3, 0.5)
"""The ε of the rules; like δ set by hand, on seeds that the claim does not use."""

CLAIM = Claim(
    statement="In environments new to all models, the abduced predictions have a higher F1 than the best single model and than "
    "the vote.",
    endpoint="f1", baseline="the better of the vote and the best single model, the latter chosen with hindsight each time",
    n=5, seeds=tuple(range(10)), analogue_of="detectors of objects in aerial images (here: small classifiers of digits)",
)  # fmt: skip


@study("S007", "consistency-based-abduction", needs={"none"}, claim=CLAIM)
async def abduction(
    mind: Mind | None = None, *, seed: int = 0, environments: int = 5, most: float = 0.05, solver: str = "exact"
) -> dict[str, Any]:  # fmt: skip
    """Do few contradictions and learned error rules find the right predictions among three models under shift?

    Rule: error(i, c, ω) ← f_i(ω) = c ∧ cue(ω), one rule per model i, class c and strictness ε (its share of recall that may
    be lost where it is learned); an explanation is a set H of accept(i, c) at some ε that labels as many objects as it can
    while at most δ = `most` of them get two classes; where two remain, the more confident model is believed.
    `solver`: `exact` (integer programme) or `heuristic` (greedy). Returns means over the environments: `f1` (macro) and
    `recall` of the explanation, `baseline`, and each rival's F1: `single` (the best model, by hindsight), `trusted` (the best
    at home), `vote` (plurality of those that speak, the more confident on a tie), `filtered` (one model's predictions that its
    strictest rules let stand, by hindsight).
    Raises CapabilityError without scikit-learn. Source: S007 "Consistency-based Abductive Reasoning over Perceptual Errors of
    Multiple Pre-trained Models in Novel Environments". Left open and filled: digits under fog, noise, blur and occlusion
    stand in for its simulated flights; the only constraint is one class per object.
    """
    import numpy as np

    from nosce.monitor import abduction as logic
    from nosce.monitor.digits_under_shift import flagged, novel, raised

    solve = {"exact": logic.explain, "heuristic": logic.explain_greedily}[solver]
    models, home, images, truth = raised(seed)
    rng, rows = np.random.default_rng(seed + 1), []
    for _ in range(environments):
        drawn = rng.choice(len(truth), 300, replace=False)
        seen = models.look(novel(rng).see(images[drawn], rng), truth[drawn])
        rejects = flagged(home, seen, STRICTNESS)
        atoms, contradicts = logic.atoms(seen.predictions, rejects), logic.exclusive(10)
        chosen = solve(atoms, contradicts, most)
        said = logic.labelled(chosen, atoms, seen.confidence)
        singles = [scores(p, seen.truth) for p in seen.predictions]
        filtered = [scores(np.where(r, logic.NONE, p), seen.truth) for p, r in zip(seen.predictions, rejects[-1], strict=True)]
        vote = scores(voted(seen.predictions, seen.confidence), seen.truth)[0]
        trusted = singles[int(np.argmax([scores(p, home.truth)[0] for p in home.predictions]))][0]
        covered = logic.coverage(chosen, atoms)
        rows.append([*scores(said, seen.truth), max(singles)[0], trusted, vote, *max(filtered), covered])
    f1, recall, single, trusted, vote, filtered_f1, filtered_recall, covered = np.mean(rows, axis=0).tolist()
    return {
        "f1": f1, "baseline": max(single, vote), "recall": recall, "single": single, "trusted": trusted, "vote": vote,
        "filtered": filtered_f1, "filtered_recall": filtered_recall, "coverage": covered,
        "n": environments, "solver": solver, "most": most, "data": "scikit-learn digits, a stand-in", "seed": seed,
    }  # fmt: skip


def scores(said: Integers, truth: Integers) -> tuple[float, float]:
    """Macro F1 and macro recall over the classes that occur; an object without a class is missed."""
    import numpy as np

    f1, recall = [], []
    for c in np.unique(truth):
        hit = int(((said == c) & (truth == c)).sum())
        f1.append(2 * hit / int((said == c).sum() + (truth == c).sum()))
        recall.append(hit / int((truth == c).sum()))
    return float(np.mean(f1)), float(np.mean(recall))


def voted(predictions: Any, confidence: Any) -> Integers:
    """The commonest class among the models that speak, [objects]; the summed confidence decides ties; -1 where all are silent."""
    import numpy as np

    chosen = np.full(predictions.shape[1], -1)
    for o, (said, sure) in enumerate(zip(predictions.T, confidence.T, strict=True)):
        tally = {int(c): (int((said == c).sum()), float(sure[said == c].sum())) for c in np.unique(said[said >= 0])}
        if tally:
            chosen[o] = max(tally, key=tally.__getitem__)
    return chosen
