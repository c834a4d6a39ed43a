"""The example of a repository: its pipeline renders, approves, deploys, and finds nothing to do the second time."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tests.cluster.installed import ROOT, Installed
from tests.cluster.plugin import installed
from tests.cluster.support import Kubectl
from tests.pages import blocks


def test_the_pipeline_of_the_example_brings_what_was_merged_into_force(
    agentjobs: Installed, kubectl: Kubectl, namespace: str, tmp_path: Path
) -> None:
    checkout = tmp_path / "checkout"
    shutil.copytree(ROOT / "examples/gitops", checkout)
    saj = installed(kubectl, namespace, tmp_path)

    def pipeline(command: str) -> str:
        ran = subprocess.run(
            ["bash", "-euc", command], cwd=checkout, env=saj.environment, capture_output=True, text=True, timeout=240, check=False
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
    assert job["status"]["approval"]["by"] == kubectl("auth", "whoami", "-o", "jsonpath={.status.userInfo.username}")

    pipeline(merge)
    again = agentjobs.job(namespace, "weekly-summary")
    assert again["metadata"]["resourceVersion"] == job["metadata"]["resourceVersion"], "an apply that changes nothing writes nothing"
    assert pipeline(check).partition("### To approve")[0].strip() == "### What changes"
