"""An agent file is front matter and instructions, there and back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentjobs.api.job import ScheduledAgentJobSpec
from agentjobs.cli.files import agents
from tests.support.cli.scripts import of
from tests.support.corpus.any_header import names, specs, words

AGENT = """---
name: mail-digest
description: Summarises the mail of the day.
schedule: 0 18 * * 1-5
session: continuous
tools: [read, write]
model: local/small
startingMessage: begin
max-turns: 20
env: {A: b}
---

Read the *mail*.
---
Then rest.
"""


def test_an_agent_file_is_front_matter_and_instructions(tmp_path: Path) -> None:
    body = of(tmp_path, AGENT, "mail.md")
    assert body["metadata"]["name"] == "mail-digest"
    assert body["spec"] == {
        "description": "Summarises the mail of the day.",
        "schedule": {"cron": "0 18 * * 1-5"},
        "session": "Continuous",
        "env": [{"name": "A", "value": "b"}],
        "agent": {
            "instructions": "\nRead the *mail*.\n---\nThen rest.\n",
            "tools": ["read", "write"],
            "model": "local/small",
            "startingMessage": "begin",
            "maxTurns": 20,
        },
    }


own = st.fixed_dictionaries(
    {},
    optional={
        "tools": st.lists(st.sampled_from(["read", "write", "edit", "ls", "bash"]), unique=True),
        "model": st.just("local/small"),
        "startingMessage": words,
        "maxTurns": st.integers(1, 1000),
    },
)


@pytest.mark.slow
@given(
    name=names,
    spec=specs,
    agent=own,
    instructions=st.one_of(words, st.just("---\nx: y\n---\n"), st.just("\n\n# Do\n")),
)
def test_an_agent_that_is_written_reads_as_it_was(
    name: str, spec: dict[str, Any], agent: dict[str, Any], instructions: str
) -> None:
    spec = {**spec, "packages": (), "agent": {**agent, "instructions": instructions}}
    found = agents.manifest("file", agents.written(name, spec, instructions))
    assert found is not None
    assert found[0]["metadata"]["name"] == name
    assert ScheduledAgentJobSpec.model_validate(
        found[0]["spec"]
    ) == ScheduledAgentJobSpec.model_validate(spec)
