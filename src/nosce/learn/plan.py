"""Everything that can be wrong with a training run, found before its first step."""

from __future__ import annotations

import asyncio
import inspect
import os
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from nosce.core.errors import CapabilityError, InputError, OutOfScope, unknown
from nosce.core.problem import Problem
from nosce.core.registry import System, registry
from nosce.core.streams import fingerprint
from nosce.learn.checkpoint import Folder
from nosce.learn.context import Context
from nosce.learn.engine import Engine, open_engine
from nosce.learn.recipe import Recipe, Settings
from nosce.learn.rewards import settle
from nosce.learn.trainer import Told, Trainer, scored
from nosce.mind.dialects import dialect_of
from nosce.mind.parameters import check_values
from nosce.models.base import Model


def chosen(name: str, options: Mapping[str, Any] | None = None) -> tuple[System, Recipe, Settings]:
    """A recipe with its parameters, and the settings; `options` may hold both. InputError for an unknown recipe or option."""
    system = registry.find(name, "recipe")
    own = [n for n, p in inspect.signature(system.run).parameters.items() if p.kind is p.KEYWORD_ONLY]
    common = [field.name for field in fields(Settings)]
    given = dict(options or {})
    for option in given:
        if option not in own and option not in common:
            raise unknown(f"parameter of {system.slug}", option, [*own, *common])
    check_values(system, {k: v for k, v in given.items() if k in own})
    recipe: Recipe = system.run(**{k: v for k, v in given.items() if k in own})
    settings = replace(recipe.settings, **{k: v for k, v in given.items() if k in common and k not in own})
    _check_settings(settings)
    return system, recipe, settings


def _check_settings(settings: Settings) -> None:
    for name in ("batch", "group", "rounds", "updates", "tokens_at_once"):
        value = getattr(settings, name)
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise InputError(f"{name}={value!r}: expected a whole number of at least 1")
    for name in ("lr", "temperature", "clip_norm"):
        value = getattr(settings, name)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < float("inf"):
            raise InputError(f"{name}={value!r}: expected a number above 0")
    if not isinstance(settings.warmup, int) or settings.warmup < 0:
        raise InputError(f"warmup={settings.warmup!r}: expected a whole number of steps")
    if settings.max_tokens is not None and (not isinstance(settings.max_tokens, int) or settings.max_tokens < 1):
        raise InputError(f"max_tokens={settings.max_tokens!r}: expected a whole number of at least 1")


def plan(
    name: str, model: str, problems: Sequence[Problem], *, steps: int, out: Path | None = None, data: str = "", seed: int = 0,
    options: Mapping[str, Any] | None = None, resume: bool = False, save_every: int = 10, roster: Mapping[str, Model] | None = None,
    told: Told = lambda row, warnings: None, engine_options: Mapping[str, Any] | None = None,
) -> Trainer:  # fmt: skip
    """A run that is ready to start. Raises InputError or CapabilityError for whatever cannot work, before the first step."""
    if steps < 1:
        raise InputError(f"steps={steps}: expected at least 1")
    system, recipe, settings = chosen(name, options)
    _check_problems(recipe, system.slug, problems)
    engine = open_engine(model, **{"taught": bool(recipe.teaches), **(engine_options or {})})
    check_engine(recipe, system.slug, engine, settings)
    asyncio.run(rehearse(recipe, Context(engine, problems, replace(settings, batch=1), seed, 0, steps, roster=roster or {})))
    words = {
        "recipe": system.id if system.part == "main" else f"{system.id}/{system.part}", "model": engine.model.version, "data": data,
        "problems": fingerprint(*(p.id for p in problems)), "seed": seed,
        "options": dict(sorted((options or {}).items())), "steps": steps, "engine": dict(engine_options or {}),
    }  # fmt: skip
    folder = Folder(out, words, resume=resume) if out else None
    return Trainer(recipe, engine, problems, steps, seed, settings, roster or {}, folder, save_every, told=told)


def train(
    recipe: str, model: str, problems: Sequence[Problem], *, steps: int, out: str | Path | None = None, **more: Any
) -> list[dict[str, Any]]:  # fmt: skip
    """Train a model by a recipe and return the log's rows; what `nosce train` does. `more`: see `plan`."""
    return plan(recipe, model, problems, steps=steps, out=Path(out) if out else None, **more).run()


def _check_problems(recipe: Recipe, slug: str, problems: Sequence[Problem]) -> None:
    if not problems:
        raise InputError("there are no problems to learn from")
    if recipe.labels and (bare := next((p for p in problems if not p.graded), None)) is not None:
        raise InputError(
            f"problem {bare.id} has no answer to check against, and {slug} learns from right and wrong; "
            "add an `answer` to every line, or choose a recipe without labels"
        )
    if (held := next((p for p in problems if _held_out(p)), None)) is not None:
        raise InputError(f"problem {held.id} ({held.text!r}) is a bundled test problem; learn from others: add split=train")


def _held_out(problem: Problem) -> bool:
    """Whether it is an item of the bundled test split, whatever file it came in."""
    from nosce.tasks.families import parse, split

    item = parse(problem.text, problem.context)
    return item is not None and split(item) == "test"


def check_engine(recipe: Recipe, slug: str, engine: Engine, settings: Settings) -> None:
    """Refuse a model that lacks an act or a token that the recipe needs, or a machine without the memory."""
    dialect = dialect_of(engine.model)
    for act in sorted(recipe.acts):
        if dialect.acts.isdisjoint(act.split("|")):
            raise CapabilityError(f"act {act}", engine.spec, "socrates" if dialect.name == "socrates-base" else "a chat model")
    for token in recipe.tokens:
        try:
            engine.token(token)
        except InputError:
            raise CapabilityError(f"token {token}", engine.spec, f"a tokenizer that has {token}; {slug} reads its logit") from None
    needed, free = engine.memory(settings.tokens_at_once), _free_memory()
    if free is not None and needed > free:
        raise InputError(
            f"training {engine.spec} takes about {needed / 2**30:.1f} GiB and {free / 2**30:.1f} GiB are free; "
            f"lower --set tokens_at_once={settings.tokens_at_once // 4}, or train with lora"
        )


def _free_memory() -> int | None:
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError):
        return None


async def rehearse(recipe: Recipe, context: Context) -> None:
    """One problem, drawn, rewarded and credited; nothing is learned. Finds rewards of the wrong length or NaN."""
    try:
        await _rehearsed(recipe, context)
    except OutOfScope as error:
        raise InputError(f"{context.engine.spec} cannot read these problems: {error}") from None


async def _rehearsed(recipe: Recipe, context: Context) -> None:
    problems = recipe.curriculum(context, 1)
    groups = [g for g in [await recipe.rollout(p, context, context.settings.group) for p in problems] if g]
    scored(recipe, context, groups)
    for group in groups:
        settle(group, recipe.reward(group, context), recipe.weights)
    recipe.credit(groups, context)
    recipe.augment(groups, context)
