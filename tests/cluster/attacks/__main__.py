"""The command line: namespaces, people and rights, the moves, and the verdict."""

from __future__ import annotations

import argparse
import asyncio
import os
import secrets
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from random import Random
from typing import Final

from agentjobs.testing.real_cluster import local
from agentjobs.testing.real_cluster.client import Client, ClusterProblem, connect
from agentjobs.testing.real_cluster.operator_pod import OperatorPod
from tests.cluster.attacks import moves
from tests.cluster.attacks.honest import Honest, decision, in_force, until, written
from tests.cluster.attacks.judge import Judge, listed
from tests.cluster.attacks.moves import API, Attacker
from tests.support import manifests

RBAC: Final = "apis/rbac.authorization.k8s.io/v1/namespaces"
MOVE_PAUSE_SECONDS: Final = 0.15
LOOK_SECONDS: Final = 3.0
DENY_SECONDS: Final = 25.0
USERS: Final = ("attacks-as-author", "attacks-as-trigger")
ANY: Final = ["get", "list", "create", "update", "patch", "delete"]


def parser() -> argparse.ArgumentParser:
    """The options."""
    top = argparse.ArgumentParser(prog="python -m tests.cluster.attacks", description=__doc__)
    top.add_argument("--minutes", type=float, default=10, metavar="N", help="how long (default 10)")
    top.add_argument("--seed", type=int, default=1, metavar="N", help="of the moves (default 1)")
    top.add_argument(
        "--namespace", default="agentjobs-system", help="of the operator (default agentjobs-system)"
    )
    return top


async def forever(what: Callable[[int], Awaitable[None]], pause: float, until_time: float) -> None:
    """Again and again until then."""
    number = 0
    while time.monotonic() < until_time:
        await what(number)
        number += 1
        await asyncio.sleep(pause)


async def _rights(client: Client, namespace: str) -> None:
    for user, role in zip(USERS, ("agentjobs-author", "agentjobs-trigger"), strict=True):
        ref = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role}
        subject = {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user}
        await client.post(
            f"{RBAC}/{namespace}/rolebindings",
            {"metadata": {"name": user}, "roleRef": ref, "subjects": [subject]},
        )
    rules = [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ANY}]
    await client.post(f"{RBAC}/{namespace}/roles", {"metadata": {"name": "texts"}, "rules": rules})
    ref = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "texts"}
    subject = {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": USERS[0]}
    await client.post(
        f"{RBAC}/{namespace}/rolebindings",
        {"metadata": {"name": "texts"}, "roleRef": ref, "subjects": [subject]},
    )


class Owner:
    """The victims' owner: approves, denies, and writes them again when somebody deleted them."""

    def __init__(self, client: Client, namespace: str, judge: Judge) -> None:
        self.client, self.namespace, self.judge = client, namespace, judge
        self.said = f"kept {secrets.token_hex(8)}"
        self.denials = 0
        self.spec = {
            "schedule": {"cron": "* * * * *"},
            "triggers": [{"event": {"type": "com.example.published"}}],
        }

    async def begin(self) -> None:
        """`kept` runs every minute, `denied` was approved once, `pending` never."""
        digest = await self._approved("kept", f"print({self.said!r})\n", self.said, **self.spec)
        await until(
            lambda: in_force(self.client, self.namespace, "kept", digest), "kept is in force"
        )
        await self._denied(
            "denied", await self._approved("denied", "print('denied')\n", "denied", **self.spec)
        )
        await written(self.client, self.namespace, "pending", "print('pending')\n", **self.spec)

    async def restore(self, _: int) -> None:
        """What others may have deleted."""
        script = {"inline": f"print({self.said!r})\n"}
        for body in (manifests.job("kept", script=script, **self.spec), manifests.job("pending")):
            with suppress(ClusterProblem):
                await self.client.post(f"{API}/{self.namespace}/scheduledagentjobs", body)

    async def deny(self, number: int) -> None:
        """A content is approved, started, and denied while it goes on."""
        said = f"toggled {secrets.token_hex(8)}"
        script = f"import time\nprint({said!r}, flush=True)\ntime.sleep(600)\n"
        try:
            digest = await self._approved("toggled", script, said)
            await self.client.post(
                f"{API}/{self.namespace}/agentjobruns",
                manifests.run(f"toggled-{number}", "toggled"),
            )
            with suppress(TimeoutError):
                await until(lambda: self._goes_on(digest), "the run goes on", 15)
            await self._denied("toggled", digest)
            self.denials += 1
        except (ClusterProblem, TimeoutError) as error:
            print(
                f"attack: the owner's round {number} was disturbed: {str(error)[:120]}",
                file=sys.stderr,
            )

    async def _goes_on(self, digest: str) -> bool:
        jobs = await listed(self.client, f"apis/batch/v1/namespaces/{self.namespace}/jobs")
        return any(
            job["metadata"].get("annotations", {}).get("agentjobs.dev/digest") == digest
            for job in jobs
        )

    async def _approved(self, name: str, script: str, said: str, **spec: object) -> str:
        digest = await written(self.client, self.namespace, name, script, **spec)
        self.judge.approved[digest] = f"{said}\n"
        await self.client.post(
            f"{API}/{self.namespace}/agentjobapprovals", decision(name, digest, "Approved")
        )
        return digest

    async def _denied(self, name: str, digest: str) -> None:
        await self.client.post(
            f"{API}/{self.namespace}/agentjobapprovals", decision(name, digest, "Denied")
        )
        self.judge.denied[digest] = time.monotonic()


async def _attack(options: argparse.Namespace) -> int:
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(connect())
        operator = OperatorPod(client, options.namespace)
        attacked, honest_place = [
            await _namespace(stack, client, purpose) for purpose in ("attacked", "honest")
        ]
        await _rights(client, attacked)
        log = local.audit_log(os.environ.get("KUBECONFIG"))
        start = log.stat().st_size if log else 0
        judge, random = Judge(client, operator, options.namespace, attacked), Random(options.seed)
        owner, honest = Owner(client, attacked, judge), Honest(client, honest_place)
        jobs = await stack.enter_async_context(
            client.watch(f"apis/batch/v1/namespaces/{attacked}/jobs")
        )
        await owner.begin()
        people = [
            Attacker(client.acting(user), attacked, user, random, lambda: list(judge.approved))
            for user in USERS
        ]
        end = time.monotonic() + options.minutes * 60
        print(
            f"attack: {options.minutes:g} minutes, seed {options.seed}, in {attacked}; the honest"
            f" are in {honest_place}",
            file=sys.stderr,
        )
        await asyncio.gather(
            forever(lambda _: moves.one(people[0], moves.AUTHOR), MOVE_PAUSE_SECONDS, end),
            forever(lambda _: moves.one(people[1], moves.TRIGGER), MOVE_PAUSE_SECONDS, end),
            forever(honest.once, 1, end),
            forever(owner.restore, 10, end),
            forever(owner.deny, DENY_SECONDS, end),
            forever(lambda _: judge.look(), LOOK_SECONDS, end),
        )
        await asyncio.sleep(DENY_SECONDS)
        await judge.look()
        judge.started(jobs)
        told = judge.audited(log, start, set(USERS)) if log else 0
        return _verdict(judge, honest, owner, people, told)


async def _namespace(stack: AsyncExitStack, client: Client, purpose: str) -> str:
    name = await stack.enter_async_context(client.namespace(purpose))
    stack.push_async_callback(_let_go, client, name)
    return name


async def _let_go(client: Client, namespace: str) -> None:
    """Finalizers that nobody serves would keep the namespace."""
    for plural in ("scheduledagentjobs", "agentjobruns"):
        for body in await listed(client, f"{API}/{namespace}/{plural}"):
            if body["metadata"].get("finalizers"):
                with suppress(ClusterProblem):
                    await client.patch(
                        f"{API}/{namespace}/{plural}/{body['metadata']['name']}",
                        {"metadata": {"finalizers": None}},
                    )


def _verdict(judge: Judge, honest: Honest, owner: Owner, people: list[Attacker], told: int) -> int:
    print(moves.table(people))
    phases = sorted(set(judge.records.values()))
    counted = ", ".join(
        f"{phase or 'Pending'} {list(judge.records.values()).count(phase)}" for phase in phases
    )
    print(
        f"\nrecords seen in the attacked namespace: {len(judge.records)} ({counted}); requests of"
        f" the attackers in the audit log: {told}"
    )
    print(f"denials: {owner.denials + 1}; runs of the honest: {len(honest.runs)}")
    for what, seconds in {
        "the honest: approval to CronJob": honest.approvals,
        "the honest: start to record": honest.runs,
        "answer of /healthz, through the API server": judge.health,
        "age of the lease's renewal": judge.renewals,
    }.items():
        if seconds:
            print(
                f"{what}: median {statistics.median(seconds):.2f} s, most {max(seconds):.2f} s, n"
                f" {len(seconds)}"
            )
    if judge.memory:
        print(f"memory of the operator: most {max(judge.memory) / 1e6:.0f} MB")
    problems = [*judge.problems, *honest.problems]
    for problem in problems:
        print(f"PROBLEM: {problem}")
    print(f"{len(problems)} problems")
    return 1 if problems else 0


def main() -> int:
    """Exit code 1 when something did not hold."""
    options = parser().parse_args()
    try:
        return asyncio.run(_attack(options))
    except ClusterProblem as error:
        print(f"attack: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
