"""`kubectl saj cards`, and what a card looks like."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Final

import typer

from agentjobs.cli import options, rows
from agentjobs.cli.kube import JOBS, Json, Kube
from agentjobs.cli.text import at, one_line, painted, span, visible

LABELS: Final = {
    "schedule": "Schedule",
    "nextStarts": "Next",
    "triggers": "Triggers",
    "session": "Session",
    "packages": "Packages",
    "variables": "Variables",
    "secrets": "Secrets",
    "claims": "Volumes",
    "tools": "Tools",
    "model": "Model",
    "timeoutSeconds": "Limit",
    "changes": "Changes",
    "digest": "Digest",
}
"""In the order in which they are read. What a newer operator adds comes at the end, under its own name."""
_ABOVE: Final = ("name", "description")
_WIDTH: Final = 11


def lines(job: Json, *, colour: bool, changes: bool = True) -> Iterator[str]:
    """A job's card; without `changes` where the whole difference follows. Pure."""
    card: Json = at(job, "status", "card") or {}
    word = rows.approval(job)
    yield painted(one_line(at(job, "metadata", "name")), "bold" * colour) + "   " + painted(word, rows.colour_of(word) * colour)
    yield from (f"  {line}" for line in visible(str(card.get("description", ""))).splitlines())
    for field in (*LABELS, *sorted(card.keys() - LABELS.keys() - set(_ABOVE))):
        if changes or field != "changes":
            yield from _entry(_label(field, job), _words(field, card.get(field)))


def _label(field: str, job: Json) -> str:
    if field == "changes" and not at(job, "status", "approval", "digest"):
        return "Content"
    return LABELS.get(field, field)


def _words(field: str, value: Any) -> list[str]:
    if field == "timeoutSeconds" and value:
        return [span(int(value))]
    if field == "changes":
        return [visible(str(line)) for line in value or ()]
    if isinstance(value, list):
        return [one_line(entry) for entry in value]
    return [] if value in (None, "", {}) else [one_line(value)]


def _entry(label: str, values: list[str]) -> Iterator[str]:
    for number, value in enumerate(values):
        yield f"  {'' if number else label:<{_WIDTH}}{value}"


@options.on_cluster
def run(
    kube: Kube,
    jobs: Annotated[list[str] | None, typer.Argument(metavar="[JOB]...", help="Jobs; all that wait for a decision if left out.")] = None,
    output: options.Format = options.Output.TABLE,
) -> None:
    """Show the cards of jobs that wait for a decision: what an approver is asked."""
    found = [kube.get(JOBS, job) for job in jobs] if jobs else [job for job in kube.all(JOBS) if rows.waits(job)]
    if output not in (options.Output.TABLE, options.Output.WIDE):
        options.show([found], (), output, empty="")
        return
    for number, job in enumerate(found):
        if number:
            options.say()
        for line in lines(job, colour=options.on_terminal()):
            options.say(line)
    if not found:
        options.note(f"no job in namespace {kube.namespace} waits for a decision")
