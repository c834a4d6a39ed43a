"""The examples are jobs this version takes, that start when they say and fail with a sentence."""

from __future__ import annotations

import json
import py_compile
import re
import subprocess
import sys
import tomllib
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement

from agentjobs.api.job import ScheduledAgentJobSpec
from agentjobs.api.resources import JOB
from agentjobs.cli.commands.render import manifests
from agentjobs.core.schedules import next_starts
from tests.support.cli.saj import saj
from tests.support.root import ROOT

EXAMPLES = ROOT / "examples"
FILES = sorted([*(EXAMPLES / "jobs").glob("*.py"), *(EXAMPLES / "agents").glob("*.md")])
SCRIPTS = [path for path in FILES if path.suffix == ".py"]
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
"""A Tuesday."""
STARTS = {
    "weekly-site-audit": [
        "2026-11-30T06:00:00+02:00",
        "2026-12-07T06:00:00+02:00",
        "2026-12-14T06:00:00+02:00",
    ],
    "quarterly-content-refresh": [
        "2027-01-01T07:00:00+02:00",
        "2027-04-01T07:00:00+03:00",
        "2027-07-01T07:00:00+03:00",
    ],
    "monthly-traffic-report": [
        "2026-12-01T08:00:00+02:00",
        "2027-01-01T08:00:00+02:00",
        "2027-02-01T08:00:00+02:00",
    ],
    "monthly-backlink-summary": [
        "2026-12-01T09:00:00+02:00",
        "2027-01-01T09:00:00+02:00",
        "2027-02-01T09:00:00+02:00",
    ],
    "weekly-brand-mentions": [
        "2026-11-27T09:00:00+02:00",
        "2026-12-04T09:00:00+02:00",
        "2026-12-11T09:00:00+02:00",
    ],
    "weekly-discussion-scan": [
        "2026-11-25T08:30:00+02:00",
        "2026-12-02T08:30:00+02:00",
        "2026-12-09T08:30:00+02:00",
    ],
    "fortnightly-mentions": [
        "2026-12-08T10:00:00+02:00",
        "2026-12-22T10:00:00+02:00",
        "2027-01-05T10:00:00+02:00",
    ],
    "biweekly-competitor-report": [
        "2026-11-26T09:30:00+02:00",
        "2026-12-10T09:30:00+02:00",
        "2026-12-24T09:30:00+02:00",
    ],
    "newsletter-draft": [],
    "email-reader": [
        "2026-11-24T17:30:00+02:00",
        "2026-11-25T17:30:00+02:00",
        "2026-11-26T17:30:00+02:00",
    ],
    "mail-digest": [],
    "lost-backlinks": [
        "2026-11-30T08:00:00+02:00",
        "2026-12-07T08:00:00+02:00",
        "2026-12-14T08:00:00+02:00",
    ],
}
BLOCK = re.compile(r"(?m)^# /// (?P<type>[a-zA-Z0-9-]+)$\s(?P<content>(^#(| .*)$\s)+)^# ///$")
"""As PEP 723 gives it for tools that read such blocks."""

each_file = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
each_script = pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)


@cache
def rendered(path: Path) -> list[Any]:
    """Without a process; what the command prints of all is compared with it."""
    return manifests([path], None)


@cache
def schema() -> dict[str, Any]:
    crd = yaml.safe_load((ROOT / "crds/agentjobs.dev_scheduledagentjobs.yaml").read_text())
    found: dict[str, Any] = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    spec: dict[str, Any] = found["properties"]["spec"]
    return spec


def block(path: Path) -> dict[str, Any]:
    (match,) = BLOCK.finditer(path.read_text())
    return tomllib.loads(
        "".join(
            line[2:] if line.startswith("# ") else line[1:]
            for line in match["content"].splitlines(keepends=True)
        )
    )


def unknown(value: Any, schema: dict[str, Any], path: str = "spec") -> list[str]:
    """Fields that the CRD does not have: the API server would refuse them."""
    if isinstance(value, list):
        return [found for part in value for found in unknown(part, schema["items"], path)]
    if not isinstance(value, dict) or schema.get("x-kubernetes-preserve-unknown-fields"):
        return []
    fields = schema.get("properties", {})
    missing = [f"{path}.{name}" for name in value.keys() - fields.keys()]
    return missing + [
        found
        for name in value.keys() & fields.keys()
        for found in unknown(value[name], fields[name], f"{path}.{name}")
    ]


def test_the_folder_renders_to_the_jobs_that_the_dates_are_given_for() -> None:
    ran = saj("render", str(EXAMPLES / "jobs"), str(EXAMPLES / "agents"))
    assert ran.returncode == 0, ran.stderr
    bodies = {body["metadata"]["name"]: body for body in yaml.safe_load_all(ran.stdout)}
    assert bodies.keys() == STARTS.keys()
    assert bodies == {body["metadata"]["name"]: body for path in FILES for body in rendered(path)}


@each_file
def test_an_example_is_valid_for_the_models_and_the_crd(path: Path) -> None:
    (body,) = rendered(path)
    ScheduledAgentJobSpec.model_validate(body["spec"])
    assert JOB.problem(body) is None
    assert unknown(body["spec"], schema()) == []
    text = (
        body["spec"]["script"]["inline"]
        if "script" in body["spec"]
        else body["spec"]["agent"]["instructions"]
    )
    assert path.read_text().endswith(text)


@each_file
def test_an_example_starts_on_the_days_that_its_name_says(path: Path) -> None:
    (body,) = rendered(path)
    spec = ScheduledAgentJobSpec.model_validate(body["spec"])
    assert [
        start.isoformat() for start in next_starts.next_starts(spec.schedule, NOW, 3)
    ] == STARTS[body["metadata"]["name"]]


@each_script
def test_a_script_is_one_for_python_and_for_tools_that_read_its_block(
    path: Path, tmp_path: Path
) -> None:
    py_compile.compile(str(path), cfile=str(tmp_path / "compiled"), doraise=True)
    header = block(path)
    assert header["requires-python"] == ">=3.11"
    assert {Requirement(text).name for text in header["dependencies"]}


@each_script
def test_its_packages_are_in_the_image_so_only_the_job_needs_an_approval(path: Path) -> None:
    image = json.loads((ROOT / "charts/agentjobs/files/inventory.json").read_text())
    assert {
        name: image.get(name)
        for name, _, _ in (pin.partition("==") for pin in block(path)["dependencies"])
    } == dict(pin.split("==") for pin in block(path)["dependencies"])


@each_script
def test_it_reads_every_variable_that_it_names_and_names_every_secret(path: Path) -> None:
    text, variables = path.read_text(), block(path)["tool"]["agentjobs"]["env"]
    program = BLOCK.sub("", text)
    assert [name for name in variables if f'"{name}"' not in program] == []
    assert [
        name
        for name in re.findall(r'"([A-Z_]+_TOKEN)"', program)
        if "secret" not in variables.get(name, {})
    ] == []


def test_the_page_tells_of_each_example_its_file_and_its_schedule() -> None:
    page = (EXAMPLES / "README.md").read_text()
    rows = {
        match[1]: match[0]
        for match in re.finditer(r"^\| \[([\w/.]+)\]\(\1\) \|.*$", page, re.MULTILINE)
    }
    assert rows.keys() == {str(path.relative_to(EXAMPLES)) for path in FILES}
    for path in FILES:
        (body,) = rendered(path)
        row, when = rows[str(path.relative_to(EXAMPLES))], body["spec"].get("schedule", {})
        said = [
            when[field] if field == "cron" else f"every-weeks = {when[field]}"
            for field in ("cron", "everyWeeks")
            if field in when
        ]
        assert [part for part in said if f"`{part}`" not in row] == []
        causes = [
            one["event"]["type"] if "event" in one else one["after"]["job"]
            for one in body["spec"].get("triggers", ())
        ]
        assert [cause for cause in causes if f"`{cause}`" not in row] == []
        assert ("workspace" in body["spec"]) == ("claim `" in row)
        for variable in body["spec"].get("env", ()):
            secret = variable.get("valueFrom", {}).get("secretKeyRef")
            assert not secret or f"`{secret['name']}/{secret['key']}`" in row


@each_script
def test_without_its_variables_it_says_which_one_is_missing(path: Path) -> None:
    """Its own part runs even where the packages that `main` looks for first are not installed."""
    program = path.read_text()
    body = program[program.index("def main()") :].partition("\n\n\n")[0]
    ran = subprocess.run(
        [sys.executable, "-c", f"import os, sys\n{body}\nmain()"],
        capture_output=True,
        text=True,
        env={},
        check=False,
    )
    assert (ran.returncode, ran.stdout) == (1, "")
    assert re.fullmatch(r"the variable [A-Z_]+ is missing: set it in the job's env\n", ran.stderr)
