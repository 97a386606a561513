"""A world small enough to know by heart."""

from dataclasses import dataclass

from nosce.environments.text import Outcome


@dataclass
class Stairs:
    """One step up per right action (`right` holds them), a fall for a wrong one, `wait` changes nothing; reward 1 at the top."""

    right: tuple[str, ...]
    place: int = 0
    over: bool = False
    resets: int = 0
    name: str = "stairs"
    goal: str = "Climb."

    def reset(self, seed: int) -> str:
        self.place, self.over = 0, False
        self.resets += 1
        return self._seen()

    def actions(self) -> tuple[str, ...]:
        return () if self.over else ("left", "right", "wait")

    def step(self, action: str) -> Outcome:
        if action == "wait":
            return Outcome(self._seen(), 0.0, False)
        if action != self.right[self.place]:
            self.over = True
            return Outcome("You fell.", 0.0, True)
        self.place += 1
        self.over = self.place == len(self.right)
        return Outcome(self._seen(), float(self.over), self.over)

    def clone(self) -> "Stairs":
        return Stairs(self.right, self.place, self.over)

    def best_action(self) -> str:
        return self.right[self.place]

    def dangers(self) -> tuple[str, ...]:
        return () if self.over else ("left",) if self.right[self.place] == "right" else ("right",)

    def _seen(self) -> str:
        return f"You are on step {self.place}."
