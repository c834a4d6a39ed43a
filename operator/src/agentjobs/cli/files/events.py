"""An event in a file, in CloudEvents' JSON format."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from agentjobs.cli.errors import CliError, Exit
from agentjobs.cli.kube import Json

if TYPE_CHECKING:
    from agentjobs.api.event import Event

NAMED: Final = 5
"""Attributes in one sentence."""
ATTRIBUTES: Final = (
    "an event is one JSON object with at least type, source and id; type and source are those that"
    " the job's triggers name"
)


def event_in(path: Path) -> Event:
    """The event that this file holds, or standard input for `-`. Raises CliError."""
    from pydantic import ValidationError

    from agentjobs.api.base import explain
    from agentjobs.api.event import Event
    from agentjobs.cli.files.manifests import called, read
    from agentjobs.core.views.event import size_problem

    where = called(path)
    attributes = _attributes(where, read(path))
    if unknown := [name for name in attributes if name not in Event.model_fields]:
        raise _unsupported(where, unknown, list(Event.model_fields))
    try:
        event = Event.model_validate(attributes)
    except ValidationError as error:
        raise CliError(f"{where}: {explain(error, 'event')}", ATTRIBUTES, Exit.USAGE) from None
    if problem := size_problem(event):
        raise CliError(
            f"{where}: {problem.removeprefix('spec.trigger.')}",
            "put what is large where the job can fetch it, and its address into the data",
            Exit.USAGE,
        )
    return event


def _attributes(where: str, text: str) -> Json:
    from agentjobs.cli.files.json_text import JsonError, from_json

    try:
        found: Any = from_json(text)
    except JsonError as error:
        raise CliError(
            f"{where}:{error.line}: {error}", f"{error.remedy}; {ATTRIBUTES}", Exit.USAGE
        ) from None
    if not isinstance(found, dict):
        raise CliError(f"{where}:1: this is not an event", ATTRIBUTES, Exit.USAGE)
    if found.pop("specversion", "1.0") != "1.0":
        raise CliError(
            f"{where}: event.specversion is not 1.0",
            "write the event as CloudEvents 1.0 has it",
            Exit.USAGE,
        )
    if "data_base64" in found:
        remedy = "put text or JSON into data, or the address where the job can fetch the bytes"
        raise CliError(
            f"{where}: event.data_base64: binary data is not supported", remedy, Exit.USAGE
        )
    return found


def _unsupported(where: str, unknown: Sequence[str], known: Sequence[str]) -> CliError:
    """Extensions of CloudEvents are these, and attributes that are written wrong."""
    named = ", ".join(f"event.{name[:100]}" for name in unknown[:NAMED]) + (
        f" and {len(unknown) - NAMED} more" if unknown[NAMED:] else ""
    )
    message = (
        "these attributes are not supported" if unknown[1:] else "this attribute is not supported"
    )
    remedy = (
        f"supported are specversion, {', '.join(known)}; put what the script needs of an extension"
        " into data"
    )
    return CliError(f"{where}: {named}: {message}", remedy, Exit.USAGE)
