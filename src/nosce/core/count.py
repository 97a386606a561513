"""A number of things, such as draws: at least one."""

from typing import Annotated

from annotated_types import Ge

Count = Annotated[int, Ge(1)]
