"""What people and clocks do to a job: what is there before, what happens, what must come of it."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

import rfc8785

from agentjobs.api.event import Event
from agentjobs.core.views.event import digits
from agentjobs.testing.real_cluster.client import Client, Json
from tests.cluster.faults.invariants import DIGEST, FINAL, JOB, began, over, phase
from tests.cluster.faults.story import PATHS, Story
from tests.support import manifests
from tests.support.corpus.events import event_run

PREPARE_SECONDS: Final = 120
QUICK: Final = "print('ran')\n"
SLOW: Final = """\
import os, time
print("begun", flush=True)
time.sleep(0 if os.environ["JOB_RUN_ID"].endswith("next") else 300)
"""
SMALL: Final = {"requests": {"cpu": "10m", "memory": "64Mi"}}
EVENT: Final = {"id": "4711", "source": "/shop", "type": "priced"}
MINUTE_SECONDS: Final = 150


def digest(job: Json) -> str:
    """As docs/architecture.md says that it can be computed without agentjobs."""
    spec = {
        name: value for name, value in job["spec"].items() if name not in ("suspend", "history")
    }
    document = {"recipe": 1, "name": job["metadata"]["name"], "spec": spec}
    return hashlib.sha256(rfc8785.dumps(document)).hexdigest()


def job(name: str = "report", script: str = QUICK, **spec: Any) -> Json:
    """A small one."""
    return manifests.job(name, script={"inline": script}, resources=SMALL, **spec)


@dataclass(frozen=True)
class Stage:
    """One namespace in which a flow takes place."""

    client: Client
    story: Story

    def path(self, kind: str, name: str = "") -> str:
        found = PATHS[kind].format(self.story.namespace)
        return f"{found}/{name}" if name else found

    async def create(self, kind: str, body: Json) -> None:
        await self.client.post(self.path(kind), body)

    async def change(self, kind: str, name: str, **spec: Any) -> None:
        await self.client.patch(self.path(kind, name), {"spec": spec})

    async def decide(self, body: Json, decision: str = "Approved") -> None:
        """About exactly this content."""
        name, said = body["metadata"]["name"], digest(body)
        about = {"jobName": name, "digest": said, "decision": decision}
        approval = manifests.approval(f"{name}-{decision.lower()}-{said[:10]}", **about)
        await self.create("approval", approval)

    async def in_force(self, *bodies: Json) -> None:
        """Written, approved, and with a CronJob each."""
        for body in bodies:
            await self.create("job", body)
            await self.decide(body)
        for body in bodies:
            await self.story.until(runs_as(body), PREPARE_SECONDS)

    async def run(self, name: str, of: str = "report") -> None:
        await self.create("run", manifests.run(name, of))

    async def going(self, name: str = "first") -> None:
        """A run of the job, whose script has begun and takes long."""
        await self.run(name)
        await self.story.until(running(name), PREPARE_SECONDS)


Missing = Callable[[Story], str]
"""Says what is missing; "" when nothing is."""
Act = Callable[[Stage], Awaitable[None]]


def runs_as(body: Json) -> Missing:
    """The job has a CronJob with this content, and says so."""

    def missing(story: Story) -> str:
        name, wanted = body["metadata"]["name"], digest(body)
        cron = story.now("cronjob").get(name, {"metadata": {}})
        status = story.now("job").get(name, {}).get("status") or {}
        has = (cron["metadata"].get("annotations") or {}).get(DIGEST)
        says = (status.get("approval") or {}).get("digest")
        if (has, says) == (wanted, wanted):
            return ""
        return f"{name} is to run {wanted[:10]}; its CronJob has {has}, its status says {says}"

    return missing


def running(name: str) -> Missing:
    def missing(story: Story) -> str:
        found = phase(story.now("run").get(name, {}))
        return "" if found == "Running" else f"{name} is to run, and is {found or 'nothing'}"

    return missing


def ended(**phases: str) -> Missing:
    """These runs are recorded so, and of what they were only the records are left."""

    def missing(story: Story) -> str:
        runs = story.now("run")
        for name, wanted in phases.items():
            run = runs.get(name.replace("_", "-"), {})
            if phase(run) not in wanted.split("|"):
                return f"{name} is to be {wanted}, and is {told(run) or 'nothing'}"
        return all_over(story)

    return missing


def told(run: Json) -> str:
    """Its phase and why, for whoever has to find out."""
    status = run.get("status") or {}
    return " ".join(filter(None, (phase(run), status.get("reason"), status.get("message"))))


def all_over(story: Story) -> str:
    """Every run is final, and no Job is left."""
    open_ones = [name for name, run in story.now("run").items() if phase(run) not in FINAL]
    if open_ones:
        return f"{', '.join(open_ones)} to be recorded"
    left = [
        name for name, each in story.now("batchjob").items() if JOB in each["metadata"]["labels"]
    ]
    return f"{', '.join(left)} to be removed" if left else ""


def nothing_runs(story: Story) -> str:
    """No pod of ours."""
    pods = [pod for pod in story.lives("pod") if began(pod) and over(pod) is None]
    return f"{', '.join(pod[0].name for pod in pods)} to end" if pods else ""


@dataclass(frozen=True)
class Flow:
    """`done` says what is missing at the end. `seconds`: how long that may take without a fault."""

    name: str
    prepare: Act
    act: Act
    done: Missing
    seconds: float = 60


REPORT: Final = job()
CHANGED: Final = job(script="print('changed')\n")
LONG: Final = job(script=SLOW)
REPLACING: Final = job(script=SLOW, concurrencyPolicy="Replace")
MINUTELY: Final = job(schedule={"cron": "* * * * *"})
ON_EVENT: Final = job(triggers=[{"event": {"type": "priced", "source": "/shop"}}])
FOLLOWING: Final = job("summary", triggers=[{"after": {"job": "report"}}])
FORGETFUL: Final = job(history={"successful": 1, "failed": 1})
EVENT_RUN: Final = f"report-e{digits(Event(**EVENT))}"


def before(*bodies: Json, going: bool = False) -> Act:
    """These jobs are in force; the first has a run that goes on."""

    async def prepare(stage: Stage) -> None:
        await stage.in_force(*bodies)
        if going:
            await stage.going()

    return prepare


async def _written(stage: Stage) -> None:
    await stage.create("job", REPORT)

    def missing(story: Story) -> str:
        status = story.now("job").get("report", {}).get("status") or {}
        return "" if status.get("card") else "report to have a card"

    await stage.story.until(missing, PREPARE_SECONDS)


async def _approved(stage: Stage) -> None:
    await stage.decide(REPORT)


async def _changed(stage: Stage) -> None:
    await stage.change("job", "report", script=CHANGED["spec"]["script"])
    await stage.decide(CHANGED)


async def _denied(stage: Stage) -> None:
    await stage.decide(LONG, "Denied")


async def _by_hand(stage: Stage) -> None:
    await stage.run("first")


async def _started_by_the_clock(stage: Stage) -> None:
    def missing(story: Story) -> str:
        return "" if story.now("batchjob") else "a start of the schedule"

    await stage.story.until(missing, MINUTE_SECONDS)
    await stage.change("job", "report", suspend=True)


async def _priced(stage: Stage) -> None:
    await stage.create("run", event_run(EVENT_RUN, "report", **EVENT))


async def _next(stage: Stage) -> None:
    await stage.run("next")


async def _cancelled(stage: Stage) -> None:
    await stage.change("run", "first", cancel=True)


def deleted(how: str) -> Act:
    async def act(stage: Stage) -> None:
        await stage.client.request(
            "DELETE", stage.path("job", "report"), {"propagationPolicy": how}
        )

    return act


async def _orphaned_and_cancelled(stage: Stage) -> None:
    """Its approval stands, so what runs would go on to its record."""
    await deleted("Orphan")(stage)
    await _cancelled(stage)


async def _ran_once(stage: Stage) -> None:
    await stage.in_force(FORGETFUL)
    await stage.run("first")
    await stage.story.until(ended(first="Succeeded"), PREPARE_SECONDS)


def all_of(*conditions: Missing) -> Missing:
    return lambda story: next(filter(None, (condition(story) for condition in conditions)), "")


def _recorded_by_schedule(story: Story) -> str:
    if not any(phase(run) == "Succeeded" for run in story.now("run").values()):
        return "a start of the schedule to succeed"
    paused = story.now("cronjob").get("report", {"spec": {}})["spec"].get("suspend")
    return all_over(story) if paused else "the CronJob to be suspended"


def _followed_once(story: Story) -> str:
    after = [r for r in story.now("run").values() if r["spec"]["jobName"] == "summary"]
    if [phase(run) for run in after] != ["Succeeded"]:
        return f"one run of summary to succeed; there are {[phase(run) for run in after]}"
    return ended(first="Succeeded")(story)


def _only_the_newest(story: Story) -> str:
    kept = sorted(story.now("run"))
    return "" if kept == ["next"] else f"only next to be kept, not {', '.join(kept)}"


def _gone(story: Story) -> str:
    left = [*story.now("cronjob"), *story.now("batchjob")]
    return f"{', '.join(left)} to be gone" if left else nothing_runs(story)


def _no_records(story: Story) -> str:
    left = story.now("run")
    return f"the records {', '.join(left)} to go with their job" if left else ""


FLOWS: Final = {
    flow.name: flow
    for flow in (
        Flow("approval", _written, _approved, runs_as(REPORT)),
        Flow("change", before(REPORT), _changed, runs_as(CHANGED)),
        Flow(
            "denial",
            before(LONG, going=True),
            _denied,
            all_of(ended(first="Cancelled"), _gone),
        ),
        Flow("manual", before(REPORT), _by_hand, ended(first="Succeeded")),
        Flow("scheduled", before(MINUTELY), _started_by_the_clock, _recorded_by_schedule),
        Flow("event", before(ON_EVENT), _priced, ended(**{EVENT_RUN: "Succeeded"})),
        Flow("chain", before(REPORT, FOLLOWING), _by_hand, _followed_once),
        Flow(
            "replace",
            before(REPLACING, going=True),
            _next,
            ended(first="Cancelled", next="Succeeded"),
        ),
        Flow("cancel", before(LONG, going=True), _cancelled, ended(first="Cancelled")),
        Flow(
            "delete",
            before(LONG, going=True),
            deleted("Background"),
            all_of(_gone, _no_records),
        ),
        Flow(
            "orphaning",
            before(LONG, going=True),
            _orphaned_and_cancelled,
            all_of(ended(first="Cancelled"), _gone),
        ),
        Flow("retention", _ran_once, _next, all_of(ended(next="Succeeded"), _only_the_newest)),
    )
}
