"""Scripts with headers: what they mean, the way back, and how a mistake is told."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from agentjobs.api.job import ScheduledAgentJobSpec
from agentjobs.cli.files.documents import to_yaml
from agentjobs.cli.files.scripts import manifest, written
from tests.support.cli.scripts import EVERYTHING, of
from tests.support.corpus.any_header import names, specs, words

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
