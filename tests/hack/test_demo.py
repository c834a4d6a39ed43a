"""The demo, as far as it needs no cluster; tests/cluster/docs/test_demo.py runs it on one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.root import ROOT


def demo(*arguments: str, path: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "hack.demo", *arguments],
        cwd=ROOT,
        env={"PATH": path},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_the_demo_explains_itself() -> None:
    shown = demo("--help", path=os.environ["PATH"])
    assert shown.returncode == 0
    assert "make demo" in shown.stdout


def test_a_demo_without_kubectl_says_what_to_do(tmp_path: Path) -> None:
    shown = demo(path=str(tmp_path))
    assert shown.returncode == 1
    assert (
        shown.stderr
        == "\ndemo: kubectl is not on PATH.\nLook at: `make demo`, which brings its own\n"
    )


def test_make_env_prints_what_a_shell_can_evaluate(tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.touch()
    for tool in ("helm", "kubectl"):
        (tmp_path / tool).touch(0o755)
    script = 'eval "$(make --no-print-directory env)" && printf "%s\\n" "$KUBECONFIG" "$PATH"'
    before = f"{tmp_path}:{os.environ['PATH']}"
    shown = in_checkout(["bash", "-euc", script], KUBECONFIG=str(config), PATH=before)
    assert shown.returncode == 0, shown.stderr
    kubeconfig, path = shown.stdout.splitlines()
    assert kubeconfig == str(config)
    assert path == f"{tmp_path}:{before}"


@pytest.mark.slow
def test_make_env_says_so_where_no_cluster_was_started() -> None:
    shown = in_checkout(
        ["make", "env"], KUBECONFIG="", AGENTJOBS_LOCAL_CLUSTER_STATE="never-started"
    )
    assert (shown.returncode, shown.stdout) == (2, "")
    assert shown.stderr.startswith(
        "env: no cluster was started from this checkout: run make cluster-up"
    )


def in_checkout(command: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
    variables = {**os.environ, **environment}
    return subprocess.run(
        command, cwd=ROOT, env=variables, capture_output=True, text=True, timeout=60, check=False
    )
