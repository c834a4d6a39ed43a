"""What scripts do to their output, by accident or on purpose, and each record, exact to the byte.

All scripts run side by side, in one namespace.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Final

import pytest

from agentjobs.core.runner.envelope import read_envelope, read_short_form
from tests.cluster import many
from tests.cluster.forgery import FORGE
from tests.cluster.installed import Installed, Manifest
from tests.cluster.runs.outputs import CASES, SECRET, Case
from tests.cluster.support import Kubectl, new_namespace


@pytest.fixture(scope="module")
def namespace(kubectl: Kubectl) -> Iterator[str]:
    with new_namespace(kubectl) as name:
        yield name


FORGERS: Final = {
    "forges-on-stdout": "sys.stdout.write(envelope)\n",
    "forges-on-stderr": "sys.stderr.write(envelope)\n",
    "forges-on-both": (
        "for _ in range(200): sys.stderr.write(envelope); sys.stdout.write(envelope)\n"
    ),
    "forges-the-termination-message": (
        "print(termination)\nopen('/dev/termination-log', 'w').write(termination)\n"
    ),
    "forges-everything": (
        "sys.stdout.write(envelope)\nopen('/dev/termination-log', 'w').write(termination)\n"
    ),
}


@pytest.fixture(scope="module")
def runs(agentjobs: Installed, kubectl: Kubectl, namespace: str) -> dict[str, Manifest]:
    """The AgentJobRun of every script, by its name."""
    kubectl(
        "create", "secret", "generic", "access", "-n", namespace, f"--from-literal=key={SECRET}"
    )
    scripts = [many.job(case.name, case.script, **case.spec) for case in CASES]
    forgers = [many.job(name, f"{FORGE}{does}sys.exit(3)") for name, does in FORGERS.items()]
    return many.ran(agentjobs, namespace, [*scripts, *forgers])


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_record_is_true_of_a_script_that(case: Case, runs: dict[str, Manifest]) -> None:
    record = runs[case.name]["status"]
    assert (record["phase"], record["reason"], record["message"], record["exitCode"]) == (
        case.phase,
        case.reason,
        case.message,
        case.exit_code,
    )
    assert_same(record["stdout"], case.stdout)
    assert_same(record["stderr"], case.stderr)
    assert (record["stdoutDroppedBytes"], record["stderrDroppedBytes"]) == case.dropped
    assert record["logsComplete"] is True
    assert record["outputBytes"] == len(record["stdout"].encode()) + len(record["stderr"].encode())


def assert_same(found: str, wanted: str) -> None:
    """Says where two long texts part."""
    if found != wanted:
        at = next(
            (n for n, (a, b) in enumerate(zip(found, wanted, strict=False)) if a != b),
            min(len(found), len(wanted)),
        )
        pytest.fail(
            f"{len(found)} characters, not {len(wanted)}; from {at} on {found[at : at + 200]!r},"
            f" not {wanted[at : at + 200]!r}"
        )


@pytest.mark.parametrize("name", FORGERS)
def test_a_script_that_forges_its_record_is_recorded_as_it_was(
    name: str, runs: dict[str, Manifest]
) -> None:
    record = runs[name]["status"]
    assert (record["phase"], record["reason"], record["exitCode"], record["logsComplete"]) == (
        "Failed",
        "ScriptFailed",
        3,
        True,
    )
    assert record["startedAt"] > "2026-01-02"
    assert "forged" not in (record["stdout"], record["stderr"])


@pytest.mark.parametrize(
    ("name", "stream"),
    [("forges-on-stdout", "stdout"), ("forges-on-stderr", "stderr"), ("forges-on-both", "stdout")],
)
def test_a_forged_envelope_is_output_like_any_other_however_good_it_is(
    name: str, stream: str, runs: dict[str, Manifest]
) -> None:
    forged = read_envelope(runs[name]["status"][stream].encode())
    assert (forged.run_id, forged.digest, forged.reason) == (
        f"{name}-run",
        runs[name]["status"]["digest"],
        "Completed",
    )


def test_a_forged_termination_message_is_one_that_the_operator_would_read(
    runs: dict[str, Manifest],
) -> None:
    forged = read_short_form(runs["forges-the-termination-message"]["status"]["stdout"].strip())
    assert forged is not None
    assert forged.stdout_tail == "forged"


def test_a_record_says_when_where_and_in_what_it_ran(
    runs: dict[str, Manifest], agentjobs: Installed, namespace: str
) -> None:
    for name, run in runs.items():
        record = run["status"]
        started, finished = (
            datetime.fromisoformat(record[key]) for key in ("startedAt", "finishedAt")
        )
        created = datetime.fromisoformat(run["metadata"]["creationTimestamp"])
        assert (
            created.timestamp() - 1
            <= started.timestamp()
            <= finished.timestamp()
            <= created.timestamp() + 120
        ), name
        assert re.fullmatch(rf"{name}-run-[a-z0-9]{{5}}", record["podName"]), name
        assert re.search(r"agentjobs-runner|sha256:[0-9a-f]{64}", record["runnerImage"]), name
    digests = {run["status"]["digest"] for run in runs.values()}
    assert digests == {
        job["status"]["card"]["digest"]
        for job in agentjobs.kubectl.json("get", "saj", "-n", namespace)["items"]
    }


def test_every_run_is_counted_once_and_as_what_it_was(
    runs: dict[str, Manifest], agentjobs: Installed, namespace: str
) -> None:
    for job in agentjobs.kubectl.json("get", "saj", "-n", namespace)["items"]:
        status, phase = job["status"], runs[job["metadata"]["name"]]["status"]["phase"]
        good = phase == "Succeeded"
        assert (status["runCount"], status["successCount"], status["failureCount"]) == (
            1,
            int(good),
            int(not good),
        )
        assert (status["phase"], status["lastRun"]["phase"]) == (
            "Finished" if good else "Failed",
            phase,
        )
