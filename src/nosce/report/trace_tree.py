"""A trace as a tree of what was sampled, measured and decided: one set of nodes for the terminal and for the page."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nosce.core.trace import Event, Trace
from nosce.report.text import brief, laid_out, shown

if TYPE_CHECKING:
    from rich.tree import Tree


@dataclass(frozen=True)
class Node:
    """One event: what happened (`kind`), its `head` on one line, side `notes`, and in full what was `asked` and the `text`."""

    kind: str
    head: str
    notes: tuple[str, ...] = ()
    text: str = ""
    asked: str = ""
    children: list[Node] = field(default_factory=list)


def tree(trace: Trace) -> list[Node]:
    """The nodes that grew from the problem itself, each with what grew from it, in the order in which they happened."""
    return [_node(event, trace) for event in trace.children(None)]


def votes(trace: Trace) -> list[tuple[str, int]]:
    """The answers of the thoughts of a trace with their number, most first; a thought without one counts as `no answer`."""
    acts = ("think", "direct", "extend", "revise")
    drawn = [event for event in trace.of("sampled") if event.data.get("act") in acts and not _goes_on(event, trace)]
    return Counter(brief(str(e.data.get("answer") or "no answer"), 40) for e in drawn).most_common()


def _goes_on(event: Event, trace: Trace) -> bool:
    return any(child.kind == "sampled" and child.data.get("act") == "extend" for child in trace.children(event.node))


def _node(event: Event, trace: Trace) -> Node:
    children = [_node(child, trace) for child in trace.children(event.node)]
    head, notes = _READERS.get(event.kind, _other)(event.data)
    text = laid_out(str(event.data.get("sample", {}).get("text", "")))
    return Node(event.kind, head, tuple(notes), text, laid_out(str(event.data.get("asked", ""))), children)


Reading = tuple[str, list[str]]


def _sampled(data: Mapping[str, Any]) -> Reading:
    sample = data.get("sample", {})
    notes = [] if data.get("role", "main") == "main" else [f"as {shown(str(data['role']))}"]
    if tokens := sample.get("completion_tokens"):
        notes.append(f"{tokens} token{'' if tokens == 1 else 's'}")
    if logprobs := sample.get("logprobs"):
        notes.append(f"likelihood {math.exp(sum(logprobs) / len(logprobs)):.2f} a token")
    if sample.get("finish", "stop") != "stop":
        notes.append(f"ended by {shown(str(sample['finish']))}")
    act, answer = shown(str(data.get("act", "sample"))), data.get("answer")
    return f"{act} → {brief(str(answer))}" if answer is not None else act, notes


def _measured(data: Mapping[str, Any]) -> Reading:
    value = data.get("value")
    said = "no value" if value is None else f"{value:.3f}"
    source = shown(str(data.get("source", "")))
    notes = [f"from {source}"] + (["higher is less sure"] if data.get("direction") == "uncertainty" else [])
    return f"{shown(str(data.get('name', 'signal')))} = {said}", notes


def _decided(data: Mapping[str, Any]) -> Reading:
    notes = [f"{shown(str(k))} {brief(str(v), 40)}" for k, v in data.items() if k not in ("action", "reason")]
    return f"{shown(str(data.get('action', 'decide')))}: {brief(str(data.get('reason', '')), 160)}", notes


def _used(data: Mapping[str, Any]) -> Reading:
    call = f"{shown(str(data.get('tool', 'tool')))}({brief(str(data.get('argument', '')))})"
    return f"{call} = {brief(str(data.get('result', '')))}", []


def _failed(data: Mapping[str, Any]) -> Reading:
    return brief(str(data.get("error", "failed")), 300), []


def _answered(data: Mapping[str, Any]) -> Reading:
    confidence, value = data.get("confidence"), data.get("value")
    notes = [] if confidence is None else [f"confidence {confidence:.3f}"]
    if reason := data.get("reason"):
        notes.append(brief(str(reason), 160))
    outcome = shown(str(data.get("outcome", "answered")))
    if value is None:
        return outcome, notes
    return brief(str(value)) if outcome == "answered" else f"{outcome}: {brief(str(value))}", notes


def _other(data: Mapping[str, Any]) -> Reading:
    return brief(str(dict(data)), 160), []


_READERS = {
    "sampled": _sampled,
    "measured": _measured,
    "decided": _decided,
    "used": _used,
    "failed": _failed,
    "answered": _answered,
}


def to_rich(trace: Trace, title: str = "", *, full: bool = False) -> Tree:
    """The tree for a terminal; `full` prints every thought whole instead of its first line."""
    from rich.text import Text
    from rich.tree import Tree

    root = Tree(Text(title or brief(trace.problem_id), style="bold"), guide_style="dim")
    if counted := votes(trace):
        line = "  ".join(f"{n} × {answer}" for answer, n in counted[:8])
        root.add(Text.assemble(("votes     ", "dim"), line))
    for node in tree(trace):
        _grow(root, node, full)
    return root


def _grow(branch: Tree, node: Node, full: bool) -> None:
    from rich.text import Text

    accent = "bold cyan" if node.kind in ("answered", "decided") else ""
    line = Text.assemble((f"{node.kind:<9} ", "dim"), (node.head, accent), (f"  {' · '.join(node.notes)}", "dim"))
    grown = branch.add(line)
    for text in _lines(node, full):
        line.append(f"\n{text}", style="dim")
    for child in node.children:
        _grow(grown, child, full)


def _lines(node: Node, full: bool) -> Iterator[str]:
    if not full:
        yield from [brief(node.text, 100)] if node.text else []
        return
    yield from (f"│ {line}" for line in node.asked.splitlines() if line.strip())
    yield from (line for line in node.text.splitlines() if line.strip())
