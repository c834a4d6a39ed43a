"""A cluster for the tests in this folder, and a namespace of its own for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cluster.installed import Installed, find
from tests.cluster.provider import Cluster, ask, provide
from tests.cluster.support import Kubectl, new_namespace


def pytest_report_header() -> str:
    return f"cluster: {ask('source')}"


@pytest.fixture(scope="session")
def cluster() -> Cluster:
    """The cluster that `choice` names, running."""
    return provide()


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
