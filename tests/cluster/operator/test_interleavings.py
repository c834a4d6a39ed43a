"""Random lives of 25 jobs at once on the real API server, their ConfigMaps and packages included.

Some are deleted and held by a finalizer, some are orphaned, some are written anew, and of some
somebody else takes a name.

At rest nothing runs that is not approved, and nothing ran that never was.

The same promise is held over a thousand lives in memory by `tests/simulation`. Set AGENTJOBS_SEED
to see the lives of a failure again.
"""

from __future__ import annotations

import json
import os
import random
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from agentjobs.api import names
from agentjobs.api.job import ScheduledAgentJobSpec
from agentjobs.core.content.digest import content
from agentjobs.core.content.sources import Reference
from agentjobs.core.naming import revision_name
from agentjobs.core.views.run import FINAL_PHASES
from tests.cluster.installed import Installed, Manifest
from tests.cluster.support import Kubectl, KubectlError, new_namespace, wait_for
from tests.support import manifests

LIVES: Final = 25
ROUNDS: Final = 8
SECONDS: Final = 60
LONG: Final = {"inline": "import time\nprint('on and on', flush=True)\ntime.sleep(300)\n"}
VARIANTS: Final[tuple[dict[str, Any], ...]] = (
    {"script": {"inline": "print('done')\n"}},
    {"script": LONG},
    {"script": LONG, "timeoutSeconds": 200},
    {"script": LONG, "packages": ["six==1.17.0"]},
    {"script": {"configMapKeyRef": {"name": "", "key": "script.py"}}},
)
PACKED: Final = 3
"""This one needs a package, about which people decide for the whole namespace."""
REFERRING: Final = 4
"""The text of this one is in the ConfigMap of the job's name."""
TEXTS: Final = ("print('one')\n", "print('two')\n")


State = Literal["there", "held", "going", "gone"]
"""Held: it is deleted, and stays because of a finalizer. Going: nothing keeps it any more."""


@dataclass
class Life:
    """One job.

    `approvals`: of which digest each speaks, and how. `allowed`: what was approved since everything
    was last at rest.
    """

    job: str
    variant: int = 0
    text: str = TEXTS[0]
    approvals: dict[str, tuple[str, str]] = field(default_factory=dict)
    allowed: set[str] = field(default_factory=set)
    state: State = "there"
    squatted: int | None = None
    """The variant whose revision's name somebody else's ConfigMap has."""
    ever: set[str] = field(default_factory=set)
    """Every digest that was decided about: its revision may be there still."""

    def spec(self, variant: int | None = None) -> Manifest:
        """As it is written now, or as another variant would be."""
        found = VARIANTS[self.variant if variant is None else variant]
        if "configMapKeyRef" in found["script"]:
            found = {
                "script": {
                    "configMapKeyRef": {**found["script"]["configMapKeyRef"], "name": self.job}
                }
            }
        return manifests.job(self.job, **found)

    def source(self) -> Manifest:
        """The ConfigMap as it is written now."""
        metadata = {"name": self.job, "labels": {names.SOURCE_LABEL: "true"}}
        return {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": metadata,
            "data": {"script.py": self.text},
        }

    def digest(self, variant: int) -> str:
        """Computed here, not read from the card."""
        spec = ScheduledAgentJobSpec.model_validate(self.spec(variant)["spec"])
        return content(self.job, spec, {Reference(self.job, "script.py"): self.text}).digest

    def squat(self) -> str:
        """The name of the revision that somebody else's ConfigMap has."""
        assert self.squatted is not None
        return revision_name(self.job, self.digest(self.squatted))

    def approved(self, packages: dict[str, str]) -> set[str]:
        """What may run now, by the decisions alone."""
        decided = set(self.approvals.values())
        fine = {
            digest
            for digest, decision in decided
            if decision == "Approved" and (digest, "Denied") not in decided
        }
        return fine if set(packages.values()) == {"Approved"} else fine - {self.digest(PACKED)}


@dataclass
class Round:
    """What all lives do at once: a request for each verb."""

    written: list[Manifest] = field(default_factory=list)
    created: list[Manifest] = field(default_factory=list)
    withdrawn: list[str] = field(default_factory=list)
    asked: list[tuple[str, ...]] = field(default_factory=list)

    def send(self, kubectl: Kubectl, namespace: str) -> None:
        if self.written:
            kubectl.apply(namespace, *self.written)
        if self.created:
            kubectl.create(namespace, *self.created)
        if self.withdrawn:
            kubectl("delete", "-n", namespace, *self.withdrawn)
        for words in self.asked:
            kubectl(*words, "-n", namespace)


def finalizers(life: Life, *found: str) -> tuple[str, ...]:
    """What is asked of kubectl to set them."""
    patch = json.dumps({"metadata": {"finalizers": list(found)}})
    return "patch", f"saj/{life.job}", "--type=merge", "--patch", patch


def deletion(life: Life, number: int, chance: random.Random) -> Iterator[tuple[str, Any]]:
    """The next thing that happens to a job that is deleted, or is about to be."""
    if life.state == "there":
        life.state = chance.choice(("held", "going"))
        if life.state == "held":
            yield "asked", finalizers(life, "example.com/mine")
            yield "asked", ("delete", f"saj/{life.job}", "--wait=false")
        else:
            yield "asked", ("delete", f"saj/{life.job}", "--wait=false", "--cascade=orphan")
    elif life.state == "held":
        life.state = "going"
        yield "asked", finalizers(life)
    elif life.state == "gone":
        life.state = "there"
        yield "written", life.spec()
    else:
        yield "created", manifests.run(f"{life.job}-run{number}", life.job)


def squatting(life: Life, chance: random.Random) -> Iterator[tuple[str, Any]]:
    """Somebody takes the name of a revision that there is not, or gives it back."""
    if life.squatted is not None:
        yield "withdrawn", f"configmap/{life.squat()}"
        life.squatted = None
        return
    free = [
        variant
        for variant in range(len(VARIANTS))
        if variant != REFERRING and life.digest(variant) not in life.ever
    ]
    if free:
        life.squatted = chance.choice(free)
        yield (
            "created",
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": life.squat()},
                "data": {"mine": "yes"},
            },
        )


def moves(life: Life, number: int, chance: random.Random) -> Iterator[tuple[str, Any]]:
    """What one life does in this round."""
    what = chance.choices(
        ["write", "edit the source", "decide", "withdraw", "run", "delete", "squat"],
        [2, 1, 4, 2, 3, 1, 1],
    )[0]
    if what == "delete" or (what == "write" and life.state == "gone"):
        yield from deletion(life, number, chance)
    elif what == "squat":
        yield from squatting(life, chance)
    elif what == "write" and life.state == "there":
        life.variant = chance.randrange(len(VARIANTS))
        yield "written", life.spec()
    elif what == "edit the source":
        life.text = chance.choice(TEXTS)
        yield "written", life.source()
    elif what == "decide":
        variant = life.variant if chance.random() < 0.7 else chance.randrange(len(VARIANTS))
        decision = chance.choices(["Approved", "Denied"], [4, 1])[0]
        name = f"{life.job}-{number}"
        life.approvals[name] = life.digest(variant), decision
        life.ever.add(life.digest(variant))
        yield (
            "created",
            manifests.approval(
                name, jobName=life.job, digest=life.digest(variant), decision=decision
            ),
        )
    elif what == "withdraw" and life.approvals:
        name = chance.choice(sorted(life.approvals))
        del life.approvals[name]
        yield "withdrawn", f"agentjobapproval/{name}"
    else:
        yield "created", manifests.run(f"{life.job}-run{number}", life.job)


def about_packages(
    packages: dict[str, str], number: int, chance: random.Random
) -> Iterator[tuple[str, Any]]:
    """What is decided in this round about the package, for all lives."""
    what = chance.choices(["decide", "revoke", "nothing"], [3, 2, 1])[0]
    if what == "decide":
        decision = chance.choices(["Approved", "Denied"], [4, 1])[0]
        packages[f"packages-{number}"] = decision
        yield (
            "created",
            manifests.package_approval(
                f"packages-{number}", packages=["six==1.17.0"], decision=decision
            ),
        )
    elif what == "revoke" and packages:
        name = chance.choice(sorted(packages))
        del packages[name]
        yield "withdrawn", f"packageapproval/{name}"


def one_round(
    lives: list[Life], packages: dict[str, str], number: int, chance: random.Random
) -> Round:
    found = Round()
    told = [move for life in lives for move in moves(life, number, chance)]
    for kind, what in (*told, *about_packages(packages, number, chance)):
        getattr(found, kind).append(what)
    for life in lives:
        life.allowed |= life.approved(packages)
    return found


def seen(kubectl: Kubectl, namespace: str) -> dict[str, dict[str, list[Manifest]]]:
    """Everything of the namespace, by kind and job."""
    found: dict[str, dict[str, list[Manifest]]] = defaultdict(lambda: defaultdict(list))
    for body in kubectl.json("get", "saj,ajr,cronjobs,jobs,pods", "-n", namespace)["items"]:
        labels = body["metadata"].get("labels", {})
        job = labels.get(names.JOB_LABEL) or body["spec"].get("jobName") or body["metadata"]["name"]
        found[body["kind"]][job].append(body)
    return found


def goes_on(body: Manifest) -> bool:
    """It runs, or can be started at any moment."""
    if body["kind"] == "Pod":
        return body["status"]["phase"] in ("Pending", "Running")
    ended = any(
        c["type"] in ("Complete", "Failed") for c in body.get("status", {}).get("conditions", ())
    )
    return not ended and not body["spec"].get("suspend")


def in_force(bodies: list[Manifest], life: Life, approved: set[str]) -> None:
    """Raises AssertionError where the job does not say what it should."""
    (job,) = bodies
    approval = job.get("status", {}).get("approval", {})
    assert job.get("status", {}).get("observedGeneration") == job["metadata"]["generation"], (
        life.job
    )
    assert "digest" not in approval or approval["digest"] in approved, life.job
    if life.digest(life.variant) in approved and life.variant != life.squatted:
        assert approval.get("digest") == life.digest(life.variant), life.job


def at_rest(
    agentjobs: Installed, namespace: str, lives: list[Life], packages: dict[str, str]
) -> dict[str, dict[str, list[Manifest]]]:
    """Raises AssertionError while the cluster is not as it should be at rest.

    That is while something goes on that must not, what is approved is not in force, or a record is
    missing.
    """
    found = seen(agentjobs.kubectl, namespace)
    for life in lives:
        approved = life.approved(packages)
        if life.state == "there":
            in_force(found["ScheduledAgentJob"][life.job], life, approved)
        else:
            assert bool(found["ScheduledAgentJob"][life.job]) == (life.state == "held"), (
                life.job,
                life.state,
            )
            assert not any(goes_on(cron) for cron in found["CronJob"][life.job]), (
                life.job,
                life.state,
            )
        for kind in ("CronJob", "Job", "Pod"):
            for body in found[kind][life.job]:
                digest = body["metadata"]["annotations"][names.DIGEST_ANNOTATION]
                assert not goes_on(body) or digest in approved, (
                    life.job,
                    kind,
                    digest[:10],
                    sorted(life.approvals.values()),
                )
        at_work = {job["metadata"]["name"] for job in found["Job"][life.job] if goes_on(job)}
        open_ones = {
            run["metadata"]["name"]
            for run in found["AgentJobRun"][life.job]
            if run["status"]["phase"] not in FINAL_PHASES
        }
        assert open_ones <= at_work, (life.job, "no record yet", open_ones - at_work)
    return found


@contextmanager
def let_go_at_last(kubectl: Kubectl, namespace: str, lives: list[Life]) -> Iterator[None]:
    """Else the namespace would never end."""
    try:
        yield
    finally:
        for life in lives:
            with suppress(KubectlError):
                kubectl(*finalizers(life), "-n", namespace)


def test_nothing_unapproved_runs_and_at_rest_nothing_unapproved_goes_on(
    agentjobs: Installed, kubectl: Kubectl
) -> None:
    seed = int(os.environ.get("AGENTJOBS_SEED") or random.SystemRandom().randrange(10**6))
    print(f"AGENTJOBS_SEED={seed}")
    chance = random.Random(seed)
    lives = [Life(f"life-{number}") for number in range(LIVES)]
    packages: dict[str, str] = {}
    started: set[str] = set()
    with new_namespace(kubectl) as namespace, let_go_at_last(kubectl, namespace, lives):
        kubectl.apply(namespace, *(body for life in lives for body in (life.source(), life.spec())))
        for number in range(ROUNDS):
            one_round(lives, packages, number, chance).send(kubectl, namespace)
            if number == ROUNDS // 2:
                agentjobs.kill()
            elif chance.random() < 0.5 and number < ROUNDS - 1:
                continue
            found = wait_for(
                lambda: at_rest(agentjobs, namespace, lives, packages),
                SECONDS,
                f"seed {seed}: round {number} has come to rest",
            )
            for life in lives:
                runs = [
                    run
                    for run in found["AgentJobRun"][life.job]
                    if run.get("status", {}).get("startedAt")
                ]
                fresh = {
                    run["metadata"]["name"]: run["status"]["digest"]
                    for run in runs
                    if run["metadata"]["name"] not in started
                }
                assert set(fresh.values()) <= life.allowed, (seed, number, life.job, fresh)
                started |= fresh.keys()
                life.allowed = life.approved(packages)
                life.state = "gone" if life.state == "going" else life.state
    assert started, f"seed {seed}: nothing ran at all"
