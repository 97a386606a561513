"""FrozenLake in words: walk over the ice to the goal without falling into a hole (Gymnasium's FrozenLake-v1)."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nosce.core.errors import InputError, unknown
from nosce.environments.text import GymWorld, require

VIEWS = ("neighbours", "map", "position")
_CELLS = {"S": "ice", "F": "ice", "H": "a hole", "G": "the goal"}
_MOVES = {"left": (0, -1), "down": (1, 0), "right": (0, 1), "up": (-1, 0)}
_ICE = 0.8  # share of frozen cells on a random map


class FrozenLake(GymWorld):
    """A lake of `size` 4 or 8 (Gymnasium's own maps), or of any size from 2 to 32 with `random_map`: a new map per seed.

    slippery: each step goes where it is meant to with probability 1/3, else to either side;
    view: `neighbours` says what lies next to you, `map` shows the lake, `position` says only where you are.
    Reward 1 at the goal, else 0.
    """

    verbs = {"left": 0, "down": 1, "right": 2, "up": 3}  # noqa: RUF012 (read-only; Gymnasium's numbers)
    goal = "Cross the frozen lake to the goal without falling into a hole."

    def __init__(self, size: int = 4, slippery: bool = False, random_map: bool = False, view: str = "neighbours") -> None:
        require("gymnasium")
        if view not in VIEWS:
            raise unknown("view", view, VIEWS)
        if size not in (range(2, 33) if random_map else (4, 8)):
            raise InputError(f"frozen-lake size {size}: expected 4 or 8, or 2 to 32 with random_map=true")
        super().__init__()
        self.size, self.slippery, self.random_map, self.view = size, slippery, random_map, view
        self.name = f"frozen-lake?size={size}&slippery={slippery}&random_map={random_map}&view={view}".lower()

    def best_action(self) -> str:
        """The first step of a policy with the highest chance of arriving (and, among those, the shortest way)."""
        return list(self.verbs)[int(np.argmax(self._values[self._place]))]

    def dangers(self) -> tuple[str, ...]:
        """The moves towards a hole."""
        return tuple(move for move in self.actions() if self._beside(move) == "H")

    def _make(self, seed: int) -> Any:
        import gymnasium
        from gymnasium.envs.toy_text.frozen_lake import generate_random_map

        self.__dict__.pop("_values", None)
        world: dict[str, Any] = {"map_name": f"{self.size}x{self.size}"}
        if self.random_map:
            world = {"desc": generate_random_map(self.size, _ICE, seed=seed)}
        return gymnasium.make(
            "FrozenLake-v1", is_slippery=self.slippery, max_episode_steps=25 * self.size, **world
        )  # fmt: skip

    def _fresh(self) -> FrozenLake:
        return FrozenLake(self.size, self.slippery, self.random_map, self.view)

    @property
    def _place(self) -> int:
        return int(self._raw)

    @property
    def _rows(self) -> list[str]:
        return ["".join(cell.decode() for cell in row) for row in self._env.unwrapped.desc]

    def _beside(self, move: str) -> str | None:
        """The cell that a move is meant for, None beyond the shore."""
        row, column = divmod(self._place, self.size)
        row, column = row + _MOVES[move][0], column + _MOVES[move][1]
        return self._rows[row][column] if 0 <= row < self.size and 0 <= column < self.size else None

    @cached_property
    def _values(self) -> NDArray[np.float64]:
        """Value of each action in each state, (states, 4), by value iteration with discount 0.999."""
        chances = self._env.unwrapped.P
        values = np.zeros((self.size**2, 4))
        for _ in range(20_000):
            before, best = values, values.max(axis=1)
            values = np.array(
                [
                    [sum(p * (r + 0.999 * best[to] * (not end)) for p, to, r, end in chances[s][a]) for a in range(4)]
                    for s in range(self.size**2)
                ]
            )
            if np.abs(values - before).max() < 1e-9:
                break
        return values

    def _describe(self, reward: float, ended: bool, cut: bool) -> str:
        row, column = divmod(self._place, self.size)
        where = f"You are at row {row + 1}, column {column + 1} of {self.size}."
        if ended:
            return f"{where} You reached the goal." if reward > 0 else f"{where} You fell into a hole."
        if cut:
            return f"{where} Your time is up."
        if self.view == "position":
            return where
        if self.view == "map":
            return f"{where} The lake (S start, F ice, H hole, G goal):\n" + "\n".join(self._rows)
        beside = ((move, self._beside(move)) for move in _MOVES)
        return f"{where} " + ", ".join(f"{m}: {'the shore' if c is None else _CELLS[c]}" for m, c in beside) + "."
