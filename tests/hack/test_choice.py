"""Which cluster `make` and the cluster tests work on.

kind cannot run without a Docker daemon: what is asked of it is pinned here.
"""

from __future__ import annotations

import itertools
import os
from pathlib import Path

import pytest

from hack import cluster
from hack.choice import Machine, choose

LOCAL = "/cache/admin.kubeconfig"


def machine(
    kubeconfig: str | None = None, *, kind_plugin: bool = False, docker_daemon: bool = False
) -> Machine:
    return Machine(kubeconfig, kind_plugin, docker_daemon, LOCAL)


def test_a_kubeconfig_that_the_user_names_comes_first() -> None:
    for plugin, daemon in itertools.product((True, False), repeat=2):
        assert (
            choose(machine("/home/ana/.kube/config", kind_plugin=plugin, docker_daemon=daemon))
            == "kubeconfig"
        )


def test_kind_needs_its_package_and_a_docker_daemon() -> None:
    assert choose(machine(kind_plugin=True, docker_daemon=True)) == "kind"
    assert choose(machine(kind_plugin=True)) == "local"
    assert choose(machine(docker_daemon=True)) == "local"


def test_without_anything_it_is_the_local_cluster() -> None:
    assert choose(machine()) == "local"
    assert choose(machine("")) == "local"


def test_a_shell_that_was_pointed_at_the_local_cluster_still_works_on_it() -> None:
    assert choose(machine(LOCAL, kind_plugin=True, docker_daemon=True)) == "local"


def test_a_cluster_of_the_users_own_is_not_stopped_and_takes_no_images(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("KUBECONFIG", "/home/ana/.kube/config")
    assert cluster.act("kubeconfig", "down", []) == 0
    with pytest.raises(cluster.ClusterError, match="make install VALUES="):
        cluster.act("kubeconfig", "load", ["image.tar"])


def test_tools_that_are_missing_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setenv("KUBECONFIG", "/home/ana/.kube/config")
    with pytest.raises(cluster.ClusterError, match="kubectl and helm not found"):
        cluster.act("kubeconfig", "up", [])


class Kind:
    """What pytest-kind-ng's KindCluster offers, as far as it is used; says what was asked of it."""

    name = "agentjobs-12345678"
    kubeconfig_path = Path("kubeconfig")

    def __init__(self, kind: Path) -> None:
        self.kind_path = kind
        self.asked: list[str] = []

    def create(self) -> None:
        self.asked.append("create")

    def delete(self) -> None:
        self.asked.append("delete")


def test_kind_is_created_loaded_and_deleted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for name in ("kubectl", "helm", "kind"):
        (tmp_path / name).write_text('#!/bin/sh\necho "$@"\n')
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    kind = Kind(tmp_path / "kind")
    monkeypatch.setattr(cluster, "kind_cluster", lambda: kind)
    for command in ("up", "kubeconfig", "bin", "load", "down"):
        assert cluster.act("kind", command, ["image.tar"]) == 0
    assert kind.asked == ["create", "delete"]
    assert capfd.readouterr().out.splitlines() == [
        str(Path("kubeconfig").resolve()),
        str(tmp_path),
        "load image-archive image.tar --name agentjobs-12345678",
    ]
