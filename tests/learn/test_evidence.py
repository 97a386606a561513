"""A recipe's claim: matched, cached, and measured on problems that were not learned from."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nosce.core.claim import Claim
from nosce.core.registry import registry
from nosce.evidence.arms import Bench
from nosce.evidence.sweep import swept
from nosce.evidence.training import TEST, Proved, on_own_ground, trained
from nosce.evidence.training_endpoints import compared, tokens_to_reach
from nosce.evidence.training_run import Seen, Sight, Trained, Trial, carry_out, held_out, without_claims
from nosce.metrics import Estimate
from nosce.models.load import load
from nosce.tasks.load import load_problems

CLAIM = Claim(
    "GRPO ends above rejection sampling.", endpoint="accuracy", baseline="rejection-sampling", seeds=(0, 1), options={"steps": 1}
)


def test_tokens_to_reach_an_accuracy_lie_on_the_line_between_two_looks() -> None:
    curve = [{"rollout_tokens": 100.0, "accuracy": 0.5}, {"rollout_tokens": 200.0, "accuracy": 0.7}]
    assert tokens_to_reach(curve, 0.6) == pytest.approx(150.0)
    assert tokens_to_reach(curve, 0.4) == 100.0
    assert tokens_to_reach(curve, 0.9) == 400.0


def test_both_sides_are_timed_to_the_first_crossing_of_their_own_curve() -> None:
    """Up to 0.7 and back to 0.6: the baseline stood at 0.6 after 150 tokens, not after all its 300."""
    def seen(*heights: float) -> Seen:
        looks = [{"step": i, "rollout_tokens": 100.0 * i, "accuracy": height} for i, height in enumerate(heights)]
        return Seen(Trained("", looks, looks[-1]["rollout_tokens"], 0.0, 0.0), {}, {})

    base = seen(0.4, 0.5, 0.7, 0.6)
    assert compared("tokens_to_reach", base, base) == (150.0, 150.0, 0.0)
    assert compared("tokens_to_reach", seen(0.4, 0.6, 0.6, 0.6), base) == pytest.approx((100.0, 150.0, 1 / 3))
    assert compared("tokens_to_reach", seen(0.4, 0.5, 0.5, 0.5), base) == pytest.approx((600.0, 150.0, -3.0))
    assert compared("tokens_to_reach", seen(0.5, 0.4), seen(0.5, 0.4)) == (0.0, 0.0, 0.0)


def test_a_policy_is_held_against_the_best_that_never_decides() -> None:
    def seen(**columns: float) -> Seen:
        return Seen(Trained("", [], 0.0, 0.0, 0.0), columns, {})

    ours, base = seen(utility=0.8, answering=0.5, deferring=0.7), seen(utility=0.6, answering=0.75, deferring=0.7)
    assert compared("utility above answering deferring", ours, base) == pytest.approx((0.8, 0.75, 0.05))


def test_a_claim_about_every_price_is_no_better_than_at_the_worst(monkeypatch: pytest.MonkeyPatch) -> None:
    bounds = {0.1: (0.2, 0.1, 0.3), 0.3: (0.05, -0.1, 0.2), 0.5: (0.04, 0.01, 0.07)}

    async def stub(system: Any, claim: Claim, bench: Any, *, runs: Path) -> Proved:
        value, low, high = bounds[claim.options["price"]]
        assert "sweep" not in claim.options
        return Proved(value, 0.0, Estimate(value, (low, high), 5, "t"), (1.0, 1.0), 9, {"after": {}, "baseline_after": {}})

    monkeypatch.setattr("nosce.evidence.sweep.trained", stub)
    claim = replace(CLAIM, options={"sweep": {"price": tuple(bounds)}})
    found = asyncio.run(swept(registry.find("hila", "recipe"), claim, Bench([], {})))
    assert found.effect.interval == (-0.1, 0.2)
    assert [row["price"] for row in found.details["sweep"]] == [0.1, 0.3, 0.5]


def test_answers_asked_for_in_two_ways_are_not_taken_for_each_other(tmp_path: Path) -> None:
    """The same strategy bound to another price is another look."""
    asks = [registry.find("hila", "recipe").run(price=price) for price in (0.1, 0.7)]
    problems = load_problems("family:arithmetic?level=1&n=2")
    seen = [asyncio.run(Sight(ask, "socrates", 1, tmp_path).of(None, problems)) for ask in asks]
    assert [round(one["deferring"], 6) for one in seen] == [0.9, 0.3]


def test_a_trial_is_known_by_everything_that_decides_its_weights() -> None:
    trial = Trial("grpo", {}, 0, "socrates-weak", "a")
    others = [replace(trial, seed=1), replace(trial, options={"clip": 0.1}), replace(trial, steps=9), replace(trial, recipe="rloo")]
    assert trial.key("v") == replace(trial).key("v")
    assert len({trial.key("v"), trial.key("w"), *(other.key("v") for other in others)}) == 6


def test_a_claim_may_be_worded_anew_without_training_again() -> None:
    code = "CLAIM = Claim('{}', seeds={})\nRATE = {}\n"
    assert without_claims(code.format("a", "(0, 1)", 1)) == without_claims("# why\n" + code.format("b", "(0, 1, 2)", 1))
    assert without_claims(code.format("a", "(0, 1)", 1)) != without_claims(code.format("a", "(0, 1)", 2))


def test_families_held_out_are_those_that_were_not_learned_from() -> None:
    learned = load_problems("family:arithmetic,lists,countdown,logic?level=2&n=40&split=train")
    assert {problem.family for problem in held_out(learned)} == {"facts", "sums"}


def test_on_the_bundled_model_a_claim_starts_from_the_weak_checkpoint_and_splits_do_not_meet() -> None:
    bench = on_own_ground(Bench([], {"main": load("socrates")}), CLAIM)
    assert bench.roster["main"].spec == "socrates-weak"
    assert not {p.id for p in bench.labelled} & {p.id for p in bench.problems}
    assert [p.id for p in bench.problems] == [p.id for p in load_problems(TEST)]


def test_a_claim_trains_both_sides_once_and_reads_them_back_afterwards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nosce.evidence.training.BASELINES", ())
    monkeypatch.setattr("nosce.evidence.training_run.HELD_OUT", "level=1&n=5&split=test")
    learn = load_problems("family:arithmetic?level=1,2&n=20&split=train")
    bench = Bench(load_problems("family:arithmetic?level=1,2&n=8"), {"main": load("socrates-weak")}, CLAIM.seeds, learn)
    small = {"batch": 2, "group": 2}
    claim = replace(CLAIM, options={"steps": 1, **small}, baseline_options=small)
    found = asyncio.run(trained(registry.find("grpo"), claim, bench, runs=tmp_path))
    assert found.effect.value == pytest.approx(found.value - found.reference)
    assert len(found.details["effects"]) == 2
    assert found.costs[0] > 0
    assert [[point["step"] for point in curve] for curve in found.details["curves"]["ours"]] == [[0.0, 1.0]] * 2
    assert "arithmetic" not in found.details["held_out"]["families"]
    assert len(found.details["held_out"]["ours"]) == len(found.details["held_out"]["baseline"]) == 2
    results = sorted(tmp_path.glob("*/trained.json"))
    assert len(results) == 4
    times = [path.stat().st_mtime_ns for path in results]
    again = asyncio.run(trained(registry.find("grpo"), claim, bench, runs=tmp_path))
    assert again == found
    assert [path.stat().st_mtime_ns for path in results] == times


def test_a_trial_that_is_cut_off_goes_on_where_it_stood_and_ends_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nosce.evidence.training_run.EVERY", 1)
    learn = load_problems("family:arithmetic?level=1,2&n=20&split=train")
    trial = Trial("grpo", {"batch": 2, "group": 2}, 0, "socrates-weak", "here", steps=3)
    drawn: list[int] = []

    def carried(runs: Path, cut: bool) -> Trained:
        def watch(name: str, step: int, steps: int) -> None:
            drawn.append(step)
            if cut and step == 2:
                raise KeyboardInterrupt

        return asyncio.run(carry_out(trial, learn[:-4], learn[-4:], watch=watch, runs=runs))

    whole = carried(tmp_path / "whole", cut=False)
    with pytest.raises(KeyboardInterrupt):
        carried(tmp_path / "cut", cut=True)
    drawn.clear()
    mended = carried(tmp_path / "cut", cut=False)
    assert drawn == [2, 3]  # what was done is not done again
    assert mended.curve == whole.curve
    weights = [(Path(run.folder) / "model" / "model.safetensors").read_bytes() for run in (whole, mended)]
    assert weights[0] == weights[1]
