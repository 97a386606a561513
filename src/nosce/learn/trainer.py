"""The loop: problems → rollouts → rewards → streams → update, blind to which recipe wrote the streams."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nosce.core.errors import InputError
from nosce.core.problem import Problem
from nosce.learn import watch
from nosce.learn.checkpoint import Folder, written
from nosce.learn.context import Context
from nosce.learn.engine import Diverged, Engine
from nosce.learn.events import Events
from nosce.learn.recipe import Recipe, Settings
from nosce.learn.rewards import settle
from nosce.learn.rollout import Group, Turn
from nosce.models.base import Model

Told = Callable[[Mapping[str, Any], Sequence[str]], None]


@dataclass(slots=True)
class Trainer:
    """One run of one recipe on one engine.

    problems: what is learned from. steps: how many updates. folder: where the run is kept (None: nowhere). save_every: steps
    between checkpoints. limits: the run also ends when a number of the log reaches its limit, e.g. rollout_tokens. told: called
    with every row of the log and the warnings of that step.
    """

    recipe: Recipe
    engine: Engine
    problems: Sequence[Problem]
    steps: int
    seed: int = 0
    settings: Settings | None = None
    roster: Mapping[str, Model] = field(default_factory=dict)
    folder: Folder | None = None
    save_every: int = 10
    limits: Mapping[str, float] = field(default_factory=dict)
    told: Told = lambda row, warnings: None
    context: Context = field(init=False)
    history: list[dict[str, Any]] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        settings = self.settings or self.recipe.settings
        self.context = Context(self.engine, self.problems, settings, self.seed, 0, self.steps, roster=self.roster)

    def run(self) -> list[dict[str, Any]]:
        """Train to the end and return the log's rows. A run with a checkpoint goes on from it."""
        return asyncio.run(self.train())

    async def train(self) -> list[dict[str, Any]]:
        """See `run`."""
        context = self.context
        self.resume()
        events = Events(self.folder.path / "events", context.step) if self.folder else None
        try:
            while context.step < self.steps and not self.spent:
                row = await self.step()
                self.history.append(row)
                warnings = watch.alarms(self.history)
                warnings += [f"{name[5:]}: {value:g}" for name, value in row.items() if name.startswith("warn_") and value > 0]
                context.step += 1
                if self.folder and events:
                    self.folder.append({**row, "warnings": warnings})
                    events.add(row)
                    if context.step % self.save_every == 0 or context.step == self.steps or self.spent:
                        self._save()
                self.told(row, warnings)
        finally:
            if events:
                events.close()
        if self.folder:
            self.engine.export(self.folder.path / "model")
            self.folder.sign()
        return self.history

    @property
    def spent(self) -> bool:
        """Whether a limit is reached."""
        last = self.history[-1] if self.history else {}
        return any(last.get(name, 0.0) >= limit for name, limit in self.limits.items())

    # -- one step -----------------------------------------------------------------------------------------------------

    async def step(self) -> dict[str, Any]:
        """Draw, reward, credit, update, publish."""
        context, recipe, clock = self.context, self.recipe, Clock()
        tried = await self._tried(clock)
        kept = [group for group in tried if recipe.admit(group)]
        turns = [(turn, number) for number, r in enumerate(r for g in kept for r in g) for turn in r.turns if turn.learned]
        turns += [(turn, -1 - i) for i, turn in enumerate(recipe.augment(kept, context)) if turn.learned]
        clock.lap("other")
        row: dict[str, Any] = {"step": context.step, **watch.numbers(tried), "admitted": len(kept) / max(len(tried), 1)}
        row |= self._moved(tried)
        clock.lap("score")
        row |= self._update(kept, turns, clock)
        recipe.outer(tried, context)
        row |= recipe.watch(tried, context)
        context.forget()
        clock.lap("other")
        return row | self._spent(tried, turns) | clock.seconds

    async def _tried(self, clock: Clock) -> list[Group]:
        """Rewarded and credited groups; more problems are drawn while too few groups would be admitted."""
        context, recipe, settings = self.context, self.recipe, self.context.settings
        tried: list[Group] = []
        wanted = settings.batch
        for _ in range(settings.rounds):
            problems = recipe.curriculum(context, wanted)
            clock.lap("other")
            groups = list(await asyncio.gather(*(recipe.rollout(p, context, settings.group) for p in problems)))
            groups = [group for group in groups if group]
            clock.lap("rollout")
            scored(recipe, context, groups)
            clock.lap("score")
            for group in groups:
                settle(group, recipe.reward(group, context), recipe.weights)
            tried += groups
            wanted = settings.batch - sum(map(recipe.admit, tried))
            if wanted <= 0:
                break
        recipe.credit(tried, context)
        return tried

    def _update(self, kept: Sequence[Group], turns: list[tuple[Turn, int]], clock: Clock) -> dict[str, Any]:
        """One optimizer step for each share of the groups; nothing to learn from is no step."""
        settings, context = self.context.settings, self.context
        if not turns:
            return {"loss": 0.0, "skipped": 1.0}
        needs = [*(["ref"] if "ref" in self.recipe.needs else []), *(["old"] if settings.updates > 1 else [])]
        if needs:
            for name, values in self.engine.score([turn for turn, _ in turns], needs).items():
                for (turn, _), value in zip(turns, values, strict=True):
                    turn.extra[name] = value
            clock.lap("score")
        said: dict[str, float] = {}
        shares = divided(kept, turns, settings.updates)
        for share in shares:
            mine, owners = [turn for turn, _ in share], [owner for _, owner in share]
            try:
                found = self.engine.update(
                    mine, owners, self.recipe.loss, lr=self._rate(), clip_norm=settings.clip_norm,
                    tokens_at_once=settings.tokens_at_once, reads=self.recipe.reads,
                )  # fmt: skip
            except Diverged as error:
                raise self._stopped(error, share) from None
            for name, number in found.items():
                said[name] = said.get(name, 0.0) + number / len(shares)
        clock.lap("update")
        self.engine.publish(f"{self.engine.spec}+{self.seed}.{context.step + 1}")
        clock.lap("publish")
        return said

    def _moved(self, tried: Sequence[Group]) -> dict[str, float]:
        """`kl`: nats a token from the starting weights, estimated as in the loss on one rollout of every fourth group."""
        turns = [turn for group in tried[::4] for turn in group[0].turns if turn.sampled and turn.temperature > 0]
        if not turns:
            return {}
        found = self.engine.score(turns, ["old", "ref"])
        gaps = np.concatenate(found["ref"]) - np.concatenate(found["old"])
        return {"kl": float(np.mean(np.exp(gaps) - gaps - 1))}

    def _rate(self) -> float:
        settings, step = self.context.settings, self.context.step
        return settings.lr * min(1.0, (step + 1) / max(settings.warmup, 1))

    def _stopped(self, error: Diverged, share: Sequence[tuple[Turn, int]]) -> Diverged:
        """Keep the batch that did it; the last checkpoint stays the last."""
        if self.folder is None:
            return error
        path = self.folder.path / "diverged.json"
        streams = ("advantage", "rl", "ce", "kl")
        rows = [{"prompt": t.prompt, "tokens": t.tokens, **{n: getattr(t, n).tolist() for n in streams}} for t, _ in share]
        written(path, json.dumps({"step": self.context.step, "turns": rows}).encode())
        kept = f"the batch is kept in {path}; the last checkpoint is whole"
        return Diverged(f"{error} at step {self.context.step}; {kept}; train anew with a lower lr")

    def _spent(self, tried: Sequence[Group], turns: Sequence[tuple[Turn, int]]) -> dict[str, float]:
        """Tokens: drawn and read in this step, learned from, and drawn in the whole run."""
        state = self.context.state
        drawn = sum(rollout.length for group in tried for rollout in group)
        state["rollout_tokens"] = state.get("rollout_tokens", 0) + drawn
        state["learned_tokens"] = state.get("learned_tokens", 0) + sum(len(turn.tokens) for turn, _ in turns)
        return {"rollout_tokens": state["rollout_tokens"], "learned_tokens": state["learned_tokens"]}

    # -- keeping ------------------------------------------------------------------------------------------------------

    def _save(self) -> None:
        assert self.folder is not None
        self.folder.save({"step": self.context.step, "state": self.context.state, "engine": self.engine.state()})

    def resume(self) -> None:
        """Take up the folder's last checkpoint, once. Raises InputError when it is past the steps asked for."""
        if self.folder is None or self.history:
            return
        saved = self.folder.load()
        if saved is None:
            self.folder.rows(0)  # what a run logged that was killed before its first checkpoint
            return
        if saved["step"] > self.steps:
            raise InputError(f"{self.folder.path} has {saved['step']} steps already; ask for more than that")
        self.context.step, self.context.state = saved["step"], saved["state"]
        self.engine.restore(saved["engine"])
        self.engine.publish(f"{self.engine.spec}+{self.seed}.{self.context.step}")
        self.history = [dict(row) for row in self.folder.rows(self.context.step)]


def scored(recipe: Recipe, context: Context, groups: Sequence[Group]) -> None:
    """What the recipe needs to know of every drawn token, and its signals: all that comes before rewards."""
    needs = sorted(recipe.needs - {"ref"})
    turns = [turn for group in groups for rollout in group for turn in rollout.turns]
    if needs and turns:
        for name, values in context.engine.score(turns, needs).items():
            for turn, value in zip(turns, values, strict=True):
                turn.extra[name] = value
    for rollout in (rollout for group in groups for rollout in group):
        rollout.signals.update(recipe.signals(rollout, context))


def divided(kept: Sequence[Group], turns: list[tuple[Turn, int]], updates: int) -> list[list[tuple[Turn, int]]]:
    """The turns in `updates` shares; the rollouts of one group stay together, further turns are spread evenly."""
    if updates <= 1:
        return [turns]
    group_of = [number for number, group in enumerate(kept) for _ in group]
    shares: list[list[tuple[Turn, int]]] = [[] for _ in range(updates)]
    for place, (turn, owner) in enumerate(turns):
        shares[(group_of[owner] if owner >= 0 else place) % updates].append((turn, owner))
    return [share for share in shares if share]


class Clock:
    """Where the time of a step goes, in seconds."""

    def __init__(self) -> None:
        self.last, self.seconds = time.perf_counter(), dict[str, float]()

    def lap(self, name: str) -> None:
        """Charge what passed since the last call."""
        now = time.perf_counter()
        key = f"seconds/{name}"
        self.seconds[key], self.last = self.seconds.get(key, 0.0) + now - self.last, now



