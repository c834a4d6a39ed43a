"""A name that no job has is told in one way by every command that takes the name of a job."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from agentjobs.cli.errors import Exit
from agentjobs.cli.main import COMMANDS
from tests.support.cli.fake_kubectl import FakeKube, ran
from tests.support.cli.jobs import JOBS, run


def parameters() -> dict[str, tuple[str, bool]]:
    """Commands that take jobs: by which parameter, and whether it takes several."""
    found = {}
    for command, called in COMMANDS.items():
        for parameter in inspect.signature(called).parameters.values():
            (told,) = getattr(parameter.annotation, "__metadata__", [None])
            if "JOB" in (getattr(told, "metavar", None) or ""):
                found[command] = (parameter.name, "list" in str(parameter.annotation))
    return found


TAKE_JOBS = parameters()


def called(command: str, kube: FakeKube, *names: str) -> tuple[int, bytes, str]:
    parameter, several = TAKE_JOBS[command]
    given: dict[str, Any] = {parameter: list(names) if several else names[-1]}
    return ran(COMMANDS[command], kube, **given)


def test_the_commands_that_take_jobs_are_found() -> None:
    assert {
        "approve",
        "cancel",
        "cards",
        "deny",
        "delete",
        "diff",
        "history",
        "logs",
        "pause",
        "resume",
        "run",
    } <= TAKE_JOBS.keys()


@pytest.mark.parametrize("command", TAKE_JOBS)
def test_an_unknown_job_is_reported_with_its_namespace_and_a_similar_name(command: str) -> None:
    kube = FakeKube(
        objects={"scheduledagentjobs": list(JOBS), "agentjobruns": [run("web-1", "Running")]}
    )
    code, out, err = called(command, kube, "pages", "adit")
    assert (code, out, kube.wrote, len(kube.objects["scheduledagentjobs"])) == (
        Exit.NOT_FOUND,
        b"",
        [],
        len(JOBS),
    )
    assert "ScheduledAgentJob adit in namespace team\n  did you mean audit?" in err


@pytest.mark.parametrize("command", ["cancel", "logs"])
def test_who_may_not_read_jobs_hears_of_runs_alone(command: str) -> None:
    kube = FakeKube(forbidden=frozenset({"scheduledagentjobs"}))
    code, _, err = called(command, kube, "adit")
    assert code == Exit.NOT_FOUND
    assert "adit" in err
