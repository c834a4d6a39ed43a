"""Which cluster the cluster tests choose."""

from __future__ import annotations

import itertools

import pytest

from tests.cluster.provider import Machine, NoClusterError, choose, kubectl_on_path


def machine(kubeconfig: str | None = None, *, kind_plugin: bool = False, docker_daemon: bool = False) -> Machine:
    return Machine(kubeconfig, kind_plugin, docker_daemon)


def test_a_kubeconfig_that_the_user_names_comes_first() -> None:
    for plugin, daemon in itertools.product((True, False), repeat=2):
        assert choose(machine("/home/ana/.kube/config", kind_plugin=plugin, docker_daemon=daemon)) == "kubeconfig"


def test_kind_needs_its_plugin_and_a_docker_daemon() -> None:
    assert choose(machine(kind_plugin=True, docker_daemon=True)) == "kind"
    assert choose(machine(kind_plugin=True)) == "local"
    assert choose(machine(docker_daemon=True)) == "local"


def test_without_anything_it_is_the_local_cluster() -> None:
    assert choose(machine()) == "local"
    assert choose(machine("")) == "local"


def test_a_missing_kubectl_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(NoClusterError, match="kubectl is not on PATH"):
        kubectl_on_path()
