"""`nosce train`: change a model's weights with a recipe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nosce.cli import flags
from nosce.cli.flags import examples

if TYPE_CHECKING:
    from rich.table import Table

EXAMPLES = examples(
    "nosce train grpo --model socrates-weak --steps 60 --out runs/grpo",
    "nosce train grpo --model socrates-weak --steps 60 --out runs/grpo --resume",
    "nosce train dapo --data 'family:lists,logic?level=2,3&n=400&split=train' --set lr=1e-4 --set batch=8",
    "nosce train rloo --model hf:./qwen --lora 16 --device cuda --data train.jsonl --set lr=1e-5",
    "nosce solve 'family:lists?n=100' --model socrates:runs/grpo/model",
)
DATA = "family:arithmetic,lists,countdown,logic?level=2,3&n=1000&split=train"


def train(
    recipe: Annotated[str, typer.Argument(help="Slug or catalogue id; see `nosce systems --kind recipe`.", metavar="RECIPE")],
    model: flags.Model = "socrates-weak",
    data: Annotated[str, typer.Option("--data", metavar="DATA", help="Problems to learn from, with their answers.")] = DATA,
    steps: Annotated[int, typer.Option("--steps", metavar="N", help="How many updates.")] = 60,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="DIR", help="Where the run is kept.", show_default="runs/train-RECIPE")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the last checkpoint of a run that was stopped.")] = False,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="A parameter of the recipe, or lr, batch, group …; may be repeated."),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Seed of every draw and of the order of problems.")] = 0,
    save_every: Annotated[int, typer.Option("--save-every", metavar="N", help="Steps between checkpoints.")] = 10,
    lora: Annotated[int, typer.Option("--lora", metavar="RANK", help="Train low-rank adapters of an hf: model.")] = 0,
    device: Annotated[str, typer.Option("--device", help="Of an hf: model: cpu, cuda, or auto for all GPUs.")] = "cpu",
    column: flags.Column = None,
    kind: flags.Kind = None,
    limit: flags.Limit = None,
    as_json: flags.Json = False,
    config: flags.Config = None,
) -> None:
    """Train a model by a recipe: reinforcement or self-training, with what matters shown at every step."""
    from nosce.cli.kept import told_how_to_resume
    from nosce.cli.live import Live
    from nosce.cli.speak import can_train, note, say, say_json
    from nosce.core.errors import CapabilityError
    from nosce.learn.plan import plan
    from nosce.tasks.load import load_problems

    if not can_train():
        raise CapabilityError("extra train", "nosce train", "pip install 'nosce[train]'")
    problems = load_problems(data, columns=flags.pairs(column, "--column"), kind=kind, limit=limit)
    folder = out or Path("runs") / f"train-{recipe.replace('/', '-')}"
    with told_how_to_resume(folder), Live() as live:
        warned: set[str] = set()

        def told(row: Mapping[str, Any], warnings: Sequence[str]) -> None:
            live.step("training", int(row["step"]) + 1, steps, progress(row))
            for warning in warnings:
                if (sign := warning.partition(":")[0]) not in warned:
                    warned.add(sign)
                    note(f"step {row['step']}: {warning}")

        trainer = plan(
            recipe, model, problems, steps=steps, out=folder, data=data, seed=seed, options=flags.options(set_), resume=resume,
            save_every=save_every, told=told, engine_options=engine_options(model, lora, device),
        )  # fmt: skip
        history = trainer.run()
    if as_json:
        ends = {"first": history[0], "last": history[-1]}
        say_json({"recipe": recipe, "model": str(folder / "model"), "steps": len(history), **ends})
    else:
        say(summary(history), f"try it: nosce solve DATA --model {trainer.engine.named(folder / 'model')}")


def engine_options(model: str, lora: int, device: str) -> dict[str, Any]:
    """What the flags ask of the engine. Raises InputError where the bundled model is asked for adapters or a device."""
    from nosce.core.errors import InputError

    asked = {**({"lora": lora} if lora else {}), **({"device": device} if device != "cpu" else {})}
    if asked and not model.startswith("hf:"):
        raise InputError(f"--{next(iter(asked))} is for hf: models; {model} is trained whole, on the CPU")
    return asked


SHOWN = {
    "pass_rate": "right", "reward": "reward", "same": "groups all equal", "length": "tokens a rollout", "entropy": "entropy",
    "kl": "KL", "brier": "Brier", "confidence": "stated confidence", "grad_norm": "gradient",
}  # fmt: skip


def progress(row: Mapping[str, Any]) -> str:
    """The quantities that matter, in one line; the reward by channel where there are several."""
    channels = [name for name in row if name.startswith("reward/")]
    shown = {**SHOWN, **(dict(zip(channels, channels, strict=True)) if len(channels) > 1 else {})}
    parts = [f"{words} {row[name]:.3g}" for name, words in shown.items() if name in row]
    return " · ".join(parts)


def summary(history: Sequence[Mapping[str, Any]]) -> Table:
    """How the first and the last tenth of the run compare."""
    from nosce.report.terminal import table

    tenth = max(1, len(history) // 10)
    names = [*SHOWN, *(name for name in history[-1] if name.startswith("reward/"))]

    def mean(rows: Sequence[Mapping[str, Any]], name: str) -> str:
        values = [row[name] for row in rows if name in row]
        return f"{sum(values) / len(values):.3f}" if values else "–"

    lines = [(SHOWN.get(n, n), mean(history[:tenth], n), mean(history[-tenth:], n)) for n in names if n in history[-1]]
    lines.append(("tokens drawn", "", f"{history[-1].get('rollout_tokens', 0):,.0f}"))
    return table(("", f"first {tenth} steps", f"last {tenth}"), lines, left=(0,), title=f"{len(history)} steps")
