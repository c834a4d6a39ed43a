"""The image's packages need no approval, any other needs its own, and until then its job waits."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

import pytest

from tests.cluster import many
from tests.cluster.installed import Installed
from tests.cluster.support import Kubectl, new_namespace
from tests.support import manifests
from tests.support.root import ROOT

SHIPPED: Final = ROOT / "charts/agentjobs/files/inventory.json"
LIST: Final = """\
import json, re, sys
from importlib.metadata import distributions
found = {re.sub("[-_.]+", "-", each.name).lower(): each.version for each in distributions()}
print(json.dumps([found, json.load(open("/opt/agentjobs/inventory.json"))]))
"""


@pytest.fixture(scope="module")
def namespace(kubectl: Kubectl) -> Iterator[str]:
    with new_namespace(kubectl) as name:
        yield name


def approved(agentjobs: Installed, namespace: str, *names: str) -> None:
    """Approve these jobs' contents, as they stand on their cards."""
    for name in names:
        agentjobs.approve(namespace, name)


def packages_on_card(agentjobs: Installed, namespace: str, name: str) -> list[str]:
    found: list[str] = agentjobs.job(namespace, name)["status"]["card"]["packages"]
    return found


def test_the_chart_ships_the_inventory_of_the_image_that_runs_use(
    agentjobs: Installed, namespace: str
) -> None:
    found, written = json.loads(agentjobs.ran(namespace, "inventory", LIST)["stdout"])
    assert found == written == json.loads(SHIPPED.read_text()), (
        "`make inventory`, and look at the difference"
    )


def test_missing_packages_are_named_and_one_approval_releases_all_jobs(
    agentjobs: Installed, kubectl: Kubectl, namespace: str
) -> None:
    jobs = {
        "one": ["not-there==1.0", "Six==1.17.0"],
        "two": ["six==1.17"],
        "three": ["other==3", "not.there==1.0.0"],
    }
    kubectl.apply(
        namespace, *(many.job(name, "pass", packages=pins) for name, pins in jobs.items())
    )
    approved(agentjobs, namespace, *jobs)
    message = many.told(agentjobs, namespace, "one", "PackagesApproved", "PackagesPending")
    assert message.startswith(
        "packages waiting for approval (2 of 2): not-there==1.0, Six==1.17.0; create a"
        " PackageApproval"
    )
    assert packages_on_card(agentjobs, namespace, "one") == [
        "not-there==1.0: needs approval",
        "Six==1.17.0: needs approval",
    ]
    waiting = kubectl(
        "get",
        "saj",
        "-n",
        namespace,
        "--field-selector=status.approval.state!=Approved",
        "-o",
        "name",
    ).split()
    assert {name.partition("/")[2] for name in waiting} == set(jobs)
    run = agentjobs.start(namespace, "one", "too-early")
    record = agentjobs.finished(namespace, run)
    assert (record["phase"], record["reason"]) == ("Skipped", "NotApproved")
    assert "are not approved: not-there==1.0, Six==1.17.0" in record["message"]
    assert (
        kubectl.json(
            "get", "cronjobs", "-n", namespace, "-l", "agentjobs.dev/job in (one,two,three)"
        )["items"]
        == []
    )

    kubectl.create(
        namespace,
        manifests.package_approval("batch", packages=["not-there==1", "SIX==1.17.0", "other==3.0"]),
    )
    for name in jobs:
        agentjobs.wait_condition(namespace, name, "Ready", "True")
        assert agentjobs.job(namespace, name)["status"]["approval"]["state"] == "Approved"
    assert packages_on_card(agentjobs, namespace, "three") == [
        "other==3: approved",
        "not.there==1.0.0: approved",
    ]
