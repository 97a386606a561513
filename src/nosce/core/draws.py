"""A number of draws: at least one."""

from typing import Annotated

from annotated_types import Ge

Draws = Annotated[int, Ge(1)]
