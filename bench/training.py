"""One GRPO step on the bundled model beside TRL's GRPOTrainer, where a step's time goes, and a run that is killed.

Both train the same weights on the same problems, 16 × 8 thoughts a step in single precision on this processor, and take turns in
one run; each gets the number of threads it is faster with. Before that TRL computes its loss, its advantages and its gradient on
a batch of ours. `make peers` installs TRL in an environment of its own; without it our own figures are measured.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

PEERS = Path(os.environ.get("NOSCE_PEERS", Path(__file__).parent.parent / ".peers"))
DATA = "family:arithmetic,lists,countdown,logic?level=2,3&n=1000&split=train"
BATCH, GROUP, LR, CLIP, ROUNDS = 16, 8, 2e-4, 0.2, 9
LONGEST = 120
"""Most tokens of a thought, as the bundled model's dialect has it."""


def trainer(steps: int = 1000) -> Any:
    """GRPO from the weak checkpoint, problems in their order."""
    from nosce.learn.engine import open_engine
    from nosce.learn.plan import chosen
    from nosce.learn.trainer import Trainer
    from nosce.tasks.load import load_problems

    _, recipe, settings = chosen("grpo", {"batch": BATCH, "group": GROUP, "lr": LR, "warmup": 0})
    problems = load_problems(DATA)

    def in_order(context: Any, n: int) -> Any:
        first = context.step * n
        return [problems[place % len(problems)] for place in range(first, first + n)]

    return Trainer(replace(recipe, curriculum=in_order), open_engine("socrates-weak"), problems, steps, settings=settings)


# -- the same loss --------------------------------------------------------------------------------------------------------


def fixed_batch(run: Any) -> tuple[list[Any], list[int], dict[str, Any]]:
    """A step's rollouts with the log-probabilities before an update, the update done: what both then compute a loss on."""
    engine, context = run.engine, run.context
    groups = asyncio.run(_drawn(run))
    rollouts = [rollout for group in groups for rollout in group]
    turns = [rollout.turns[0] for rollout in rollouts]
    for turn, old in zip(turns, engine.score(turns, ["old"])["old"], strict=True):
        turn.extra["old"] = old
    owners = list(range(len(turns)))
    engine.update(turns, owners, run.recipe.loss, lr=5 * LR)
    engine.publish("socrates-weak+1")
    words = {
        "prompts": [turn.prompt for turn in turns], "completions": [turn.tokens for turn in turns],
        "old": [turn.extra["old"].tolist() for turn in turns],
        "rows": [{"prompt": engine.read(turn.prompt), "problem_id": r.problem.id} for turn, r in zip(turns, rollouts, strict=True)],
    }  # fmt: skip
    context.forget()
    context.step += 1
    return turns, owners, words


async def _drawn(run: Any) -> list[Any]:
    from nosce.learn.trainer import Clock

    return list(await run._tried(Clock()))


def our_loss(run: Any, turns: list[Any], owners: list[int]) -> dict[str, float]:
    """Loss and norm of the gradient on the batch; at a rate of 0 the weights stay."""
    found: dict[str, float] = run.engine.update(turns, owners, run.recipe.loss, lr=0.0, clip_norm=1.0)
    return found


# -- the same step --------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def peer(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """TRL in its own environment, waiting to be told."""
    words = [str(PEERS / "trl" / "bin" / "python"), str(Path(__file__).parent / "peers" / "trl_run.py"), str(folder)]
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent / "src"), "HF_HUB_OFFLINE": "1"}
    with (folder / "trl.log").open("w") as log, subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, env=env
    ) as made:
        try:
            yield made
        finally:
            made.kill()


def told(made: subprocess.Popen[str], folder: Path) -> dict[str, Any]:
    """The next line of the peer."""
    assert made.stdout is not None
    line = made.stdout.readline()
    if not line:
        raise RuntimeError(f"TRL stopped: {(folder / 'trl.log').read_text()[-800:]}")
    found: dict[str, Any] = json.loads(line)
    return found


def their_step(made: subprocess.Popen[str], folder: Path, threads: int) -> dict[str, float]:
    """Seconds and processor seconds of one step of TRL."""
    assert made.stdin is not None
    made.stdin.write(f"{threads}\n")
    made.stdin.flush()
    return told(made, folder)


def our_step(run: Any, threads: int) -> dict[str, float]:
    """Seconds and processor seconds of one step of ours, and its row of the log."""
    import torch

    torch.set_num_threads(threads)
    run.engine.model._decoder.threads = threads
    wall, cpu = time.perf_counter(), time.process_time()
    row = asyncio.run(run.step())
    run.context.step += 1
    return {"seconds": time.perf_counter() - wall, "cpu": time.process_time() - cpu, **row}


def compared(run: Any, scratch: Path) -> dict[str, Any]:
    """The same loss, then steps in turns."""
    turns, owners, words = fixed_batch(run)
    run.engine.export(scratch / "model")
    rows = [{"prompt": run.engine.read(_prompt(run, problem)), "problem_id": problem.id} for problem in run.problems]
    job = {
        "data": DATA, "rows": rows[BATCH:] + rows[:BATCH], "batch_rows": words, "batch": BATCH, "group": GROUP, "lr": LR,
        "clip": CLIP, "longest": LONGEST, "steps": 1000,
    }  # fmt: skip
    (scratch / "job.json").write_text(json.dumps(job))
    mine = our_loss(run, turns, owners)
    if not (PEERS / "trl" / "bin" / "python").exists():
        return {**_alone(run), "our_loss": mine["loss"], "trl": "not installed: make peers"}
    with peer(scratch) as made:
        theirs = told(made, scratch)
        gaps = [abs(a - float(turn.advantage[0])) for a, turn in zip(theirs["advantages"], turns, strict=True)]
        agreed = {
            "our_loss": mine["loss"], "trl_loss": theirs["loss"], "loss_apart": abs(mine["loss"] - theirs["loss"]),
            "grad_norm": mine["grad_norm"], "grad_norm_apart": abs(mine["grad_norm"] - theirs["grad_norm"]) / mine["grad_norm"],
            "advantages_apart": max(gaps),
        }  # fmt: skip
        return agreed | _in_turns(run, made, scratch)


def _prompt(run: Any, problem: Any) -> Any:
    from nosce.mind.dialects import dialect_of
    from nosce.mind.dialects.base import Given

    return run.engine.encode(dialect_of(run.engine.model).render("think", problem, Given()).prompt)


def _in_turns(run: Any, made: subprocess.Popen[str], scratch: Path) -> dict[str, Any]:
    choices = sorted({1, os.cpu_count() or 1})
    for side in (partial(our_step, run), partial(their_step, made, scratch)):
        side(choices[0])  # the first step of either loads what it needs
    ours = min(choices, key=lambda n: our_step(run, n)["seconds"])
    trl = min(choices, key=lambda n: their_step(made, scratch, n)["seconds"])
    pairs = [(our_step(run, ours), their_step(made, scratch, trl)) for _ in range(ROUNDS)]
    a, b = [p["seconds"] for p, _ in pairs], [q["seconds"] for _, q in pairs]
    return {
        "seconds": round(median(a), 3), "trl_seconds": round(median(b), 3), "ratio": round(median(b) / median(a), 2),
        "cpu_seconds": round(median(p["cpu"] for p, _ in pairs), 3),
        "trl_cpu_seconds": round(median(q["cpu"] for _, q in pairs), 3),
        "fastest": [round(min(a), 3), round(min(b), 3)], "threads": ours, "trl_threads": trl, "rounds": ROUNDS,
        "rollouts": int(pairs[-1][0]["rollouts"]), "rollouts_used": round(pairs[-1][0]["admitted"] * BATCH * GROUP),
    }  # fmt: skip


def _alone(run: Any) -> dict[str, Any]:
    rows = [our_step(run, 1) for _ in range(ROUNDS)]
    return {"seconds": round(median(row["seconds"] for row in rows), 3), "rollouts": BATCH * GROUP, "rollouts_used": BATCH * GROUP}


# -- where the time goes --------------------------------------------------------------------------------------------------


def outside(run: Any, steps: int = 5) -> dict[str, float]:
    """Shares of processor time in decoding, forward, backward, and all else: prompts, rewards, credit, optimizer, publishing."""
    import torch

    from nosce.models.socrates.decoder import Decoder

    spent = {"decode": 0.0, "forward": 0.0, "backward": 0.0}

    def clocked(name: str, function: Any) -> Any:
        def timed(*given: Any, **more: Any) -> Any:
            start = time.process_time()
            try:
                return function(*given, **more)
            finally:
                spent[name] += time.process_time() - start

        return timed

    held = [(Decoder, "step", "decode"), (run.engine, "forward", "forward"), (torch.Tensor, "backward", "backward")]
    was = [getattr(place, name) for place, name, _ in held]
    for (place, name, what), function in zip(held, was, strict=True):
        setattr(place, name, clocked(what, function))
    start = time.process_time()
    for _ in range(steps):
        our_step(run, 1)
    whole = time.process_time() - start
    for (place, name, _), function in zip(held, was, strict=True):
        setattr(place, name, function)
    shares = {name: round(seconds / whole, 4) for name, seconds in spent.items()}
    return {**shares, "outside": round(1 - sum(spent.values()) / whole, 4)}


# -- killed ---------------------------------------------------------------------------------------------------------------


def killed(scratch: Path, steps: int = 8, kills: int = 3) -> dict[str, Any]:
    """A run that is killed by SIGKILL after every second step and resumed, beside one that is not: the same weights?"""
    whole, cut = scratch / "whole", scratch / "cut"
    words = [sys.executable, "-c", "from nosce.cli.app import main; main()", "train", "grpo", "--steps", str(steps)]
    words += ["--save-every", "2", "--set", f"batch={BATCH // 4}", "--set", f"group={GROUP}"]
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.run([*words, "--out", str(whole)], check=True, **quiet)
    hit = 0
    for number in range(kills + 1):
        more = ["--resume"] if number else []
        with subprocess.Popen([*words, "--out", str(cut), *more], **quiet) as run:
            while number < kills and run.poll() is None:
                if _steps(cut) >= 2 * (number + 1) + 1:
                    run.send_signal(signal.SIGKILL)
                    break
                time.sleep(0.01)
        hit += run.returncode == -signal.SIGKILL
    weights = [(folder / "model" / "model.safetensors").read_bytes() for folder in (whole, cut)]
    return {"kills": hit, "resumed_is_uninterrupted": weights[0] == weights[1]}


def _steps(folder: Path) -> int:
    try:
        return (folder / "metrics.jsonl").read_text().count("\n")
    except OSError:
        return 0


def run() -> dict[str, Any]:
    """All of it."""
    with tempfile.TemporaryDirectory() as scratch:
        mine = trainer()
        found = compared(mine, Path(scratch))
        return found | {"share": outside(mine)} | killed(Path(scratch))


if __name__ == "__main__":
    print(json.dumps(run(), indent=2))
