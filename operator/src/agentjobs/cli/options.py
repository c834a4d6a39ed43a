"""Options that commands share, as types, and what becomes of them."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, Concatenate, Final, ParamSpec

import typer

from agentjobs.cli import screen
from agentjobs.cli.errors import CliError, Exit
from agentjobs.cli.kube import Json, Kube
from agentjobs.cli.text import Table
from agentjobs.present.rows import Column

P = ParamSpec("P")


class Output(StrEnum):
    """How answers are printed."""

    TABLE = "table"
    WIDE = "wide"
    JSON = "json"
    YAML = "yaml"
    NAME = "name"


Namespace = Annotated[
    str | None,
    typer.Option(
        "--namespace", "-n", help="Namespace; the context's own if left out.", show_default=False
    ),
]
Everywhere = Annotated[bool, typer.Option("--all-namespaces", "-A", help="Look in all namespaces.")]
Context = Annotated[
    str | None, typer.Option("--context", help="Context of the kubeconfig.", show_default=False)
]
Kubeconfig = Annotated[
    str | None, typer.Option("--kubeconfig", help="Path of the kubeconfig.", show_default=False)
]
Format = Annotated[Output, typer.Option("--output", "-o", help="table, wide, json, yaml or name.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Reason = Annotated[
    str | None,
    typer.Option(
        "--reason", help="Why, for those who read it later; in pipelines the review's link."
    ),
]
Job = Annotated[
    str, typer.Argument(metavar="JOB", help="Name of a ScheduledAgentJob.", show_default=False)
]


def now() -> datetime:
    """The only clock of the command line."""
    return datetime.now(UTC)


def show(
    pages: Iterable[Sequence[Json]], columns: Sequence[Column], output: Output, *, empty: str
) -> None:
    """Pages of objects in the form that was asked for. A table begins with the first page."""
    if output in (Output.TABLE, Output.WIDE):
        table = Table(columns, wide=output is Output.WIDE, colour=screen.on_terminal())
        lines = 0
        for page in pages:
            for line in table.lines(page, now()):
                screen.put(line)
                lines += 1
        if not lines:
            screen.note(empty)
        return
    items = [item for page in pages for item in page]
    if output is Output.NAME:
        for item in items:
            screen.say(name_of(item))
        return
    dump({"apiVersion": "v1", "kind": "List", "metadata": {}, "items": items}, output)


def name_of(item: Json) -> str:
    """As kubectl writes it: kind.group/name."""
    group = str(item["apiVersion"]).partition("/")[0]
    return f"{str(item['kind']).lower()}.{group}/{item['metadata']['name']}"


def show_one(item: Json, output: Output, sentence: str) -> None:
    """One object after a change: a sentence for people, the object for programs."""
    if output in (Output.TABLE, Output.WIDE):
        screen.say(sentence)
    elif output is Output.NAME:
        screen.say(name_of(item))
    else:
        dump(item, output)


def dump(value: Any, output: Output) -> None:
    """JSON or YAML."""
    if output is Output.JSON:
        import json

        screen.exact(lambda unicode: json.dumps(value, indent=2, ensure_ascii=not unicode))
    else:
        from agentjobs.cli.files.documents import to_yaml

        screen.exact(lambda unicode: to_yaml(value, unicode=unicode).rstrip("\n"))


def before_the_command(ctx: typer.Context, **given: str | bool | None) -> None:
    """Options of a group of commands become the defaults of its commands. Raises CliError.

    What is given after a command wins.
    """
    command = ctx.command.commands[ctx.invoked_subcommand]  # type: ignore[attr-defined]
    if given.get("everywhere") and "everywhere" not in {
        parameter.name for parameter in command.params
    }:
        raise CliError(
            f"`{ctx.info_name} {ctx.invoked_subcommand}` takes no --all-namespaces",
            "choose one namespace: --namespace",
            Exit.USAGE,
        )
    chosen = {name: value for name, value in given.items() if value}
    ctx.default_map = _for_each(ctx.command, ctx.default_map or {}, chosen)


def _for_each(group: Any, before: Mapping[str, Any], chosen: Mapping[str, Any]) -> dict[str, Any]:
    """The same defaults for each command of a group, besides its own, as click wants them. Pure."""
    return {
        name: _for_each(command, before.get(name, {}), chosen)
        if hasattr(command, "commands")
        else {**before.get(name, {}), **chosen}
        for name, command in group.commands.items()
    }


def cluster(kubeconfig: str | None, context: str | None, namespace: str | None) -> Kube:
    """The cluster that the options choose."""
    return Kube(kubeconfig, context, namespace)


_WHERE: Final = {"namespace": Namespace, "context": Context, "kubeconfig": Kubeconfig}


def on_cluster(command: Callable[Concatenate[Kube, P], None]) -> Callable[..., None]:
    """The command with the options that choose a cluster in the place of its first parameter."""

    @functools.wraps(command)
    def with_options(
        *, namespace: str | None, context: str | None, kubeconfig: str | None, **given: Any
    ) -> None:
        command(cluster(kubeconfig, context, namespace), **given)  # type: ignore[call-arg]

    signature = inspect.signature(command, eval_str=True)
    own = [
        parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
        for parameter in list(signature.parameters.values())[1:]
    ]
    where = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=kind)
        for name, kind in _WHERE.items()
    ]
    with_options.__signature__ = signature.replace(parameters=[*own, *where])  # type: ignore[attr-defined]
    with_options.__annotations__ = {
        parameter.name: parameter.annotation for parameter in (*own, *where)
    }
    return with_options
