"""S318 Introspective tips: look back at an episode, write short tips, and play the next one with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from nosce.agents.loop import run_episode
from nosce.agents.model_policy import asks_model, policy_of, told
from nosce.core.claim import Claim, Pair
from nosce.core.episode import Episode
from nosce.core.errors import BudgetExhausted
from nosce.core.problem import Problem
from nosce.core.registry import agent
from nosce.environments import environment as world_of
from nosce.environments.policies import Blunderer, Policy, warning
from nosce.environments.text import Environment
from nosce.memory.store import Item, Store
from nosce.mind.mind import Mind

ASK = "Look back at this attempt. What short, general tips would make the next one better? One per line, each starting with '- '."

WORLDS = ("frozen-lake?size=4", "minigrid?task=LavaGapS5")

CLAIM = Claim(
    statement="The mean score with tips from earlier episodes beats the one without tips on the same world.",
    endpoint="score", baseline="the same policy without tips", n=40, fidelity="abstract",
    analogue_of="TextWorld games (FrozenLake and MiniGrid in words stand in for them)",
)  # fmt: skip


async def experiment(bench: Any, claim: Claim, seed: int) -> list[Pair]:
    """Per world: the score of the last of five episodes with tips, and of the same episode without. Costs are all actions taken."""
    pairs = []
    for number in range(claim.n):
        env, place = world_of(WORLDS[number % len(WORLDS)]), 1000 * seed + 10 * number
        mind = bench.engine(seed).mind(Problem(f"{env.name}-{place}", env.goal), "introspective-tips")
        policy = None if "choose" in mind.dialect.acts else Blunderer(env)
        ours = await introspective_tips(env, mind, policy, seed=place)
        plain = await run_episode(env, policy_of(mind, env.goal, policy), seed=ours.seed, max_steps=40)
        learned = sum(e.data.get("actions", 0) for e in mind.work.trace.of("decided"))
        pairs.append(Pair(f"{place}", ours.score, plain.score, learned + len(ours.steps), len(plain.steps)))
    return pairs


@agent("S318", "introspective-tips", needs={"env"}, claim=CLAIM, experiment=experiment)
async def introspective_tips(
    environment: Environment, mind: Mind, policy: Policy | None = None, *, episodes: int = 5, most: int = 12, max_steps: int = 40,
    seed: int = 0, demonstrations: Sequence[Episode] = (),
) -> Episode:  # fmt: skip
    """Plays, looks back, writes tips, plays again with them; the last episode is what counts.

    Rule: τ_i ~ π(· | tips_i), tips_{i+1} = tips_i ∪ introspect(τ_i), at most `most`, the newest kept. A model writes them
    (the act lessons), from expert `demonstrations` first; a scripted policy gets `avoid ACTION when OBSERVATION` for the step on
    which its episode failed. Without a policy the model plays. When the budget ends, the last whole episode is returned.
    Source: S318 "Introspective Tips: Large Language Model for In-Context Decision Making". Left open and filled: the worlds
    (FrozenLake, MiniGrid), and that episode i is played under seed + i, so that tips carry over to luck not seen before.
    """
    playing, tips = policy_of(mind, environment.goal, policy), Store()
    last = Episode(environment.name, seed, goal=environment.goal)
    try:
        for shown in demonstrations if asks_model(playing) else ():
            tips.add(*await _introspect(mind, shown, written=True))
        for number in range(episodes):
            notes = [item.text for item in tips.items[-most:]]
            last = await run_episode(environment, playing, max_steps=max_steps, seed=seed + number, notes=notes)
            if number + 1 < episodes:
                tips.add(*await _introspect(mind, last, written=asks_model(playing)))
                mind.decide("recall", "tips for the next episode", tips=len(tips.items), actions=len(last.steps), score=last.score)
    except BudgetExhausted as end:
        mind.decide("stop", str(end))
    return replace(last, cost=mind.work.meter.spent, trace_id=mind.work.trace.id)


async def _introspect(mind: Mind, episode: Episode, *, written: bool) -> list[Item]:
    """Tips from one episode, found again by its goal."""
    if not written:
        failed = episode.steps[-1] if episode.done and episode.score <= 0 else None
        return [Item(episode.goal, warning(failed.action, failed.observation), kind="tip")] if failed else []
    ending = f"{episode.final} Score: {episode.score:g}."
    problem = Problem(mind.work.problem.id, f"{episode.goal}\n{told(episode.steps, ending)}")
    text = (await mind.write("lessons", problem, instruction=ASK))[0]
    lines = (line.strip().removeprefix("-").strip() for line in text.splitlines() if line.strip().startswith("-"))
    return [Item(episode.goal, line, episode.trace_id, "tip") for line in lines if line]
