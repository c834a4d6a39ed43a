"""`kubectl saj cards`, and what a card looks like on a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Final

import typer

from agentjobs.cli import options, screen
from agentjobs.cli.kube import JOBS, Json, Kube
from agentjobs.cli.text import painted
from agentjobs.present import cards, rows
from agentjobs.present.text import Line, at, folded, joined, one_line, visible

_WIDTH: Final = 11
_MARGIN: Final = 2


def lines(job: Json, *, colour: bool, changes: bool = True, width: int = 0) -> Iterator[Line]:
    """A job's card; without `changes` where the whole difference follows.

    `width` of the screen. Pure.

    Labels stand at the left, and nothing else does: whatever is written in a description, it cannot
    look like a field of the card.
    """
    word = rows.approval(job)
    name = painted(one_line(at(job, "metadata", "name")), "heading" if colour else "")
    yield joined(name, visible("   "), painted(word, rows.tone_of(word) if colour else ""))
    for label, values in cards.entries(job, changes=changes):
        yield from _entry(label, values, width)


def _entry(label: Line, values: list[Line], width: int) -> Iterator[Line]:
    """The label, then each value below the other, folded at the same column."""
    room = max(width - _MARGIN - _WIDTH, 20) if width else 0
    parts = [part for value in values for part in folded(value, room)]
    for number, part in enumerate(parts):
        head = (
            visible(" " * (_MARGIN + _WIDTH))
            if number
            else visible(f"{' ' * _MARGIN}{label:<{_WIDTH}}")
        )
        yield joined(head, part)


@options.on_cluster
def run(
    kube: Kube,
    jobs: Annotated[
        list[str] | None,
        typer.Argument(metavar="[JOB]...", help="Jobs; all that wait for a decision if left out."),
    ] = None,
    output: options.Format = options.Output.TABLE,
) -> None:
    """Show the cards of jobs that wait for a decision: what an approver is asked."""
    found = (
        [kube.job(job) for job in jobs]
        if jobs
        else [job for job in kube.all(JOBS) if rows.waits(job)]
    )
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
