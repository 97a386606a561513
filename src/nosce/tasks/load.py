"""Problems from a name: a file, a bundled family, or a data set of reasoning-gym."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from nosce.core.equivalence import Equivalence
from nosce.core.errors import InputError, unknown
from nosce.core.problem import Problem
from nosce.tasks.bundled import LEVELS, draw_problems
from nosce.tasks.reasoning_gym import gym_problems
from nosce.tasks.records import read_records


def load_problems(
    source: str,
    *,
    columns: Mapping[str, str] | None = None,
    kind: Equivalence | str | None = None,
    limit: int | None = None,
) -> list[Problem]:
    """The problems that `source` names.

    A path: JSONL, CSV or TSV (`columns`, `kind`: see `read_records`);
    `family:arithmetic?level=3&n=100&seed=0&split=test`: a bundled family (several: `family:lists,logic`, every one:
    `family:all`; several levels: `level=1,2,3`; default: all levels, n=100, seed=0, split=test);
    `reasoning-gym:NAME?n=50&seed=1`: any data set of reasoning-gym; further parameters are the set's own.
    Raises InputError for whatever is wrong with it.
    """
    scheme, colon, rest = str(source).partition(":")
    if colon and scheme in _SCHEMES:
        if columns:
            raise InputError(f"{source}: columns are for files; leave them out")
        name, _, query = rest.partition("?")
        problems = _SCHEMES[scheme](name, dict(parse_qsl(query, keep_blank_values=True)), source)
        return problems[: _positive(limit)]
    return read_records(source, columns=columns, equivalence=kind, limit=limit)


def _family(name: str, query: dict[str, str], source: str) -> list[Problem]:
    known = ("level", "n", "seed", "split")
    for key in query:
        if key not in known:
            raise InputError(f"{source}: {unknown('parameter', key, known)}")
    arguments: dict[str, Any] = {"n": _int(query, "n", 100, source), "seed": _int(query, "seed", 0, source)}
    if name not in ("", "all"):
        arguments["families"] = name.split(",")
    levels = query.get("level", ",".join(map(str, LEVELS))).split(",")
    arguments["levels"] = [_int({"level": level}, "level", 0, source) for level in levels]
    return draw_problems(**arguments, part=query.get("split", "test"))  # type: ignore[arg-type]  # checked there


def _gym(name: str, query: dict[str, str], source: str) -> list[Problem]:
    config = {key: _scalar(value) for key, value in query.items() if key not in ("n", "seed")}
    return gym_problems(name, _int(query, "n", 50, source), _int(query, "seed", 0, source), config)


_SCHEMES: dict[str, Callable[[str, dict[str, str], str], list[Problem]]] = {"family": _family, "reasoning-gym": _gym}


def _positive(limit: int | None) -> int | None:
    if limit is not None and limit < 1:
        raise InputError(f"limit {limit}: expected at least 1")
    return limit


def _int(query: Mapping[str, str], key: str, default: int, source: str) -> int:
    text = query.get(key, str(default))
    try:
        return int(text)
    except ValueError:
        raise InputError(f"{source}: {key}={text} is no whole number") from None


def _scalar(text: str) -> int | float | bool | str:
    if text in ("true", "false"):
        return text == "true"
    for read in (int, float):
        try:
            return read(text)
        except ValueError:
            continue
    return text
