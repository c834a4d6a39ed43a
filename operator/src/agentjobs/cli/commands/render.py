"""`kubectl saj render`: scripts and agents to manifests. The same files give the same bytes."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated, Final

import typer

from agentjobs.cli import options, screen
from agentjobs.cli.errors import CliError, Exit
from agentjobs.cli.kube import Json

_DEVICES: Final = re.compile("con|prn|aux|nul|(com|lpt)[0-9]")
Paths = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="[FILE]...",
        help="Scripts, agent files, manifests or folders; jobs/ and agents/ if left out.",
        show_default=False,
    ),
]


def run(
    paths: Paths = None,
    folder: Annotated[
        Path | None,
        typer.Option(
            "--to", help="Write one file for each job into this folder.", show_default=False
        ),
    ] = None,
    namespace: Annotated[
        str | None,
        typer.Option(
            "--namespace", "-n", help="Write this namespace into them.", show_default=False
        ),
    ] = None,
    output: Annotated[
        options.Output, typer.Option("--output", "-o", help="yaml, json or name.")
    ] = options.Output.YAML,
) -> None:
    """Render scripts in jobs/ and agents in agents/ to manifests, without a cluster."""
    from agentjobs.cli.files.documents import all_to_yaml, to_yaml

    found = manifests(paths, namespace)
    if folder:
        for path, body in _paths(folder, found):
            _write(path, to_yaml(body))
            screen.say(str(path))
    elif output is options.Output.NAME:
        for body in found:
            screen.say(options.name_of(body))
    elif output is options.Output.JSON:
        options.dump({"apiVersion": "v1", "kind": "List", "metadata": {}, "items": found}, output)
    else:
        screen.exact(lambda unicode: all_to_yaml(found, unicode=unicode).rstrip("\n"))


def _paths(folder: Path, bodies: list[Json]) -> list[tuple[Path, Json]]:
    """One file for each job, directly in the folder.

    Raises CliError for a name that no job can have: it could name another place.
    """
    from agentjobs.api.rules import JOB_NAME

    for body in bodies:
        name = str(body["metadata"]["name"])
        if problem := JOB_NAME.problem(name):
            raise CliError(f"metadata.name {name[:100]!r} {problem}", "rename the job", Exit.USAGE)
        if _DEVICES.fullmatch(name):
            raise CliError(
                f"{name}.yaml is a device on Windows, not a file",
                "rename the job, or leave --to out",
                Exit.USAGE,
            )
    return [(folder / f"{body['metadata']['name']}.yaml", body) for body in bodies]


def _write(path: Path, text: str) -> None:
    """At once, in the place of whatever is called so: a link is exchanged and not followed.

    Raises CliError.
    """
    import tempfile

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            "w", dir=path.parent, prefix=".", suffix=".tmp", delete=False, encoding="utf-8"
        ) as file:
            file.write(text)
        try:
            Path(file.name).chmod(0o666 & ~_umask())
            Path(file.name).replace(path)
        except OSError:
            Path(file.name).unlink()
            raise
    except OSError as error:
        raise CliError(
            f"{path}: {error.strerror}", "name another folder with --to", Exit.USAGE
        ) from None


def _umask() -> int:
    now = os.umask(0o077)
    os.umask(now)
    return now


def manifests(paths: list[Path] | None, namespace: str | None) -> list[Json]:
    """Of these files, or of the folders that a repository has. Each name once. Raises CliError."""
    from agentjobs.cli.files.manifests import jobs_in
    from agentjobs.cli.files.together import clash

    jobs = jobs_in(chosen(paths))
    if found := clash(jobs):
        raise found.problem
    bodies = [dict(job.manifest) for job in jobs]
    return (
        [{**body, "metadata": {**body["metadata"], "namespace": namespace}} for body in bodies]
        if namespace
        else bodies
    )


def chosen(paths: list[Path] | None) -> list[Path]:
    """These, or the folders that a repository has. Raises CliError where it has none."""
    from agentjobs.cli.files.manifests import RENDERED

    found = paths or [Path(name) for name in RENDERED if Path(name).is_dir()]
    if not found:
        raise CliError(
            "there is neither jobs/ nor agents/ here",
            "name files, or go to the folder that has them",
            Exit.USAGE,
        )
    return found
