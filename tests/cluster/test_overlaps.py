"""A start while another run of its job goes on, under each policy, whoever asks for it. All jobs are due in the same minute."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest

from tests import manifests
from tests.cluster import many
from tests.cluster.installed import Installed, Manifest
from tests.cluster.support import Kubectl, new_namespace, wait_for

GOES_ON: Final = "import time\nprint('begun', flush=True)\ntime.sleep(30)\nprint('done')\n"
JOBS: Final = {"forbid": "Forbid", "allow": "Allow", "replace": "Replace", "handed": "Replace"}
"""A run by hand comes when the scheduled one goes on; that of `handed` came before, and goes on when the scheduled one comes."""


@dataclass(frozen=True)
class Hour:
    """The records, by name. `both`: the runs of `allow` were seen to go on at the same time."""

    records: dict[str, Manifest]
    scheduled: dict[str, str]
    both: bool


def _phases(kubectl: Kubectl, namespace: str) -> dict[str, str]:
    items = kubectl.json("get", "ajr", "-n", namespace)["items"]
    return {body["metadata"]["name"]: body.get("status", {}).get("phase", "Pending") for body in items}


@pytest.fixture(scope="module")
def hour(agentjobs: Installed, kubectl: Kubectl) -> Iterator[Hour]:
    with new_namespace(kubectl) as namespace:
        due = (datetime.now(UTC) + timedelta(seconds=90)).replace(second=0, microsecond=0)
        cron = {"cron": f"{due.minute} {due.hour} * * *"}
        jobs = [many.job(name, GOES_ON, schedule=cron, concurrencyPolicy=policy) for name, policy in JOBS.items()]
        jobs[-1]["spec"]["script"]["inline"] = GOES_ON.replace("30", "600")
        many.in_force(agentjobs, namespace, jobs)
        many.running(agentjobs, namespace, many.started(agentjobs, namespace, ["handed"]))
        scheduled = {name: f"{name}-{int(due.timestamp()) // 60}" for name in JOBS}
        first = [scheduled[name] for name in JOBS if name != "handed"]
        wait_for(lambda: [_phases(kubectl, namespace).get(run) for run in first] == ["Running"] * 3, 150, "the scheduled runs go on")
        kubectl.create(namespace, *(manifests.run(f"{name}-run", name) for name in JOBS if name != "handed"))
        pair = ("allow-run", scheduled["allow"])
        both = wait_for(lambda: [_phases(kubectl, namespace)[run] for run in pair] == ["Running"] * 2, 30, "both runs go on")
        agentjobs.kubectl("-n", namespace, "wait", "--for=jsonpath={.status.phase}=Running", f"ajr/{scheduled['handed']}", "--timeout=60s")
        kubectl("-n", namespace, "patch", "ajr", scheduled["handed"], "--type=merge", "-p", '{"spec":{"cancel":true}}')
        names = {run: run for run in (*scheduled.values(), *(f"{name}-run" for name in JOBS))}
        yield Hour(many.finished(agentjobs, namespace, names), scheduled, both)


def outcome(hour: Hour, run: str) -> tuple[Any, ...]:
    record = hour.records[run]["status"]
    return record["phase"], record["reason"], record["stdout"], record["logsComplete"]


def test_forbid_skips_a_run_by_hand_over_a_scheduled_one(hour: Hour) -> None:
    assert outcome(hour, hour.scheduled["forbid"]) == ("Succeeded", "Completed", "begun\ndone\n", True)
    assert outcome(hour, "forbid-run")[:2] == ("Skipped", "Overlap")


def test_allow_runs_both(hour: Hour) -> None:
    assert hour.both
    for run in (hour.scheduled["allow"], "allow-run"):
        assert outcome(hour, run) == ("Succeeded", "Completed", "begun\ndone\n", True)


def test_replace_cancels_the_scheduled_run_for_one_by_hand_and_keeps_its_output(hour: Hour) -> None:
    assert outcome(hour, hour.scheduled["replace"]) == ("Cancelled", "Replaced", "begun\n", True)
    assert outcome(hour, "replace-run") == ("Succeeded", "Completed", "begun\ndone\n", True)


def test_replace_cancels_a_run_by_hand_for_a_scheduled_one_and_keeps_its_output(hour: Hour) -> None:
    assert outcome(hour, "handed-run") == ("Cancelled", "Replaced", "begun\n", True)
    assert outcome(hour, hour.scheduled["handed"])[:3] == ("Cancelled", "CancelledByUser", "begun\n")
