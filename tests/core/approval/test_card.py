"""A card says all that its reader must know; nothing on it can hide or pass for something else."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

import pytest
from hypothesis import given
from pydantic import ValidationError

from agentjobs.api.card import Card
from agentjobs.api.job import ScheduledAgentJobSpec
from agentjobs.cli.commands import cards
from agentjobs.core.approval.card import card
from agentjobs.core.content.digest import content
from agentjobs.core.content.packages import Packages
from agentjobs.core.errors import UserError
from agentjobs.core.workload.llm import Models
from tests.support import manifests
from tests.support.cli.jobs import job
from tests.support.corpus.any_spec import SOURCES, SPECS

NOW: Final = datetime(2026, 11, 24, 12, tzinfo=UTC)
SHOWN_WITH_NAMES: Final = ("description", "triggers", "changes")
"""Texts that may hold any character; `core.visible` shows it as what it is."""
AGENT: Final = {"instructions": "x"}
PLACES: Final[dict[str, Any]] = {
    "cron": lambda text: {"schedule": {"cron": f"0 8 * * 1{text}"}},
    "timeZone": lambda text: {"schedule": {"cron": "0 8 * * 1", "timeZone": f"Etc/UTC{text}"}},
    "packages": lambda text: {"packages": [f"si{text}x==1.0"]},
    "the name of a variable": lambda text: {"env": [{"name": f"A{text}", "value": "x"}]},
    "the name of a Secret": lambda text: {
        "env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": f"a{text}b", "key": "k"}}}]
    },
    "a key of a Secret": lambda text: {
        "env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "a", "key": f"a{text}b"}}}]
    },
    "the name of a claim": lambda text: {"workspace": {"claimName": f"a{text}b"}},
    "tools": lambda text: {"script": None, "agent": {**AGENT, "tools": [f"rea{text}d"]}},
    "model": lambda text: {"script": None, "agent": {**AGENT, "model": f"open{text}ai/x"}},
}


def shown(written: dict[str, Any]) -> Card:
    return card(
        "report",
        content("report", ScheduledAgentJobSpec.model_validate(written), SOURCES),
        Packages(),
        Models(),
        NOW,
    )


@pytest.mark.slow
@given(SPECS)
def test_whatever_the_spec_every_text_of_its_card_is_plain(written: dict[str, Any]) -> None:
    told = shown(written)
    short = told.model_copy(update=dict.fromkeys(SHOWN_WITH_NAMES, ""))
    texts = [part for field in Card.model_fields for part in _texts(getattr(short, field))]
    assert [text for text in texts if not (text.isascii() and text.isprintable())] == []
    assert all(
        character.isprintable() or character in "\n\t"
        for line in (told.description, *told.triggers, *told.changes)
        for character in line
    )


def _texts(value: object) -> list[str]:
    return [value] if isinstance(value, str) else list(value) if isinstance(value, tuple) else []


@pytest.mark.parametrize(
    "character", ["\u200b", "\u0430", "\u202e", "\u2215", "\uff0e", "\n"], ids=ascii
)
@pytest.mark.parametrize("where", PLACES)
def test_names_and_choices_cannot_hold_what_hides_or_deceives(where: str, character: str) -> None:
    ScheduledAgentJobSpec.model_validate(manifests.job(**PLACES[where](""))["spec"])
    with pytest.raises((ValidationError, UserError)):
        shown(manifests.job(**PLACES[where](character))["spec"])


@pytest.mark.slow
@given(SPECS)
def test_a_first_card_is_enough_to_write_the_job_anew(written: dict[str, Any]) -> None:
    """Each value of the content stands somewhere on it, as far as it is short."""
    spec = ScheduledAgentJobSpec.model_validate(written)
    told = shown(written)
    if "left out" in (told.changes or [""])[-1]:
        return
    for variable in spec.env:
        assert any(line.startswith(f"env[{variable.name}].value") for line in told.changes)
    fields = {
        "script.inline",
        "agent.instructions",
        "resources.limits.cpu",
        "resources.requests.memory",
        "pauseAfterFailures",
    }
    document = content("report", spec, SOURCES).spec.model_dump(
        by_alias=True, exclude_defaults=True
    )
    for path in fields:
        value: Any = document
        for step in path.split("."):
            value = value.get(step) if isinstance(value, dict) else None
        assert (value is None) == (not any(line.startswith(f"{path}:") for line in told.changes)), (
            path
        )


def test_what_is_in_force_is_not_told_again() -> None:
    found = content("report", ScheduledAgentJobSpec.model_validate(manifests.job()["spec"]))
    assert card("report", found, Packages(), Models(), NOW).changes
    assert card("report", found, Packages(), Models(), NOW, found).changes == ()


def test_the_command_line_keeps_the_indentation_of_a_script() -> None:
    waiting = job(
        "mail",
        approval={"state": "Pending"},
        card={"changes": ["script.inline:", "+if x:", "+    y = 1"]},
    )
    lines: list[str] = list(cards.lines(waiting, colour=False))
    at = lines.index("  Content    script.inline:")
    assert lines[at + 1 : at + 3] == ["             +if x:", "             +    y = 1"]
    changed = job(
        "links",
        approval={"state": "Changed", "digest": "f" * 64},
        card={"changes": ["timeoutSeconds: 60 -> 70"]},
    )
    assert "  Changes    timeoutSeconds: 60 -> 70" in list[str](cards.lines(changed, colour=False))
