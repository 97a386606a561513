"""From what a person writes (`socrates`, `hf:…`, `openai:MODEL@URL`, `replay:FILE`) to a model."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

from nosce.core.errors import InputError, unknown
from nosce.models.base import Model

BUNDLED = ("socrates", "socrates-base", "socrates-weak")

SPOKEN = ("chat", "as-asked", "socrates", "socrates-base")
"""The dialects that an `openai:` spec may name after a #; chat unless told otherwise. as-asked: the question as it stands."""

FORMS = {
    "socrates": "socrates:FOLDER, a checkpoint that nosce train wrote",
    "hf": "hf:PATH_OR_NAME, a causal LM of transformers on this machine",
    "openai": "openai:MODEL@URL, e.g. openai:llama-3@http://127.0.0.1:8080/v1 (with #socrates: a served copy of the bundled model)",
    "replay": "replay:FILE, traces or samples as JSONL",
}


def load(spec: str, **options: Any) -> Model:
    """The model that `spec` names; `options` go to its constructor.

    An `openai:` model takes over the newest cached probe of its endpoint; `load_probed` makes one when there is none.
    Raises InputError for an unknown form (nearest names offered), a missing file or an unknown option.
    """
    spec = spec.strip()
    scheme, colon, rest = spec.partition(":")
    if spec in BUNDLED or re.match(r"socrates\S*/", spec):
        return _bundled(spec, options)
    if not colon or scheme not in FORMS:
        raise _strange(spec, scheme if colon else "")
    if not rest.strip():
        raise InputError(f"{spec!r} names no model; write {FORMS[scheme]}")
    makers = {"socrates": _trained, "hf": _local, "openai": _served, "replay": _replayed}
    return makers[scheme](rest.strip(), options)


async def load_probed(spec: str, *, fresh: bool = False, **options: Any) -> Model:
    """Like `load`; an endpoint that was never probed (or `fresh`) is probed first, and its probe cached.

    Raises InputError when the server cannot be reached or refuses the key.
    """
    model = load(spec, **options)
    if spec.strip().startswith("openai:"):
        from nosce.models.openai import OpenAIModel
        from nosce.models.probe import probe_model

        assert isinstance(model, OpenAIModel)
        if fresh or model.probe is None:
            model.adopt(await probe_model(model))
    return model


def load_roster(roster: str | Mapping[str, str], **options: Any) -> dict[str, Model]:
    """Models by role from `critic=openai:…,main=socrates` or a mapping; a bare spec is `main`.

    The same spec under several roles is one model. Raises InputError when `main` is missing or a role comes twice.
    """
    named = _roles(roster) if isinstance(roster, str) else dict(roster)
    if "main" not in named:
        raise InputError(f"no model has the role main (roles given: {', '.join(named) or 'none'}); write main=SPEC")
    made = {spec: load(spec, **options) for spec in dict.fromkeys(named.values())}
    return {role: made[spec] for role, spec in named.items()}


async def load_probed_roster(roster: str | Mapping[str, str], **options: Any) -> dict[str, Model]:
    """Like `load_roster`, with every endpoint probed that was not yet."""
    named = _roles(roster) if isinstance(roster, str) else dict(roster)
    models = load_roster(named, **options)
    probed = {spec: await load_probed(spec, **options) for spec in dict.fromkeys(named.values()) if spec.startswith("openai:")}
    return {role: probed.get(spec, models[role]) for role, spec in named.items()}


def _roles(text: str) -> dict[str, str]:
    named: dict[str, str] = {}
    for part in filter(None, (p.strip() for p in re.split(r",(?=\s*[A-Za-z_][\w-]*=)", text))):
        match = re.match(r"([A-Za-z_][\w-]*)=(.+)", part)
        role, spec = (match[1], match[2].strip()) if match else ("main", part)
        if role in named:
            raise InputError(f"role {role!r} is given twice in {text!r}")
        named[role] = spec
    return named


def _refuse(form: str, maker: Callable[..., Any], options: Mapping[str, Any], but: Collection[str]) -> None:
    known = [name for name in inspect.signature(maker).parameters if name not in but]
    for option in options:
        if option not in known:
            raise unknown(f"option of {form}", option, known)


def _bundled(name: str, options: Mapping[str, Any]) -> Model:
    from nosce.models.socrates.model import SocratesModel

    _refuse(name, SocratesModel, options, but=("name",))
    return SocratesModel(name, **options)


def _trained(folder: str, options: Mapping[str, Any]) -> Model:
    return _bundled(f"socrates:{folder}" if "/" in folder else f"socrates:./{folder}", options)


def _local(name: str, options: Mapping[str, Any]) -> Model:
    from nosce.models.hf import HFModel

    _refuse("hf", HFModel, options, but=("path",))
    model: Model = HFModel(name, **options)
    return model


def _served(rest: str, options: Mapping[str, Any]) -> Model:
    from nosce.models.openai import HOSTED, OpenAIModel
    from nosce.models.probe import cached

    match = re.match(r"(.*?)@(https?://[^#]*)(?:#(.*))?$", rest)
    name, url = (match[1], match[2]) if match else (rest, HOSTED)
    if not name or (not match and "@" in rest):
        wrong = f"{rest.rpartition('@')[2]!r} is no address" if name else "no model named"
        raise InputError(f"{wrong}; write {FORMS['openai']}")
    _refuse("openai", OpenAIModel, options, but=("model", "url"))
    if match and match[3] is not None:
        if match[3] not in SPOKEN:
            raise unknown("dialect", match[3], SPOKEN)
        options = {**options, "dialect": match[3]}
    model = OpenAIModel(name, url, **options)
    if "probe" not in options:
        model.adopt(cached(model))
    return model


def _replayed(path: str, options: Mapping[str, Any]) -> Model:
    from nosce.models.replay import ReplayModel

    if not Path(path).is_file():
        raise InputError(f"replay:{path}: no such file; expected {FORMS['replay'].partition(', ')[2]}")
    _refuse("replay", ReplayModel, options, but=("records", "scores"))
    return ReplayModel.read(path, **options)


def _strange(spec: str, scheme: str) -> InputError:
    if not spec:
        return InputError("no model named; write socrates, hf:PATH, openai:MODEL@URL or replay:FILE")
    error = unknown("model", scheme or spec, [*BUNDLED, *FORMS])
    forms = "; ".join([", ".join(BUNDLED), *FORMS.values()])
    return InputError(f"{error} (forms: {forms})")
