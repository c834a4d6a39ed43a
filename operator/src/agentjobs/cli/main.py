"""`kubectl saj`, also installed as `agentjobs`: the commands put together.

Every failure is reported in two lines.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from typing import Annotated, Final

import typer

from agentjobs import __version__
from agentjobs.cli import options, screen
from agentjobs.cli.commands import (
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
    ui,
)
from agentjobs.cli.errors import CliError, Exit

NAME: Final = "kubectl saj"
app = typer.Typer(
    name=NAME,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        screen.say(f"{NAME} {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    ctx: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
    namespace: options.Namespace = None,
    everywhere: options.Everywhere = False,
    context: options.Context = None,
    kubeconfig: options.Kubeconfig = None,
) -> None:
    """Jobs written by AI agents, approved by people, run by Kubernetes.

    `new`, `render` and `digest` use no cluster: --context and --kubeconfig have no effect on them.
    Nor has --namespace, except on `render`, which writes it into the manifests.
    """
    options.before_the_command(
        ctx, namespace=namespace, everywhere=everywhere, context=context, kubeconfig=kubeconfig
    )


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
    "ui": ui.run,
}
for _name, _command in COMMANDS.items():
    app.command(_name)(_command)
app.add_typer(packages.app, name="packages")


def helps() -> dict[str, str]:
    """The first sentence about each command."""
    found = {
        name: (command.__doc__ or "").partition(". ")[0].partition("\n")[0].rstrip(".")
        for name, command in COMMANDS.items()
    }
    return {**found, "packages": str(packages.app.info.help).rstrip(".")}


def main() -> None:
    """For console scripts, under any name: never returns, never shows a traceback."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    screen.ready()
    try:
        code = app(standalone_mode=False, prog_name=NAME)
    except CliError as problem:
        screen.failed(problem)
        sys.exit(problem.code)
    except typer.Abort:
        sys.exit(130)
    except Exception as error:  # noqa: BLE001 - a user gets a sentence, whatever is wrong with us
        shown = _usage(error) or _fault(error)
        screen.failed(shown)
        sys.exit(shown.code)
    sys.exit(code if isinstance(code, int) else Exit.OK)


def _usage(error: Exception) -> CliError | None:
    """A mistake on the command line, as an exception of typer's own: one that formats a message."""
    message = getattr(error, "format_message", None)
    if message is None:
        return None
    path = str(getattr(getattr(error, "ctx", None), "command_path", NAME))
    if type(error).__name__ == "NoArgsIsHelpError":
        return CliError("which command?", f"`{path} --help` lists them", Exit.USAGE)
    return CliError(message(), f"`{path} --help` says what can be given", Exit.USAGE)


def _fault(error: Exception) -> CliError:
    message = f"a fault of {NAME} itself: {type(error).__name__}: {str(error)[:500]}"
    return CliError(message, "please report it with the command that you used", Exit.CLUSTER)


if __name__ == "__main__":
    main()
