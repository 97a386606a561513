"""P(True) read off the verdict's alternatives; P(IK) against a planted direction and scikit-learn's logistic regression."""

import asyncio
import math

import numpy as np
import pytest

from nosce.core.attempt import Attempt
from nosce.core.cost import Budget
from nosce.core.errors import CapabilityError, InputError
from nosce.core.problem import Problem
from nosce.inside.probe import Probe, best_layer
from nosce.mind.engine import Engine
from nosce.models.base import Sample
from nosce.systems.monitor.p_true import p_true

ASKED = Problem("p", "2+2", reference="4")


def verdict(prompt: str, _: int) -> Sample:
    """Thoughts say 4; the verdict's first token is True with .6 and False with .2 (.8 and .2 with other answers shown)."""
    if "Is the proposed answer correct" not in prompt:
        return Sample("Answer: 4", logprobs=(-0.1,), prompt_tokens=5, completion_tokens=3)
    sure = 0.8 if "Some other answers: 4, 4" in prompt else 0.6
    top = ((("True", math.log(sure)), (" False", math.log(0.2))),)
    return Sample("True", top=top, logprobs=(math.log(sure),), prompt_tokens=9, completion_tokens=1)


def test_p_true_is_the_share_of_true(scripted, run):
    answer = run(scripted(verdict), "p-true/checked", ASKED).answer
    assert (answer.value, answer.source) == ("4", "logprobs")
    assert answer.confidence == pytest.approx(0.75)
    assert answer.cost.completion_tokens == 4


def test_samples_are_shown_beside_the_answer(scripted, run):
    assert run(scripted(verdict), "p-true/checked", ASKED, shown=2).answer.confidence == pytest.approx(0.8)


def test_cut_before_the_verdict_keeps_the_answer_without_a_confidence(scripted, run):
    answer = run(scripted(verdict), "p-true/checked", ASKED, budget=Budget(calls=1)).answer
    assert (answer.value, answer.confidence, answer.partial) == ("4", None, True)


def test_refuses_what_it_cannot_look_at(scripted, organism):
    chat, small = (Engine({"main": model}).mind(ASKED) for model in (scripted(verdict), organism))
    with pytest.raises(InputError, match="at least one"):
        asyncio.run(p_true(ASKED, [], chat))
    with pytest.raises(CapabilityError, match="samples shown"):
        asyncio.run(p_true(ASKED, [Attempt("n0", "", "4")] * 2, small, shown=1))


def planted(n: int = 400, d: int = 6) -> tuple[np.ndarray, np.ndarray]:
    """States [n, 3, d] of which only layer 1 tells, and labels drawn from σ(2 x_0 − 1)."""
    rng = np.random.default_rng(0)
    states = rng.normal(size=(n, 3, d))
    return states, (rng.random(n) < 1 / (1 + np.exp(1 - 2 * states[:, 1, 0]))).astype(float)


def test_probe_finds_the_layer_and_the_direction():
    states, labels = planted()
    assert best_layer(states, labels) == 1
    probe = Probe.fit(states[:, 1], labels, l2=0.01)
    assert np.argmax(np.abs(probe.weights)) == 0
    assert probe.predict(states[:, 1]).mean() == pytest.approx(labels.mean(), abs=1e-4)  # the intercept's first-order condition


def test_probe_agrees_with_logistic_regression():
    linear = pytest.importorskip("sklearn.linear_model")
    states, labels = planted()
    x = (states[:, 1] - states[:, 1].mean(axis=0)) / (states[:, 1].std(axis=0) + 1e-6)
    other = linear.LogisticRegression(C=6 / (0.1 * len(x)), tol=1e-9, max_iter=1000).fit(x, labels)
    ours = Probe.fit(states[:, 1], labels, l2=0.1)
    assert ours.predict(states[:, 1]) == pytest.approx(other.predict_proba(x)[:, 1], abs=1e-3)


def test_probe_survives_the_artifact():
    states, labels = planted(50)
    probe = Probe.fit(states[:, 2], labels, layer=2)
    again = Probe.from_data(probe.to_data())
    assert again.layer == 2
    assert again.predict(states[:, 2]) == pytest.approx(probe.predict(states[:, 2]), abs=1e-5)


def test_known_questions_are_answered_and_others_not(organism, run):
    problems = [Problem(f"q{i}", f"{i}+{i + 1}", reference=str(2 * i + 1)) for i in range(24)]
    asked = Problem("q", "3+4", reference="7")
    told = run(organism, "p-true/if-known", asked, prepare=problems, samples=1).answer
    silent = run(organism, "p-true/if-known", asked, prepare=problems, samples=1, least=1.0).answer
    assert 0 <= told.signals[0].value <= 1
    assert (silent.outcome, silent.cost.completion_tokens, silent.cost.calls) == ("abstained", 0, 1)


def test_too_few_labelled_problems_are_refused(organism, run):
    with pytest.raises(InputError, match="at least 20"):
        run(organism, "p-true/if-known", ASKED, prepare=[ASKED])
