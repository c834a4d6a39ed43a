"""Packages: what the image has needs no approval, everything else needs one of its own, and who withdraws it stops what uses it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests import manifests
from tests.cluster import many
from tests.cluster.installed import Installed
from tests.cluster.support import Kubectl, new_namespace, wait_for

SHIPPED: Final = Path(__file__).parents[2] / "charts/agentjobs/files/inventory.json"
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


def test_the_chart_ships_the_inventory_of_the_image_that_runs_use(agentjobs: Installed, namespace: str) -> None:
    found, written = json.loads(agentjobs.ran(namespace, "inventory", LIST)["stdout"])
    assert found == written == json.loads(SHIPPED.read_text()), "`make inventory`, and look at the difference"


def test_what_is_missing_is_told_and_one_batch_of_approvals_releases_every_job_that_waits(
    agentjobs: Installed, kubectl: Kubectl, namespace: str
) -> None:
    jobs = {"one": ["not-there==1.0", "Six==1.17.0"], "two": ["six==1.17"], "three": ["other==3", "not.there==1.0.0"]}
    kubectl.apply(namespace, *(many.job(name, "pass", packages=pins) for name, pins in jobs.items()))
    approved(agentjobs, namespace, *jobs)
    message = many.told(agentjobs, namespace, "one", "PackagesApproved", "PackagesPending")
    assert message.startswith("waiting for approval, 2 of 2: not-there==1.0, Six==1.17.0; create a PackageApproval")
    assert packages_on_card(agentjobs, namespace, "one") == ["not-there==1.0: needs approval", "Six==1.17.0: needs approval"]
    waiting = kubectl("get", "saj", "-n", namespace, "--field-selector=status.approval.state!=Approved", "-o", "name").split()
    assert {name.partition("/")[2] for name in waiting} == set(jobs)
    run = agentjobs.start(namespace, "one", "too-early")
    record = agentjobs.finished(namespace, run)
    assert (record["phase"], record["reason"]) == ("Skipped", "NotApproved")
    assert "packages are not approved: not-there==1.0, Six==1.17.0" in record["message"]
    assert kubectl.json("get", "cronjobs", "-n", namespace, "-l", "agentjobs.dev/job in (one,two,three)")["items"] == []

    kubectl.create(namespace, manifests.package_approval("batch", packages=["not-there==1", "SIX==1.17.0", "other==3.0"]))
    for name in jobs:
        agentjobs.wait_condition(namespace, name, "Ready", "True")
        assert agentjobs.job(namespace, name)["status"]["approval"]["state"] == "Approved"
    assert packages_on_card(agentjobs, namespace, "three") == ["other==3: approved", "not.there==1.0.0: approved"]


LONG: Final = "import time\nprint('begun', flush=True)\ntime.sleep(600)"


def test_a_withdrawn_and_a_denied_package_stop_what_uses_them_and_the_output_is_kept(
    agentjobs: Installed, kubectl: Kubectl, namespace: str
) -> None:
    kubectl.create(namespace, manifests.package_approval("revocable", packages=["revocable==1"]))
    kubectl.create(namespace, manifests.package_approval("deniable", packages=["deniable==1"]))
    pins = {"revoked": ["revocable==1.0"], "denied": ["deniable==1.0"], "untouched": []}
    many.in_force(agentjobs, namespace, [many.job(name, LONG, packages=packages) for name, packages in pins.items()])
    runs = many.started(agentjobs, namespace, pins)
    many.running(agentjobs, namespace, runs)
    kubectl("delete", "pka", "-n", namespace, "revocable")
    kubectl.create(namespace, manifests.package_approval("no", packages=["Deniable==1"], decision="Denied", reason="CVE"))
    stopped = {name: runs[name] for name in ("revoked", "denied")}
    records = many.finished(agentjobs, namespace, stopped)
    found = {name: body["status"] for name, body in records.items()}
    assert {name: (record["phase"], record["reason"], record["stdout"]) for name, record in found.items()} == {
        "revoked": ("Cancelled", "PackageRevoked", "begun\n"),
        "denied": ("Cancelled", "PackageDenied", "begun\n"),
    }
    selector = ("-n", namespace, "-l", "agentjobs.dev/job in (revoked,denied)")
    wait_for(lambda: not kubectl.json("get", "cronjobs", *selector)["items"], 30, "their CronJobs are gone")
    phases = {name: agentjobs.job(namespace, name)["status"]["phase"] for name in pins}
    assert phases == {"revoked": "PendingApproval", "denied": "Denied", "untouched": "Running"}
