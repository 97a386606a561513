"""Positive and negative samples apart."""

import pytest
from tests.learn.conftest import advantages, gradient, rolled

from nosce.core.registry import registry
from nosce.learn.tiny import TinyEngine


@pytest.mark.parametrize("name", ["nsr", "nsr/psr", "nsr/w-reinforce"])
def test_the_golden_vector_holds(name: str, weak: TinyEngine) -> None:
    recipe = registry.find(name, "recipe").run()
    assert advantages(recipe, [recipe.golden["rewards"]], weak)[0] == pytest.approx(recipe.golden["advantages"])


def test_right_samples_are_untouched_by_nsr(weak: TinyEngine) -> None:
    recipe, group = registry.find("nsr", "recipe").run(), [rolled(1.0, 2), rolled(0.0, 3)]
    recipe.credit([group], None)
    assert [r.turns[0].learned for r in group] == [False, True]
    assert gradient(recipe, [group[1].turns[0]], [0], [-0.5, -1.0, -2.0]) == pytest.approx([1 / 3] * 3)  # down, each alike


def test_the_two_halves_and_a_tenth_make_w_reinforce(weak: TinyEngine) -> None:
    rewards, run = [[1.0, 0.0, 0.0]], registry.find("nsr/w-reinforce", "recipe").run
    half = [advantages(registry.find(name, "recipe").run(), rewards, weak)[0] for name in ("nsr/psr", "nsr")]
    assert advantages(run(), rewards, weak)[0] == pytest.approx([0.1 * a + b for a, b in zip(*half, strict=True)])
    assert advantages(run(weight=1.0), rewards, weak)[0] == [1.0, -1.0, -1.0]
