"""The card: what a person reads before approving."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from agentjobs.api.card import Card
from agentjobs.core import naming
from agentjobs.core.approval.remarks import remarks
from agentjobs.core.content.changes import changes
from agentjobs.core.content.confusables import visible
from agentjobs.core.content.digest import Content
from agentjobs.core.content.packages import Packages, card_lines
from agentjobs.core.schedules import next_starts
from agentjobs.core.schedules.description import of_job
from agentjobs.core.schedules.windows import Draw
from agentjobs.core.triggers import events
from agentjobs.core.workload import sessions
from agentjobs.core.workload.llm import Models

STARTS_ON_CARD = 3
MAX_DESCRIPTION = 4096
MAX_LINE = 512


def card(
    name: str,
    content: Content,
    packages: Packages,
    models: Models,
    now: datetime,
    runs: Content | None = None,
    draw: Draw = next_starts.NO_DRAW,
) -> Card:
    """The card of the spec as it is now, approved or not.

    `runs`: the content in force; the card shows how the spec differs from it.
    """
    spec = content.spec
    references = [v.value_from.secret_key_ref for v in spec.env if v.value_from]
    if key := models.key_of(spec):
        references.append(key)
    return Card(
        digest=content.digest,
        name=name,
        description=visible(spec.description, MAX_DESCRIPTION),
        schedule=of_job(spec),
        next_starts=tuple(
            start.isoformat()
            for start in next_starts.next_starts(spec.schedule, now, STARTS_ON_CARD, draw)
        ),
        triggers=tuple(visible(line, MAX_LINE) for line in events.words(spec)),
        session=spec.session,
        packages=card_lines(spec.packages, packages),
        variables=tuple(variable.name for variable in spec.env),
        secrets=tuple(
            dict.fromkeys(f"{reference.name}/{reference.key}" for reference in references)
        ),
        claims=tuple(_claims(name, content)),
        tools=spec.agent.tools if spec.agent else (),
        model=models.words(spec),
        timeout_seconds=spec.timeout_seconds,
        changes=() if runs and runs.digest == content.digest else changes(runs, content),
        warnings=tuple(visible(line, MAX_LINE) for line in remarks(spec, models, now, draw)),
    )


def _claims(name: str, content: Content) -> Iterator[str]:
    if content.spec.workspace:
        yield content.spec.workspace.claim_name
    if sessions.continuous(content.spec):
        yield naming.claim_name(name)
