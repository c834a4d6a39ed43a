"""Installing, upgrading and uninstalling as README and docs/install.md say."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from tests.cluster.installed import Installed
from tests.cluster.support import Kubectl
from tests.support.pages import blocks
from tests.support.root import ROOT


def test_the_chart_takes_the_values_of_the_readme(agentjobs: Installed) -> None:
    (block,) = [
        found.commands
        for found in blocks((ROOT / "README.md").read_text())
        if found.commands.startswith("helm upgrade")
    ]
    rendered = block.replace("helm upgrade --install", f"{agentjobs.helm} template").replace(
        "--create-namespace", ""
    )
    ran = subprocess.run(
        ["bash", "-euc", rendered],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    for image in ("operator", "runner"):
        assert f"registry.example.com/agentjobs-{image}:0.1.0" in ran.stdout


def test_an_upgrade_and_a_reinstallation_keep_what_people_wrote(
    agentjobs: Installed, kubectl: Kubectl, namespace: str, tmp_path: Path
) -> None:
    shutil.copy(agentjobs.values, tmp_path / "values.yaml")
    (tmp_path / "charts").symlink_to(ROOT / "charts")
    path = f"{Path(agentjobs.helm).parent}:{os.environ['PATH']}"

    def typed(beginning: str) -> None:
        (block,) = [
            found
            for found in blocks((ROOT / "docs/install.md").read_text())
            if found.commands.startswith(beginning)
        ]
        environment = {**os.environ, "KUBECONFIG": kubectl.cluster.kubeconfig, "PATH": path}
        ran = subprocess.run(
            ["bash", "-euc", block.commands],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr

    def kept() -> tuple[set[str], object]:
        items = kubectl.json("get", "saj,aja,cronjob", "-n", namespace)["items"]
        return {item["metadata"]["uid"] for item in items}, agentjobs.job(namespace, "kept")[
            "status"
        ]["approval"]

    agentjobs.in_force(namespace, "kept", "print(1)", schedule={"cron": "0 0 1 1 *"})
    before = kept()
    try:
        typed("helm upgrade")
        assert kept() == before
        typed("helm uninstall")
        assert kept() == before
    finally:
        agentjobs.install()
    assert agentjobs.finished(namespace, agentjobs.start(namespace, "kept"))["phase"] == "Succeeded"
    assert kept() == before


def test_a_second_release_is_refused_with_a_sentence(agentjobs: Installed) -> None:
    environment = {**os.environ, "KUBECONFIG": agentjobs.kubectl.cluster.kubeconfig}
    command = [
        agentjobs.helm,
        "install",
        "second",
        str(ROOT / "charts/agentjobs"),
        "--namespace",
        "default",
        "--dry-run=server",
    ]
    ran = subprocess.run(
        command, capture_output=True, text=True, env=environment, timeout=120, check=False
    )
    assert ran.returncode != 0
    assert (
        "this cluster has a release of agentjobs already, agentjobs in namespace agentjobs-system,"
        " and has room for one" in ran.stderr
    )
