"""Attempts that a run of `nosce solve` has recorded: signals are measured on them without a model."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nosce.core.attempt import Attempt
from nosce.core.cost import Cost
from nosce.core.errors import InputError
from nosce.core.problem import Problem
from nosce.core.trace import Trace, TraceFile
from nosce.mind.sampler import sample_from_data
from nosce.monitor.statistics import Statistics
from nosce.tasks.load import load_problems


@dataclass(frozen=True)
class Recorded:
    """The questions of a run with the attempts at each, in draw order. `once`: a prompt was paid once for all its samples."""

    problems: tuple[Problem, ...]
    attempts: Mapping[str, list[Attempt]]
    model: str
    once: bool

    @property
    def has(self) -> frozenset[str]:
        """What the attempts hold of what estimators may ask for: by most questions at least."""
        held = [Statistics(p, self.attempts[p.id]).has for p in self.problems]
        return frozenset(need for need in frozenset().union(*held) if sum(need in h for h in held) > len(held) / 2)


def is_run(source: str) -> bool:
    """Whether this names the folder of a finished run."""
    return (Path(source) / "traces.jsonl").is_file()


def read_run(source: str, *, columns: Mapping[str, str], kind: str | None, limit: int | None) -> Recorded:
    """The questions and attempts of a run's folder.

    The questions are read again from where the run read them, for their matchers. Raises InputError when they are not there,
    or when no trace holds an attempt of its own.
    """
    folder = Path(source)
    traces, summary = TraceFile(folder / "traces.jsonl"), _summary(folder)
    problems = {p.id: p for p in load_problems(_home(summary, folder), columns=columns, kind=kind)}
    found: dict[str, list[Attempt]] = {}
    for key in traces:
        trace = traces[key]
        made = attempts_of(trace)
        if trace.problem_id in problems and made:
            found.setdefault(trace.problem_id, made)
    if not found:
        raise InputError(f"{folder}: no trace holds an attempt at a question of {summary.get('data')}; nothing can be measured")
    model = summary.get("model", {}).get("main", "recorded")
    chosen = tuple(problems[key] for key in list(found)[:limit])
    return Recorded(chosen, found, str(model), _paid_once(folder, found))


def attempts_of(trace: Trace) -> list[Attempt]:
    """The thoughts of a trace on one prompt (direct answers where there are none), in the order of their drawing.

    The prompt is that of the first thought. One that went on after a tool's result is joined with its going on.
    """
    begun: dict[str, Attempt] = {}
    of: dict[str | None, str] = {}
    for event in trace.of("sampled"):
        act = event.data.get("act")
        if act in ("think", "direct") and event.parent is None:
            begun[event.node] = _attempt(event.node, act, event.data)
            of[event.node] = event.node
        elif act == "extend" and event.parent in of:
            root = of[event.node] = of[event.parent]
            begun[root] = _joined(begun[root], _attempt(event.node, act, event.data))
    asked = {node: trace.events[int(node[1:])].data.get("prompt") for node in begun}
    acts = [attempt.act for attempt in begun.values()]
    wanted = "think" if "think" in acts else "direct"
    first = next((node for node, attempt in begun.items() if attempt.act == wanted), None)
    return [attempt for node, attempt in begun.items() if first and asked[node] == asked[first]]


def _attempt(node: str, act: str, data: Mapping[str, Any]) -> Attempt:
    s = sample_from_data(dict(data["sample"]))
    cost = Cost(s.prompt_tokens, s.completion_tokens, 1, money=s.money)
    return Attempt(
        node, s.text, data.get("answer"), act, data.get("role", "main"), None, 0, s.finish, s.token_ids, s.logprobs, s.entropies,
        s.top, cost,
    )  # fmt: skip


def _joined(a: Attempt, b: Attempt) -> Attempt:
    return replace(
        a, text=a.text + b.text, answer=b.answer, finish=b.finish, token_ids=a.token_ids + b.token_ids,
        logprobs=_both(a.logprobs, b.logprobs), entropies=_both(a.entropies, b.entropies), top=_both(a.top, b.top),
        cost=a.cost + b.cost,
    )  # fmt: skip


def _both(a: tuple[Any, ...] | None, b: tuple[Any, ...] | None) -> tuple[Any, ...] | None:
    return None if a is None or b is None else a + b


def _paid_once(folder: Path, found: Mapping[str, list[Attempt]]) -> bool:
    """Whether the samples of a question paid for their prompt together: read off what the questions cost."""
    try:
        rows = [json.loads(line) for line in (folder / "results.jsonl").read_text(encoding="utf-8").splitlines()]
    except (OSError, json.JSONDecodeError):
        return True
    paid = {row["id"]: row["cost"]["prompt_tokens"] for row in rows}
    several = [(paid.get(key, 0), sum(a.cost.prompt_tokens for a in made)) for key, made in found.items() if len(made) > 1]
    return not several or any(spent < apart for spent, apart in several)


def _summary(folder: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    except (OSError, json.JSONDecodeError):
        raise InputError(f"{folder}: no summary.json of a finished run; finish it with `nosce solve … --resume`") from None
    return found


def _home(summary: Mapping[str, Any], folder: Path) -> str:
    data = str(summary.get("data", ""))
    if ":" not in data and not Path(data).is_file():
        raise InputError(f"{folder}: its questions were read from {data or 'nowhere'}, which is not there; run this where it is")
    return data
