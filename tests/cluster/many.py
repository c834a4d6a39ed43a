"""Jobs with scripts, many at once.

A run on a real cluster takes seconds, so tests of many runs start them side by side.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from tests.cluster.installed import FINAL, Installed, Manifest
from tests.cluster.support import Kubectl, wait_for
from tests.support import manifests


def job(name: str, script: str, **spec: Any) -> Manifest:
    """A ScheduledAgentJob that runs this script."""
    return manifests.job(name, script={"inline": script}, **spec)


def told(
    agentjobs: Installed, namespace: str, name: str, kind: str, reason: str, seconds: float = 30
) -> str:
    """The message of a job's condition of this kind, once it has this reason."""

    def message() -> str:
        conditions = agentjobs.job(namespace, name).get("status", {}).get("conditions", [])
        found: Manifest = next(
            (condition for condition in conditions if condition["type"] == kind), {}
        )
        assert found.get("reason") == reason, found
        return str(found["message"])

    return wait_for(message, seconds, f"{name}: the reason of {kind} is {reason}")


def in_force(
    agentjobs: Installed, namespace: str, jobs: Iterable[Manifest], seconds: float = 60
) -> dict[str, str]:
    """Write these jobs and approve them; returns their digests once all of them are in force."""
    bodies = list(jobs)
    agentjobs.kubectl.apply(namespace, *bodies)
    names = [body["metadata"]["name"] for body in bodies]
    digests = wait_for(lambda: _cards(agentjobs, namespace, names), seconds, "every job has a card")
    agentjobs.kubectl.create(
        namespace,
        *(
            manifests.approval(f"{name}-approved", jobName=name, digest=digest)
            for name, digest in digests.items()
        ),
    )
    wait_for(
        lambda: all(map(_is_ready, _named(agentjobs, namespace, "saj", names).values())),
        seconds,
        "every job is in force",
    )
    return digests


def started(agentjobs: Installed, namespace: str, jobs: Iterable[str]) -> dict[str, str]:
    """Trigger a run of each of these jobs by hand; returns the runs' names by job."""
    runs = {job: f"{job}-run" for job in jobs}
    agentjobs.kubectl.create(namespace, *(manifests.run(run, job) for job, run in runs.items()))
    return runs


def running(
    agentjobs: Installed, namespace: str, runs: Mapping[str, str], seconds: float = 60
) -> None:
    """Waits until each of these runs is Running."""

    def all_run() -> bool:
        found = _named(agentjobs, namespace, "ajr", runs.values())
        return all(body.get("status", {}).get("phase") == "Running" for body in found.values())

    wait_for(all_run, seconds, f"the runs {', '.join(runs.values())} go on")


def finished(
    agentjobs: Installed, namespace: str, runs: Mapping[str, str], seconds: float = 120
) -> dict[str, Manifest]:
    """The records of these runs by job, once all are final."""

    def records() -> dict[str, Manifest]:
        found = _named(agentjobs, namespace, "ajr", runs.values())
        missing = [
            name for name, body in found.items() if body.get("status", {}).get("phase") not in FINAL
        ]
        assert not missing, f"{', '.join(missing)} not finished"
        return {job: found[run] for job, run in runs.items()}

    return wait_for(records, seconds, "every run is finished")


def pods(kubectl: Kubectl, namespace: str) -> Counter[str]:
    """How many pods were made for each Job of a namespace, by the Job controller's events."""
    selector = "reason=SuccessfulCreate,involvedObject.kind=Job"
    events = kubectl.json("get", "events", "-n", namespace, "--field-selector", selector)["items"]
    return Counter(event["involvedObject"]["name"] for event in events)


def ran(
    agentjobs: Installed, namespace: str, jobs: Iterable[Manifest], seconds: float = 120
) -> dict[str, Manifest]:
    """The AgentJobRuns of one manual run of each of these jobs, by job."""
    return finished(
        agentjobs,
        namespace,
        started(agentjobs, namespace, in_force(agentjobs, namespace, jobs)),
        seconds,
    )


def _named(
    agentjobs: Installed, namespace: str, kind: str, names: Iterable[str]
) -> dict[str, Manifest]:
    found: dict[str, Manifest] = {
        item["metadata"]["name"]: item
        for item in agentjobs.kubectl.json("get", kind, "-n", namespace)["items"]
    }
    missing = [name for name in names if name not in found]
    assert not missing, f"there is no {kind} {', '.join(missing)}"
    return {name: found[name] for name in names}


def _cards(agentjobs: Installed, namespace: str, names: Iterable[str]) -> dict[str, str]:
    found = _named(agentjobs, namespace, "saj", names)
    missing = [name for name, body in found.items() if "card" not in body.get("status", {})]
    assert not missing, f"{', '.join(missing)} without a card"
    return {name: body["status"]["card"]["digest"] for name, body in found.items()}


def _is_ready(job: Manifest) -> bool:
    return any(
        c["type"] == "Ready" and c["status"] == "True"
        for c in job.get("status", {}).get("conditions", ())
    )
