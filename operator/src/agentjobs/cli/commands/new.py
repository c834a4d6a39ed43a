"""`kubectl saj new`: a job's file, from answers or from a script that is there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Final

import typer

from agentjobs.cli import screen
from agentjobs.cli.errors import CliError, Exit
from agentjobs.cli.kube import Json
from agentjobs.cli.zone import UTC, of_machine

Wrong = Callable[[str], str]
"""From an answer to the sentence that says why it cannot be taken; empty if it can."""
BODY: Final = 'import os\n\nprint("hello from", os.environ.get("JOB_RUN_ID", "a run by hand"))\n'


FILE: Final = typer.Argument(
    metavar="[FILE]", help="A script or Markdown file that gets a header.", show_default=False
)
NAME: Final = typer.Option("--name", help="Name of the job.", show_default=False)
DESCRIPTION: Final = typer.Option("--description", "-d", help="What it is for.", show_default=False)
SCHEDULE: Final = typer.Option(
    "--schedule", "-s", help='Five cron fields; "" for none.', show_default=False
)
TIME_ZONE: Final = typer.Option(
    "--time-zone",
    "-z",
    help=f"IANA name; if left out it is asked on a terminal, else {UTC}.",
    show_default=False,
)
PACKAGE: Final = typer.Option(
    "--package", "-p", help="NAME==VERSION, repeatable.", show_default=False
)


def run(
    script: Annotated[Path | None, FILE] = None,
    name: Annotated[str | None, NAME] = None,
    description: Annotated[str | None, DESCRIPTION] = None,
    schedule: Annotated[str | None, SCHEDULE] = None,
    time_zone: Annotated[str | None, TIME_ZONE] = None,
    package: Annotated[list[str] | None, PACKAGE] = None,
) -> None:
    """Write a job: a script with a header, in jobs/, or the header for a script or an agent file.

    What is not given is asked.
    """
    from agentjobs.cli.contents import content_of
    from agentjobs.cli.files import agents, scripts
    from agentjobs.cli.files.manifests import read

    as_agent = script is not None and script.suffix == ".md"
    kind = agents if as_agent else scripts
    body = read(script) if script else BODY
    if _has_header(kind.manifest, script, body):
        raise CliError(
            f"{script}: it has a header already",
            f"edit that; `kubectl saj render {script}` shows what it means",
            Exit.USAGE,
        )
    named = name or (script.stem.replace("_", "-") if script else None)
    wrong_name = _wrong_name if script else _wrong_new_name
    _refuse({"--name": (named, wrong_name), "--description": (description, _wrong_description)})
    _refuse({"--schedule": (schedule, _wrong_cron), "--time-zone": (time_zone, _wrong_zone)})
    named = named or screen.asked("Name of the job", wrong_name)
    spec: Json = {
        "description": description
        or screen.asked("What is it for, in a sentence", _wrong_description)
    }
    spec.update(_schedule(schedule, time_zone))
    spec.update({"packages": package} if package else {})
    text = kind.written(named, spec, body)
    program = {"agent": {"instructions": body}} if as_agent else {"script": {"inline": text}}
    content_of(named, {**spec, **program}, f"job {named}")
    _write(script or _path(named), text, named)


def _write(path: Path, text: str, job: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    except OSError as error:
        raise CliError(f"{path}: {error.strerror}", "choose another place", Exit.USAGE) from None
    screen.say(
        f"{path} is written; next: `kubectl saj apply {path}`, and `kubectl saj approve {job}`"
    )


def _schedule(cron: str | None, time_zone: str | None) -> Json:
    """What is not given is asked; the time zone only of a schedule, and only of a person."""
    if cron is None:
        cron = screen.asked(
            'When, as five cron fields such as "0 8 * * 1"; empty for by hand only', _wrong_cron, ""
        )
    if not cron:
        return {}
    if time_zone is None and screen.can_ask():
        time_zone = screen.asked("In which time zone", _wrong_zone, of_machine())
    return {"schedule": {"cron": cron, "timeZone": time_zone or UTC}}


def _path(name: str) -> Path:
    return Path("jobs") / f"{name.replace('-', '_')}.py"


def _refuse(options: Mapping[str, tuple[str | None, Wrong]]) -> None:
    """What was given is looked at before anything is asked. Raises CliError."""
    for option, (value, wrong) in options.items():
        if value and (reason := wrong(value)):
            raise CliError(reason, f"choose another {option}", Exit.USAGE)


def _wrong_name(name: str) -> str:
    from agentjobs.api.rules import JOB_NAME

    problem = JOB_NAME.problem(name)
    return f"the name {name[:100]!r} {problem}" if problem else ""


def _wrong_new_name(name: str) -> str:
    return _wrong_name(name) or (f"{_path(name)} is there already" if _path(name).exists() else "")


def _wrong_description(text: str) -> str:
    return _wrong({"description": text})


def _wrong_cron(cron: str) -> str:
    return _wrong({"schedule": {"cron": cron}}) if cron else ""


def _wrong_zone(zone: str) -> str:
    return _wrong({"schedule": {"cron": "0 0 * * *", "timeZone": zone}})


def _wrong(spec: Json) -> str:
    """What a job with these fields is refused for; nothing when it is not."""
    from agentjobs.cli.contents import content_of

    try:
        content_of("job", {"description": "x", "script": {"inline": "x"}, **spec})
    except CliError as problem:
        return problem.message.removeprefix("job: ")
    return ""


def _has_header(manifest: Callable[[str, str], object], script: Path | None, body: str) -> bool:
    """Raises CliError for one that is wrong."""
    from agentjobs.cli.files.scripts import ScriptError

    try:
        return bool(manifest("x", body))
    except ScriptError as error:
        raise CliError(f"{script}:{error.line}: {error}", error.remedy, Exit.USAGE) from None
