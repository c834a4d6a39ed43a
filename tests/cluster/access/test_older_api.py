"""On a cluster without mutating policies nothing is stamped; approvers must write their own names.

Its API server has the APIs of Kubernetes 1.35.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from localcluster import lifecycle
from localcluster.layout import state_key
from tests.cluster import many
from tests.cluster.cli import plugin
from tests.cluster.installed import Installed
from tests.cluster.local.second_cluster import Cluster as SecondCluster
from tests.cluster.provider import Cluster
from tests.cluster.support import Kubectl, KubectlError, new_namespace
from tests.support import manifests

MINOR: Final = "1.35"
JOB: Final = "report"


@dataclass(frozen=True)
class Team:
    """`ana` has `admin` in the namespace."""

    agentjobs: Installed
    namespace: str
    digest: str

    def approve(self, user: str, approved_by: str | None) -> None:
        """As this user, under this name; None leaves it out."""
        name = {} if approved_by is None else {"approvedBy": approved_by}
        body = manifests.approval(f"{user}s", jobName=JOB, digest=self.digest, **name)
        self.agentjobs.kubectl.acting(user).create(self.namespace, body)


@pytest.fixture(scope="module")
def older(agentjobs: Installed) -> Iterator[Installed]:
    """A second cluster, with the images of the first."""
    second = SecondCluster(f"{state_key(lifecycle.checkout(), {})}-older", MINOR)
    second.run("down")
    second.run("up")
    try:
        second.run("load", *agentjobs.archives())
        found = Cluster("local", str(second.layout.kubeconfig), str(second.layout.binaries))
        yield Installed(Kubectl(found), agentjobs.helm, agentjobs.values)
    finally:
        second.forget()


@pytest.fixture(scope="module")
def refusal(older: Installed) -> str:
    """What helm says to the chart's defaults."""
    with pytest.raises(AssertionError) as refused:
        older.install()
    assert older.kubectl("get", "crd,validatingadmissionpolicy", "-o", "name") == ""
    return str(refused.value)


@pytest.fixture(scope="module")
def team(older: Installed, refusal: str) -> Iterator[Team]:
    assert refusal
    older.install(**{"approval.stamp": "false"})
    with new_namespace(older.kubectl) as namespace:
        older.kubectl(
            "create", "rolebinding", "ana", "-n", namespace, "--clusterrole=admin", "--user=ana"
        )
        older.kubectl(
            "create", "rolebinding", "eve", "-n", namespace, "--clusterrole=edit", "--user=eve"
        )
        older.kubectl.acting("eve").apply(namespace, many.job(JOB, "print('older')"))
        yield Team(older, namespace, older.digest(namespace, JOB))


def test_with_the_defaults_nothing_is_installed(refusal: str) -> None:
    """This cluster passes for 1.36.

    What the chart says to one that tells its true version is tested with the chart.
    """
    assert "MutatingAdmissionPolicy" in refusal


def test_only_ones_own_name_is_taken_and_only_with_the_right_to_approve(team: Team) -> None:
    for name in (None, "bo"):
        with pytest.raises(KubectlError, match=r"spec.approvedBy must be you, ana"):
            team.approve("ana", name)
    with pytest.raises(KubectlError, match="cannot create resource"):
        team.approve("eve", "eve")
    assert team.agentjobs.job(team.namespace, JOB)["status"]["approval"]["state"] == "Pending"


def test_the_command_line_names_the_approver_and_the_approved_text_runs(
    team: Team, tmp_path: Path
) -> None:
    saj = plugin.installed(team.agentjobs.kubectl, team.namespace, tmp_path, "ana")
    assert team.digest[:10] in saj("approve", JOB, "--digest", team.digest)
    team.agentjobs.wait_condition(team.namespace, JOB, "Ready", "True")
    approval = team.agentjobs.job(team.namespace, JOB)["status"]["approval"]
    assert (approval["state"], approval["by"]) == ("Approved", "ana")
    assert (
        team.agentjobs.finished(team.namespace, team.agentjobs.start(team.namespace, JOB))["stdout"]
        == "older\n"
    )
    mine = manifests.run("mine", JOB, trigger={"type": "Manual", "by": "ana"})
    with pytest.raises(KubectlError, match="spec.trigger.by"):
        team.agentjobs.kubectl.acting("eve").create(team.namespace, mine)
