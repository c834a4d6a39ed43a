"""What the operator writes into a revision and a pod is what the agent's program reads there."""

from __future__ import annotations

import json
from typing import Any

import pytest

from agentjobs.api import agent as api
from agentjobs.api import agent_rules
from agentjobs.api.job import ScheduledAgentJobSpec
from agentjobs.core import manifests, models, outcome, sessions
from agentjobs.core.approval import content
from agentjobs_pi import call, instructions, places
from agentjobs_pi.instructions import Agent
from agentjobs_pi.models import Models
from agentjobs_runner import agents
from tests import manifests as written
from tests.unit.test_models import MODELS, variables


def as_read(**fields: Any) -> Agent:
    """The way of an agent from its job through the frozen content into its program."""
    spec = ScheduledAgentJobSpec.model_validate(written.agent_job(agent=fields)["spec"])
    return Agent.of(json.loads(content("report", spec).document)["spec"]["agent"])


@pytest.mark.parametrize("fields", [{}, {"tools": []}, {"tools": ["bash"], "model": "a/b", "maxTurns": 7, "startingMessage": "begin"}])
def test_an_agent_is_read_as_it_was_approved_defaults_included(fields: dict[str, Any]) -> None:
    wanted = api.Agent.model_validate({"instructions": "# Write the report\n"} | fields)
    read = as_read(**fields)
    assert (read.instructions, read.starting_message, read.tools) == (wanted.instructions, wanted.starting_message, wanted.tools)
    assert (read.max_turns, read.model) == (wanted.max_turns, wanted.model or "")


def test_the_defaults_are_the_same_and_safe() -> None:
    assert instructions.TOOLS == call.SAFE_TOOLS == api.DEFAULT_TOOLS
    assert set(api.DEFAULT_TOOLS) == set(agent_rules.TOOLS) - {"bash"}


def test_both_sides_name_variables_and_places_alike() -> None:
    assert (places.MODEL_VARIABLE, places.MODELS_VARIABLE, places.KEY_VARIABLE) == (
        models.MODEL_VARIABLE, models.MODELS_VARIABLE, models.KEY_VARIABLE,
    )  # fmt: skip
    assert places.SESSION_VARIABLE == agents.SESSION == sessions.SESSION_VARIABLE
    assert str(places.WORKSPACE) == manifests.WORKSPACE
    assert str(places.NOTES) == f"/{agents.NOTES}"
    assert str(places.REVISION) == f"{manifests.REVISION_DIRECTORY}/{manifests.REVISION_KEY}"
    assert outcome.SESSION_BUSY in agents.hold_session.__code__.co_consts


def test_what_a_pod_is_told_of_models_can_be_called_with_its_key() -> None:
    given = {name: value for name, value in variables().items() if isinstance(value, str)}
    read = Models.from_environment(given | {"AGENTJOBS_MODEL_KEY": "sk-1"})
    assert read.chosen == MODELS.default
    assert [read.check(name) for name in ("house/small", "house/large")] == [True, False]
    assert read.configuration()["providers"]["house"]["apiKey"] == "$AGENTJOBS_MODEL_KEY"
