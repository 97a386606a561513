"""Probes and densities of hidden states against closed forms, scikit-learn, and a planted direction."""

import asyncio
import math

import numpy as np
import pytest

from nosce.core.attempt import Attempt
from nosce.core.cost import Budget
from nosce.core.errors import BudgetExhausted, InputError
from nosce.core.problem import Problem
from nosce.core.registry import registry
from nosce.inside.density import Gaussian, MassMean
from nosce.inside.reading import attempt_state, labelled_states, question_state
from nosce.metrics import auroc2
from nosce.mind.engine import Engine
from nosce.mind.sampler import Sampler
from nosce.models.load import load
from nosce.tasks.bundled import draw_problems

ASKED = Problem("q", "3+4", reference="7")


def planted(n: int = 600, d: int = 12, seed: int = 0):
    """Right and wrong states with the same covariance A Aᵀ, a unit apart along the first coordinate."""
    rng = np.random.default_rng(seed)
    mix = np.random.default_rng(7).normal(size=(d, d))
    right = rng.random(n) < 0.6
    return rng.normal(size=(n, d)) @ mix.T + 1.5 * np.outer(right, np.eye(d)[0]), right


def test_mass_mean_is_the_discriminant_of_two_gaussians():
    discriminant = pytest.importorskip("sklearn.discriminant_analysis")
    states, right = planted()
    ours = MassMean.fit(states, right, shrink=0.0)
    theirs = discriminant.LinearDiscriminantAnalysis(solver="lsqr").fit(states, right)
    assert ours.predict(states) == pytest.approx(theirs.predict_proba(states)[:, 1], abs=0.01)
    again = MassMean.from_data(ours.to_data())
    assert again.predict(states) == pytest.approx(ours.predict(states), abs=1e-5)


def test_mass_mean_finds_the_direction_that_means_alone_do_not():
    """Σ⁻¹ matters: the plain difference of means is blurred by the directions of large variance."""
    states, right = planted(2000)
    fit, new = states[:1000], states[1000:]
    plain = fit[right[:1000]].mean(axis=0) - fit[~right[:1000]].mean(axis=0)
    squashed = 1 / (1 + np.exp(-(new @ plain) / 10))
    assert auroc2(MassMean.fit(fit, right[:1000]).predict(new), right[1000:]).value > auroc2(squashed, right[1000:]).value + 0.05


def test_distance_is_mahalanobis_own():
    states, _ = planted(400, 5)
    fitted = Gaussian.fit(states, shrink=0.0)
    precision = np.linalg.inv(np.cov(states.T))
    wanted = [math.sqrt((x - states.mean(axis=0)) @ precision @ (x - states.mean(axis=0))) for x in states[:20]]
    assert fitted.distance(states[:20]) == pytest.approx(wanted)
    assert Gaussian.from_data(fitted.to_data()).distance(states[:20]) == pytest.approx(wanted, rel=1e-4)


def test_few_states_keep_few_axes():
    states, _ = planted(40, 12)
    assert Gaussian.fit(states).axes.shape == (10, 12)
    assert np.isfinite(Gaussian.fit(np.repeat(states[:1], 9, axis=0) + np.eye(9, 12)).distance(states)).all()


def test_refusals():
    with pytest.raises(InputError, match="N ≥ 8"):
        Gaussian.fit(np.zeros((3, 4)))
    with pytest.raises(InputError, match="right and wrong"):
        MassMean.fit(np.zeros((9, 4)), np.ones(9))


def test_the_state_of_an_attempt_is_read_after_its_question_and_paid_for(organism):
    mind = Engine({"main": organism}).mind(ASKED)
    attempt = asyncio.run(mind.think(ASKED, max_tokens=6))[0]
    spent = mind.work.meter.spent
    state = attempt_state(ASKED, mind, attempt)
    paid = mind.work.meter.spent.prompt_tokens - spent.prompt_tokens
    assert paid == spent.prompt_tokens + len(organism.tokenizer.encode(attempt.text))
    assert not np.allclose(state, question_state(ASKED, mind))
    empty = attempt_state(ASKED, mind, Attempt("n", "", None))
    assert empty == pytest.approx(question_state(ASKED, mind), abs=1e-6)
    poor = Engine({"main": organism}, Budget(tokens=3)).mind(ASKED)
    with pytest.raises(BudgetExhausted):
        attempt_state(ASKED, poor, attempt)


def test_too_few_labelled_attempts_are_refused(organism):
    mind = Engine({"main": organism}).mind(ASKED)
    with pytest.raises(InputError, match="at least 20"):
        asyncio.run(labelled_states([ASKED], mind))


def test_probes_tell_right_from_wrong_on_the_bundled_model():
    """Fitted on one split, read on another, and charged for the fitting."""
    engine = Engine({"main": load("socrates")}, sampler=Sampler(cache=True))
    systems = [registry.find(name) for name in ("logistic-probe", "mass-mean-probe")]

    async def seen(problem, artifacts):
        mind = engine.mind(problem)
        attempts = await mind.think(problem)
        signals = [await system.run(problem, attempts, mind, made) for system, made in zip(systems, artifacts, strict=True)]
        return [signal.confidence for signal in signals], problem.check(attempts[0].answer) >= 0.5

    async def everything():
        dev, test = (draw_problems(("arithmetic", "lists"), (1, 3, 5), n=60, part=part) for part in ("dev", "test"))
        made = [await engine.prepare(system, [], dev, {"samples": 1}) for system in systems]
        return made, await asyncio.gather(*(seen(problem, made) for problem in test))

    made, rows = asyncio.run(everything())
    assert all(artifact.cost.completion_tokens > 0 for artifact in made)
    sure, right = np.array([row[0] for row in rows]), [row[1] for row in rows]
    assert auroc2(sure[:, 0], right).value > 0.6
    assert auroc2(sure[:, 1], right).value > 0.6
