"""MiniGrid in words: rooms seen from where the agent stands (the package minigrid)."""

from __future__ import annotations

from collections import deque
from copy import deepcopy
from typing import Any

from nosce.core.errors import unknown
from nosce.environments.text import GymWorld, require

TASKS = {
    "Empty-5x5": ("turn left", "turn right", "forward"),
    "LavaGapS5": ("turn left", "turn right", "forward"),
    "DoorKey-5x5": ("turn left", "turn right", "forward", "pick up", "toggle"),
}
"""The tasks and what can be done in each."""

_NUMBERS = {"turn left": 0, "turn right": 1, "forward": 2, "pick up": 3, "toggle": 5}
_COMPASS = ("east", "south", "west", "north")
_DOORS = ("an open door", "a closed door", "a locked door")
_NOTABLE = ("key", "door", "goal", "lava", "ball", "box")


class MiniGrid(GymWorld):
    """`task`: `Empty-5x5` (walk to the goal), `LavaGapS5` (past lava), `DoorKey-5x5` (fetch a key, open a door).

    What is told is the agent's own partial view, seven cells wide and deep, with walls that hide. The reward at the
    goal is 1 - 0.9 · steps / limit; lava ends the episode with 0.
    """

    def __init__(self, task: str = "LavaGapS5") -> None:
        require("minigrid")
        if task not in TASKS:
            raise unknown("task", task, TASKS)
        super().__init__()
        self.task = task
        self.name = f"minigrid?task={task}"
        self.verbs = {verb: _NUMBERS[verb] for verb in TASKS[task]}
        self.goal = "Get to the goal."
        self._plan: dict[Any, str] = {}

    def best_action(self) -> str:
        """The first step of a shortest way to the goal."""
        here = _state(self._env.unwrapped)
        if here not in self._plan:
            self._plan |= self._search()
        return self._plan.get(here, next(iter(self.verbs)))

    def _search(self) -> dict[Any, str]:
        """What to do in each state of a shortest way from here, by breadth-first search over the room's states."""
        start = self._env.unwrapped
        queue: deque[tuple[Any, dict[Any, str]]] = deque([(start, {})])
        seen = {_state(start)}
        while queue:
            room, way = queue.popleft()
            for verb in self.verbs:
                after = deepcopy(room)
                _, reward, ended, _, _ = after.step(self.verbs[verb])
                on = {**way, _state(room): verb}
                if reward > 0:
                    return on
                if not ended and (state := _state(after)) not in seen:
                    seen.add(state)
                    queue.append((after, on))
        return {}

    def dangers(self) -> tuple[str, ...]:
        """`forward` with lava ahead."""
        return ("forward",) if not self._over and self._ahead() == "lava" else ()

    def _make(self, seed: int) -> Any:
        import gymnasium
        import minigrid

        self._plan = {}
        if f"MiniGrid-{self.task}-v0" not in gymnasium.registry:
            minigrid.register_minigrid_envs()
        return gymnasium.make(f"MiniGrid-{self.task}-v0")

    def _fresh(self) -> MiniGrid:
        return MiniGrid(self.task)

    def _ahead(self) -> str | None:
        room = self._env.unwrapped
        cell = room.grid.get(*room.front_pos)
        return None if cell is None else str(cell.type)

    def _describe(self, reward: float, ended: bool, cut: bool) -> str:
        if ended:
            return "You reached the goal." if reward > 0 else "You stepped into lava."
        if cut:
            return "Your time is up."
        room = self._env.unwrapped
        carried = f"You carry the {room.carrying.color} {room.carrying.type}." if room.carrying else ""
        seen = "; ".join(self._sights()) or "nothing but floor and walls"
        ahead = f"You face {_COMPASS[int(self._raw['direction'])]}; ahead is {self._view(3, 5)}."
        return " ".join(filter(None, [f"Task: {self._raw['mission']}.", ahead, carried, f"You see {seen}."]))

    def _sights(self) -> list[str]:
        """What is notable in view, nearest first. The agent stands at (3, 6) of the 7 × 7 view and looks towards (3, 0)."""
        found = []
        for right in range(-3, 4):
            for ahead in range(7):
                if (right, ahead) != (0, 0) and self._kind(right + 3, 6 - ahead) in _NOTABLE:
                    found.append((ahead + abs(right), f"{self._view(right + 3, 6 - ahead)} {_where(right, ahead)}"))
        return [text for _, text in sorted(found)]

    def _kind(self, x: int, y: int) -> str:
        from minigrid.core.constants import IDX_TO_OBJECT

        return str(IDX_TO_OBJECT[int(self._raw["image"][x, y, 0])])

    def _view(self, x: int, y: int) -> str:
        """One cell of the view in words."""
        from minigrid.core.constants import IDX_TO_COLOR

        kind, color, state = self._kind(x, y), IDX_TO_COLOR[int(self._raw["image"][x, y, 1])], self._raw["image"][x, y, 2]
        match kind:
            case "door":
                return _DOORS[int(state)]
            case "empty" | "unseen" | "floor":
                return "nothing" if kind != "unseen" else "out of sight"
            case "goal" | "lava" | "wall":
                return {"goal": "the goal", "lava": "lava", "wall": "a wall"}[kind]
        return f"a {color} {kind}"


def _where(right: int, ahead: int) -> str:
    sides = "" if right == 0 else f"{abs(right)} to the {'right' if right > 0 else 'left'}"
    return " and ".join(filter(None, [f"{ahead} ahead" if ahead else "", sides]))


def _state(room: Any) -> tuple[Any, ...]:
    """Everything that can change in a room."""
    return (*map(int, room.agent_pos), int(room.agent_dir), room.carrying is not None, room.grid.encode().tobytes())
