"""S388 Devil's Advocate: before an action think of its failure and a remedy, after it go back if it failed."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from nosce.agents.loop import act, propose, replay, run_episode
from nosce.agents.model_policy import asks_model, policy_of, situation
from nosce.core.claim import Claim, Pair
from nosce.core.episode import Episode, Step
from nosce.core.errors import BudgetExhausted
from nosce.core.problem import Problem
from nosce.core.registry import agent
from nosce.environments import environment as world_of
from nosce.environments.policies import Blunderer, Policy, warning
from nosce.environments.text import Environment
from nosce.mind.mind import Mind

SERVED = ("The action served the goal: go on.", "It did not, or it did harm: go back and do something else.")

WORLDS = ("frozen-lake?size=4", "minigrid?task=LavaGapS5")

CLAIM = Claim(
    statement="Success above the same policy without introspection that may start afresh until it has taken as many actions.",
    endpoint="success", baseline="the same policy, restarted", n=40, fidelity="abstract",
    analogue_of="WebArena (FrozenLake and MiniGrid in words stand in for it)",
)  # fmt: skip


async def experiment(bench: Any, claim: Claim, seed: int) -> list[Pair]:
    """Per world: success, against the best of as many fresh starts as fit into the same number of actions."""
    pairs = []
    for number in range(claim.n):
        env, place = world_of(WORLDS[number % len(WORLDS)]), 1000 * seed + 10 * number
        mind = bench.engine(seed).mind(Problem(f"{env.name}-{place}", env.goal), "devils-advocate")
        policy = None if "choose" in mind.dialect.acts else Blunderer(env)
        ours = await devils_advocate(env, mind, policy, seed=place)
        taken = next(int(e.data["actions"]) for e in reversed(mind.work.trace.events) if "actions" in e.data)
        spent, best = 0, 0.0
        while spent < taken and best <= 0:
            place += 1
            plain = await run_episode(env, policy_of(mind, env.goal, policy), seed=place, max_steps=taken - spent)
            spent, best = spent + len(plain.steps), max(best, plain.score)
        pairs.append(Pair(f"{number}/{seed}", float(ours.score > 0), float(best > 0), taken, spent))
    return pairs


@agent("S388", "devils-advocate", needs={"env"}, claim=CLAIM, experiment=experiment)
async def devils_advocate(
    environment: Environment, mind: Mind, policy: Policy | None = None, *, returns: int = 8, max_steps: int = 40, seed: int = 0
) -> Episode:
    """Each action comes with a remedy thought of beforehand; an action that fails is taken back and the remedy done instead.

    Rule: (1) before acting: a_t, and a'_t, what the policy would do if a_t were to fail; (2) after acting: does the outcome
    serve the goal? An end without reward and a step that changes nothing do not; a model that plays judges every other
    outcome itself. If not, back to the state before (the world begun again and the same steps taken), and a'_t; at most
    `returns` times, and with no remedy left for that step the one before is taken back; (3) what failed is noted, and every
    later choice sees it. Without a policy the model plays. When the budget ends, the episode so far is returned.
    Source: S388 "Devil's Advocate: Anticipatory Reflection for LLM Agents". Left open and filled: one remedy per action; the whole
    task is one subtask; the review of a finished plan is the list of what failed.
    """
    play = _Play(environment, mind, policy_of(mind, environment.goal, policy), seed, environment.reset(seed))
    try:
        while environment.actions() and len(play.steps) < max_steps:
            action, remedy = await play.proposed()
            await play.take(action, remedy, returns)
    except BudgetExhausted as end:
        mind.decide("stop", str(end))
    mind.decide("stop", "the episode is over", actions=play.taken, returns=play.returned)
    episode = Episode(environment.name, seed, tuple(play.steps), environment.goal, play.seen)
    return replace(episode, cost=mind.work.meter.spent, trace_id=mind.work.trace.id)


@dataclass
class _Play:
    """An episode under way: the steps that stand, a remedy for each (None once used), and what has failed."""

    env: Environment
    mind: Mind
    policy: Policy
    seed: int
    seen: str
    steps: list[Step] = field(default_factory=list)
    remedies: list[str | None] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    taken: int = 0
    returned: int = 0

    async def proposed(self) -> tuple[str, str | None]:
        """An action and its remedy, None when the policy knows no other."""
        actions = self.env.actions()
        action = await propose(self.policy, self.seen, actions, self.failed, self.seed, self.taken)
        against = [*self.failed, warning(action, self.seen)]
        remedy = await propose(self.policy, self.seen, actions, against, self.seed, self.taken, draw=1)
        return action, remedy if remedy != action else None

    async def take(self, action: str, remedy: str | None, returns: int) -> None:
        """Act; while the outcome does not serve the goal, go back and do the remedy."""
        self._act(action, remedy)
        while self.returned < returns and not await self._served():
            back = next((i for i in reversed(range(len(self.steps))) if self.remedies[i] is not None), None)
            if back is None:
                return
            self.mind.decide("switch", f"{self.steps[-1].action!r} did not serve the goal", to=back)
            self._return_to(back, str(self.remedies[back]))

    def _act(self, action: str, remedy: str | None) -> None:
        step, self.seen = act(self.env, self.seen, action)
        self.steps.append(step)
        self.remedies.append(remedy)
        self.taken += 1

    def _return_to(self, place: int, remedy: str) -> None:
        wrong = self.steps[place]
        self.failed.append(warning(wrong.action, wrong.observation))
        self.returned += 1
        self.steps, self.remedies = self.steps[:place], self.remedies[:place]
        self.seen = replay(self.env, Episode(self.env.name, self.seed, tuple(self.steps)))
        self._act(remedy, None)

    async def _served(self) -> bool:
        last = self.steps[-1]
        if last.done or last.reward:
            return last.reward > 0
        if self.seen == last.observation:
            return False
        if not asks_model(self.policy):
            return True
        happened = f"{last.observation} You did: {last.action}. Now: {self.seen}"
        return await self.mind.judge(situation(self.mind, self.env.goal, happened), SERVED) != 1
