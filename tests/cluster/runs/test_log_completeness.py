"""However a run ends, all output up to the cap is in the record, or the record says why not.

Each way of ending is tried several times.

All endings of a group go side by side, in one namespace. `make matrix` does it 20 times and writes
docs/log-completeness.md.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Final

import pytest

from agentjobs.testing.real_cluster.machine import look
from tests.cluster import many
from tests.cluster.installed import FINAL, Installed, Manifest
from tests.cluster.package_index import Index
from tests.cluster.process import killer
from tests.cluster.runs.endings import (
    DOWN,
    INSTALLING,
    LATE_CLAIM,
    LINES,
    ROWS,
    Row,
    Told,
    page,
    told,
)
from tests.cluster.runs.last_lines import HEADING
from tests.cluster.support import Kubectl, new_namespace, wait_for
from tests.support import manifests
from tests.support.root import ROOT

ROUNDS: Final = int(os.environ.get("MATRIX_ROUNDS", "3"))
SIDE_BY_SIDE: Final = 4
TABLE: Final = os.environ.get("MATRIX_TABLE", "")
SMALL: Final = {"requests": {"cpu": "10m", "memory": "64Mi"}}
"""All of a group have to fit on the node at once."""
CLAIM: Final = {
    "apiVersion": "v1",
    "kind": "PersistentVolumeClaim",
    "metadata": {"name": LATE_CLAIM},
    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
}
Group = dict[str, list[Told]]


@pytest.fixture(scope="module")
def table() -> Iterator[Group]:
    """The records of each row so far. At the end they become the page."""
    machine = look()
    found: Group = defaultdict(list)
    yield found
    if TABLE:
        _, heading, others = (ROOT / TABLE).read_text().partition(HEADING)
        endings = page(found, machine.words(), datetime.now(UTC).date().isoformat())
        (ROOT / TABLE).write_text(endings + (f"\n{heading}{others}" if heading else ""))


@pytest.fixture(scope="module")
def index(agentjobs: Installed, kubectl: Kubectl) -> Iterator[Index]:
    """An index whose package `slow` never arrives, and an operator that uses it."""
    with new_namespace(kubectl) as name:
        found = Index(agentjobs, name)
        found.start()
        found.offer({"files/nothing": b"", "simple/nothing": b""})
        with agentjobs.values_set(**{"packages.indexUrl": found.url}):
            yield found


@pytest.fixture(
    scope="module", params=range(0, ROUNDS, SIDE_BY_SIDE), ids=lambda first: f"from {first + 1}"
)
def numbers(request: pytest.FixtureRequest) -> range:
    """Rounds that go side by side."""
    return range(request.param, min(ROUNDS, request.param + SIDE_BY_SIDE))


@pytest.fixture(scope="module")
def namespace(kubectl: Kubectl, numbers: range) -> Iterator[str]:
    """One for each group: what is late in it has to be late again."""
    assert len(numbers)
    with new_namespace(kubectl) as name:
        yield name


@pytest.fixture(scope="module")
def group(
    agentjobs: Installed, index: Index, namespace: str, numbers: range, table: Group
) -> Group:
    """The records of these rounds, by row."""
    rows = {f"{name}-{number}": row for number in numbers for name, row in ROWS.items()}
    runs = begun(agentjobs, namespace, rows)
    with killer(agentjobs):
        for name, run in everything_goes_on(agentjobs, namespace, rows, runs).items():
            happens(agentjobs, namespace, rows[name], run)
        records = recorded(agentjobs, namespace, runs, 240)
    found = {name: [records[f"{name}-{number}"] for number in numbers] for name in ROWS}
    for name, each in found.items():
        table[name] += each
    return found


def begun(agentjobs: Installed, namespace: str, rows: Mapping[str, Row]) -> dict[str, str]:
    """The runs' names, by job."""
    agentjobs.kubectl.create(namespace, manifests.package_approval("slow", packages=["slow==1.0"]))
    jobs = [
        many.job(name, row.script, **{"resources": SMALL, **row.spec}) for name, row in rows.items()
    ]
    return many.started(agentjobs, namespace, many.in_force(agentjobs, namespace, jobs))


def happens(agentjobs: Installed, namespace: str, row: Row, run: str) -> None:
    assert row.act is not None
    row.act(agentjobs.kubectl, namespace, run)


def everything_goes_on(
    agentjobs: Installed, namespace: str, rows: Mapping[str, Row], runs: Mapping[str, str]
) -> dict[str, str]:
    """The runs to which something is to happen, once each has printed.

    For those that install it has happened: uv gives up after 30 s.
    """
    acted = {name: run for name, run in runs.items() if rows[name].act}
    late = {name: run for name, run in acted.items() if name.startswith("deadline-")}
    installing = {name: run for name, run in acted.items() if name.startswith(f"{INSTALLING}-")}
    others = acted.keys() - late.keys() - installing.keys()
    happens_while_they_install(agentjobs, namespace, rows, installing)
    many.running(agentjobs, namespace, {name: acted[name] for name in others}, 120)
    wait_for_reason(agentjobs, namespace, late, "Unschedulable")
    agentjobs.kubectl.create(namespace, CLAIM)
    many.running(agentjobs, namespace, late)
    for name in (*others, *late):
        wait_for(has_printed(agentjobs.kubectl, namespace, acted[name]), 60, f"{name} has printed")
    return {name: acted[name] for name in (*others, *late)}


def happens_while_they_install(
    agentjobs: Installed, namespace: str, rows: Mapping[str, Row], runs: Mapping[str, str]
) -> None:
    """To each as soon as it does, in whatever order they come to it."""
    left = dict(runs)

    def to_all() -> bool:
        for name in [
            name for name, run in left.items() if says(agentjobs, namespace, run, "Installing")
        ]:
            happens(agentjobs, namespace, rows[name], left.pop(name))
        return not left

    wait_for(to_all, 120, f"{', '.join(runs)} install")


def says(agentjobs: Installed, namespace: str, run: str, reason: str) -> bool:
    return bool(agentjobs.run(namespace, run).get("status", {}).get("reason") == reason)


def wait_for_reason(
    agentjobs: Installed, namespace: str, runs: Mapping[str, str], reason: str
) -> None:
    def all_say_so() -> bool:
        return all(says(agentjobs, namespace, run, reason) for run in runs.values())

    wait_for(all_say_so, 60, f"{', '.join(runs)} say {reason}")


def has_printed(kubectl: Kubectl, namespace: str, run: str) -> Callable[[], bool]:
    def condition() -> bool:
        log = kubectl("logs", "-n", namespace, f"job/{run}")
        return (
            f"{LINES - 1:05d} of {LINES} on stdout\n" in log
            and f"{LINES - 1:05d} of {LINES} on stderr\n" in log
        )

    return condition


def recorded(
    agentjobs: Installed, namespace: str, runs: Mapping[str, str], seconds: float
) -> dict[str, Told]:
    """The records by job, once all are final, each with the time at which it was written."""
    found: dict[str, Told] = {}

    def all_final() -> bool:
        bodies: list[Manifest] = agentjobs.kubectl.json(
            "get", "ajr", "-n", namespace, "--show-managed-fields"
        )["items"]
        for body in bodies:
            name, status = body["metadata"]["name"].removesuffix("-run"), body.get("status", {})
            if name in runs and name not in found and status.get("phase") in FINAL:
                found[name] = told(status, written(body))
        missing = runs.keys() - found.keys()
        assert not missing, f"no record of {', '.join(sorted(missing))}"
        return True

    wait_for(all_final, seconds, "every run has its record")
    return found


def written(run: Manifest) -> datetime:
    """When the API server stored the last write to a run's status, which makes its phase final."""
    times = [
        entry["time"]
        for entry in run["metadata"]["managedFields"]
        if entry.get("subresource") == "status"
    ]
    return datetime.fromisoformat(max(times))


@pytest.mark.parametrize("name", ROWS)
def test_all_output_is_in_the_record_or_the_record_says_why_not(
    name: str, group: Group, numbers: range
) -> None:
    assert len(group[name]) == len(numbers)
    for one in group[name]:
        ROWS[name].check(one.record)


def test_output_of_runs_that_end_while_the_operator_is_down_is_recorded(
    agentjobs: Installed,
    kubectl: Kubectl,
    namespace: str,
    group: Group,
    numbers: range,
    table: Group,
) -> None:
    assert group, "before, so that nothing else needs the operator"
    runs = many.started(
        agentjobs,
        namespace,
        many.in_force(
            agentjobs,
            namespace,
            [many.job(f"down-{number}", DOWN.script, resources=SMALL) for number in numbers],
        ),
    )
    many.running(agentjobs, namespace, runs)
    agentjobs.scale(0)
    try:
        for run in runs.values():
            selector = f"batch.kubernetes.io/job-name={run}"
            kubectl(
                "wait",
                "-n",
                namespace,
                "--for=jsonpath={.status.phase}=Succeeded",
                "pod",
                "-l",
                selector,
                "--timeout=60s",
            )
        assert {agentjobs.run(namespace, run)["status"]["phase"] for run in runs.values()} == {
            "Running"
        }
    finally:
        agentjobs.scale(1)
    found = recorded(agentjobs, namespace, runs, 60)
    table["down"] += found.values()
    for one in found.values():
        DOWN.check(one.record)
