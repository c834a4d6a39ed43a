"""The workflow's jobs together test a change as .ci/run does, with no rights but reading."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import tomllib
from collections import Counter
from typing import Any, Final

import yaml

from tests.support.root import ROOT

TEXT = (ROOT / ".github/workflows/ci.yml").read_text()
WORKFLOW: dict[str, Any] = yaml.safe_load(TEXT)
JOBS: dict[str, Any] = WORKFLOW["jobs"]


def targets(job: dict[str, Any]) -> list[str]:
    return [
        word for step in job["steps"] for word in re.findall(r"^make (\w+)", step.get("run", ""))
    ]


def test_each_job_runs_the_make_target_of_its_name() -> None:
    assert {name: targets(job) for name, job in JOBS.items()} == {
        "lint": ["lint"],
        "unit": ["unit", "slow"],
        "chart": ["chart"],
        "cluster": ["cluster", "down"],
    }


EVERYTHING: Final = frozenset({"slow", "not slow"})


def selected(target: str) -> Counter[tuple[str, str]]:
    """Each folder of tests with the half of it, by mark, that the target's recipe runs."""
    shown = subprocess.run(
        ["make", "--dry-run", "--assume-old=images", "--assume-old=.venv/installed", target],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
    )
    found: Counter[tuple[str, str]] = Counter()
    for command in re.findall(r"-m pytest (.*?)(?:\||>|&|$)", shown.stdout, re.MULTILINE):
        words = shlex.split(command)
        marks = {words[words.index("-m") + 1]} if "-m" in words else EVERYTHING
        folders = [word for word in words if word.startswith("tests/")]
        found.update((folder, mark) for folder in folders for mark in marks)
    return found


def folders() -> set[str]:
    files = (ROOT / "tests").rglob("test_*.py")
    return {f"tests/{path.relative_to(ROOT / 'tests').parts[0]}/" for path in files}


def test_the_jobs_together_run_every_test_once() -> None:
    every = Counter((folder, mark) for folder in folders() for mark in EVERYTHING)
    assert len(every) > 10
    ran: Counter[tuple[str, str]] = Counter()
    for job in JOBS.values():
        for target in targets(job):
            ran += selected(target)
    assert ran == every
    assert selected("test") == every
    assert re.findall(r"^make (\w+)$", (ROOT / ".ci/run").read_text(), re.MULTILINE) == [
        "lint",
        "test",
    ]


def test_no_other_mark_could_leave_a_test_out() -> None:
    options = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]
    assert [mark.partition(":")[0] for mark in options["markers"]] == ["slow"]
    assert "--strict-markers" in options["addopts"]
    assert "-m" not in options["addopts"]


def test_a_job_can_only_read_and_ends_by_itself() -> None:
    assert WORKFLOW["permissions"] == {"contents": "read"}
    assert [
        name
        for name, job in JOBS.items()
        if "permissions" in job or not job["timeout-minutes"] <= 120
    ] == []
    assert "secrets." not in TEXT


def test_actions_are_pinned_by_commit_and_keep_no_credentials() -> None:
    steps = [step for job in JOBS.values() for step in job["steps"] if "uses" in step]
    assert [
        step["uses"] for step in steps if not re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", step["uses"])
    ] == []
    assert re.findall(r"uses: \S+@[0-9a-f]{40}(?! # v\d+\.\d+\.\d+$)", TEXT, re.MULTILINE) == []
    checkouts = [step for step in steps if step["uses"].startswith("actions/checkout@")]
    assert [
        step for step in checkouts if step["with"].get("persist-credentials") is not False
    ] == []
    assert len(checkouts) == len(JOBS)


def test_the_folders_that_updates_and_caches_name_are_there() -> None:
    updates = yaml.safe_load((ROOT / ".github/dependabot.yml").read_text())["updates"]
    named = [
        place
        for update in updates
        for place in update.get("directories", [update.get("directory")])
    ]
    named += re.findall(r"hashFiles\('([^'*]+)", TEXT)
    assert len(named) > 4
    assert [place for place in named if not (ROOT / place.strip("/")).is_dir()] == []
