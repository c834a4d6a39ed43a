"""An approver is told of what is valid and still will not do what it says."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from agentjobs.api.job import ScheduledAgentJobSpec
from agentjobs.core.approval.remarks import remarks
from agentjobs.core.workload.llm import Models
from tests.support import manifests as written

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


def agent(**fields: Any) -> dict[str, Any]:
    return dict(written.agent_job(agent=fields)["spec"])


@pytest.mark.parametrize(
    ("models", "spec", "said"),
    [
        (
            {},
            {},
            (
                "the agent names no model, and the installation has no default model: every run"
                " will fail"
            ),
        ),
        (
            {},
            {"model": "openai/gpt-9"},
            (
                "the installation has no model openai/gpt-9: every run will fail; the models that"
                " it has: none"
            ),
        ),
        (
            {"env": "KEY"},
            {"model": "some/m"},
            (
                "the key of the model some/m comes from the variable KEY, which spec.env does not"
                " set: every run will fail"
            ),
        ),
        (
            {"env": "KEY"},
            {"model": "some/other"},
            (
                "the installation has no model some/other: every run will fail; the models that it"
                " has: some/m"
            ),
        ),
        ({"secret": {"name": "keys", "key": "k"}}, {"model": "some/m"}, None),
    ],
)
def test_a_card_warns_of_a_model_or_key_that_the_installation_lacks(
    models: dict[str, Any], spec: dict[str, Any], said: str | None
) -> None:
    provider = {
        "api": "openai-completions",
        "baseUrl": "http://x",
        "models": [{"id": "m"}],
        **models,
    }
    offered = Models.model_validate({"providers": {"some": provider}} if models else {})
    agent = ScheduledAgentJobSpec.model_validate(
        {"description": "x", "agent": {"instructions": "x", **spec}}
    )
    assert list(remarks(agent, offered, NOW)) == ([said] if said else [])


def test_a_script_might_call_no_model_so_its_card_does_not_warn() -> None:
    script = ScheduledAgentJobSpec.model_validate(
        {"description": "x", "script": {"inline": "print(1)\n"}}
    )
    assert list(remarks(script, Models(), NOW)) == []


@pytest.mark.parametrize(
    ("schedule", "said"),
    [
        ({"cron": "0 8 * * 1"}, None),
        ({}, None),
        ({"once": {"runAt": "2026-12-01T09:00:00"}}, None),
        (
            {"once": {"runAt": "2026-11-01T09:00:00"}},
            (
                "the only start, 2026-11-01T09:00:00+00:00, is in the past: the job will not start"
                " by itself"
            ),
        ),
        (
            {"cron": "0 8 30 2 *"},
            "the schedule matches no day in the next five years: the job will not start by itself",
        ),
    ],
)
def test_a_schedule_without_a_start_to_come_is_told(
    schedule: dict[str, Any], said: str | None
) -> None:
    spec = ScheduledAgentJobSpec.model_validate(written.job(schedule=schedule)["spec"])
    assert list(remarks(spec, Models(), NOW)) == ([said] if said else [])
