"""`nosce`: the commands, and what they tell a script when they end."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import typer

from nosce.cli import calibrate, compare, mcp, models, monitor, profile, prove, score, serve, show, solve, systems, train
from nosce.core.errors import NosceError

app = typer.Typer(
    name="nosce", no_args_is_help=True, rich_markup_mode="rich", pretty_exceptions_enable=False,
    help="Questions in; answers out with a confidence, abstentions and a truthful cost.",
    epilog="Exit codes: 0 done · 1 some problems failed · 2 bad input or a model that cannot · 130 stopped by Ctrl-C.",
)  # fmt: skip

app.command("solve", epilog=solve.EXAMPLES)(solve.solve)
app.command("compare", epilog=compare.EXAMPLES)(compare.compare)
app.command("monitor", epilog=monitor.EXAMPLES)(monitor.monitor)
app.command("calibrate", epilog=calibrate.EXAMPLES)(calibrate.calibrate)
app.command("profile", epilog=profile.EXAMPLES)(profile.profile)
app.command("prove", epilog=prove.EXAMPLES)(prove.prove)
app.command("score", epilog=score.EXAMPLES)(score.score)
app.command("train", epilog=train.EXAMPLES)(train.train)
app.command("systems", epilog=systems.EXAMPLES)(systems.systems)
app.command("show", epilog=show.EXAMPLES)(show.show)
app.command("mcp", epilog=mcp.EXAMPLES)(mcp.mcp)
app.add_typer(models.app, name="models")
app.add_typer(serve.app, name="serve")


@app.callback(invoke_without_command=True)
def version_flag(version: bool = typer.Option(False, "--version", help="Print the version and end.")) -> None:
    """Questions in; answers out with a confidence, abstentions and a truthful cost."""
    if version:
        from importlib.metadata import version as installed

        typer.echo(f"nosce {installed('nosce')}")
        raise typer.Exit


_UsageError: type[Exception] = next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException")
"""What typer raises for a wrong command line; where it lives differs between its versions."""


def run(arguments: Sequence[str]) -> int:
    """Carry out one command line and return its exit code; an error a person can mend is one line on standard error."""
    try:
        code = app(list(arguments), standalone_mode=False)
        return code if isinstance(code, int) else 0
    except NosceError as error:
        return _refused(str(error))
    except _UsageError as error:
        if type(error).__name__ == "NoArgsIsHelpError":
            typer.echo(getattr(error, "ctx").get_help())  # noqa: B009  # typed as a plain exception
            return 2
        return _refused(getattr(error, "format_message")())  # noqa: B009
    except (KeyboardInterrupt, typer.Abort):
        return 130
    except BrokenPipeError:
        sys.stderr.close()  # the reader went away: nothing is left to say
        return 0


def _refused(reason: str) -> int:
    line = " ".join(reason.split())
    typer.echo(f"nosce: {line}", err=True)
    return 2


def main() -> None:
    """The console script."""
    sys.exit(run(sys.argv[1:]))
