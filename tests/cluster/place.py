"""A namespace with a run of ours that goes on, and people with various rights in it.

`cleo` got every plain verb on every kind from a careless hand, but none of our own verbs; `ed` has
Kubernetes' role `edit`, `ada` has `admin`. `wu` may only write jobs, `tina` may only start one of
them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from tests.cluster import many
from tests.cluster.installed import Installed, Manifest
from tests.cluster.rights import PLAIN, bind, grant
from tests.cluster.support import RESTRICTED, Kubectl, KubectlError, new_namespace

WAITS: Final = "import time\nprint('as approved', flush=True)\ntime.sleep(600)\n"
LABEL: Final = "agentjobs.dev/job"
MARK: Final = {LABEL: "busy"}
RIGHTS: Final[dict[str, list[Manifest]]] = {
    "cleo": [
        {"apiGroups": [group], "resources": ["*"], "verbs": PLAIN}
        for group in ("", "apps", "batch", "agentjobs.dev")
    ],
    "tina": [
        {"apiGroups": ["agentjobs.dev"], "resources": ["agentjobruns"], "verbs": ["create", "get"]},
        {
            "apiGroups": ["agentjobs.dev"],
            "resources": ["scheduledagentjobs"],
            "resourceNames": ["second"],
            "verbs": ["run"],
        },
    ],
}
DENIED: Final = "ValidatingAdmissionPolicy 'agentjobs-"
CONTAINER: Final = {"name": "runner", "image": "localhost/evil:1", "securityContext": RESTRICTED}
ONCE: Final = {
    "metadata": {"labels": {"app": "x"}},
    "spec": {"restartPolicy": "Never", "containers": [CONTAINER]},
}
CLAIM: Final = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}
DRY: Final = "--dry-run=server"
WAYS: Final = {
    "create": ("create", DRY, "-f", "-"),
    "replace": ("replace", DRY, "-f", "-"),
    "apply": ("apply", "--server-side", "--force-conflicts", DRY, "-f", "-"),
}


@dataclass(frozen=True)
class Place:
    """A namespace in which `busy` runs as approved.

    Called, it does what a user does, or an administrator for `""`.
    """

    agentjobs: Installed
    namespace: str
    uid: str
    digest: str
    pod: str

    def __call__(self, user: str, *words: str, stdin: Manifest | None = None) -> str:
        acting = self.agentjobs.kubectl.acting(user) if user else self.agentjobs.kubectl
        return acting(
            "--namespace", self.namespace, *words, stdin=json.dumps(stdin) if stdin else ""
        )

    def owner(self) -> list[Manifest]:
        owner = {
            "apiVersion": "agentjobs.dev/v1alpha1",
            "kind": "ScheduledAgentJob",
            "name": "busy",
            "uid": self.uid,
        }
        return [{**owner, "controller": True}]

    def refused(self, user: str, *words: str, stdin: Manifest | None = None) -> str:
        """Empty where a policy of ours refuses it, else what went otherwise."""
        try:
            self(user, *words, stdin=stdin)
        except KubectlError as error:
            return "" if DENIED in error.stderr else f"{user} {' '.join(words)}: {error.stderr}"
        return f"{user} {' '.join(words)} {json.dumps(stdin)}: it went through"


@contextmanager
def somewhere(agentjobs: Installed, kubectl: Kubectl) -> Iterator[Place]:
    with new_namespace(kubectl) as namespace:
        for role, user in (("edit", "ed"), ("admin", "ada"), ("agentjobs-author", "wu")):
            bind(kubectl, namespace, role, user=user)
        for user, rules in RIGHTS.items():
            grant(kubectl, namespace, user, rules)
        follows = [{"after": {"job": "first", "on": "Succeeded"}}]
        jobs = [
            many.job("busy", WAITS, schedule={"cron": "0 0 1 1 *"}, session="Continuous"),
            many.job("first", "import time\ntime.sleep(8)\nprint('first')\n"),
            many.job("second", "print('second')\n", triggers=follows),
        ]
        digests = many.in_force(agentjobs, namespace, jobs)
        many.running(agentjobs, namespace, many.started(agentjobs, namespace, ["busy"]))
        (pod,) = kubectl.json(
            "get", "pods", "-n", namespace, "-l", "batch.kubernetes.io/job-name=busy-run"
        )["items"]
        uid = agentjobs.job(namespace, "busy")["metadata"]["uid"]
        yield Place(agentjobs, namespace, uid, digests["busy"], pod["metadata"]["name"])
