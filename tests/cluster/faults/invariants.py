"""What must be true of every story, told from the API alone: nothing of the operator's is asked."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

from agentjobs.testing.real_cluster.client import Json, Seen
from tests.cluster.faults.story import Story

FINAL: Final = frozenset("Succeeded Failed TimedOut Skipped Missed Cancelled".split())
NO_RUNS: Final = frozenset({"Skipped", "Missed"})
"""Records of starts that did not come: they are in no counter."""
DIGEST: Final = "agentjobs.dev/digest"
JOB: Final = "agentjobs.dev/job"
MINUTE: Final = "batch.kubernetes.io/cronjob-scheduled-timestamp"
STOP_SECONDS: Final = 20.0
"""From a denial, a withdrawal or a cancel, or the end of the fault if that is later, until nothing
of it runs any more."""
Wrong = Literal["lost", "doubled", "unapproved", "miscounted", "left"]


@dataclass(frozen=True)
class Breach:
    """One thing that is not as it must be."""

    kind: Wrong
    what: str


def breaches(story: Story, calm: float) -> Iterator[Breach]:
    """`calm`: when the fault was over, seconds since 1970."""
    yield from unapproved(story, calm)
    yield from doubled(story)
    yield from lost(story)
    yield from miscounted(story)


def phase(run: Json) -> str:
    """Of a run; "" before anybody looked at it."""
    return str((run.get("status") or {}).get("phase") or "")


def runs_at_last(story: Story) -> list[Json]:
    """Each run that ever was, as it was when it was seen last."""
    return [life[-1].object for life in story.lives("run")]


def began(pod: Iterable[Seen]) -> Seen | None:
    """When a container of this pod was first seen to run or to have run."""
    for seen in pod:
        for status in (seen.object.get("status") or {}).get("containerStatuses") or ():
            if {"running", "terminated"} & status.get("state", {}).keys():
                return seen
    return None


def over(pod: list[Seen]) -> float | None:
    """When none of its containers ran any more; None: they still do."""
    for seen in pod:
        status = seen.object.get("status") or {}
        states = [each.get("state", {}) for each in status.get("containerStatuses") or ()]
        ended = states and all("terminated" in state for state in states)
        if ended or seen.type == "DELETED" or status.get("phase") in ("Succeeded", "Failed"):
            return seen.wall
    return None


def version(thing: Json) -> int:
    """The API server's clock: it counts all writes to all kinds."""
    return int(thing["metadata"]["resourceVersion"])


def contents(story: Story) -> dict[str, str]:
    """What each ConfigMap of ours holds: the digest of its bytes, by name."""
    found = {}
    for seen in story.events("configmap"):
        text = (seen.object.get("data") or {}).get("revision.json")
        if text is not None:
            found[seen.name] = hashlib.sha256(text.encode()).hexdigest()
    return found


def mounted(pod: Json) -> set[str]:
    """The ConfigMaps that a pod reads its content from."""
    volumes = pod["spec"].get("volumes") or ()
    return {volume["configMap"]["name"] for volume in volumes if "configMap" in volume}


def unapproved(story: Story, calm: float) -> Iterator[Breach]:
    """Of each pod that ran: its mounted bytes were approved before, and it stopped when denied."""
    held = contents(story)
    for pod in story.lives("pod"):
        first = pod[0].object
        labels = first["metadata"].get("labels") or {}
        if JOB not in labels or began(pod) is None:
            continue
        digest = (first["metadata"].get("annotations") or {}).get(DIGEST, "")
        name = first["metadata"]["name"]
        if digest not in {held.get(each) for each in mounted(first)}:
            yield Breach("unapproved", f"{name} ran something else than {digest[:10]}")
        said = _decisions(story, labels[JOB], digest)
        before = [each for each in said if version(each.object) < version(first)]
        if not any(each.object["spec"]["decision"] == "Approved" for each in before):
            yield Breach("unapproved", f"{name} ran {digest[:10]}, which nobody had approved")
        yield from _too_long(pod, said, calm)


def _decisions(story: Story, job: str, digest: str) -> list[Seen]:
    """When each approval and denial of this content came."""
    found = (life[0] for life in story.lives("approval"))
    return [
        seen
        for seen in found
        if (seen.object["spec"]["jobName"], seen.object["spec"]["digest"]) == (job, digest)
    ]


def _too_long(pod: list[Seen], said: list[Seen], calm: float) -> Iterator[Breach]:
    denied = [seen.wall for seen in said if seen.object["spec"]["decision"] == "Denied"]
    if not denied:
        return
    bound = max(min(denied), calm) + STOP_SECONDS
    ended = over(pod)
    if ended is None or ended > bound:
        late = "still" if ended is None else f"{ended - bound + STOP_SECONDS:.1f} s later"
        yield Breach("unapproved", f"{pod[0].name} was denied and runs {late}")


def doubled(story: Story) -> Iterator[Breach]:
    """No run, and no minute of a schedule, began twice."""
    begun = [pod for pod in story.lives("pod") if began(pod)]
    owners = Counter(_job_name(pod[0].object) for pod in begun)
    yield from (Breach("doubled", f"{name} ran {n} times") for name, n in owners.items() if n > 1)
    jobs = {life[0].name: life[0].object["metadata"] for life in story.lives("batchjob")}
    minutes = Counter(
        (metadata["labels"].get(JOB), (metadata.get("annotations") or {}).get(MINUTE))
        for name, metadata in jobs.items()
        if name in owners
    )
    for (job, minute), n in minutes.items():
        if minute and n > 1:
            yield Breach("doubled", f"{job} started {n} times for {minute}")
    for life in story.lives("run"):
        finals = [phase(seen.object) for seen in life if phase(seen.object) in FINAL]
        if len(set(finals)) > 1:
            yield Breach(
                "doubled", f"the record of {life[0].name} was first {', then '.join(finals)}"
            )


def _job_name(pod: Json) -> str:
    return str((pod["metadata"].get("labels") or {}).get("batch.kubernetes.io/job-name"))


def lost(story: Story) -> Iterator[Breach]:
    """Each Job that ever was, and each run that was asked for, has one record, and it is final.

    A job that is deleted takes its records along.
    """
    records = Counter(run["metadata"]["name"] for run in runs_at_last(story))
    for life in story.lives("batchjob"):
        if JOB in (life[0].object["metadata"].get("labels") or {}) and not records[life[0].name]:
            yield Breach("lost", f"the Job {life[0].name} has no record")
    for name, n in records.items():
        if n > 1:
            yield Breach("doubled", f"{name} has {n} records")
    left = set(story.now("job"))
    for life in story.lives("run"):
        run = life[-1].object
        taken_along = life[-1].type == "DELETED" and run["spec"]["jobName"] not in left
        if phase(run) not in FINAL and not taken_along:
            yield Breach("lost", f"{run['metadata']['name']} ends as {phase(run) or 'nothing'}")


def miscounted(story: Story) -> Iterator[Breach]:
    """The job's counters say what its records say, all that ever were."""
    for life in story.lives("job"):
        job, status = life[-1].object, life[-1].object.get("status") or {}
        name = job["metadata"]["name"]
        ended = [
            phase(run)
            for run in runs_at_last(story)
            if run["spec"]["jobName"] == name and phase(run) in FINAL - NO_RUNS
        ]
        failed = sum(each in ("Failed", "TimedOut") for each in ended)
        counted = (len(ended), ended.count("Succeeded"), failed)
        fields = ("runCount", "successCount", "failureCount")
        said = tuple(int(status.get(each) or 0) for each in fields)
        if life[-1].type != "DELETED" and said != counted:
            yield Breach("miscounted", f"{name} says {said}, its records {counted}")
