"""Scripts with headers: what they mean, the way back, and how a mistake is told."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from agentjobs.api.job import ScheduledAgentJobSpec
from agentjobs.cli.files import agents
from agentjobs.cli.files.documents import to_yaml
from agentjobs.cli.files.scripts import manifest, written
from tests.support.cli.saj import saj
from tests.support.cli.scripts import EVERYTHING, of

MEANS = {
    "description": "Finds lost links.",
    "schedule": {
        "cron": "0 8 * * 1",
        "timeZone": "Europe/Bucharest",
        "startingDeadlineSeconds": 60,
        "everyWeeks": 2,
        "startDate": "2026-01-05",
    },
    "session": "Ephemeral",
    "workspace": {"claimName": "reports"},
    "timeoutSeconds": 600,
    "concurrencyPolicy": "Replace",
    "pauseAfterFailures": 3,
    "suspend": True,
    "env": [
        {"name": "SITE", "value": "example.com"},
        {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "crm", "key": "token"}}},
    ],
    "resources": {
        "limits": {"cpu": "1", "memory": "1Gi", "ephemeral-storage": "2Gi"},
        "requests": {"cpu": "500m", "memory": "1Gi", "ephemeral-storage": "1Gi"},
    },
    "history": {"successful": 3, "failed": 4, "outputs": 5, "keepAfterDelete": True},
    "triggers": [
        {"event": {"type": "com.example.published", "source": "/cms"}},
        {
            "event": {
                "type": "com.example.priced",
                "dataSchema": {"type": "object", "properties": {"new-price": {"minimum": 1}}},
            }
        },
        {"after": {"job": "email-reader", "on": "Finished"}},
    ],
    "packages": ["requests==2.32.3", "six==1.17.0"],
    "script": {"inline": EVERYTHING},
}
PLAIN = """# Nightly.
#
# name: nightly-copy
# description: Copies: everything.
# schedule: 0 1 * * *
# timeout-seconds: 60
# concurrency-policy: allow
# pause-after-failures: 2
# suspend: true
# env: {SITE: example.com, TOKEN: {secret: crm/token}}
# triggers: [{event: {type: priced, data-schema: {const: on}}}]
# note: x
print(1)
"""
SCHEDULES = {
    "a window": (
        """
# [tool.agentjobs.window]
# cron = "0 0 * * 1-5"
# start-time = 08:00:00
# end-time = "10:00"
""",
        "# window: {cron: 0 0 * * 1-5, start-time: 08:00, end-time: 10:00}\n",
        "window:\n  cron: 0 0 * * 1-5\n  start-time: 08:00\n  end-time: 10:00\n",
        {"window": {"cron": "0 0 * * 1-5", "startTime": "08:00", "endTime": "10:00"}},
    ),
    "once": (
        """
# once = 2026-12-01T09:00:00
# time-zone = "Europe/Bucharest"
""",
        "# once: 2026-12-01T09:00:00\n# time-zone: Europe/Bucharest\n",
        "once: 2026-12-01T09:00:00\ntime-zone: Europe/Bucharest\n",
        {"once": {"runAt": "2026-12-01T09:00:00"}, "timeZone": "Europe/Bucharest"},
    ),
    "once with an offset, in full": (
        """
# once = {run-at = 2026-12-01T09:00:00+02:00}
""",
        "# once: 2026-12-01T09:00:00+02:00\n",
        "once:\n  run-at: 2026-12-01T09:00:00+02:00\n",
        {"once": {"runAt": "2026-12-01T09:00:00+02:00"}},
    ),
    "every fortnight": (
        """
# schedule = "0 8 * * 1"
# every-weeks = 2
# start-date = 2026-01-05
# starting-deadline-seconds = 3600
""",
        (
            "# schedule: 0 8 * * 1\n# every-weeks: 2\n# start-date: 2026-01-05\n#"
            " starting-deadline-seconds: 3600\n"
        ),
        (
            "schedule: 0 8 * * 1\nevery-weeks: 2\nstart-date:"
            " 2026-01-05\nstarting-deadline-seconds: 3600\n"
        ),
        {
            "cron": "0 8 * * 1",
            "everyWeeks": 2,
            "startDate": "2026-01-05",
            "startingDeadlineSeconds": 3600,
        },
    ),
}
"""The same schedule in a script's block, in plain comments, in front matter, and in the
resource."""


def test_each_key_of_a_header_is_a_field_of_the_job(tmp_path: Path) -> None:
    body = of(tmp_path, EVERYTHING)
    assert (body["metadata"], body["spec"]) == ({"name": "lost-links"}, MEANS)


def test_plain_comments_are_a_header_too(tmp_path: Path) -> None:
    body = of(tmp_path, PLAIN)
    assert body["metadata"]["name"] == "nightly-copy"
    wanted = {
        "description": "Copies: everything.",
        "schedule": {"cron": "0 1 * * *"},
        "timeoutSeconds": 60,
        "script": {"inline": PLAIN},
    }
    wanted |= {
        "concurrencyPolicy": "Allow",
        "pauseAfterFailures": 2,
        "suspend": True,
        "env": MEANS["env"],
    }
    assert body["spec"] == {
        **wanted,
        "triggers": [{"event": {"type": "priced", "dataSchema": {"const": "on"}}}],
    }


@pytest.mark.parametrize("what", SCHEDULES)
def test_a_schedule_is_said_in_a_block_in_comments_and_in_front_matter(
    what: str, tmp_path: Path
) -> None:
    block, comments, front, means = SCHEDULES[what]
    head = f"# /// script\n# [tool.agentjobs]\n# description = 'x'{block}# ///\n"
    files = {
        "block.py": head,
        "comments.py": f"# description: x\n{comments}",
        "agent.md": f"---\ndescription: x\n{front}---\nDo it.\n",
    }
    assert {
        name: of(tmp_path, text, name)["spec"]["schedule"] for name, text in files.items()
    } == dict.fromkeys(files, means)


def test_a_job_without_a_name_is_called_like_its_file(tmp_path: Path) -> None:
    assert (
        of(tmp_path, "# description: x\n", "weekly_site_audit.py")["metadata"]["name"]
        == "weekly-site-audit"
    )


def test_dependencies_count_beside_plain_comments(tmp_path: Path) -> None:
    text = '# description: x\n# /// script\n# dependencies = ["six==1.17.0"]\n# ///\n'
    assert of(tmp_path, text)["spec"]["packages"] == ["six==1.17.0"]


def test_a_script_with_a_header_is_still_a_script() -> None:
    assert (
        subprocess.run(
            [sys.executable, "-c", EVERYTHING], capture_output=True, text=True, check=True
        ).stdout
        == "found\n"
    )


words = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Cf", "Zl", "Zp", "Co", "Cn"]),
    min_size=1,
    max_size=30,
)
names = st.from_regex("[a-z]([a-z0-9-]{0,10}[a-z0-9])?", fullmatch=True)
variables = st.one_of(
    st.builds(lambda value: {"value": value}, words),
    st.builds(
        lambda name, key: {"valueFrom": {"secretKeyRef": {"name": name, "key": key}}}, names, names
    ),
)
zones = {
    "timeZone": st.sampled_from(["Europe/Bucharest", "Etc/UTC"]),
    "startingDeadlineSeconds": st.integers(10, 86400),
}
clocks = st.permutations(["00:00", "08:00", "10:00", "22:59"])
schedules = st.one_of(
    st.fixed_dictionaries({"cron": st.sampled_from(["0 8 * * 1", "*/5 * * * *"])}, optional=zones),
    st.fixed_dictionaries(
        {
            "cron": st.just("0 8 * * 1,4"),
            "everyWeeks": st.integers(2, 52),
            "startDate": st.dates(date(2000, 1, 1), date(2099, 12, 31)).map(str),
        },
        optional=zones,
    ),
    st.fixed_dictionaries(
        {
            "window": clocks.map(
                lambda found: {"cron": "0 0 * * 1-5", "startTime": found[0], "endTime": found[1]}
            )
        },
        optional=zones,
    ),
    st.fixed_dictionaries(
        {
            "once": (
                st.sampled_from(
                    ["2026-12-01T09:00:00", "2026-12-01T09:00:00+02:00", "2026-12-01T09:00:00Z"]
                ).map(lambda at: {"runAt": at})
            )
        },
        optional=zones,
    ),
    st.fixed_dictionaries({}, optional=zones),
)
schemas = st.sampled_from(
    [
        {},
        {"type": "object", "required": ["new-price"]},
        {"properties": {"on": {"enum": ["a-b", 1, 1.5, True, "2026-01-05"]}, "aB": False}},
    ]
)
events = st.fixed_dictionaries({"type": words}, optional={"source": words, "dataSchema": schemas})
others = st.fixed_dictionaries(
    {"job": names}, optional={"on": st.sampled_from(["Succeeded", "Failed", "Finished"])}
)
amounts = st.fixed_dictionaries(
    {},
    optional={"cpu": st.just("1"), "memory": st.just("1Gi"), "ephemeral-storage": st.just("1Gi")},
)
policies = st.sampled_from(
    [
        {},
        {"session": "Continuous"},
        {"session": "Ephemeral"},
        *({"concurrencyPolicy": one} for one in ("Allow", "Forbid", "Replace")),
    ]
)
fields = st.fixed_dictionaries(
    {"description": words},
    optional={
        "schedule": schedules,
        "triggers": st.lists(
            st.one_of(
                st.fixed_dictionaries({"event": events}), st.fixed_dictionaries({"after": others})
            ),
            max_size=3,
        ),
        "packages": st.lists(
            st.sampled_from(["six==1.17.0", "requests==2.32.3", "a==1!2.0rc1"]), unique=True
        ),
        "env": (
            st.dictionaries(
                st.from_regex("[B-IK-OQ-Z]_[A-Z]{1,9}", fullmatch=True), variables, max_size=3
            ).map(lambda found: [{"name": name, **source} for name, source in found.items()])
        ),
        "resources": st.fixed_dictionaries({}, optional={"limits": amounts, "requests": amounts}),
        "workspace": st.fixed_dictionaries({"claimName": names}),
        "timeoutSeconds": st.integers(1, 3540),
        "pauseAfterFailures": st.integers(0, 1000),
        "suspend": st.booleans(),
        "history": st.fixed_dictionaries(
            {},
            optional={
                **dict.fromkeys(["successful", "failed", "outputs"], st.integers(1, 1000)),
                "keepAfterDelete": st.booleans(),
            },
        ),
    },
)
specs = st.builds(lambda found, policy: {**found, **policy}, fields, policies)


def paths(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """Every field of a model, and of the models in it."""
    for name, field in model.model_fields.items():
        yield (path := f"{prefix}{field.alias or name}")
        for part in (field.annotation, *get_args(field.annotation)):
            if isinstance(part, type) and issubclass(part, BaseModel):
                yield from paths(part, f"{path}.")


def said(value: Any, prefix: str = "") -> Iterator[str]:
    """The fields that stand in a spec, as `paths` names them."""
    if isinstance(value, list):
        yield from (found for part in value for found in said(part, prefix))
    elif isinstance(value, dict):
        for name, part in value.items():
            yield f"{prefix}{name}"
            yield from said(part, f"{prefix}{name}.")


def test_every_field_of_the_resource_has_been_said_in_a_header_above() -> None:
    tried = {
        *said(MEANS),
        *(path for *_, schedule in SCHEDULES.values() for path in said({"schedule": schedule})),
    }
    assert {
        path
        for path in paths(ScheduledAgentJobSpec)
        if path.partition(".")[0] not in ("script", "agent")
    } - tried == set()


bodies = st.one_of(
    st.just("print('x')\n"),
    st.just("#!/usr/bin/python3\r\nprint(1)\r\n"),
    words.map(lambda text: f"x = {text!r}\n"),
)


@pytest.mark.slow
@given(name=names, spec=specs, body=bodies)
def test_what_is_written_reads_as_it_was(name: str, spec: dict[str, Any], body: str) -> None:
    text = written(name, spec, body)
    found = manifest("file", text)
    assert found is not None
    assert found[0]["metadata"]["name"] == name
    wanted = ScheduledAgentJobSpec.model_validate({**spec, "script": {"inline": text}})
    assert ScheduledAgentJobSpec.model_validate(found[0]["spec"]) == wanted


def test_a_value_that_toml_would_not_take_as_it_is_comes_back_as_it_was() -> None:
    spec = {"description": "x", "env": [{"name": "A", "value": 'a\x7f\n\t"\\é'}]}
    found = manifest("file", written("a", spec, "print(1)\n"))
    assert found is not None
    assert found[0]["spec"]["env"] == spec["env"]


@pytest.mark.slow
@given(spec=specs)
def test_yaml_says_the_same_every_time_and_is_read_as_it_was(spec: dict[str, Any]) -> None:
    text = to_yaml(spec)
    assert yaml.safe_load(text) == spec
    assert to_yaml(yaml.safe_load(text)) == text


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


def test_times_and_dates_of_a_manifest_are_text_and_on_is_a_word(tmp_path: Path) -> None:
    window = "{window: {cron: 0 0 * * 1-5, startTime: 10:00, endTime: 12:30}}"
    event = "{type: a, dataSchema: {enum: [1:30, 2026-01-05, 7, 1.5, true, no]}, on: x}"
    text = (
        f"kind: ScheduledAgentJob\nmetadata: {{name: a}}\nspec: {{schedule: {window}, triggers:"
        f" [{{event: {event}}}]}}\n"
    )
    spec = of(tmp_path, text, "job.yaml")["spec"]
    assert spec["schedule"]["window"] == {
        "cron": "0 0 * * 1-5",
        "startTime": "10:00",
        "endTime": "12:30",
    }
    read = {"enum": ["1:30", "2026-01-05", 7, 1.5, True, False]}
    assert spec["triggers"] == [{"event": {"type": "a", "dataSchema": read, "on": "x"}}]


@pytest.mark.slow
def test_new_writes_a_job_that_renders_and_leaves_what_is_there(tmp_path: Path) -> None:
    made = saj(
        "new",
        "--name",
        "site-audit",
        "-d",
        "Audits the site.",
        "-s",
        "0 6 * * 1",
        "-p",
        "six==1.17.0",
        folder=tmp_path,
    )
    assert "jobs/site_audit.py is written" in made.stdout, made.stderr
    assert (
        saj("render", "-o", "name", folder=tmp_path).stdout
        == "scheduledagentjob.agentjobs.dev/site-audit\n"
    )
    assert saj("new", "--name", "site-audit", "-d", "x", "-s", "", folder=tmp_path).returncode == 2
    (tmp_path / "mine.py").write_text("#!/usr/bin/python3\nprint('mine')\n")
    assert saj("new", "mine.py", "-d", "Mine.", "-s", "", folder=tmp_path).returncode == 0
    assert (tmp_path / "mine.py").read_text().startswith("#!/usr/bin/python3\n# /// script\n")
    assert (
        "has a header already"
        in saj("new", "mine.py", "-d", "Mine.", "-s", "", folder=tmp_path).stderr
    )
    assert "this question needs a terminal: Name of the job" in saj("new", folder=tmp_path).stderr
    (tmp_path / "mail.md").write_text("Read the mail.\n")
    assert saj("new", "mail.md", "-d", "Reads.", "-s", "0 8 * * 1", folder=tmp_path).returncode == 0
    assert of(tmp_path, (tmp_path / "mail.md").read_text(), "mail.md")["spec"]["agent"] == {
        "instructions": "Read the mail.\n"
    }
