"""The reference pages are what the commands and the models say."""

from __future__ import annotations

import pytest

from agentjobs.cli.errors import Exit
from agentjobs.cli.main import app
from hack import reference, values


@pytest.mark.parametrize("name", reference.PAGES)
def test_the_reference_is_current(name: str) -> None:
    assert getattr(reference, name)() == reference.PAGES[name].read_text(), (
        "the code says something else: `make docs`"
    )


@pytest.mark.parametrize("name", values.FILES)
def test_the_values_of_the_chart_are_current(name: str) -> None:
    assert getattr(values, name)() == values.FILES[name].read_text(), (
        "settings or values.yaml say something else: `make docs`"
    )


def test_every_exit_code_is_explained() -> None:
    assert reference.CODES.keys() == set(Exit)


def test_every_command_and_every_field_is_in_it() -> None:
    assert reference.cli().count("\n### kubectl saj ") == len(app.registered_commands) + 5
    for field in (
        "spec.schedule.cron",
        "spec.env[].valueFrom.secretKeyRef.key",
        "status.card.nextStarts",
        "spec.cancel",
    ):
        assert f"| `{field}` |" in reference.api()
