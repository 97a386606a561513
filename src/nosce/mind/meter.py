"""Keeping a budget: reserve the worst case before a call, settle the truth after it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from nosce.core.cost import Budget, Cost
from nosce.core.errors import BudgetExhausted


@dataclass(slots=True)
class Meter:
    """What one problem (or one run, as `parent`) has spent and may still spend.

    Spending counts here and in every parent. `overrun` is what remote calls spent beyond their reservation.
    """

    budget: Budget = field(default_factory=Budget)
    parent: Meter | None = None
    spent: Cost = field(default_factory=Cost)
    held: Cost = field(default_factory=Cost)
    overrun: int = 0
    exhausted: bool = False
    started: float = field(default_factory=time.monotonic)

    def fits(self, prompt_tokens: int, max_tokens: int, n: int, *, separate: bool = False) -> tuple[int, int]:
        """How many of n samples of at most max_tokens fit, as (n, max_tokens); (0, 0) when not even a token does.

        When not one whole sample fits, a single sample cut to what is left is offered. `separate`: every sample is a
        call of its own, which pays for the prompt again (a model that does not draw several at once).
        """
        if self.parent is not None:
            n, max_tokens = self.parent.fits(prompt_tokens, max_tokens, n, separate=separate)
        b, used = self.budget, self.spent + self.held
        if b.calls is not None:
            n = min(n, b.calls - used.calls) if separate or used.calls >= b.calls else n
        if n <= 0 or self.seconds_left() <= 0 or (b.money is not None and used.money >= b.money):
            return 0, 0
        once, each = (0, prompt_tokens) if separate else (prompt_tokens, 0)
        rooms = []  # what is left, and what each sample takes of it besides its own tokens
        if b.tokens is not None:
            rooms.append((b.tokens - used.tokens - once, each))
        if b.completion_tokens is not None:
            rooms.append((b.completion_tokens - used.completion_tokens, 0))
        whole = min((max(0, room) // (max_tokens + fixed) for room, fixed in rooms), default=n)
        if whole > 0:
            return min(n, whole), max_tokens
        cut = min(room - fixed for room, fixed in rooms)
        return (1, cut) if cut > 0 else (0, 0)

    def seconds_left(self) -> float:
        """Wall-clock seconds left (infinite without a limit)."""
        own = float("inf") if self.budget.seconds is None else self.budget.seconds - (time.monotonic() - self.started)
        return own if self.parent is None else min(own, self.parent.seconds_left())

    def hold(self, cost: Cost) -> None:
        """Reserve the worst case of a call."""
        self.held = self.held + cost
        if self.parent is not None:
            self.parent.hold(cost)

    def settle(self, held: Cost, spent: Cost) -> None:
        """Replace a reservation by what was really spent; an overrun is remembered."""
        self.held = self.held + _negative(held)
        self.spent = self.spent + spent
        self.overrun += max(0, spent.tokens - held.tokens)
        if self.parent is not None:
            self.parent.settle(held, spent)

    def charge_tool(self) -> None:
        """Charge one tool call. Raises BudgetExhausted when the tool budget is used up."""
        if self.budget.tool_calls is not None and self.spent.tool_calls >= self.budget.tool_calls:
            self.exhausted = True
            raise BudgetExhausted("the tool budget is used up")
        self.settle(Cost(), Cost(tool_calls=1))

    def charge_ask(self) -> None:
        """Charge one question to a person. Raises BudgetExhausted when no more may be asked."""
        if self.budget.asks is not None and self.spent.asks >= self.budget.asks:
            self.exhausted = True
            raise BudgetExhausted("no more questions to a person are allowed")
        self.settle(Cost(), Cost(asks=1))


def _negative(cost: Cost) -> Cost:
    return Cost(
        -cost.prompt_tokens, -cost.completion_tokens, -cost.calls, -cost.tool_calls, -cost.asks, -cost.seconds, -cost.money
    )
