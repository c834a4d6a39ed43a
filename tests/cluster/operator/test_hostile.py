"""The operator withstands hostile objects on the real API server, by those who may write them.

It lives, answers, leads, and serves all others.

`mallory` may write jobs, start them and write ConfigMaps in one namespace. In another one a job is
changed and approved meanwhile.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

import pytest

from agentjobs.core.wire.bodies import read
from tests.cluster.installed import FINAL, NAMESPACE, Installed, Manifest
from tests.cluster.process import ask, metrics
from tests.cluster.rights import bind, grant
from tests.cluster.support import Kubectl, KubectlError, new_namespace, wait_for
from tests.support import manifests
from tests.support.corpus import hostile

HEALTH_SECONDS: Final = 1.0
LEASE_SECONDS: Final = 10.0
"""How old the last renewal may be: the lease lasts 15 s."""
IN_FORCE_SECONDS: Final = 15.0
"""From an approval to its CronJob: a second on a quiet machine, kubectl's own start included.

A bound, not a figure."""


@dataclass
class Watch:
    """Asks the operator how it is, again and again. Times in seconds."""

    kubectl: Kubectl
    pod: str
    slowest: float = 0.0
    oldest_renewal: float = 0.0
    asked: int = 0
    failures: list[str] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        while not self.stop.wait(0.2):
            try:
                began = time.monotonic()
                ask(self.kubectl, self.pod, "healthz")
                self.slowest = max(self.slowest, time.monotonic() - began - self._kubectls_own())
                lease = self.kubectl.json("get", "lease", "-n", NAMESPACE, "agentjobs-operator")[
                    "spec"
                ]
                age = datetime.now(UTC) - datetime.fromisoformat(lease["renewTime"])
                self.oldest_renewal = max(self.oldest_renewal, age.total_seconds())
                self.asked += 1
            except AssertionError as error:
                self.failures.append(str(error))

    def _kubectls_own(self) -> float:
        """What a request to the API server alone takes through kubectl."""
        began = time.monotonic()
        self.kubectl("get", "--raw", "/readyz")
        return time.monotonic() - began


@dataclass(frozen=True)
class Scene:
    agentjobs: Installed
    attacked: str
    honest: str
    pod: str

    @property
    def mallory(self) -> Kubectl:
        return self.agentjobs.kubectl.acting("mallory")

    def restarts(self) -> int:
        status = self.agentjobs.kubectl.json("get", "pod", "-n", NAMESPACE, self.pod)["status"]
        return int(status["containerStatuses"][0]["restartCount"])

    def unanswered(self) -> list[str]:
        """Jobs without a phase; a list of names, since kubectl cannot print what is too deep."""
        columns = "NAME:.metadata.name,PHASE:.status.phase"
        told = self.agentjobs.kubectl(
            "get", "saj", "-n", self.attacked, "--no-headers", "-o", f"custom-columns={columns}"
        )
        return [line.split()[0] for line in told.splitlines() if line.split()[1] == "<none>"]

    def write(self, manifest: Manifest) -> bool:
        """As mallory; whether the API server took it."""
        try:
            self.mallory(
                "create",
                "--validate=false",
                "-n",
                self.attacked,
                "-f",
                "-",
                stdin=hostile.text(manifest),
            )
        except KubectlError:
            return False
        return True

    def finished(self, name: str) -> Manifest:
        """The status of a run of the attacked namespace once it is final.

        Python's own JSON cannot read all of them.
        """

        def status() -> Manifest:
            body = read(
                self.agentjobs.kubectl(
                    "get", "ajr", "-n", self.attacked, name, "-o", "json"
                ).encode()
            )
            found: Manifest = body.get("status") or {}
            return found if found.get("phase") in FINAL else {}

        return wait_for(status, 120, f"the run {name} is finished")

    def an_approval_takes_effect(self, number: int) -> float:
        """Changes and approves the honest job; returns and prints the seconds until its CronJob."""
        self.agentjobs.kubectl.apply(
            self.honest, manifests.job("honest", script={"inline": f"print({number})\n"})
        )
        digest = self.agentjobs.digest(self.honest, "honest")
        approval = manifests.approval(f"honest-{number}", jobName="honest", digest=digest)
        self.agentjobs.kubectl.create(self.honest, approval)
        began = time.monotonic()

        def in_force() -> bool:
            cron = self.agentjobs.kubectl.json("get", "cronjob", "-n", self.honest, "honest")
            return bool(cron["metadata"]["annotations"].get("agentjobs.dev/digest") == digest)

        wait_for(in_force, IN_FORCE_SECONDS, "the approval takes effect")
        took = time.monotonic() - began
        print(f"an approval took effect after {took:.1f} s")
        return took


@pytest.fixture(scope="module")
def scene(agentjobs: Installed, kubectl: Kubectl) -> Iterator[Scene]:
    with new_namespace(kubectl) as attacked, new_namespace(kubectl) as honest:
        for role in ("agentjobs-author", "agentjobs-trigger"):
            bind(kubectl, attacked, role, user="mallory")
        every = ["get", "list", "create", "update", "patch", "delete"]
        grant(
            kubectl,
            attacked,
            "mallory",
            [{"apiGroups": [""], "resources": ["configmaps"], "verbs": every}],
        )
        agentjobs.in_force(
            attacked,
            "victim",
            "print('as approved')\n",
            triggers=[{"event": {"type": "com.example.published"}}],
        )
        yield Scene(agentjobs, attacked, honest, agentjobs.pod())


@pytest.fixture
def watch(scene: Scene) -> Iterator[Watch]:
    watch = Watch(scene.agentjobs.kubectl, scene.pod)
    before = scene.restarts()
    thread = threading.Thread(target=watch.run)
    thread.start()
    try:
        yield watch
    finally:
        watch.stop.set()
        thread.join()
    assert watch.failures == []
    assert watch.asked > 0
    assert scene.restarts() == before, "the operator ended"
    assert watch.oldest_renewal < LEASE_SECONDS
    assert watch.slowest < HEALTH_SECONDS


def test_hostile_jobs_are_their_own_problem(scene: Scene, watch: Watch) -> None:
    taken = []
    for number, (what, manifest) in enumerate(hostile.jobs("bad")):
        manifest["metadata"]["name"] = f"bad-{number}"
        if scene.write(manifest):
            taken.append((f"bad-{number}", what))
        if number % 8 == 0:
            scene.an_approval_takes_effect(number)
    assert len(taken) > 25
    wait_for(lambda: scene.unanswered() == [], 60, "every job is answered")
    scene.an_approval_takes_effect(1000)


def test_hostile_texts_are_their_own_problem(scene: Scene, watch: Watch) -> None:
    reference = {"configMapKeyRef": {"name": "texts", "key": "k"}}
    assert scene.write(manifests.job("reads-texts", script=reference))
    for number, (_, manifest) in enumerate(hostile.config_maps("texts")):
        scene.mallory("delete", "configmap", "-n", scene.attacked, "texts", "--ignore-not-found")
        scene.write(manifest)
        if number % 4 == 0:
            scene.an_approval_takes_effect(2000 + number)


def test_hostile_runs_end_with_a_record(scene: Scene, watch: Watch) -> None:
    taken = [
        (manifest["metadata"]["name"], what)
        for what, manifest in hostile.runs("bad", "victim")
        if scene.write(manifest)
    ]
    assert len(taken) > 8
    scene.an_approval_takes_effect(3000)
    ended = {what: scene.finished(name) for name, what in taken if "no job" not in what}
    assert {what: status["phase"] for what, status in ended.items()} == {
        what: "Cancelled" if "cancelled" in what else "Skipped" for what in ended
    }
    for what in ("deep", "deeper than a parser", "deepest that the API takes"):
        status = ended[f"event data: {what}"]
        assert status["reason"] == "EventInvalid"
        assert "is nested more than 100 levels deep" in status["message"]


def test_the_operator_starts_again_while_all_of_them_exist(scene: Scene) -> None:
    """At the end: pending ones, which nobody has looked at, among them."""
    kubectl = scene.agentjobs.kubectl
    scene.agentjobs.scale(0)
    taken = [scene.write(event) for _, event in hostile.runs("again", "victim")]
    assert sum(taken) > 8
    scene.agentjobs.scale(1)
    pod = scene.agentjobs.pod()
    wait_for(lambda: metrics(kubectl, pod)["agentjobs_leading"], 60, "it leads")
    scene.an_approval_takes_effect(4000)
    assert metrics(kubectl, pod)['agentjobs_unreadable_objects{kind="job"}'] >= 3
    for name in ("again-0", "again-1", "again-3"):
        assert scene.finished(name)["reason"] == "EventInvalid"
    assert (
        kubectl.json("get", "pod", "-n", NAMESPACE, pod)["status"]["containerStatuses"][0][
            "restartCount"
        ]
        == 0
    )
