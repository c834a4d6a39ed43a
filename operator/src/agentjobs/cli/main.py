"""`kubectl saj`, also installed as `agentjobs`: the commands put together, and every failure told in two lines."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from typing import Annotated, Final

import typer

from agentjobs import __version__
from agentjobs.cli import (
    apply,
    cancel,
    cards,
    decide,
    delete,
    diff,
    digest,
    doctor,
    history,
    list_,
    logs,
    new,
    packages,
    pause,
    render,
    run,
)
from agentjobs.cli.problem import Exit, Problem
from agentjobs.cli.text import painted, visible

app = typer.Typer(
    name="kubectl saj",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"kubectl-saj {__version__}")
        raise typer.Exit


@app.callback()
def _root(version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")] = False) -> None:
    """Jobs written by AI agents, approved by people, run by Kubernetes."""


COMMANDS: Final[dict[str, Callable[..., None]]] = {
    "new": new.run,
    "render": render.run,
    "apply": apply.run,
    "list": list_.run,
    "cards": cards.run,
    "approve": decide.approve,
    "deny": decide.deny,
    "run": run.run,
    "cancel": cancel.run,
    "history": history.run,
    "logs": logs.run,
    "pause": pause.pause,
    "resume": pause.resume,
    "delete": delete.run,
    "diff": diff.run,
    "digest": digest.run,
    "doctor": doctor.run,
}
for _name, _command in COMMANDS.items():
    app.command(_name)(_command)
app.add_typer(packages.app, name="packages")


def helps() -> dict[str, str]:
    """The first sentence about each command."""
    found = {name: (command.__doc__ or "").partition(". ")[0].partition("\n")[0].rstrip(".") for name, command in COMMANDS.items()}
    return {**found, "packages": str(packages.app.info.help).rstrip(".")}


def tell(problem: Problem, *, colour: bool) -> str:
    """What is wrong, and what to do."""
    line = painted("error:", "red" if colour else "") + f" {visible(problem.message)}"
    return line + (f"\n  {visible(problem.remedy)}" if problem.remedy else "")


def main() -> None:
    """For console scripts: never returns, never shows a traceback."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    try:
        app()
    except Problem as problem:
        print(tell(problem, colour=sys.stderr.isatty()), file=sys.stderr)
        sys.exit(problem.code)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:  # noqa: BLE001 - a user gets a sentence, whatever is wrong with us
        print(f"error: a fault of kubectl-saj itself: {type(error).__name__}: {visible(str(error))[:500]}", file=sys.stderr)
        print("  please report it with the command that you used", file=sys.stderr)
        sys.exit(Exit.CLUSTER)


if __name__ == "__main__":
    main()
