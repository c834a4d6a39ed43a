"""The time zone of the machine, for a question's default."""

from __future__ import annotations

from pathlib import Path
from typing import Final

UTC: Final = "Etc/UTC"
LOCALTIME: Final = Path("/etc/localtime")
"""A link into the time zones of the system."""
WRITTEN: Final = Path("/etc/timezone")
"""Where Debian writes the name, too."""
NONE_OF_THEM: Final = frozenset("posix right local localtime posixrules factory".split())
"""Files and folders beside the time zones, which the API server takes for none."""


def of_machine(localtime: Path = LOCALTIME, written: Path = WRITTEN) -> str:
    """An IANA name, by the system's files; UTC where none of them holds one.

    A shell's TZ says nothing about the machine.
    """
    return _known(_link(localtime)) or _known(_text(written)) or UTC


def _known(name: str) -> str:
    """The name, if jobs can have it; else nothing."""
    from agentjobs.api.schedule import Schedule
    from agentjobs.core.errors import UserError
    from agentjobs.core.schedules import next_starts

    if name.partition("/")[0].lower() in NONE_OF_THEM:
        return ""
    try:
        next_starts.check(Schedule.model_validate({"cron": "0 0 * * *", "timeZone": name}))
    except (UserError, ValueError):
        return ""
    return name


def _link(path: Path) -> str:
    try:
        return str(path.readlink()).partition("zoneinfo/")[2]
    except OSError:
        return ""


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except (OSError, UnicodeDecodeError):
        return ""
