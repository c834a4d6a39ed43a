"""The controllers around the API server: CronJobs, Jobs, the kubelet, the garbage collector.

One `step` does whatever is due.

What they remember stands in the objects, as with the real ones, so a copy of the server is a copy
of them too. They do what was seen on a real cluster (Kubernetes 1.36) as far as the operator can
tell the difference.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from agentjobs.cluster.client import Json
from agentjobs.core.errors import Refused
from agentjobs.core.schedules.cron import next_start, parse
from agentjobs.core.timestamps import from_wire, to_wire
from agentjobs.core.views.pod import INSTALL_CONTAINER, RUNNER_CONTAINER
from agentjobs.core.workload.records import REVISION_KEY
from agentjobs.testing.envelopes import installer_log, log_of
from agentjobs.testing.server import GRACE, Row, Server

RUN_LABEL: Final = "batch.kubernetes.io/job-name"
LINGER: Final = timedelta(seconds=15)


@dataclass(frozen=True, slots=True)
class Script:
    """What a script does: how long it takes, what it prints at its beginning, how it ends."""

    seconds: float = 5
    exit_code: int = 0
    stdout: str = "done\n"


@dataclass
class Kubernetes:
    """`scripts`: by text.

    `started`: how often the script of each run, as (namespace, name), was started.

    `halted`: the CronJob controller is down. `node_ahead`: by how much the clock of the node
    differs from the API server's. `flush`: so long after its end a container's last words are not
    in its log yet.
    """

    server: Server
    scripts: Mapping[str, Script]
    started: Counter[tuple[str, str]] = field(default_factory=Counter)
    starts: tuple[tuple[str, str, datetime], ...] = ()
    halted: bool = False
    node_ahead: timedelta = timedelta(0)
    flush: timedelta = timedelta(0)

    def __post_init__(self) -> None:
        self.server.log_of = self._log

    def copy(self) -> Kubernetes:
        """The same cluster, from here on apart."""
        return replace(self, server=self.server.copy(), started=self.started.copy())

    def start(self, namespace: str, cron_job: str) -> str:
        """A CronJob is due, whatever its schedule says; returns the name of the resulting Job."""
        minute = self.server.now.replace(second=0, microsecond=0)
        self.starts = (*self.starts, (namespace, cron_job, minute))
        return f"{cron_job}-{int(minute.timestamp()) // 60}"

    def step(self) -> bool:
        """Returns whether anything changed."""
        before = self.server.version
        self._collect_garbage()
        for body in self.server.all("cronjob"):
            self._cron_job(body)
        for body in self.server.all("batchjob"):
            self._batch_job(body)
        for body in self.server.all("pod"):
            self._pod(body)
        return self.server.version != before

    def next_due(self) -> datetime | None:
        """When something happens by itself."""
        pods = [self._due(pod) for pod in self.server.all("pod")]
        starts = [self._starts(cron, self.server.now) for cron in self.server.all("cronjob")]
        return min((due for due in (*pods, *starts) if due), default=None)

    def _collect_garbage(self) -> None:
        uids = {body["metadata"]["uid"] for body in self.server.objects.values()}
        for row, body in sorted(self.server.objects.items()):
            owners = body["metadata"].get("ownerReferences", ())
            if owners and not any(owner["uid"] in uids for owner in owners):
                self.server.remove(row)

    def _cron_job(self, body: Json) -> None:
        namespace, name = body["metadata"]["namespace"], body["metadata"]["name"]
        jobs = {job["metadata"]["uid"]: job for job in self.server.all("batchjob", namespace)}
        listed = body.get("status", {}).get("active", [])
        going_on = {uid for uid, job in jobs.items() if not _ended(job)}
        active = [reference for reference in listed if reference["uid"] in going_on]
        if active != listed:
            self.server.patch(("cronjob", namespace, name), status={"active": active})
        due = next((start for start in self.starts if start[:2] == (namespace, name)), None)
        if active or self.halted:
            return
        if due:
            self.starts = tuple(start for start in self.starts if start != due)
            if not body["spec"]["suspend"]:
                self._fire(body, due[2])
        elif minute := self._late(body):
            self._fire(body, minute)

    def _starts(self, cron: Json, after: datetime) -> datetime | None:
        spec = cron["spec"]
        if spec["suspend"] or self.halted:
            return None
        return next_start(parse(spec["schedule"]), ZoneInfo(spec["timeZone"]), after)

    def _late(self, cron: Json) -> datetime | None:
        """The newest start that has come since the last one, within the starting deadline."""
        made = cron["metadata"]["creationTimestamp"]
        last = from_wire(cron.get("status", {}).get("lastScheduleTime") or made)
        deadline = self.server.now - timedelta(seconds=cron["spec"]["startingDeadlineSeconds"])
        newest = None
        start = self._starts(cron, max(last, deadline - timedelta(seconds=1)))
        while start and start <= self.server.now:
            newest, start = start, self._starts(cron, start)
        return newest

    def _fire(self, cron: Json, minute: datetime) -> None:
        namespace, name = cron["metadata"]["namespace"], cron["metadata"]["name"]
        template = cron["spec"]["jobTemplate"]
        metadata = {
            **template["metadata"],
            "name": f"{name}-{int(minute.timestamp()) // 60}",
            "ownerReferences": _owner(cron, "CronJob"),
        }
        known = self.server.objects.get(("batchjob", namespace, metadata["name"]))
        if known and not _is_owned(known, cron):
            return
        job = known or self.server.create(
            "batchjob", namespace, {"metadata": metadata, "spec": template["spec"]}
        )
        reference = {"name": job["metadata"]["name"], "uid": job["metadata"]["uid"]}
        self.server.patch(
            ("cronjob", namespace, name),
            status={"active": [reference], "lastScheduleTime": to_wire(minute)},
        )

    def _batch_job(self, body: Json) -> None:
        if _ended(body):
            return
        row = _row("batchjob", body)
        pods = [pod for pod in self.server.all("pod", row[1]) if _is_owned(pod, body)]
        over = (pod for pod in pods if pod["status"]["phase"] in ("Succeeded", "Failed"))
        ended = next(over, None)
        if body["spec"].get("suspend"):
            for pod in pods:
                self.server.remove(_row("pod", pod))
            self.server.patch(row, status={"conditions": [_condition("Suspended")]})
        elif ended:
            self._end(row, ended["status"]["phase"] == "Succeeded")
        elif not pods:
            self.server.patch(row, status={"conditions": [], "active": 1})
            self._make_pod(body)

    def _end(self, row: Row, succeeded: bool) -> None:
        condition = (
            _condition("Complete") if succeeded else _condition("Failed", "BackoffLimitExceeded")
        )
        self.server.patch(row, status={"conditions": [condition]})

    def _make_pod(self, job: Json) -> None:
        name, template = job["metadata"]["name"], job["spec"]["template"]
        labels = {**template["metadata"]["labels"], RUN_LABEL: name}
        metadata = {
            **template["metadata"],
            "name": f"{name}-{self.server.version}",
            "labels": labels,
            "ownerReferences": _owner(job, "Job"),
        }
        body = {"metadata": metadata, "spec": template["spec"], "status": {"phase": "Pending"}}
        self.server.create("pod", job["metadata"]["namespace"], body)

    def _pod(self, body: Json) -> None:
        row, due = _row("pod", body), self._due(body)
        installed = "initContainerStatuses" in body["status"]
        if due is not None and due <= self.server.now:
            self._terminate(row, body)
        elif _state(body):
            return
        elif "initContainers" in body["spec"] and not installed:
            ended = {"terminated": {"exitCode": 0, "message": self._installer(body)[1]}}
            status = {"name": INSTALL_CONTAINER, "state": ended}
            self.server.patch(row, status={"initContainerStatuses": [status]})
        elif self._script(body) is not None:
            self.started[row[1], body["metadata"]["labels"][RUN_LABEL]] += 1
            began = to_wire(self.server.now + self.node_ahead)
            self._put(row, "Running", {"running": {"startedAt": began}})

    def _terminate(self, row: Row, body: Json) -> None:
        killed = "deletionTimestamp" in body["metadata"]
        script = self._script(body) or Script()
        code = 143 if killed else script.exit_code
        ended = {
            "startedAt": _state(body)["running"]["startedAt"],
            "finishedAt": to_wire(self.server.now + self.node_ahead),
            "exitCode": code,
            "reason": "Completed" if code == 0 else "Error",
        }
        self._put(row, "Succeeded" if code == 0 else "Failed", {"terminated": ended})
        if killed:
            run = body["metadata"]["labels"][RUN_LABEL]
            job = self.server.objects.get(("batchjob", row[1], run))
            if job and _is_owned(body, job) and not job["spec"].get("suspend"):
                self._end(_row("batchjob", job), succeeded=False)
            self.server.forget(row)

    def _put(self, row: Row, phase: str, state: Json) -> None:
        status = {"name": RUNNER_CONTAINER, "image": "r", "state": state}
        self.server.patch(row, status={"phase": phase, "containerStatuses": [status]})

    def _script(self, pod: Json) -> Script | None:
        """None while the revision is not there: then the pod cannot start."""
        row = ("revision", pod["metadata"]["namespace"], _revision_name(pod))
        revision = self.server.objects.get(row)
        if revision is None:
            return None
        content = json.loads(revision["data"][REVISION_KEY])
        return self.scripts[content["spec"]["script"]["inline"]]

    def _due(self, pod: Json) -> datetime | None:
        running, deleted = _state(pod).get("running"), pod["metadata"].get("deletionTimestamp")
        if running is None:
            return None
        script = self._script(pod) or Script()
        end = from_wire(running["startedAt"]) - self.node_ahead + timedelta(seconds=script.seconds)
        return min(end, from_wire(deleted) - GRACE + LINGER) if deleted else end

    def _installer(self, pod: Json) -> tuple[bytes, str]:
        """What it prints, and its termination message.

        Whether it resolves or not is seen in what the pod mounts.
        """
        row = ("revision", pod["metadata"]["namespace"], _revision_name(pod))
        content = json.loads(self.server.objects[row]["data"][REVISION_KEY])
        kept = any(volume["name"] == "resolution" for volume in pod["spec"]["volumes"])
        return installer_log(content["spec"]["packages"], kept=kept)

    def _log(self, pod: Json, container: str) -> bytes:
        """With its envelope as soon as the script has ended, by itself or by SIGTERM."""
        if container == INSTALL_CONTAINER:
            return self._installer(pod)[0]
        state, script = _state(pod), self._script(pod) or Script()
        if not state:
            raise Refused("the container has not started", 400)
        if "running" in state and "deletionTimestamp" not in pod["metadata"]:
            return script.stdout.encode()
        if "running" in state:
            stopped = from_wire(pod["metadata"]["deletionTimestamp"]) - GRACE + self.node_ahead
            ended = {**state["running"], "finishedAt": to_wire(stopped), "exitCode": 143}
        else:
            ended = state["terminated"]
            if self.server.now < from_wire(ended["finishedAt"]) - self.node_ahead + self.flush:
                return script.stdout.encode()
        times = from_wire(ended["startedAt"]), from_wire(ended["finishedAt"])
        return log_of(pod, script.stdout, ended["exitCode"], *times)


def _revision_name(pod: Json) -> str:
    return next(
        str(volume["configMap"]["name"])
        for volume in pod["spec"]["volumes"]
        if volume["name"] == "revision"
    )


def _row(kind: str, body: Json) -> Row:
    return kind, body["metadata"]["namespace"], body["metadata"]["name"]


def _state(pod: Json) -> dict[str, Any]:
    statuses = pod["status"].get("containerStatuses", ())
    return dict(statuses[0]["state"]) if statuses else {}


def _owner(body: Json, kind: str) -> list[Json]:
    named = {name: body["metadata"][name] for name in ("name", "uid")}
    return [{"apiVersion": "batch/v1", "kind": kind, **named, "controller": True}]


def _is_owned(body: Json, owner: Json) -> bool:
    owners = body["metadata"].get("ownerReferences", ())
    return any(reference["uid"] == owner["metadata"]["uid"] for reference in owners)


def _condition(kind: str, reason: str = "") -> Json:
    return {"type": kind, "status": "True", "reason": reason}


def _ended(job: Json) -> bool:
    conditions = job.get("status", {}).get("conditions", ())
    return any(condition["type"] in ("Complete", "Failed") for condition in conditions)
