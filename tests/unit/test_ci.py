"""The workflow's jobs together test a change as .ci/run does, with no rights but reading."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / ".github/workflows/ci.yml").read_text()
WORKFLOW: dict[str, Any] = yaml.safe_load(TEXT)
JOBS: dict[str, Any] = WORKFLOW["jobs"]
MAKEFILE = (ROOT / "Makefile").read_text()


def recipe(target: str) -> str:
    (found,) = re.findall(rf"^{target}:.*\n((?:\t.*\n)+)", MAKEFILE, re.MULTILINE)
    return str(found)


def test_each_job_runs_the_make_target_of_its_name() -> None:
    ran = {
        name: [
            word
            for step in job["steps"]
            for word in re.findall(r"^make (\w+)", step.get("run", ""))
        ]
        for name, job in JOBS.items()
    }
    assert ran == {
        "lint": ["lint"],
        "unit": ["unit"],
        "chart": ["chart"],
        "cluster": ["cluster", "down"],
    }


def words(text: str) -> list[str]:
    """Folders that a Makefile line names; the computed variable of the fast ones stays as it is."""
    known = dict(
        re.findall(
            r"^(CLUSTER_TESTS|WITHOUT_CLUSTER|WITH_CLUSTER) := (.*)$", MAKEFILE, re.MULTILINE
        )
    )
    for name, value in known.items():
        text = text.replace(f"$({name})", value)
    return sorted(re.findall(r"\$\(FAST_TESTS\)|tests/\w+", text))


def test_the_jobs_together_run_what_make_test_runs() -> None:
    parts = [word for name in ("unit", "chart", "cluster") for word in words(recipe(name))]
    assert sorted(parts) == words(recipe("test"))
    assert len(parts) == len(set(parts)) == 5
    assert re.findall(r"^make (\w+)$", (ROOT / ".ci/run").read_text(), re.MULTILINE) == [
        "lint",
        "test",
    ]


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
