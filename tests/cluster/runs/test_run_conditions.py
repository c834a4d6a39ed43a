"""What a run is given, and what is told of a run that is not given what it needs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

import pytest

from tests.cluster import many
from tests.cluster.installed import Installed, Manifest
from tests.cluster.support import Kubectl, new_namespace, wait_for

SURVEY: Final = """\
import hashlib, json, os, pathlib

def written(folder):
    try:
        pathlib.Path(folder, "probe").write_text("")
    except OSError as error:
        return error.strerror
    return "yes"

lines = open("/proc/self/status").read().splitlines()
status = dict(line.split(":\\t", 1) for line in lines if ":\\t" in line)
read_only = ("/", "/etc", "/usr/bin", "/opt", "/var/tmp", "/etc/agentjobs/revision")
print(json.dumps({
    "environment": dict(os.environ),
    "secret": hashlib.sha256(os.environ["TOKEN"].encode()).hexdigest(),
    "ids": [os.getuid(), os.geteuid(), os.getgid(), os.getegid()],
    "folder": os.getcwd(),
    "rights": {name: status[name] for name in ("CapEff", "CapBnd", "NoNewPrivs", "Seccomp")},
    "written": {
        folder: written(folder) for folder in (*read_only, "/workspace", "/home/agent", "/tmp")
    },
    "mounted": sorted(
        line.split()[1]
        for line in open("/proc/mounts")
        if "secret" in line or "serviceaccount" in line
    ),
}))
"""
VALUES: Final = {
    "PLAIN": "a value",
    "EMPTY": "",
    "QUOTED": "'single' \"double\" \\ back, é😀, a=b\nsecond line",
    "PYTHONUNBUFFERED": "0",
}
GUESTS: Final = """\
import os, pathlib
book = pathlib.Path("guests")
with book.open("a") as file:
    file.write(os.environ["JOB_RUN_ID"] + "\\n")
print(book.resolve(), *book.read_text().split())
"""


def variable(secret: str, key: str) -> Manifest:
    return {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": secret, "key": key}}}


def claim(name: str) -> Manifest:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name},
        "spec": spec,
    }


@pytest.fixture(scope="module")
def namespace(kubectl: Kubectl) -> Iterator[str]:
    with new_namespace(kubectl) as name:
        secret = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "token"},
            "stringData": {"api.key": "hunter2\n"},
        }
        kubectl.create(name, claim("guests"), secret)
        yield name


@pytest.fixture(scope="module")
def runs(agentjobs: Installed, namespace: str) -> dict[str, str]:
    """Runs that have been started, by job."""
    environment = [
        *({"name": name, "value": value} for name, value in VALUES.items()),
        variable("token", "api.key"),
    ]
    jobs = [
        many.job("survey", SURVEY, env=environment),
        many.job("guests", GUESTS, workspace={"claimName": "guests"}),
        many.job("late", "print('at last')", workspace={"claimName": "late"}),
    ]
    return many.started(agentjobs, namespace, many.in_force(agentjobs, namespace, jobs))


@pytest.fixture(scope="module")
def surroundings(agentjobs: Installed, namespace: str, runs: dict[str, str]) -> dict[str, Any]:
    """What a script sees around it."""
    record = agentjobs.finished(namespace, runs["survey"])
    assert record["phase"] == "Succeeded", record
    return dict(json.loads(record["stdout"]))


def test_a_script_sees_its_variables_its_secrets_and_the_name_of_its_run(
    surroundings: dict[str, Any],
) -> None:
    environment = surroundings["environment"]
    assert {name: environment.get(name) for name in VALUES} == VALUES
    assert (environment["JOB_RUN_ID"], environment["HOME"]) == ("survey-run", "/home/agent")
    # Its hash: the value itself is masked in what the script prints.
    assert surroundings["secret"] == hashlib.sha256(b"hunter2\n").hexdigest()
    assert "hunter2" not in environment["TOKEN"]


def test_a_script_sees_only_the_cluster_address_that_every_pod_gets(
    surroundings: dict[str, Any],
) -> None:
    address = {f"KUBERNETES_SERVICE_{name}" for name in ("HOST", "PORT", "PORT_HTTPS")}
    address |= {
        f"KUBERNETES_PORT{name}"
        for name in ("", "_443_TCP", "_443_TCP_ADDR", "_443_TCP_PORT", "_443_TCP_PROTO")
    }
    assert {
        name
        for name in surroundings["environment"]
        if name.startswith(("KUBERNETES_", "AGENTJOBS_"))
    } == address
    assert surroundings["mounted"] == []


def test_a_script_runs_without_any_rights_on_a_root_that_it_cannot_write(
    surroundings: dict[str, Any],
) -> None:
    assert surroundings["ids"] == [65532] * 4
    assert surroundings["rights"] == {
        "CapEff": "0" * 16,
        "CapBnd": "0" * 16,
        "NoNewPrivs": "1",
        "Seccomp": "2",
    }
    can_write = {folder for folder, written in surroundings["written"].items() if written == "yes"}
    assert can_write == {
        "/workspace",
        "/home/agent",
        "/tmp",  # noqa: S108  the path is what is checked
    }
    assert surroundings["folder"] == "/workspace"


def test_files_in_a_claim_are_there_for_the_next_run(
    agentjobs: Installed, namespace: str, runs: dict[str, str]
) -> None:
    assert (
        agentjobs.finished(namespace, runs["guests"])["stdout"] == "/workspace/guests guests-run\n"
    )
    second = agentjobs.finished(namespace, agentjobs.start(namespace, "guests", "second-run"))
    assert second["stdout"] == "/workspace/guests guests-run second-run\n"


def told(agentjobs: Installed, namespace: str, run: str, seconds: float) -> tuple[str, str]:
    """Reason and message of a run that does not begin, as soon as it has them."""

    def status() -> Manifest | None:
        found: Manifest = agentjobs.run(namespace, run).get("status", {})
        assert found.get("phase", "Pending") == "Pending"
        return found if "reason" in found else None

    found = wait_for(status, seconds, f"{run} says why it does not begin")
    assert found is not None
    return found["reason"], found["message"]


def test_a_run_that_waits_for_a_claim_says_so_and_begins_when_it_comes(
    agentjobs: Installed, kubectl: Kubectl, namespace: str, runs: dict[str, str]
) -> None:
    reason, message = told(agentjobs, namespace, runs["late"], 10)
    assert (reason, 'persistentvolumeclaim "late" not found' in message) == ("Unschedulable", True)
    assert agentjobs.job(namespace, "late")["status"]["phase"] == "Blocked"
    kubectl.create(namespace, claim("late"))
    record = agentjobs.finished(namespace, runs["late"])
    assert (record["phase"], record["reason"], record["stdout"]) == (
        "Succeeded",
        "Completed",
        "at last\n",
    )


WANTING: Final[dict[str, tuple[Manifest, str, str]]] = {
    "no-secret": (
        {"env": [variable("absent", "key")]},
        "CreateContainerConfigError",
        'secret "absent" not found',
    ),
    "no-key": (
        {"env": [variable("token", "absent")]},
        "CreateContainerConfigError",
        "couldn't find key absent in Secret",
    ),
    "no-claim": (
        {"workspace": {"claimName": "absent"}},
        "Unschedulable",
        'persistentvolumeclaim "absent" not found',
    ),
    "no-room": (
        {"resources": {"requests": {"cpu": "99"}, "limits": {"cpu": "99"}}},
        "Unschedulable",
        "Insufficient cpu",
    ),
}
"""What a job asks for in vain, and what is told of its runs."""


@pytest.fixture(scope="module")
def impatient(
    agentjobs: Installed, namespace: str, runs: dict[str, str]
) -> Iterator[dict[str, tuple[str, str]]]:
    """What is said within 10 s of each run that does not begin.

    A pod has 10 s to start there, and a script 10 s to end.
    """
    many.finished(agentjobs, namespace, {name: run for name, run in runs.items() if name != "late"})
    with agentjobs.values_set(**{"run.startTimeoutSeconds": 10, "run.deadlineSeconds": 70}):
        jobs = [many.job(name, "pass", **spec) for name, (spec, _, _) in WANTING.items()]
        endless = many.job(
            "endless", "import time\nprint('on and on', flush=True)\ntime.sleep(600)"
        )
        many.started(agentjobs, namespace, many.in_force(agentjobs, namespace, [*jobs, endless]))
        yield {name: told(agentjobs, namespace, f"{name}-run", 10) for name in WANTING}


@pytest.mark.parametrize("name", WANTING)
def test_a_run_that_cannot_begin_says_why_within_10_seconds(
    name: str, impatient: dict[str, tuple[str, str]]
) -> None:
    _, reason, sentence = WANTING[name]
    assert impatient[name][0] == reason
    assert impatient[name][1].startswith(f"the pod cannot start: {reason}: ")
    assert sentence in impatient[name][1]


@pytest.mark.parametrize("name", WANTING)
def test_a_run_that_cannot_begin_ends_at_its_start_timeout_with_a_reason(
    name: str,
    agentjobs: Installed,
    kubectl: Kubectl,
    namespace: str,
    impatient: dict[str, tuple[str, str]],
) -> None:
    record = agentjobs.finished(namespace, f"{name}-run")
    assert (record["phase"], record["reason"], record["logsComplete"]) == (
        "Failed",
        "StartTimeout",
        True,
    )
    assert impatient[name][1].removeprefix("the pod cannot start: ") in record["message"]
    assert record.keys().isdisjoint({"exitCode", "startedAt"})
    created = agentjobs.run(namespace, f"{name}-run")["metadata"]["creationTimestamp"]
    waited = datetime.fromisoformat(record["finishedAt"]) - datetime.fromisoformat(created)
    assert 10 <= waited.total_seconds() < 30
    selector = ("-n", namespace, "-l", f"agentjobs.dev/job={name}")
    wait_for(
        lambda: not kubectl.json("get", "jobs,pods", *selector)["items"],
        30,
        "its Job and its pod are gone",
    )
    status = agentjobs.job(namespace, name)["status"]
    assert (status["phase"], status["failureCount"]) == ("Failed", 1)
    assert status["lastError"].startswith("StartTimeout: ")


def test_a_run_ends_a_minute_before_the_installations_deadline(
    agentjobs: Installed, namespace: str, impatient: dict[str, tuple[str, str]]
) -> None:
    assert "endless" not in impatient
    record = agentjobs.finished(namespace, "endless-run")
    assert (record["phase"], record["stdout"]) == ("TimedOut", "on and on\n")
    assert record["message"] == "the script was ended at its time limit of 10 s"
