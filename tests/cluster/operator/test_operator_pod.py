"""The operator's pod: what it may do, what it tells about itself, how it ends."""

from __future__ import annotations

import json
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from tests.cluster import many
from tests.cluster.installed import NAMESPACE, Installed
from tests.cluster.process import ask, metrics
from tests.cluster.support import Kubectl, wait_for

ACCOUNT: Final = "agentjobs"
USER: Final = f"system:serviceaccount:{NAMESPACE}:{ACCOUNT}"
MARKER: Final = "nobody-must-read-this-3141592653"
TELLTALE: Final = f"""\
import os, sys
print("{MARKER}", os.environ["TOKEN"])
print("{MARKER}", file=sys.stderr)
sys.exit("{MARKER}")
"""
SLOW: Final = "import time\nprint('begun', flush=True)\ntime.sleep(6)\nprint('ended')\n"


@pytest.fixture(scope="module")
def talkative(agentjobs: Installed) -> Iterator[Installed]:
    """The operator at its most talkative log level."""
    with agentjobs.values_set(**{"operator.logLevel": "DEBUG"}):
        yield agentjobs


def inside(agentjobs: Installed, script: str) -> str:
    """What a Python script prints that runs in the operator's container."""
    return agentjobs.kubectl(
        "exec", "-n", NAMESPACE, agentjobs.pod(), "--", "python3", "-c", script
    )


PRIVILEGES: Final = """\
import errno, os
lines = open("/proc/self/status").read().splitlines()
status = dict(line.split(":\\t") for line in lines if ":\\t" in line)
print(os.getuid(), os.getgid(), int(status["CapEff"], 16), status["NoNewPrivs"], status["Seccomp"])
for path in ("/probe", "/usr/probe", "/etc/probe"):
    try:
        open(path, "w")
    except OSError as error:
        print(errno.errorcode[error.errno])
"""


def test_it_runs_unprivileged_without_capabilities_on_a_read_only_root(
    talkative: Installed,
) -> None:
    pod = talkative.kubectl.json("get", "pod", "-n", NAMESPACE, talkative.pod())
    assert pod["spec"]["serviceAccountName"] == ACCOUNT
    assert pod["spec"]["securityContext"]["runAsNonRoot"] is True
    assert inside(talkative, PRIVILEGES).split() == [
        "65532",
        "65532",
        "0",
        "1",
        "2",
        "EROFS",
        "EROFS",
        "EROFS",
    ]


def test_it_answers_for_its_health_and_its_metrics(talkative: Installed) -> None:
    pod = talkative.pod()
    assert [ask(talkative.kubectl, pod, path) for path in ("healthz", "readyz")] == ["ok", "ok"]
    found = metrics(talkative.kubectl, pod)
    assert (found["agentjobs_leading"], found["agentjobs_stale_streams"]) == (1, 0)
    assert {
        "agentjobs_queue_length",
        "agentjobs_active_runs",
        "agentjobs_api_requests_total",
    } <= found.keys()


def test_its_log_is_json_with_an_id_per_reconcile_and_no_run_output(
    talkative: Installed, namespace: str
) -> None:
    env = [{"name": "TOKEN", "value": f"token-{MARKER}"}]
    for job in ("telltale-1", "telltale-2"):
        record = talkative.ran(namespace, job, TELLTALE, env=env)
        assert (record["phase"], record["stderr"]) == ("Failed", f"{MARKER}\n{MARKER}\n")
    log = talkative.log()
    assert MARKER not in log
    lines = [json.loads(line) for line in log.splitlines()]
    assert all({"time", "level", "logger", "message"} <= line.keys() for line in lines)
    jobs_by_id: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for line in lines:
        if "job" in line:
            jobs_by_id[line["reconcile"]].add((line["namespace"], line["job"]))
    assert {(namespace, "telltale-1"), (namespace, "telltale-2")} <= set().union(
        *jobs_by_id.values()
    )
    assert [identity for identity, jobs in jobs_by_id.items() if len(jobs) > 1] == []


@contextmanager
def states(kubectl: Kubectl, pod: str, file: Path) -> Iterator[None]:
    """Every state of a pod goes to the file, a watch event in each line, until the pod is gone.

    It has to go in the block.
    """
    selected = f"/api/v1/namespaces/{NAMESPACE}/pods?watch=1&fieldSelector=metadata.name%3D{pod}"
    command = [
        kubectl.cluster.kubectl,
        "--kubeconfig",
        kubectl.cluster.kubeconfig,
        "get",
        "--raw",
        selected,
    ]
    with file.open("w") as output, subprocess.Popen(command, stdout=output) as watch:
        try:
            wait_for(lambda: '"ADDED"' in file.read_text(), 10, f"the pod {pod} is watched")
            yield
            wait_for(lambda: '"DELETED"' in file.read_text(), 10, f"the pod {pod} is gone")
        finally:
            watch.terminate()


def test_sigterm_ends_it_within_10_s_and_frees_the_lease_while_runs_go_on(
    talkative: Installed, namespace: str, tmp_path: Path
) -> None:
    kubectl = talkative.kubectl
    runs = many.started(
        talkative,
        namespace,
        many.in_force(talkative, namespace, [many.job(f"slow-{n}", SLOW) for n in range(5)]),
    )
    file = tmp_path / "states"
    try:
        with states(kubectl, talkative.pod(), file):
            talkative.scale(0)
        assert not kubectl.json("get", "lease", "-n", NAMESPACE, "agentjobs-operator")["spec"].get(
            "holderIdentity"
        )
    finally:
        talkative.scale(1)
    pods = [json.loads(line)["object"] for line in file.read_text().splitlines()]
    asked = next(
        moment(pod["deletionTimestamp"]) - grace(pod)
        for pod in (body["metadata"] for body in pods)
        if "deletionTimestamp" in pod
    )
    ended = next(
        state["terminated"] for state in map(container_state, pods) if "terminated" in state
    )
    assert (ended["exitCode"], ended["reason"]) == (0, "Completed")
    assert moment(ended["finishedAt"]) - asked <= timedelta(seconds=10)
    for run in many.finished(talkative, namespace, runs).values():
        assert (run["status"]["phase"], run["status"]["stdout"]) == ("Succeeded", "begun\nended\n")


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def grace(metadata: dict[str, Any]) -> timedelta:
    """The time of deletion says when it ends."""
    return timedelta(seconds=metadata["deletionGracePeriodSeconds"])


def container_state(pod: dict[str, Any]) -> dict[str, Any]:
    return dict(pod["status"]["containerStatuses"][0]["state"])


NEEDS: Final = (
    "list scheduledagentjobs.agentjobs.dev",
    "patch scheduledagentjobs.agentjobs.dev/status",
    "create agentjobruns.agentjobs.dev",
    "create jobs.batch",
    "update cronjobs.batch",
    *("create configmaps", "list configmaps", "watch configmaps", "delete configmaps"),
    "get pods/log",
)
MUST_NOT: Final = (
    *("get secrets", "list secrets", "watch secrets", "create secrets"),
    *(
        "create pods",
        "patch pods",
        "delete pods",
        "create pods/exec",
        "create pods/attach",
        "create pods/portforward",
        "create pods/eviction",
    ),
    *(
        "get pods/exec",
        "patch pods/ephemeralcontainers",
        "create pods/proxy",
        "get nodes/proxy",
        "list nodes",
    ),
    *(
        "create agentjobapprovals.agentjobs.dev",
        "patch agentjobapprovals.agentjobs.dev",
        "update agentjobapprovals.agentjobs.dev",
    ),
    *("delete agentjobapprovals.agentjobs.dev", "deletecollection agentjobapprovals.agentjobs.dev"),
    *(
        "approve scheduledagentjobs.agentjobs.dev",
        "create scheduledagentjobs.agentjobs.dev",
        "patch scheduledagentjobs.agentjobs.dev",
    ),
    *(
        "update scheduledagentjobs.agentjobs.dev",
        "delete scheduledagentjobs.agentjobs.dev",
        "update agentjobruns.agentjobs.dev",
    ),
    *("update configmaps", "patch configmaps", "deletecollection configmaps"),
    *(
        "impersonate users",
        "impersonate groups",
        "impersonate serviceaccounts",
        "create serviceaccounts",
        "create serviceaccounts/token",
    ),
    *(
        "escalate clusterroles.rbac.authorization.k8s.io",
        "bind clusterroles.rbac.authorization.k8s.io",
    ),
    *(
        "create clusterrolebindings.rbac.authorization.k8s.io",
        "create rolebindings.rbac.authorization.k8s.io",
    ),
    *(
        "create deployments.apps",
        "create daemonsets.apps",
        "patch customresourcedefinitions.apiextensions.k8s.io",
    ),
    *(
        "delete validatingadmissionpolicies.admissionregistration.k8s.io",
        "create mutatingwebhookconfigurations.admissionregistration.k8s.io",
    ),
    *(
        "list persistentvolumeclaims",
        "create persistentvolumes",
        "delete namespaces",
        "delete events",
        "list leases.coordination.k8s.io",
    ),
    *("update leases.coordination.k8s.io", "delete leases.coordination.k8s.io", "* *.*"),
)


def review(right: str) -> dict[str, Any]:
    verb, _, resource = right.partition(" ")
    name, _, subresource = resource.partition("/")
    name, _, group = name.partition(".")
    group, _, subresource = (*group.partition("/")[:2], group.partition("/")[2] or subresource)
    attributes = {"verb": verb, "group": group, "resource": name, "subresource": subresource}
    spec = {
        "user": USER,
        "groups": ["system:serviceaccounts", "system:authenticated"],
        "resourceAttributes": attributes,
    }
    return {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec}


def test_its_service_account_may_do_what_it_needs_and_nothing_dangerous(
    kubectl: Kubectl, agentjobs: Installed
) -> None:
    """In every namespace: the reviews name none."""
    rights = (*NEEDS, *MUST_NOT)
    body = "\n---\n".join(json.dumps(review(right)) for right in rights)
    answers = kubectl(
        "create", "-f", "-", "-o", "jsonpath={.status.allowed}{'\\n'}", stdin=body
    ).split()
    allowed = {right for right, answer in zip(rights, answers, strict=True) if answer == "true"}
    assert allowed == set(NEEDS)
