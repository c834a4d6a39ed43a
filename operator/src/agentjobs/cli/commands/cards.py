"""`kubectl saj cards`, and what a card looks like."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Final

import typer

from agentjobs.cli import options, rows, screen
from agentjobs.cli.kube import JOBS, Json, Kube
from agentjobs.cli.text import Line, at, folded, joined, lines_of, named, one_line, painted, span, visible

LABELS: Final = {
    "description": "Purpose",
    "schedule": "Schedule",
    "nextStarts": "Next",
    "warnings": "Warning",
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
_ABOVE: Final = ("name",)
_WIDTH: Final = 11
_MARGIN: Final = 2


def lines(job: Json, *, colour: bool, changes: bool = True, width: int = 0) -> Iterator[Line]:
    """A job's card; without `changes` where the whole difference follows. `width` of the screen. Pure.

    Labels stand at the left, and nothing else does: whatever is written in a description, it cannot look like a field of the card.
    """
    card: Json = at(job, "status", "card") or {}
    word = rows.approval(job)
    name = painted(one_line(at(job, "metadata", "name")), "bold" * colour)
    yield joined(name, visible("   "), painted(word, rows.colour_of(word) * colour))
    yield from _entry(visible("In force"), _in_force(job), width)
    for field in (*LABELS, *sorted(card.keys() - LABELS.keys() - set(_ABOVE))):
        if changes or field != "changes":
            yield from _entry(_label(field, job), _words(field, card.get(field)), width)


def _in_force(job: Json) -> list[Line]:
    """Where the card is of a change: by which schedule the approved content goes on meanwhile."""
    if at(job, "status", "approval", "state") != "Changed" or not at(job, "status", "schedule"):
        return []
    start = at(job, "status", "nextRunAt")
    told = f"{at(job, 'status', 'schedule')}{f', next {start}' if start else ''}"
    return [one_line(f"{told}; what follows is the change")]


def _label(field: str, job: Json) -> Line:
    if field == "changes" and not at(job, "status", "approval", "digest"):
        return visible("Content")
    return one_line(LABELS.get(field, field))


def _words(field: str, value: Any) -> list[Line]:
    if field == "timeoutSeconds" and isinstance(value, int):
        return [span(value)]
    if field == "description":
        return lines_of(str(value)) if value else []
    if field == "changes":
        return [visible(line) for entry in value or () for line in str(entry).split("\n")]
    if isinstance(value, list):
        return [named(entry) for entry in value]
    return [] if value in (None, "", {}) else [named(value)]


def _entry(label: Line, values: list[Line], width: int) -> Iterator[Line]:
    """The label, then each value below the other, folded at the same column."""
    room = max(width - _MARGIN - _WIDTH, 20) if width else 0
    parts = [part for value in values for part in folded(value, room)]
    for number, part in enumerate(parts):
        head = visible(" " * (_MARGIN + _WIDTH)) if number else visible(f"{' ' * _MARGIN}{label:<{_WIDTH}}")
        yield joined(head, part)


@options.on_cluster
def run(
    kube: Kube,
    jobs: Annotated[list[str] | None, typer.Argument(metavar="[JOB]...", help="Jobs; all that wait for a decision if left out.")] = None,
    output: options.Format = options.Output.TABLE,
) -> None:
    """Show the cards of jobs that wait for a decision: what an approver is asked."""
    found = [kube.job(job) for job in jobs] if jobs else [job for job in kube.all(JOBS) if rows.waits(job)]
    if output not in (options.Output.TABLE, options.Output.WIDE):
        options.show([found], (), output, empty="")
        return
    for number, job in enumerate(found):
        if number:
            screen.say()
        for line in lines(job, colour=screen.on_terminal(), width=screen.width()):
            screen.put(line)
    if not found:
        screen.note(f"no job in namespace {kube.namespace} waits for a decision")
