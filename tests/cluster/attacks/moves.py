"""What an attacker may try, one move at a time, drawn from a seed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from random import Random
from typing import Final

from agentjobs.testing.real_cluster.client import Client, ClusterProblem, Json
from tests.support import manifests
from tests.support.corpus import hostile

VICTIMS: Final = ("kept", "denied", "pending")
"""Jobs of other people in the attacked namespace: approved and on every minute; denied after it was
approved; never approved."""
MAX_OBJECTS: Final = 150
"""Of an attacker's own of one kind; then the older half goes."""
API: Final = "apis/agentjobs.dev/v1alpha1/namespaces"
STRANGE: Final[Json] = {
    "ownerReferences": [
        {"apiVersion": "v1", "kind": "ConfigMap", "name": "none", "uid": "none", "controller": True}
    ],
    "labels": {"agentjobs.dev/job": "kept", "app.kubernetes.io/managed-by": "agentjobs"},
    "annotations": {
        "agentjobs.dev/digest": "0" * 64,
        "agentjobs.dev/stop": "Denied",
        "agentjobs.dev/started-as": "none",
    },
    "finalizers": ["example.com/never"],
}
FORGED: Final[Json] = {"phase": "Succeeded", "stdout": "forged", "exitCode": 0, "digest": "0" * 64}
Move = Callable[["Attacker"], Awaitable[None]]


@dataclass
class Attacker:
    """One user in one namespace.

    `counts`: by move, how often it was tried and how often the API server took it.
    """

    client: Client
    namespace: str
    user: str
    random: Random
    digests: Callable[[], list[str]]
    """Of contents that have been seen on cards."""
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    made: dict[str, list[str]] = field(default_factory=dict)
    number: int = 0

    async def send(
        self, move: str, method: str, path: str, body: Json | None = None, **query: str
    ) -> bool:
        """Whether the API server took it."""
        self.counts[move, "tried"] += 1
        try:
            await self.client.send(
                method, path, None if body is None else hostile.text(body), **query
            )
        except ClusterProblem as error:
            if error.status == 0 or error.status >= 500:
                self.counts[move, "unanswered"] += 1
            return False
        self.counts[move, "taken"] += 1
        return True

    def path(self, plural: str, name: str = "", part: str = "") -> str:
        group = "api/v1/namespaces" if plural in ("configmaps", "pods") else API
        group = "apis/batch/v1/namespaces" if plural in ("cronjobs", "jobs") else group
        return "/".join(step for step in (group, self.namespace, plural, name, part) if step)

    def name(self, kind: str) -> str:
        self.number += 1
        return f"{self.user}-{kind}-{self.number}"

    def some(self, plural: str) -> str:
        """One of the attacker's own, or of the victims'."""
        others = (
            [*VICTIMS]
            if plural == "scheduledagentjobs"
            else [f"{name}-{end}" for name in VICTIMS for end in ("run", "e123456789")]
        )
        return self.random.choice([*self.made.get(plural, [])[-20:], *others])

    async def create(self, move: str, plural: str, body: Json) -> None:
        """Remembered, and when there are too many the older ones are deleted."""
        mine = self.made.setdefault(plural, [])
        if await self.send(move, "POST", self.path(plural), body):
            mine.append(body["metadata"]["name"])
        if len(mine) > MAX_OBJECTS:
            for name in mine[: MAX_OBJECTS // 2]:
                await self.send(
                    "tidy up", "PATCH", self.path(plural, name), {"metadata": {"finalizers": None}}
                )
                await self.send("tidy up", "DELETE", self.path(plural, name))
            del mine[: MAX_OBJECTS // 2]


async def _hostile_job(a: Attacker) -> None:
    await a.create(
        "create a hostile job", "scheduledagentjobs", hostile.some_job(a.random, a.name("job"))[1]
    )


async def _hostile_run(a: Attacker) -> None:
    await a.create(
        "create a hostile run",
        "agentjobruns",
        hostile.some_run(a.random, a.name("run"), a.some("scheduledagentjobs"))[1],
    )


async def _config_map(a: Attacker) -> None:
    digest = a.random.choice([*a.digests(), "0" * 64])
    squatted = f"{a.random.choice(VICTIMS)}-{digest[: a.random.choice((10, 16, 64))]}"
    name = a.random.choice([squatted, f"{squatted}-packages", a.name("text")])
    body = a.random.choice(list(hostile.config_maps(name)))[1]
    await a.create("squat a name with a ConfigMap", "configmaps", body)


async def _change_job(a: Attacker) -> None:
    spec = hostile.some_job(a.random, "any")[1]["spec"]
    await a.send(
        "change a job",
        "PATCH",
        a.path("scheduledagentjobs", a.some("scheduledagentjobs")),
        {"spec": spec},
    )


async def _change_metadata(a: Attacker) -> None:
    plural = a.random.choice(["scheduledagentjobs", "agentjobruns"])
    field_name = a.random.choice(list(STRANGE))
    await a.send(
        f"change {field_name}",
        "PATCH",
        a.path(plural, a.some(plural)),
        {"metadata": {field_name: STRANGE[field_name]}},
    )


async def _delete(a: Attacker) -> None:
    plural = a.random.choice(["scheduledagentjobs", "agentjobruns", "configmaps"])
    policy = a.random.choice(["Orphan", "Background", "Foreground"])
    await a.send(
        f"delete, {policy}", "DELETE", a.path(plural, a.some(plural)), {"propagationPolicy": policy}
    )


async def _forge_status(a: Attacker) -> None:
    plural = a.random.choice(["scheduledagentjobs", "agentjobruns"])
    await a.send(
        "forge a status", "PATCH", a.path(plural, a.some(plural), "status"), {"status": FORGED}
    )


async def _decide(a: Attacker) -> None:
    name, digest = a.random.choice(VICTIMS), a.random.choice([*a.digests(), "0" * 64])
    body = manifests.approval(
        a.name("yes"), jobName=name, digest=digest, decision=a.random.choice(["Approved", "Denied"])
    )
    await a.send("make a decision", "POST", a.path("agentjobapprovals"), body)
    await a.send(
        "withdraw a decision",
        "DELETE",
        a.path("agentjobapprovals", f"denied-{a.random.choice(['approved', 'denied'])}"),
    )


async def _workload(a: Attacker) -> None:
    template = {
        "spec": {
            "restartPolicy": "Never",
            "containers": [{"name": "c", "image": "localhost/evil:1"}],
        }
    }
    labels = {"agentjobs.dev/job": "kept"}
    body = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": a.name("j"), "labels": labels},
        "spec": {"template": template},
    }
    await a.send("make a Job by hand", "POST", a.path("jobs"), body)
    await a.send(
        "resume a CronJob",
        "PATCH",
        a.path("cronjobs", a.random.choice(VICTIMS)),
        {"spec": {"suspend": False}},
    )


async def _start(a: Attacker) -> None:
    await a.create(
        "start a run", "agentjobruns", manifests.run(a.name("start"), a.random.choice(VICTIMS))
    )


async def _squat_run(a: Attacker) -> None:
    job = a.random.choice(VICTIMS)
    name = a.random.choice(
        [
            f"{job}-{29_000_000 + a.random.randrange(1_000_000)}",
            f"{job}-e{a.random.randrange(16**9):09x}",
        ]
    )
    other = a.random.choice(VICTIMS)
    await a.create("squat the name of a run", "agentjobruns", manifests.run(name, other))


async def _forge_trigger(a: Attacker) -> None:
    trigger = a.random.choice(
        [
            {"type": "Schedule", "scheduledAt": "2026-01-01T00:00:00Z"},
            {"type": "Manual", "by": "somebody-else"},
        ]
    )
    await a.create(
        "start in another's name",
        "agentjobruns",
        manifests.run(a.name("forged"), "kept", trigger=trigger),
    )


async def _cancel(a: Attacker) -> None:
    await a.send(
        "cancel a run",
        "PATCH",
        a.path("agentjobruns", a.some("agentjobruns")),
        {"spec": {"cancel": True}},
    )


async def _elsewhere(a: Attacker) -> None:
    elsewhere = a.random.choice(["default", "agentjobs-system", "kube-system"])
    lease = f"apis/coordination.k8s.io/v1/namespaces/{elsewhere}/leases/agentjobs-operator"
    await a.send("take the lease", "PATCH", lease, {"spec": {"holderIdentity": a.user}})
    await a.send(
        "write into another namespace",
        "POST",
        f"{API}/{elsewhere}/agentjobruns",
        manifests.run(a.name("x"), "honest"),
    )


AUTHOR: Final[dict[Move, int]] = {
    _hostile_job: 6,
    _config_map: 3,
    _change_job: 4,
    _change_metadata: 4,
    _delete: 2,
    _forge_status: 1,
    _decide: 1,
    _workload: 1,
    _start: 1,
    _elsewhere: 1,
}
"""With weights. What a right is missing for is tried, too."""
TRIGGER: Final[dict[Move, int]] = {
    _hostile_run: 6,
    _start: 3,
    _squat_run: 3,
    _forge_trigger: 2,
    _cancel: 2,
    _change_metadata: 3,
    _delete: 2,
    _forge_status: 1,
    _decide: 1,
    _workload: 1,
    _elsewhere: 1,
}


async def one(attacker: Attacker, moves: dict[Move, int]) -> None:
    """The next move."""
    (move,) = attacker.random.choices(list(moves), list(moves.values()))
    await move(attacker)


def table(attackers: list[Attacker]) -> str:
    """Of all attackers: a line for each move."""
    counts: Counter[tuple[str, str]] = sum((attacker.counts for attacker in attackers), Counter())
    moves = sorted({move for move, _ in counts})
    lines = [
        "| move | tried | taken by the API server | not answered |",
        "| --- | --- | --- | --- |",
    ]
    lines += [
        f"| {move} | {counts[move, 'tried']} | {counts[move, 'taken']} |"
        f" {counts[move, 'unanswered']} |"
        for move in moves
    ]
    total = [sum(counts[move, kind] for move in moves) for kind in ("tried", "taken", "unanswered")]
    return "\n".join([*lines, f"| all | {total[0]} | {total[1]} | {total[2]} |"])
