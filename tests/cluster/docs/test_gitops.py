"""The pipeline of the example repository renders, approves and deploys.

The second time it finds nothing to do.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tests.cluster.cli.plugin import installed
from tests.cluster.installed import Installed
from tests.cluster.support import Kubectl
from tests.support import manifests
from tests.support.pages import blocks
from tests.support.root import ROOT


def test_the_pipeline_of_the_example_brings_what_was_merged_into_force(
    agentjobs: Installed, kubectl: Kubectl, namespace: str, tmp_path: Path
) -> None:
    checkout = tmp_path / "checkout"
    shutil.copytree(ROOT / "examples/gitops", checkout)
    saj = installed(kubectl, namespace, tmp_path)

    def pipeline(command: str) -> str:
        ran = subprocess.run(
            ["bash", "-euc", command],
            cwd=checkout,
            env=saj.environment,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout

    page = (ROOT / "docs/gitops.md").read_text().partition("## A worked example")[2]
    check, merge = (block.commands for block in blocks(page))
    proposed = pipeline(check)
    assert "+    cron: 0 8 * * 1" in proposed
    digest = proposed.partition("### To approve\n")[2].split()[0]
    assert "condition met" in pipeline(merge)
    job = agentjobs.job(namespace, "weekly-summary")
    assert job["status"]["approval"]["digest"] == digest
    assert job["status"]["approval"]["by"] == kubectl(
        "auth", "whoami", "-o", "jsonpath={.status.userInfo.username}"
    )

    pipeline(merge)
    again = agentjobs.job(namespace, "weekly-summary")
    assert again["metadata"]["resourceVersion"] == job["metadata"]["resourceVersion"], (
        "an apply that changes nothing writes nothing"
    )
    assert pipeline(check).partition("### To approve")[0].strip() == "### What changes"


def test_what_nobody_but_a_person_can_mend_is_stalled_until_it_is_mended(
    agentjobs: Installed, kubectl: Kubectl, namespace: str
) -> None:
    kubectl.apply(namespace, manifests.job("stuck"))
    digest = agentjobs.digest(namespace, "stuck")
    kinds = {
        condition["type"] for condition in agentjobs.job(namespace, "stuck")["status"]["conditions"]
    }
    assert kinds.isdisjoint({"Stalled", "Reconciling"}), "a wait for a decision is neither"
    kubectl.create(
        namespace, manifests.approval("no", jobName="stuck", digest=digest, decision="Denied")
    )
    assert agentjobs.wait_condition(namespace, "stuck", "Stalled", "True")["reason"] == "Denied"
    kubectl("delete", "aja", "no", "-n", namespace)
    agentjobs.approve(namespace, "stuck")
    agentjobs.wait_condition(namespace, "stuck", "Ready", "True")
    status = agentjobs.job(namespace, "stuck")["status"]
    assert {condition["type"] for condition in status["conditions"]} == {
        "Approved",
        "PackagesApproved",
        "Scheduled",
        "Ready",
    }


def test_a_text_that_may_come_with_the_next_file_is_reconciling(
    agentjobs: Installed, kubectl: Kubectl, namespace: str
) -> None:
    source = {"configMapKeyRef": {"name": "texts", "key": "main.py"}}
    kubectl.apply(namespace, manifests.job("early", script=source))
    assert (
        agentjobs.wait_condition(namespace, "early", "Reconciling", "True")["reason"]
        == "SourceMissing"
    )
    metadata = {"name": "texts", "labels": {"agentjobs.dev/source": "true"}}
    kubectl.apply(
        namespace,
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": metadata,
            "data": {"main.py": "print(1)"},
        },
    )
    agentjobs.approve(namespace, "early")
    agentjobs.wait_condition(namespace, "early", "Ready", "True")
    kinds = {
        condition["type"] for condition in agentjobs.job(namespace, "early")["status"]["conditions"]
    }
    assert kinds.isdisjoint({"Stalled", "Reconciling"})
