"""Every data set of reasoning-gym: an item of each, its reference graded as right by the set's own scorer."""

import json
import re
from collections import deque
from collections.abc import Callable
from typing import Any

import pytest

pytest.importorskip("reasoning_gym")

from hypothesis import given, settings
from hypothesis import strategies as st

from nosce.core.codec import decode, encode_json
from nosce.core.errors import InputError
from nosce.core.problem import Problem
from nosce.tasks.reasoning_gym import gym_problems, names

NAMES = names()
LENIENT = ("game_of_life_halting",)  # its scorer takes whatever is not "True" for "False"
CONFIGS: dict[str, dict[str, Any]] = {"rush_hour": {"min_moves": 1, "max_moves": 4}}


def _boxnet(meta: dict[str, Any]) -> str:
    """Walk every box, square by square, to the target of its colour."""
    plan = []
    state: dict[str, list[str]] = meta["initial_state"]
    for square, items in state.items():
        for box in [item for item in items if item.startswith("box_")]:
            target = box.replace("box_", "target_")
            x, y = map(float, square.split("_"))
            goal = min((s for s in state if target in state[s]), key=lambda s: s != square)
            gx, gy = map(float, goal.split("_"))
            while (x, y) != (gx, gy):
                nx = x + (gx > x) - (gx < x)
                ny = y if nx != x else y + (gy > y) - (gy < y)
                plan.append({f"Agent[{x}, {y}]": f"move({box}, square[{nx}, {ny}])"})
                x, y = nx, ny
            plan.append({f"Agent[{x}, {y}]": f"move({box}, {target})"})
    return json.dumps(plan)


def _rush_hour(meta: dict[str, Any]) -> str:
    """Breadth first over single steps of single cars."""
    from reasoning_gym.games.rush_hour import Board

    start = meta["board_config"]
    moves = [f"{car}{step}" for car in sorted({c for c in start if c.isalpha() and c not in "ox"}) for step in ("+1", "-1")]
    seen: set[str] = set()
    queue: deque[str] = deque([""])
    while queue:
        done = queue.popleft()
        board = Board(start)
        board.perform_moves(done)
        if board.solved:
            return done
        if str(board) not in seen:
            seen.add(str(board))
            queue.extend(f"{done} {move}".strip() for move in moves)
    raise AssertionError("no way out")


UNSTATED: dict[str, Callable[[dict[str, Any]], str]] = {
    "graph_color": lambda meta: json.dumps(meta["possible_answer"]),
    "propositional_logic": lambda meta: meta["example_answer"],
    "rubiks_cube": lambda meta: meta["example_correct_answer"],
    "boxnet": _boxnet,
    "rush_hour": _rush_hour,
}
"""Sets with many right answers, which name none in `answer`."""


def _right(problem: Problem) -> str:
    reference = problem.reference
    if problem.family in UNSTATED:
        assert reference["answer"] is None
        return UNSTATED[problem.family](reference["metadata"])
    return str(reference["answer"])


def _check(name: str) -> None:
    (problem,) = gym_problems(name, n=1, seed=1, config=CONFIGS.get(name))
    assert problem.text
    assert problem.graded
    assert problem.check(_right(problem)) == 1
    assert problem.check("no such answer") < 1 or name in LENIENT
    again = decode(Problem, encode_json(problem))
    assert again.check(_right(problem)) == 1


def test_all_hundred_and_five_sets_are_there() -> None:
    assert len(NAMES) >= 105


def test_the_reference_is_right_in_every_set_and_survives_json() -> None:
    wrong = {}
    for name in NAMES:
        try:
            _check(name)
        except Exception as error:
            wrong[name] = repr(error)
    assert wrong == {}


@pytest.mark.parametrize("name", ["chain_sum", "game_of_life", "prime_factorization", "boxnet", "pool_matrix"])
@settings(max_examples=40, deadline=None)
@given(text=st.one_of(st.text(max_size=30), st.text(alphabet="[]{}0123456789,:x ", max_size=30)))
@pytest.mark.filterwarnings("ignore")
def test_any_text_is_graded(name: str, text: str) -> None:
    (problem,) = gym_problems(name, n=1, seed=1)
    assert 0 <= problem.check(text) <= 1


def test_the_same_seed_draws_the_same_problems_and_ids_are_distinct() -> None:
    first, again, other = (gym_problems("chain_sum", n=5, seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert [p.text for p in first] != [p.text for p in other]
    assert len({p.id for p in first + other}) == 10


def test_parameters_of_the_set_reach_it() -> None:
    (problem,) = gym_problems("chain_sum", n=1, config={"min_terms": 2, "max_terms": 2, "min_digits": 1, "max_digits": 1})
    assert re.search(r": \d [-+] \d =", problem.text)


@pytest.mark.parametrize(
    ("name", "n", "config", "message"),
    [
        ("chain_sm", 1, {}, "did you mean chain_sum"),
        ("composite", 1, {}, "unknown reasoning-gym data set 'composite'"),
        ("chain_sum", 0, {}, "n=0; expected at least 1"),
        ("chain_sum", 1, {"min_terms": 9, "max_terms": 2}, "max_terms must be >= min_terms"),
        ("chain_sum", 1, {"colour": 1}, "unexpected keyword argument 'colour'"),
    ],
)
def test_what_is_not_there_is_refused(name: str, n: int, config: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        gym_problems(name, n=n, config=config)
