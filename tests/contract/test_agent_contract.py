"""What the operator writes into a revision and a pod is what the agent's program reads there."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from agentjobs.api import agent as api
from agentjobs.api import agent_rules, variable_rules
from agentjobs.api.job import ScheduledAgentJobSpec
from agentjobs.core.content.digest import content
from agentjobs.core.runs import outcome
from agentjobs.core.workload import llm, pod, records, sessions
from agentjobs_pi import call, instructions, places
from agentjobs_pi.instructions import Agent
from agentjobs_pi.models import Models
from agentjobs_runner import agents, notes
from tests.support import manifests as written
from tests.support.models import MODELS, variables

SOURCES = str(Path(call.__file__).parents[1])


def as_read(**fields: Any) -> Agent:
    """The way of an agent from its job through the frozen content into its program."""
    spec = ScheduledAgentJobSpec.model_validate(written.agent_job(agent=fields)["spec"])
    return Agent.of(json.loads(content("report", spec).document)["spec"]["agent"])


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"tools": []},
        {"tools": ["bash"], "model": "a/b", "maxTurns": 7, "startingMessage": "begin"},
    ],
)
def test_an_agent_is_read_as_it_was_approved_defaults_included(fields: dict[str, Any]) -> None:
    wanted = api.Agent.model_validate({"instructions": "# Write the report\n"} | fields)
    read = as_read(**fields)
    assert (read.instructions, read.starting_message, read.tools) == (
        wanted.instructions,
        wanted.starting_message,
        wanted.tools,
    )
    assert (read.max_turns, read.model) == (wanted.max_turns, wanted.model or "")


def test_the_defaults_are_the_same_and_safe() -> None:
    assert instructions.TOOLS == call.SAFE_TOOLS == api.DEFAULT_TOOLS
    assert set(api.DEFAULT_TOOLS) == set(agent_rules.TOOLS) - {"bash"}


def test_both_sides_name_variables_and_places_alike() -> None:
    assert (places.MODEL_VARIABLE, places.MODELS_VARIABLE, places.KEY_VARIABLE) == (
        llm.MODEL_VARIABLE,
        llm.MODELS_VARIABLE,
        llm.KEY_VARIABLE,
    )
    assert places.SESSION_VARIABLE == agents.SESSION == sessions.SESSION_VARIABLE
    assert str(places.WORKSPACE) == pod.WORKSPACE
    assert str(places.NOTES) == f"/{notes.FILE}"
    assert str(places.REVISION) == f"{pod.REVISION_DIRECTORY}/{records.REVISION_KEY}"
    assert outcome.SESSION_BUSY in agents.hold_session.__code__.co_consts


def test_what_steers_node_is_refused_in_jobs_and_kept_from_pi(tmp_path: Path) -> None:
    (group,) = (group for group in variable_rules.RESERVED if "NODE_" in group.prefixes)
    assert group.prefixes == call.STEERING
    assert set(group.but) == call.HARMLESS
    code = (
        "import json; from agentjobs_pi.call import environment; print(json.dumps(environment()))"
    )
    set_ = {
        "NODE_OPTIONS": "--require /workspace/x.js",
        "JITI_ALIAS": "{}",
        "PI_OFFLINE": "0",
        "PI_PACKAGE_DIR": "/workspace",
    }
    plain = {
        "NODE_EXTRA_CA_CERTS": "/ca.pem",
        "HTTPS_PROXY": "http://proxy",
        "AGENTJOBS_ROOT": str(tmp_path),
        "PYTHONPATH": SOURCES,
    }
    ran = subprocess.run(
        [sys.executable, "-c", code], env=set_ | plain, capture_output=True, text=True, check=True
    )
    found = json.loads(ran.stdout)
    assert {name: found[name] for name in plain} == plain
    assert {name for name in found if name.startswith(call.STEERING)} == {
        "NODE_EXTRA_CA_CERTS",
        "PI_CODING_AGENT_DIR",
        "PI_OFFLINE",
        "PI_TELEMETRY",
        "PI_SKIP_VERSION_CHECK",
        "JITI_FS_CACHE",
    }
    assert (found["PI_OFFLINE"], found["JITI_FS_CACHE"]) == ("1", "false")


def test_what_a_pod_is_told_of_models_can_be_called_with_its_key() -> None:
    given = {name: value for name, value in variables().items() if isinstance(value, str)}
    read = Models.from_environment(given | {"AGENTJOBS_MODEL_KEY": "sk-1"})
    assert read.chosen == MODELS.default
    assert [read.check(name) for name in ("house/small", "house/large")] == [True, False]
    assert read.configuration()["providers"]["house"]["apiKey"] == "$AGENTJOBS_MODEL_KEY"
