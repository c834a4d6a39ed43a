"""Nothing a run prints last is lost, however short its lines, on a quiet machine and under load.

`make test` does two rounds on the machine as it is, `make matrix` 50 quiet ones and 50 under load,
and writes a section of docs/log-completeness.md.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

import pytest

from agentjobs.testing.real_cluster.machine import look
from tests.cluster import many
from tests.cluster.installed import Installed, Manifest
from tests.cluster.runs.endings import Row
from tests.cluster.runs.last_lines import HEADING, READY, TITLES, Idle, job_of, jobs, load, section
from tests.cluster.support import Kubectl, new_namespace, wait_for
from tests.support import manifests
from tests.support.root import ROOT

ROUNDS: Final = int(os.environ.get("LAST_LINES_ROUNDS", "2"))
STATES: Final = os.environ.get("LAST_LINES_STATES", "as it is").split(",")
TABLE: Final = os.environ.get("MATRIX_TABLE", "")
SIDE_BY_SIDE: Final = 6
"""More would make the machine a loaded one while they end."""
LOADERS: Final = int(os.environ.get("LAST_LINES_LOAD", 3 * (os.cpu_count() or 1)))
SMALL: Final = {"requests": {"cpu": "10m", "memory": "64Mi"}}


@dataclass
class Found:
    """By state: idle CPU in percent, and by kind of row whether each run's record was whole."""

    idle: dict[str, int] = field(default_factory=dict)
    whole: dict[str, dict[str, list[bool]]] = field(default_factory=dict)


@pytest.fixture(scope="module")
def found() -> Iterator[Found]:
    """Every state adds its own; at the end they become the section."""
    machine, each = look(), Found()
    yield each
    if TABLE and {"quiet", "load"} <= each.whole.keys():
        day, idle = (
            datetime.now(UTC).date().isoformat(),
            {state: f"{percent} %" for state, percent in each.idle.items()},
        )
        facts = {"runs": ROUNDS, "load": LOADERS, "machine": machine.words(), "day": day}
        before = (ROOT / TABLE).read_text().partition(HEADING)[0].rstrip("\n")
        (ROOT / TABLE).write_text(
            f"{before}\n\n" + section(each.whole, quiet=idle["quiet"], loaded=idle["load"], **facts)
        )


@pytest.mark.timeout(300 + 60 * ROUNDS)
@pytest.mark.parametrize("state", STATES)
def test_runs_that_end_right_after_many_lines_are_recorded_whole(
    agentjobs: Installed, kubectl: Kubectl, state: str, found: Found
) -> None:
    whole: dict[str, list[bool]] = {kind: [] for kind in TITLES}
    lost: list[str] = []
    rows = jobs(ROUNDS)
    with new_namespace(kubectl) as namespace, load(LOADERS) if state == "load" else nullcontext():
        bodies = [
            many.job(name, row.script, **{"resources": SMALL, **row.spec})
            for name, row in rows.items()
        ]
        many.in_force(agentjobs, namespace, bodies, 180)
        idle = Idle()
        for number, kinds in itertools.product(range(ROUNDS), batches()):
            names = {kind: job_of(kind, number) for kind in kinds}
            records = recorded(
                agentjobs, namespace, {names[kind]: f"{kind}-{number}" for kind in kinds}, rows
            )
            for kind, name in names.items():
                problem = what_is_wrong(rows[name], records[name])
                whole[kind].append(not problem)
                lost += [f"{name}: {problem}"] if problem else []
        found.idle[state] = idle.percent()
    found.whole[state] = whole
    counts = ", ".join(f"{kind} {sum(each)} of {len(each)}" for kind, each in whole.items())
    told = f"{state}, {found.idle[state]} % idle, load {os.getloadavg()[0]:.1f}: whole are {counts}"
    print(told)
    assert not lost, "\n".join([told, *lost])


def batches() -> list[tuple[str, ...]]:
    kinds = list(TITLES)
    return [tuple(kinds[at : at + SIDE_BY_SIDE]) for at in range(0, len(kinds), SIDE_BY_SIDE)]


def recorded(
    agentjobs: Installed, namespace: str, runs: Mapping[str, str], rows: Mapping[str, Row]
) -> dict[str, Manifest]:
    """The records of these runs, by job, once all are there.

    What happens to a run happens when its script is ready for it.
    """
    kubectl = agentjobs.kubectl
    kubectl.create(namespace, *(manifests.run(run, job) for job, run in runs.items()))
    for job, run in runs.items():
        if act := rows[job].act:
            wait_for(lambda run=run: is_ready(kubectl, namespace, run), 120, f"{run} is ready")  # type: ignore[misc]
            act(kubectl, namespace, run)
    names = [f"ajr/{run}" for run in runs.values()]
    kubectl(
        "wait", "-n", namespace, "--for=jsonpath={.status.finishedAt}", "--timeout=110s", *names
    )
    return {job: agentjobs.run(namespace, run)["status"] for job, run in runs.items()}


def is_ready(kubectl: Kubectl, namespace: str, run: str) -> bool:
    return kubectl("logs", "-n", namespace, f"job/{run}") == READY


def what_is_wrong(row: Row, record: Manifest) -> str:
    try:
        row.check(record)
    except AssertionError as error:
        return str(error)[:600]
    return ""
