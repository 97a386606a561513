"""What thinking costs, and how much of it is allowed."""

from __future__ import annotations

from dataclasses import dataclass, fields

from nosce.core.errors import InputError


@dataclass(frozen=True, slots=True)
class Cost:
    """What was spent: tokens, calls, tool calls, questions to a person, seconds of wall clock, and money in dollars.

    Costs add. A cached draw costs what the draw cost when it was made: a cache saves compute, never cost.
    """

    prompt_tokens: int = 0
    completion_tokens: int = 0
    calls: int = 0
    tool_calls: int = 0
    asks: int = 0
    seconds: float = 0.0
    money: float = 0.0

    @property
    def tokens(self) -> int:
        """Prompt and completion tokens together."""
        return self.prompt_tokens + self.completion_tokens

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
            self.calls + other.calls,
            self.tool_calls + other.tool_calls,
            self.asks + other.asks,
            self.seconds + other.seconds,
            self.money + other.money,
        )

    def __radd__(self, other: int) -> Cost:
        return self if other == 0 else NotImplemented


@dataclass(frozen=True, slots=True)
class Budget:
    """The most that may be spent, per problem or per run; None leaves a quantity unlimited.

    `tokens` counts prompt and completion together, `completion_tokens` only what is generated.
    """

    tokens: int | None = None
    completion_tokens: int | None = None
    calls: int | None = None
    tool_calls: int | None = None
    asks: int | None = None
    seconds: float | None = None
    money: float | None = None

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if value is not None and not value >= 0:
                raise InputError(f"budget {field.name}={value}: expected a number >= 0")
            if value == 0 and field.name in ("tokens", "completion_tokens", "calls", "seconds"):
                raise InputError(f"budget {field.name}=0 allows no thought at all; give a positive {field.name}")

    @classmethod
    def parse(cls, text: str) -> Budget:
        """Read `tokens=2000,calls=16` (a bare number means tokens).

        Raises InputError naming the bad part and the known quantities.
        """
        known = {field.name: field.type for field in fields(cls)}
        values: dict[str, float | int] = {}
        for part in filter(None, (p.strip() for p in text.split(","))):
            name, _, number = part.rpartition("=")
            name = name.strip() or "tokens"
            if name not in known:
                raise InputError(f"budget {part!r}: unknown quantity {name!r}; known: {', '.join(known)}")
            try:
                value = float(number)
            except ValueError:
                raise InputError(f"budget {part!r}: {number!r} is not a number; write e.g. tokens=2000") from None
            if not value < float("inf"):
                raise InputError(f"budget {part!r}: expected a finite number")
            values[name] = value if name in ("seconds", "money") else int(value)
        if not values:
            raise InputError("budget is empty; write e.g. tokens=2000 or calls=16,tokens=4000")
        return cls(**values)  # type: ignore[arg-type]  # names and number kinds were checked above

    def left(self, spent: Cost) -> Budget | None:
        """What remains after `spent`, or None when some quantity is used up."""
        rest = {f.name: None if (m := getattr(self, f.name)) is None else m - getattr(spent, f.name) for f in fields(self)}
        if any(v is not None and v <= 0 for k, v in rest.items() if k not in ("tool_calls", "asks", "money")):
            return None
        return Budget(**{k: None if v is None else max(v, 0) for k, v in rest.items()})
