"""Scripts with headers: what they mean, the way back, and how a mistake is told."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from agentjobs.api.job import ScheduledAgentJobSpec
from agentjobs.cli import agents
from agentjobs.cli.documents import to_yaml
from agentjobs.cli.files import jobs_in
from agentjobs.cli.problem import Problem
from agentjobs.cli.render import manifests
from agentjobs.cli.scripts import manifest, written
from tests.unit.test_cli_start import saj

EVERYTHING = """#!/usr/bin/env python3
# /// script
# requires-python = ">=3.11"
# dependencies = ["requests==2.32.3", "six==1.17.0"]
#
# [tool.agentjobs]
# name = "lost-links"
# description = "Finds lost links."
# schedule = "0 8 * * 1"
# time-zone = "Europe/Bucharest"
# starting-deadline-seconds = 60
# session = "ephemeral"
# workspace = "reports"
# timeout-seconds = 600
# suspend = true
# env = {SITE = "example.com", TOKEN = {secret = "crm/token"}}
# resources.limits = {memory = "1Gi", ephemeral-storage = "2Gi"}
# history = {successful = 3}
# ///
print("found")
"""
MEANS = {
    "description": "Finds lost links.",
    "schedule": {"cron": "0 8 * * 1", "timeZone": "Europe/Bucharest", "startingDeadlineSeconds": 60},
    "session": "Ephemeral",
    "workspace": {"claimName": "reports"},
    "timeoutSeconds": 600,
    "suspend": True,
    "env": [
        {"name": "SITE", "value": "example.com"},
        {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "crm", "key": "token"}}},
    ],
    "resources": {"limits": {"memory": "1Gi", "ephemeral-storage": "2Gi"}},
    "history": {"successful": 3},
    "packages": ["requests==2.32.3", "six==1.17.0"],
    "script": {"inline": EVERYTHING},
}
PLAIN = """# Nightly.
#
# name: nightly-copy
# description: Copies: everything.
# schedule: 0 1 * * *
# timeout-seconds: 60
# note: x
print(1)
"""


def of(folder: Path, text: str, name: str = "a_job.py") -> dict[str, Any]:
    (folder / name).write_text(text)
    (job,) = jobs_in([folder / name])
    return dict(job.manifest)


def test_each_key_of_a_header_is_a_field_of_the_job(tmp_path: Path) -> None:
    body = of(tmp_path, EVERYTHING)
    assert (body["metadata"], body["spec"]) == ({"name": "lost-links"}, MEANS)


def test_plain_comments_are_a_header_too(tmp_path: Path) -> None:
    body = of(tmp_path, PLAIN)
    assert body["metadata"]["name"] == "nightly-copy"
    wanted = {"description": "Copies: everything.", "schedule": {"cron": "0 1 * * *"}, "timeoutSeconds": 60, "script": {"inline": PLAIN}}
    assert body["spec"] == wanted


def test_a_job_without_a_name_is_called_like_its_file(tmp_path: Path) -> None:
    assert of(tmp_path, "# description: x\n", "weekly_site_audit.py")["metadata"]["name"] == "weekly-site-audit"


def test_dependencies_count_beside_plain_comments(tmp_path: Path) -> None:
    text = '# description: x\n# /// script\n# dependencies = ["six==1.17.0"]\n# ///\n'
    assert of(tmp_path, text)["spec"]["packages"] == ["six==1.17.0"]


def test_a_script_with_a_header_is_still_a_script() -> None:
    assert subprocess.run([sys.executable, "-c", EVERYTHING], capture_output=True, text=True, check=True).stdout == "found\n"


words = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cf", "Zl", "Zp", "Co", "Cn"]), min_size=1, max_size=30)
names = st.from_regex("[a-z]([a-z0-9-]{0,10}[a-z0-9])?", fullmatch=True)
variables = st.one_of(
    st.builds(lambda value: {"value": value}, words),
    st.builds(lambda name, key: {"valueFrom": {"secretKeyRef": {"name": name, "key": key}}}, names, names),
)
specs = st.fixed_dictionaries(
    {"description": words},
    optional={
        "schedule": st.fixed_dictionaries(
            {"cron": st.sampled_from(["0 8 * * 1", "*/5 * * * *"])},
            optional={"timeZone": st.sampled_from(["Europe/Bucharest", "Etc/UTC"]), "startingDeadlineSeconds": st.integers(10, 86400)},
        ),
        "session": st.just("Ephemeral"),
        "packages": st.lists(st.sampled_from(["six==1.17.0", "requests==2.32.3", "a==1!2.0rc1"]), unique=True),
        "env": st.dictionaries(st.from_regex("[B-IK-OQ-Z]_[A-Z]{1,9}", fullmatch=True), variables, max_size=3).map(
            lambda found: [{"name": name, **source} for name, source in found.items()]
        ),
        "resources": st.fixed_dictionaries({"limits": st.fixed_dictionaries({}, optional={"ephemeral-storage": st.just("1Gi")})}),
        "workspace": st.fixed_dictionaries({"claimName": names}),
        "timeoutSeconds": st.integers(1, 3540),
        "suspend": st.booleans(),
        "history": st.fixed_dictionaries({}, optional={"successful": st.integers(1, 1000)}),
    },
)
bodies = st.one_of(st.just("print('x')\n"), st.just("#!/usr/bin/python3\r\nprint(1)\r\n"), words.map(lambda text: f"x = {text!r}\n"))


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


@given(name=names, spec=specs, agent=own, instructions=st.one_of(words, st.just("---\nx: y\n---\n"), st.just("\n\n# Do\n")))
def test_an_agent_that_is_written_reads_as_it_was(name: str, spec: dict[str, Any], agent: dict[str, Any], instructions: str) -> None:
    spec = {**spec, "packages": (), "agent": {**agent, "instructions": instructions}}
    found = agents.manifest("file", agents.written(name, spec, instructions))
    assert found is not None
    assert found[0]["metadata"]["name"] == name
    assert ScheduledAgentJobSpec.model_validate(found[0]["spec"]) == ScheduledAgentJobSpec.model_validate(spec)


FRONT = "---\ndescription: x\n"
WRONG_AGENTS = {
    "no end": (FRONT + "Do it.\n", 1, "has no end"),
    "no YAML": ("---\ndescription: a: b\n---\n", 2, "not YAML"),
    "no keys": ("---\n- a\n---\nDo it.\n", 1, "no set of keys"),
    "an unknown tool": (FRONT + "tools: [fly]\n---\nDo it.\n", 3, "spec.agent.tools[0]"),
    "an unknown key": (FRONT + "tool: read\n---\nDo it.\n", 3, "spec.tool: is not a field"),
    "no instructions": (FRONT + "---\n", 1, "spec.agent.instructions"),
    "no front matter": ("Do it.\n", 1, "has no header"),
}


@pytest.mark.parametrize("what", WRONG_AGENTS)
def test_a_mistake_in_an_agent_file_is_told_with_its_line(what: str, tmp_path: Path) -> None:
    text, line, part = WRONG_AGENTS[what]
    with pytest.raises(Problem) as told:
        of(tmp_path, text, "mail.md")
    assert told.value.message.startswith(f"{tmp_path}/mail.md:{line}: ")
    assert part in told.value.message


HEAD = "# /// script\n# [tool.agentjobs]\n# description = 'x'\n"
MISTAKES = {
    "no end": (HEAD + "print(1)\n", 1, "has no end"),
    "two blocks": (HEAD + "# ///\n# /// script\n# ///\n", 5, "second script block"),
    "no TOML": (HEAD + "# schedule = 0 8 * * 1\n# ///\n", 4, "not TOML"),
    "a wrong type": (HEAD + "# timeout-seconds = 'soon'\n# ///\n", 4, "spec.timeoutSeconds: should be a valid integer"),
    "an unknown key": (HEAD + "# shedule = '0 8 * * 1'\n# ///\n", 4, "spec.shedule: is not a field"),
    "a range of versions": ("# /// script\n# dependencies = ['six>=1']\n" + HEAD[13:] + "# ///\n", 2, "needs one exact version"),
    "no secret": (HEAD + "#\n# env = {A = {secret = 'x'}}\n# ///\n", 5, 'A is text, or {secret = "NAME/KEY"}'),
    "no table": ("# /// script\n# tool.agentjobs = 1\n# ///\n", 1, "is not a table"),
    "no description": ("# /// script\n# [tool.agentjobs]\n# ///\n", 2, "spec.description: is required"),
    "a bad name": (HEAD + "# name = 'A.b'\n# ///\n", 4, "metadata.name may have at most 52"),
    "a plain key twice": ("# description: a\n# description: b\n", 2, "a second time"),
    "no header": ("print(1)\n", 1, "has no header"),
    "a nested table": (HEAD + "# [tool.agentjobs.resources]\n# limit = {}\n# ///\n", 5, "spec.resources.limit: is not a field"),
}


@pytest.mark.parametrize("what", MISTAKES)
def test_a_mistake_is_told_with_its_file_and_line(what: str, tmp_path: Path) -> None:
    text, line, part = MISTAKES[what]
    with pytest.raises(Problem) as told:
        of(tmp_path, text)
    assert told.value.message.startswith(f"{tmp_path}/a_job.py:{line}: ")
    assert part in told.value.message
    assert told.value.remedy


def test_a_folders_modules_are_no_jobs_and_each_name_stands_once(tmp_path: Path) -> None:
    (tmp_path / "helpers.py").write_text("def f(): ...\n")
    (tmp_path / "b.py").write_text("# description: b\n")
    (tmp_path / "a.yaml").write_text("kind: ScheduledAgentJob\nmetadata: {name: a}\nspec: {description: a}\n---\nkind: Pod\n")
    assert [body["metadata"]["name"] for body in manifests([tmp_path], None)] == ["a", "b"]
    (tmp_path / "c.py").write_text("# description: c\n# name: b\n")
    with pytest.raises(Problem, match=r"c\.py: .*b\.py has a job b, too"):
        manifests([tmp_path], None)


def test_rendering_twice_gives_the_same_bytes_and_files(tmp_path: Path) -> None:
    (tmp_path / "jobs").mkdir()
    (tmp_path / "jobs/lost_links.py").write_text(EVERYTHING)
    first, second = (saj("render", "--namespace", "team", folder=tmp_path) for _ in range(2))
    assert first.stdout == second.stdout
    assert saj("render", "--to", "out", "-n", "team", folder=tmp_path).stdout == "out/lost-links.yaml\n"
    assert (tmp_path / "out/lost-links.yaml").read_text() == first.stdout
    assert saj("digest", "jobs", folder=tmp_path).stdout == saj("digest", "out", folder=tmp_path).stdout


def test_new_writes_a_job_that_renders_and_leaves_what_is_there(tmp_path: Path) -> None:
    made = saj("new", "--name", "site-audit", "-d", "Audits the site.", "-s", "0 6 * * 1", "-p", "six==1.17.0", folder=tmp_path)
    assert "jobs/site_audit.py is written" in made.stdout, made.stderr
    assert saj("render", "-o", "name", folder=tmp_path).stdout == "scheduledagentjob.agentjobs.dev/site-audit\n"
    assert saj("new", "--name", "site-audit", "-d", "x", "-s", "", folder=tmp_path).returncode == 2
    (tmp_path / "mine.py").write_text("#!/usr/bin/python3\nprint('mine')\n")
    assert saj("new", "mine.py", "-d", "Mine.", "-s", "", folder=tmp_path).returncode == 0
    assert (tmp_path / "mine.py").read_text().startswith("#!/usr/bin/python3\n# /// script\n")
    assert "has a header already" in saj("new", "mine.py", "-d", "Mine.", "-s", "", folder=tmp_path).stderr
    assert "nobody is there to answer" in saj("new", folder=tmp_path).stderr
    (tmp_path / "mail.md").write_text("Read the mail.\n")
    assert saj("new", "mail.md", "-d", "Reads.", "-s", "0 8 * * 1", folder=tmp_path).returncode == 0
    assert of(tmp_path, (tmp_path / "mail.md").read_text(), "mail.md")["spec"]["agent"] == {"instructions": "Read the mail.\n"}
