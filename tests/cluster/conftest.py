"""A cluster for the tests in this folder, and a namespace of its own for each test."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.cluster.installed import Installed, find
from tests.cluster.provider import Cluster, choose, look, provide
from tests.cluster.support import Kubectl, new_namespace


def pytest_report_header(config: pytest.Config) -> str:
    return f"cluster: {choose(look(os.environ, config.pluginmanager))}"


@pytest.fixture(scope="session")
def cluster(request: pytest.FixtureRequest) -> Cluster:
    """The cluster that `provider` chooses, running."""
    return provide(choose(look(os.environ, request.config.pluginmanager)), os.environ, request)


@pytest.fixture(scope="session")
def kubectl(cluster: Cluster) -> Kubectl:
    """The cluster's kubectl, as its administrator."""
    kubectl = Kubectl(cluster)
    kubectl("version")
    return kubectl


@pytest.fixture(scope="session")
def agentjobs(kubectl: Kubectl, cluster: Cluster) -> Installed:
    """The operator of this checkout, installed with the chart's defaults."""
    installed = find(kubectl, cluster)
    installed.install()
    return installed


@pytest.fixture
def namespace(kubectl: Kubectl) -> Iterator[str]:
    """An empty namespace of the test's own."""
    with new_namespace(kubectl) as name:
        yield name
