"""Every system under its catalogue id, part and slug."""

from __future__ import annotations

import json
import pkgutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from importlib.resources import files
from typing import Any, Literal, TypeVar

from nosce.core.claim import Claim
from nosce.core.errors import InputError, unknown

Kind = Literal["strategy", "estimator", "recipe", "memory", "agent", "intervention", "battery", "study"]
F = TypeVar("F", bound=Callable[..., Any])

NEEDS = {
    "blackbox": "any model that answers",
    "logprobs": "a model with token log-probabilities (socrates, hf:…, an openai: server whose probe saw them)",
    "continuation": "a model that goes on from a given prefix (socrates, hf:…, servers whose probe saw it)",
    "session": "a local model with decode sessions (socrates or hf:…)",
    "hidden": "a local model with hidden states and hooks (socrates or hf:…)",
    "env": "an environment (gymnasium; extra nosce[envs])",
    "tools": "a tool that the problem allows (e.g. the calculator)",
    "roster": "two or more roles; one model may play them all",
    "memory": "a store of what was learned",
    "artifact": "problems to prepare on",
    "gradients": "a local model that can be trained (socrates, hf:…; extra nosce[train])",
    "none": "no language model",
}
"""The capabilities a system may ask for, and what would serve each."""


@dataclass(frozen=True, slots=True)
class CatalogueRow:
    """One row of the catalogue that Nosce is built from: id, name, exact title, our one-line mechanism."""

    id: str
    slug: str
    name: str
    kind: str
    family: str
    title: str
    mechanism: str
    needs: tuple[str, ...]
    works_when: str


@dataclass(frozen=True, slots=True)
class System:
    """One registered part of a system.

    `run` is the function itself; `prepare`, where there is one, makes the Artifact it needs: from the questions to be
    answered, without their references (`prepares="questions"`), or from other, labelled problems ("labelled").
    `baseline` systems have an id that is their slug and stand in no catalogue row.
    """

    id: str
    part: str
    slug: str
    kind: Kind
    family: str
    needs: frozenset[str]
    run: Callable[..., Any]
    claim: Claim | None = None
    prepare: Callable[..., Any] | None = None
    prepares: Literal["questions", "labelled"] = "questions"
    acts: frozenset[str] = frozenset()
    title: str = ""
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def summary(self) -> str:
        """First line of the docstring: what it decides or measures."""
        return (self.run.__doc__ or "").strip().partition("\n")[0]

    @property
    def name(self) -> str:
        """What it is called and found by: the slug, with its part unless that is `main`."""
        return self.slug if self.part == "main" else f"{self.slug}/{self.part}"

    @property
    def baseline(self) -> bool:
        """Whether this is a plain reference method and no row of the catalogue."""
        return self.id == self.slug


class Registry:
    """Systems keyed by (id, part), findable by id or slug."""

    def __init__(self) -> None:
        self._systems: dict[tuple[str, str], System] = {}

    def add(self, system: System) -> None:
        """Register a system. Raises InputError when its key or slug is taken by another."""
        key = (system.id, system.part)
        for other in self._systems.values():
            if (other.id, other.part) == key and other.run.__module__ != system.run.__module__:
                raise InputError(f"{system.id}/{system.part} is registered already by {other.run.__module__}")
            if other.slug == system.slug and other.part == system.part and other.id != system.id:
                raise InputError(f"slug {system.slug!r} belongs to {other.id} already")
        self._systems[key] = system

    def __iter__(self) -> Iterator[System]:
        load()
        return iter(sorted(self._systems.values(), key=lambda s: (not s.baseline, s.id, s.part)))

    def find(self, name: str, kind: Kind | None = None) -> System:
        """The system with this id or slug (`S327`, `dsc`, or `S296/p-ik` for one part).

        Raises InputError with the nearest names when there is none.
        """
        wanted, _, part = name.lower().partition("/")
        hits = [s for s in self if wanted in (s.id.lower(), s.slug) and part in ("", s.part)]
        hits = [s for s in hits if kind in (None, s.kind)]
        if not hits:
            known = [n for s in self if kind in (None, s.kind) for n in (s.slug, s.id)]
            raise unknown(kind or "system", name, known)
        return min(hits, key=lambda s: s.part != "main")


registry = Registry()


@cache
def load() -> None:
    """Import every module of `nosce.systems` and every entry point of the group `nosce.systems`, once."""
    import nosce.systems as root

    for module in pkgutil.walk_packages(root.__path__, f"{root.__name__}."):
        if not module.name.rpartition(".")[2].startswith("_"):
            import_module(module.name)
    for point in entry_points(group="nosce.systems"):
        point.load()


@cache
def catalogue() -> dict[str, CatalogueRow]:
    """The catalogue's runnable rows by id."""
    rows = json.loads(files("nosce.core").joinpath("catalogue.json").read_text(encoding="utf-8"))
    return {row["id"]: CatalogueRow(**{**row, "needs": tuple(row["needs"])}) for row in rows}


def system(
    kind: Kind,
    id: str,
    slug: str,
    *,
    part: str = "main",
    needs: Iterable[str] = ("blackbox",),
    acts: Iterable[str] = (),
    claim: Claim | None = None,
    prepare: Callable[..., Any] | None = None,
    prepares: Literal["questions", "labelled"] = "questions",
    family: str = "",
    **options: Any,
) -> Callable[[F], F]:
    """Decorator that registers a system; the function itself is returned unchanged.

    `acts` are the mental acts it cannot do without (`a|b`: one of the two will do); `needs` come from NEEDS.
    `options` say more: `cues`, wordings that are the mechanism; `experiment`, how the claim of no plain strategy is run.
    Raises InputError for an unknown need, or when a catalogue id comes with another slug than the catalogue's.
    """
    if strange := set(needs) - set(NEEDS):
        raise unknown("need", strange.pop(), NEEDS)
    row = catalogue().get(id) if id != slug else None
    if id != slug and (row is None or row.slug != slug):
        raise InputError(f"{id} is {row.slug if row else 'not in the catalogue'}, not {slug!r}")

    def register(function: F) -> F:
        registry.add(
            System(
                id=id, part=part, slug=slug, kind=kind, family=row.family if row else family or "baseline",
                needs=frozenset(needs), run=function, claim=claim, prepare=prepare, prepares=prepares, acts=frozenset(acts),
                title=row.title if row else "", options=options,
            )
        )  # fmt: skip
        return function

    return register


def strategy(id: str, slug: str, **meta: Any) -> Callable[[F], F]:
    """Register a strategy: `async (problem, mind, …) -> Answer`."""
    return system("strategy", id, slug, **meta)


def estimator(id: str, slug: str, **meta: Any) -> Callable[[F], F]:
    """Register an estimator: `async (problem, attempts, mind, …) -> Signal`."""
    return system("estimator", id, slug, **meta)


def agent(id: str, slug: str, **meta: Any) -> Callable[[F], F]:
    """Register an agent: `async (environment, mind, …) -> Episode`."""
    return system("agent", id, slug, **meta)


def memory(id: str, slug: str, **meta: Any) -> Callable[[F], F]:
    """Register a memory system: a strategy that reads or writes a store."""
    return system("memory", id, slug, **meta)


def intervention(id: str, slug: str, **meta: Any) -> Callable[[F], F]:
    """Register an intervention: a strategy that acts on hidden states."""
    return system("intervention", id, slug, **meta)


def battery(id: str, slug: str, *, items: Callable[..., Any], measures: Iterable[Any], **meta: Any) -> Callable[[F], F]:
    """Register a battery: `async (problem, mind, **given) -> Row | list[Row]` for one item; see `nosce.batteries`.

    Its kind is the catalogue's: a `study` where the row is one, else a `battery`.
    """
    row = catalogue().get(id)
    kind: Kind = "study" if row is not None and row.kind == "study" else "battery"
    return system(kind, id, slug, items=items, measures=tuple(measures), **meta)


def recipe(id: str, slug: str, **meta: Any) -> Callable[[F], F]:
    """Register a recipe: `(*, parameters …) -> nosce.learn.recipe.Recipe`, the stages of one way to train."""
    return system("recipe", id, slug, **{"needs": {"gradients"}, **meta})


def study(id: str, slug: str, **meta: Any) -> Callable[[F], F]:
    """Register a study: an experiment that reproduces a finding."""
    return system("study", id, slug, **meta)
