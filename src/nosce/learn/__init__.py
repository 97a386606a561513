"""Learning as weights: one blind training core for reinforcement and self-training.

A recipe is a set of plain functions, one a stage (nosce.learn.recipe), registered like any other system:

    curriculum → rollout → signals → reward → credit → admit → augment → loss → outer → watch

An algorithm writes four numbers for every token (nosce.learn.rollout.Turn): an advantage and the weights of three loss terms,
policy gradient, cross-entropy and distance from the reference. The trainer does not know which algorithm it runs. Rollouts are
made by the Mind, through the acts that inference uses, so whatever a strategy does (several turns, roles, tools, going on from a
prefix) can be trained through. Nothing is tokenised twice.

To write one, in one file, from inside or outside the package:

    from nosce.core.registry import recipe                      # a catalogue id and slug, or the same name twice
    from nosce.learn.recipe import Recipe, Settings             # what a stage is given and gives back
    from nosce.learn.rollout import Group, Rollout, Turn        # the data: groups of rollouts of turns of tokens
    from nosce.learn.context import Context                     # engine, problems, step, state, rng(name), mind, play
    from nosce.learn import rollouts, rewards, credit, losses   # ready-made stages to combine

Two roles, tools, revisions: write a strategy `async (problem, mind) -> Answer` and use `rollouts.of(strategy)`; turn.act, turn.role
and turn.parent tell in `credit` which draw was which. Branching: `context.mind(problem)`, `mind.extend(problem, prefix, n=…)`, then
`context.attempts(mind, attempts)`. Examples: `augment` returns Turns of its own with `imitate()`. State kept between steps goes
into `context.state`, plain data, and comes back after a kill.
"""
