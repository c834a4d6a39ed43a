"""Each kind of schedule on a real cluster starts once, when the status says, or has its record."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest

from tests.cluster import many
from tests.cluster.installed import FINAL, Installed, Manifest
from tests.cluster.support import Kubectl, new_namespace, wait_for

REPORT: Final = "print('done')\n"
MINUTE: Final = timedelta(minutes=1)
KINDS: Final = ("plain", "once", "window", "biweekly")


@dataclass(frozen=True)
class Morning:
    """Jobs that all start in the same minute, and what became of them.

    `told`: what nextRunAt said before. `fired`: what each CronJob said after its firing, and before
    the operator was back.
    """

    namespace: str
    start: datetime
    told: dict[str, str]
    fired: dict[str, Manifest]
    records: dict[str, list[Manifest]]


def schedules(start: datetime) -> dict[str, dict[str, Any]]:
    """All due in this minute (UTC), and the next time a day later at the earliest."""
    cron = f"{start.minute} {start.hour} * * "
    window = {
        "cron": "0 0 * * *",
        "startTime": f"{start:%H:%M}",
        "endTime": f"{start + MINUTE:%H:%M}",
    }
    return {
        "plain": {"cron": f"{cron}*"},
        "once": {"once": {"runAt": f"{start:%Y-%m-%dT%H:%M:00}"}},
        "window": {"window": window},
        "biweekly": {
            "cron": f"{cron}{start.isoweekday() % 7}",
            "everyWeeks": 2,
            "startDate": f"{start:%Y-%m-%d}",
        },
        "paused": {"cron": f"{cron}*"},
        "edited": {"once": {"runAt": f"{start:%Y-%m-%dT%H:%M:00}"}},
    }


def records(kubectl: Kubectl, namespace: str) -> dict[str, list[Manifest]]:
    found: dict[str, list[Manifest]] = {}
    for body in kubectl.json("get", "ajr", "-n", namespace)["items"]:
        found.setdefault(body["spec"]["jobName"], []).append(body)
    return found


@pytest.fixture(scope="module")
def morning(agentjobs: Installed, kubectl: Kubectl) -> Iterator[Morning]:
    """The operator is down over the start, which Kubernetes makes; it arms again when back."""
    with new_namespace(kubectl) as namespace:
        start = (datetime.now(UTC) + timedelta(seconds=100)).replace(second=0, microsecond=0)
        wanted = schedules(start)
        many.in_force(
            agentjobs,
            namespace,
            [many.job(name, REPORT, schedule=schedule) for name, schedule in wanted.items()],
        )
        later = {
            "spec": {
                "schedule": {"once": {"runAt": f"{start + timedelta(days=1):%Y-%m-%dT%H:%M:00}"}}
            }
        }
        kubectl("patch", "saj", "-n", namespace, "edited", "--type=merge", "-p", json.dumps(later))
        agentjobs.approve(namespace, "edited")
        kubectl(
            "patch",
            "saj",
            "-n",
            namespace,
            "paused",
            "--type=merge",
            "-p",
            '{"spec": {"suspend": true}}',
        )
        wait_for(
            lambda: agentjobs.job(namespace, "paused")["status"]["phase"] == "Paused",
            30,
            "it is paused",
        )
        agentjobs.wait_condition(namespace, "edited", "Approved", "True")
        told = {
            name: agentjobs.job(namespace, name)["status"].get("nextRunAt", "") for name in wanted
        }
        assert datetime.now(UTC) < start, "the machine is too slow to prepare for this minute"
        agentjobs.scale(0)
        try:
            wait_for(
                lambda: all(is_complete(kubectl, namespace, name) for name in KINDS),
                120,
                "every kind has started and ended",
            )
            fired = {
                job: kubectl.json("get", "cronjob", "-n", namespace, job)["spec"] for job in KINDS
            }
        finally:
            agentjobs.scale(1)
        wait_for(
            lambda: all(is_recorded(kubectl, namespace, name) for name in (*KINDS, "paused")),
            60,
            "all is recorded",
        )
        yield Morning(namespace, start, told, fired, records(kubectl, namespace))


def is_complete(kubectl: Kubectl, namespace: str, job: str) -> bool:
    jobs = kubectl.json("get", "jobs", "-n", namespace, "-l", f"agentjobs.dev/job={job}")["items"]
    return any(
        c["type"] == "Complete" and c["status"] == "True"
        for body in jobs
        for c in body.get("status", {}).get("conditions", ())
    )


def is_recorded(kubectl: Kubectl, namespace: str, job: str) -> bool:
    found = records(kubectl, namespace).get(job, [])
    return bool(found) and all(body.get("status", {}).get("phase") in FINAL for body in found)


@pytest.mark.parametrize("job", KINDS)
def test_it_starts_when_the_status_said_and_once(morning: Morning, job: str) -> None:
    assert morning.told[job] == f"{morning.start:%Y-%m-%dT%H:%M:00Z}"
    found = morning.records[job]
    assert [body["spec"]["trigger"]["scheduledAt"] for body in found] == [morning.told[job]]
    assert [body["status"]["phase"] for body in found] == ["Succeeded"]


@pytest.mark.parametrize(("job", "days"), [("plain", 1), ("window", 1), ("biweekly", 14)])
def test_afterwards_the_next_one_is_told_and_armed(
    agentjobs: Installed, kubectl: Kubectl, morning: Morning, job: str, days: int
) -> None:
    """And nothing starts again: the operator was down between the firing and this."""
    following = morning.start + timedelta(days=days)
    if job != "plain":
        assert (morning.fired[job]["schedule"], morning.fired[job]["suspend"]) == (
            f"{morning.start:%-M %-H %-d %-m} *",
            False,
        )

    def is_armed() -> bool:
        cron = kubectl.json("get", "cronjob", "-n", morning.namespace, job)["spec"]
        told = agentjobs.job(morning.namespace, job)["status"].get("nextRunAt")
        assert told == f"{following:%Y-%m-%dT%H:%M:00Z}"
        return not cron["suspend"] and (
            job == "plain" or cron["schedule"] == f"{following:%-M %-H %-d %-m} *"
        )

    assert wait_for(is_armed, 30, f"{job} is armed again")
    ran_once(agentjobs, kubectl, morning, job)


def ran_once(agentjobs: Installed, kubectl: Kubectl, morning: Morning, job: str) -> None:
    name = f"{job}-{int(morning.start.timestamp()) // 60}"
    assert [body["metadata"]["name"] for body in records(kubectl, morning.namespace)[job]] == [name]
    assert (
        many.pods(kubectl, morning.namespace)[name],
        agentjobs.job(morning.namespace, job)["status"]["runCount"],
    ) == (1, 1)


def test_a_single_start_is_over_for_good(
    agentjobs: Installed, kubectl: Kubectl, morning: Morning
) -> None:
    def is_over() -> bool:
        status = agentjobs.job(morning.namespace, "once")["status"]
        suspended = kubectl.json("get", "cronjob", "-n", morning.namespace, "once")["spec"][
            "suspend"
        ]
        return bool(suspended) and status["phase"] == "Triggered" and "nextRunAt" not in status

    assert (morning.fired["once"]["schedule"], morning.fired["once"]["suspend"]) == (
        f"{morning.start:%-M %-H %-d %-m} *",
        False,
    )
    assert wait_for(is_over, 30, "it is Triggered and suspended")
    ran_once(agentjobs, kubectl, morning, "once")


def test_an_edit_over_the_start_moves_it(morning: Morning) -> None:
    assert morning.told["edited"] == f"{morning.start + timedelta(days=1):%Y-%m-%dT%H:%M:00Z}"
    assert "edited" not in morning.records


def test_a_start_during_a_pause_is_one_record_and_never_made_up_for(
    agentjobs: Installed, kubectl: Kubectl, morning: Morning
) -> None:
    kubectl(
        "patch",
        "saj",
        "-n",
        morning.namespace,
        "paused",
        "--type=merge",
        "-p",
        '{"spec": {"suspend": false}}',
    )
    following = f"{morning.start + timedelta(days=1):%Y-%m-%dT%H:%M:00Z}"
    wait_for(
        lambda: agentjobs.job(morning.namespace, "paused")["status"].get("nextRunAt") == following,
        30,
        "it goes on tomorrow",
    )
    wait_for(
        lambda: (
            not kubectl.json("get", "cronjob", "-n", morning.namespace, "paused")["spec"]["suspend"]
        ),
        30,
        "its CronJob goes on",
    )
    assert [
        (body["status"]["phase"], body["status"]["reason"])
        for body in records(kubectl, morning.namespace)["paused"]
    ] == [("Skipped", "Paused")]
    assert (
        kubectl.json("get", "jobs", "-n", morning.namespace, "-l", "agentjobs.dev/job=paused")[
            "items"
        ]
        == []
    )
