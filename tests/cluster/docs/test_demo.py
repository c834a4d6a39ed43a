"""`make demo` shows what it says it shows."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.installed import Installed
from tests.cluster.provider import Cluster
from tests.cluster.support import Kubectl, wait_for
from tests.support import manifests, web_logs
from tests.support.root import ROOT

JOB = "weekly-web-report"


@pytest.fixture
def place(kubectl: Kubectl) -> Iterator[str]:
    """The name of a namespace that the demo is going to make."""
    name = f"demo-{secrets.token_hex(4)}"
    yield name
    kubectl("delete", "namespace", name, "--ignore-not-found", "--wait=false")


def environment(cluster: Cluster) -> dict[str, str]:
    path = f"{Path(cluster.kubectl).parent}:{os.environ['PATH']}"
    return {**os.environ, "KUBECONFIG": cluster.kubeconfig, "PATH": path}


def demo(cluster: Cluster, namespace: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "hack.demo", "--namespace", namespace],
        env=environment(cluster),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def runs(kubectl: Kubectl, namespace: str) -> list[Any]:
    found: list[Any] = kubectl.json("get", "ajr", "-n", namespace)["items"]
    return sorted(found, key=lambda run: str(run["status"]["startedAt"]))


def uids(kubectl: Kubectl, namespace: str, *kinds: str) -> set[str]:
    return {
        item["metadata"]["uid"]
        for item in kubectl.json("get", ",".join(kinds), "-n", namespace)["items"]
    }


def test_the_demo_goes_from_a_new_job_to_a_record_with_right_figures(
    agentjobs: Installed, kubectl: Kubectl, place: str
) -> None:
    shown = demo(kubectl.cluster, place)
    assert shown.returncode == 0, shown.stdout + shown.stderr
    (run,) = runs(kubectl, place)
    record = run["status"]
    assert (record["phase"], record["exitCode"], record["logsComplete"]) == ("Succeeded", 0, True)
    assert web_logs.differences(record["stdout"]) == []
    assert record["stderr"].startswith(f"skipped {web_logs.broken()} broken lines: ")
    job = agentjobs.job(place, JOB)["status"]
    assert job["approval"]["digest"] == record["digest"] == job["card"]["digest"]
    revision = kubectl(
        "get",
        "configmap",
        "-n",
        place,
        f"{JOB}-{record['digest']}",
        "-o",
        r"jsonpath={.data.revision\.json}",
    )
    assert hashlib.sha256(revision.encode()).hexdigest() == record["digest"]
    for told in (
        record["digest"],
        job["nextRunAt"],
        "PendingApproval",
        "kind: AgentJobApproval",
        *job["card"]["nextStarts"],
    ):
        assert told in shown.stdout
    for line in (record["stdout"] + record["stderr"]).splitlines():
        assert f"    {line}".rstrip() in shown.stdout.splitlines()


def test_a_second_demo_reuses_everything_and_adds_a_run(
    agentjobs: Installed, kubectl: Kubectl, place: str
) -> None:
    first = demo(kubectl.cluster, place)
    assert first.returncode == 0, first.stdout + first.stderr
    kept = ("aja", "pvc", "saj", "cronjob", "configmap")
    before = uids(kubectl, place, *kept)
    second = demo(kubectl.cluster, place)
    assert second.returncode == 0, second.stdout + second.stderr
    assert "they are in it already" in second.stdout
    assert "approved already" in second.stdout
    assert uids(kubectl, place, *kept) == before
    records = [run["status"] for run in runs(kubectl, place)]
    assert [record["phase"] for record in records] == ["Succeeded", "Succeeded"]
    assert records[0]["stdout"] == records[1]["stdout"]
    assert agentjobs.job(place, JOB)["status"]["runCount"] == 2


def test_what_the_demo_suggests_to_try_next_works(
    agentjobs: Installed, kubectl: Kubectl, place: str
) -> None:
    shown = demo(kubectl.cluster, place)
    _, _, rest = shown.stdout.partition("What to try next")
    change, everything, remove = re.findall(r"^\$ (.*)$", rest, re.MULTILINE)

    def typed(command: str) -> str:
        ran = subprocess.run(
            ["bash", "-c", command],
            env=environment(kubectl.cluster),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    assert "patched" in typed(change)
    wait_for(
        lambda: agentjobs.job(place, JOB)["status"]["approval"]["state"] == "Changed",
        30,
        "the new content waits",
    )
    condition = agentjobs.wait_condition(place, JOB, "Approved", "False")
    assert "stays in force" in condition["message"]
    again = demo(kubectl.cluster, place)
    assert "approved already" in again.stdout, again.stdout + again.stderr
    assert JOB in typed(everything)
    typed(remove)
    assert kubectl("get", "namespace", place, "--ignore-not-found") == ""


def test_a_demo_whose_content_is_denied_says_so_and_how_to_go_on(
    agentjobs: Installed, kubectl: Kubectl, namespace: str
) -> None:
    kubectl("apply", "-n", namespace, "-f", str(web_logs.EXAMPLE / "job.yaml"))
    digest = agentjobs.digest(namespace, JOB)
    kubectl.create(
        namespace, manifests.approval("no", jobName=JOB, digest=digest, decision="Denied")
    )
    agentjobs.wait_condition(namespace, JOB, "Approved", "False")
    wait_for(
        lambda: agentjobs.job(namespace, JOB)["status"]["phase"] == "Denied",
        30,
        "the job is denied",
    )
    shown = demo(kubectl.cluster, namespace)
    assert shown.returncode == 1
    assert shown.stderr.strip().splitlines() == [
        "demo: This content was denied.",
        f"Look at: kubectl -n {namespace} get aja, and delete the denial to go on",
    ]


def test_a_demo_in_a_namespace_that_goes_says_so(
    agentjobs: Installed, kubectl: Kubectl, place: str
) -> None:
    held = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "held", "finalizers": ["example.com/test"]},
    }
    kubectl("create", "namespace", place)
    kubectl.create(place, held)
    kubectl("delete", "namespace", place, "--wait=false")
    try:
        shown = demo(kubectl.cluster, place)
    finally:
        kubectl(
            "patch",
            "configmap",
            "held",
            "-n",
            place,
            "--type=merge",
            "-p",
            '{"metadata":{"finalizers":null}}',
        )
    assert shown.returncode == 1
    assert shown.stderr.strip().splitlines()[0] == "demo: This namespace is being deleted."


def test_a_demo_without_a_cluster_says_so_in_a_sentence(kubectl: Kubectl, tmp_path: Path) -> None:
    nowhere = tmp_path / "kubeconfig"
    nowhere.write_text(
        kubectl("config", "view", "--raw", "--minify").replace("https://", "https://127.0.0.1:9/")
    )
    shown = demo(replace(kubectl.cluster, kubeconfig=str(nowhere)), "never-made")
    assert shown.returncode == 1
    first, second = shown.stderr.strip().splitlines()
    assert first.startswith("demo: `kubectl get deployments")
    assert "127.0.0.1:9" in first
    assert second.startswith("Look at: whether KUBECONFIG names the cluster that you mean")
