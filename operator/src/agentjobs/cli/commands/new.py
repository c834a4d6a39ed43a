"""`kubectl saj new`: a job's file, from answers or from a script that is there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final

import typer

from agentjobs.cli import screen
from agentjobs.cli.kube import Json
from agentjobs.cli.problem import Exit, Problem

BODY: Final = 'import os\n\nprint("hello from", os.environ.get("JOB_RUN_ID", "a run by hand"))\n'


def run(
    script: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="A script or Markdown file that gets a header.", show_default=False)
    ] = None,
    name: Annotated[str | None, typer.Option("--name", help="Name of the job.", show_default=False)] = None,
    description: Annotated[str | None, typer.Option("--description", "-d", help="What it is for.", show_default=False)] = None,
    schedule: Annotated[str | None, typer.Option("--schedule", "-s", help='Five cron fields; "" for none.', show_default=False)] = None,
    time_zone: Annotated[str, typer.Option("--time-zone", "-z", help="IANA name.")] = "Etc/UTC",
    package: Annotated[list[str] | None, typer.Option("--package", "-p", help="NAME==VERSION, repeatable.", show_default=False)] = None,
) -> None:
    """Write a job: a script with a header, in jobs/, or the header for a script or an agent file. What is not given is asked."""
    from agentjobs.api.rules import JOB_NAME
    from agentjobs.cli.contents import content_of
    from agentjobs.cli.files import agents, scripts
    from agentjobs.cli.files.manifests import read

    as_agent = script is not None and script.suffix == ".md"
    kind = agents if as_agent else scripts
    body = read(script) if script else BODY
    if _has_header(kind.manifest, script, body):
        raise Problem(f"{script}: it has a header already", f"edit that; `kubectl saj render {script}` shows what it means", Exit.USAGE)
    named = name or (script.stem.replace("_", "-") if script else screen.asked("Name of the job"))
    spec: Json = {"description": description or screen.asked("What is it for, in a sentence")}
    cron = schedule if schedule is not None else screen.asked('When, as five cron fields such as "0 8 * * 1"; empty for by hand only', "")
    if cron:
        spec["schedule"] = {"cron": cron, "timeZone": time_zone}
    spec.update({"packages": package} if package else {})
    if problem := JOB_NAME.problem(named):
        raise Problem(f"the name {named[:100]!r} {problem}", "choose another --name", Exit.USAGE)
    text = kind.written(named, spec, body)
    content_of(named, {**spec, **({"agent": {"instructions": body}} if as_agent else {"script": {"inline": text}})}, f"job {named}")
    path = script or Path("jobs") / f"{named.replace('-', '_')}.py"
    if not script and path.exists():
        raise Problem(f"{path} is there already", "choose another --name", Exit.USAGE)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    except OSError as error:
        raise Problem(f"{path}: {error.strerror}", "choose another place", Exit.USAGE) from None
    screen.say(f"{path} is written; next: `kubectl saj apply {path}`, and `kubectl saj approve {named}`")


def _has_header(manifest: Callable[[str, str], object], script: Path | None, body: str) -> bool:
    """Raises Problem for one that is wrong."""
    from agentjobs.cli.files.scripts import ScriptError

    try:
        return bool(manifest("x", body))
    except ScriptError as error:
        raise Problem(f"{script}:{error.line}: {error}", error.remedy, Exit.USAGE) from None
