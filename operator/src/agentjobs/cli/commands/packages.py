"""`kubectl saj packages`: which packages jobs ask for, and what was decided about them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agentjobs.actions.decisions import Decision
from agentjobs.api import names
from agentjobs.cli import options, screen
from agentjobs.cli.commands.decide import decide_packages
from agentjobs.cli.errors import ApiServerError, CliError, Exit
from agentjobs.cli.kube import CONFIG_MAPS, JOBS, PACKAGE_APPROVALS, Json, Kube
from agentjobs.cli.writing import allowed
from agentjobs.present.rows import PACKAGES
from agentjobs.present.text import at

if TYPE_CHECKING:
    from agentjobs.core.content.packages import Packages

app = typer.Typer(
    no_args_is_help=True, help="List and check packages, approve and deny them, revoke decisions."
)


@app.callback()
def _group(
    ctx: typer.Context,
    namespace: options.Namespace = None,
    context: options.Context = None,
    kubeconfig: options.Kubeconfig = None,
) -> None:
    options.before_the_command(ctx, namespace=namespace, context=context, kubeconfig=kubeconfig)


Pins = Annotated[
    list[str], typer.Argument(metavar="PIN...", help="NAME==VERSION.", show_default=False)
]


@app.command("list")
@options.on_cluster
def list_(kube: Kube, output: options.Format = options.Output.TABLE) -> None:
    """List the packages that jobs ask for or that were decided about."""
    decisions = kube.all(PACKAGE_APPROVALS)
    if output not in (options.Output.TABLE, options.Output.WIDE):
        options.show([decisions], (), output, empty="")
        return
    empty = (
        f"no job in namespace {kube.namespace} asks for packages, and nothing was decided about any"
    )
    from agentjobs.present.package_rows import rows

    options.show(
        [rows(kube.all(JOBS), decisions, known(kube, decisions))], PACKAGES, output, empty=empty
    )


@app.command()
@options.on_cluster
def check(
    kube: Kube,
    what: Annotated[
        list[str],
        typer.Argument(
            metavar="PIN|FILE...", help="NAME==VERSION, scripts, folders.", show_default=False
        ),
    ],
    inventory: Annotated[
        Path | None,
        typer.Option(
            "--inventory",
            help="The runner image's inventory.json; the operator's own if left out.",
            show_default=False,
        ),
    ] = None,
    output: options.Format = options.Output.TABLE,
) -> None:
    """Check packages before a job asks for them.

    Exit code 1 when one is denied or needs an approval.
    """
    from agentjobs.core.content.packages import WORDS

    asked = _asked(what)
    found = known(kube, kube.all(PACKAGE_APPROVALS), _inventory(inventory) if inventory else None)
    verdicts = {pin: found.verdict(pin) for pin in asked}
    checked = [
        {"package": pin, "status": WORDS[verdict], "jobs": asked[pin], "by": []}
        for pin, verdict in verdicts.items()
    ]
    options.show([checked], PACKAGES[:3], output, empty="no packages")
    if set(verdicts.values()) & {"Denied", "Pending"}:
        raise typer.Exit(Exit.NO)


@app.command()
@options.on_cluster
def approve(
    kube: Kube, pins: Pins, reason: options.Reason = None, yes: options.Yes = False
) -> None:
    """Approve exact versions for all jobs of the namespace, in one decision."""
    _decide(kube, pins, reason, yes=yes, deny=False)


@app.command()
@options.on_cluster
def deny(kube: Kube, pins: Pins, reason: options.Reason = None, yes: options.Yes = False) -> None:
    """Deny exact versions: no job of the namespace that asks for one of them runs."""
    _decide(kube, pins, reason, yes=yes, deny=True)


@app.command()
@options.on_cluster
def revoke(
    kube: Kube,
    decisions: Annotated[
        list[str],
        typer.Argument(
            metavar="DECISION...", help="PackageApprovals, as `list -o wide` names them."
        ),
    ],
    yes: options.Yes = False,
) -> None:
    """Take decisions about packages back. Jobs that need a revoked approval stop."""
    from agentjobs.actions.packages import withdraw

    found = [kube.get(PACKAGE_APPROVALS, decision) for decision in decisions]
    for body in found:
        screen.say(
            f"{body['metadata']['name']}: {body['spec']['decision'].lower()}"
            f" {', '.join(body['spec']['packages'])}"
        )
    if not screen.confirmed(f"Revoke {', '.join(decisions)}?", yes=yes):
        raise typer.Exit(Exit.NO)
    for write in map(withdraw, found):
        kube.execute(write)
        screen.say(f"{write.name} is revoked")


def _decide(kube: Kube, pins: Sequence[str], reason: str | None, *, yes: bool, deny: bool) -> None:
    from agentjobs.actions.packages import decide

    decision: Decision = "Denied" if deny else "Approved"
    write = allowed(decide(pins, decision, reason))
    if not screen.confirmed(
        f"{'Deny' if deny else 'Approve'} {', '.join(pins)} in namespace {kube.namespace}?", yes=yes
    ):
        raise typer.Exit(Exit.NO)
    decide_packages(kube, write, decision)


def _asked(what: Sequence[str]) -> dict[str, list[str]]:
    """Pins, each with the files that ask for it.

    Raises CliError for what is neither a pin nor a file.
    """
    from agentjobs.api.package_rules import canonical_or_none
    from agentjobs.cli.files.manifests import jobs_in

    asked: dict[str, list[str]] = defaultdict(list)
    for word in what:
        if canonical_or_none(word):
            asked[word] = asked[word]
        elif Path(word).exists():
            for job in jobs_in([Path(word)]):
                for pin in _pins(job.where, job.spec):
                    asked[pin].append(job.name)
        else:
            raise CliError(
                f"{word} is neither a package with its version nor a file",
                "write NAME==VERSION: requests==2.32.3",
                Exit.USAGE,
            )
    return asked


def _pins(where: str, spec: Json) -> list[str]:
    pins = spec.get("packages") or []
    if not isinstance(pins, list) or not all(isinstance(pin, str) for pin in pins):
        raise CliError(
            f"{where}: spec.packages is not a list of texts",
            'write ["requests==2.32.3"]',
            Exit.USAGE,
        )
    return pins


def known(
    kube: Kube, decisions: Sequence[Json], inventory: Mapping[str, str] | None = None
) -> Packages:
    """What is decided, and what the image holds: as given, else the operator's list, else cards."""
    from agentjobs.present import package_rows

    listed = inventory if inventory is not None else _operators(kube)
    return package_rows.known(decisions, listed, kube.all(JOBS) if listed is None else ())


def _operators(kube: Kube) -> dict[str, str] | None:
    """What the operator's settings say; None if the user may not read them, or they are ambiguous.

    Anybody who may write ConfigMaps can put the label on one: with two of them neither counts.
    """
    from yaml import YAMLError

    from agentjobs.cli.files.documents import from_yaml

    try:
        found = kube.all(CONFIG_MAPS, "", labelSelector="app.kubernetes.io/name=agentjobs")
    except ApiServerError as refusal:
        if refusal.code is Exit.FORBIDDEN:
            return None
        raise
    texts = [text for body in found if (text := at(body, "data", names.CONFIG_FILE))]
    try:
        (document,) = [one for text in texts for one in from_yaml(text)]
    except (YAMLError, ValueError):
        return None
    listed = (
        at(document, "runner", "inventory")
        if at(document, "kind") == "OperatorConfiguration"
        else None
    )
    return (
        {str(name): str(version) for name, version in listed.items()}
        if isinstance(listed, Mapping)
        else None
    )


def _inventory(path: Path) -> Mapping[str, str]:
    from agentjobs.cli.files.json_text import JsonError, from_json
    from agentjobs.cli.files.manifests import read

    try:
        listed: Any = from_json(read(path))
    except JsonError as error:
        raise CliError(f"{path}:{error.line}: {error}", error.remedy, Exit.USAGE) from None
    if not isinstance(listed, dict) or not all(
        isinstance(version, str) for version in listed.values()
    ):
        raise CliError(
            f"{path}: this is not an inventory",
            'a JSON object is needed: {"requests": "2.32.3"}',
            Exit.USAGE,
        )
    return listed
