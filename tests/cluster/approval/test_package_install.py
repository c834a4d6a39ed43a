"""Approved packages are installed from an index on the cluster's own network.

What cannot be installed is reported.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

import pytest

from tests.cluster import many
from tests.cluster.installed import Installed, Manifest
from tests.cluster.package_index import Index
from tests.cluster.support import Kubectl, KubectlError, new_namespace, wait_for
from tests.support import manifests
from tests.support.servers.wheels import site, source, wheel

ALPHA: Final = wheel("alpha", "1.0", "beta>=1", body="import beta\n")
BETA: Final = wheel("beta", "2.0")
OFFERED: Final = site(
    [ALPHA, BETA, source("onlysource", "1.0"), wheel("gamma", "1.0"), wheel("delta", "1.0")]
)
USE: Final = """\
import json, os, sys
import alpha, beta
try:
    open(os.path.join(os.path.dirname(alpha.__file__), "evil.py"), "w")
    written = "yes"
except OSError as error:
    written = error.strerror
ours = sorted(name for name in os.environ if "AGENTJOBS" in name)
print(json.dumps([alpha.version, beta.version, written, ours]))
"""
PINS: Final = {
    "dependency": ["Alpha==1.0.0"],
    "missing": ["missing==1"],
    "source": ["onlysource==1.0"],
    "slow": ["slow==1.0"],
    "withdrawn": ["slower==1.0"],
    "revoked": ["gamma==1.0"],
    "denied": ["delta==1.0"],
}
LONG: Final = "import time\nprint('begun', flush=True)\ntime.sleep(600)"
SCRIPTS: Final = {"dependency": USE, "revoked": LONG, "denied": LONG}
SECONDS: Final = 15
"""What an installation may take here."""


@pytest.fixture(scope="module")
def index(agentjobs: Installed, kubectl: Kubectl) -> Iterator[Index]:
    """An index, and an operator that uses it."""
    with new_namespace(kubectl) as name:
        found = Index(agentjobs, name)
        found.start()
        found.offer(OFFERED)
        with agentjobs.values_set(
            **{"packages.indexUrl": found.url, "packages.timeoutSeconds": SECONDS}
        ):
            yield found


@pytest.fixture(scope="module")
def namespace(index: Index) -> str:
    return index.namespace


@pytest.fixture(scope="module")
def runs(agentjobs: Installed, namespace: str, index: Index) -> dict[str, str]:
    """The first run of each job, by job."""
    kubectl = agentjobs.kubectl
    for name, pins in PINS.items():
        kubectl.create(namespace, manifests.package_approval(name, packages=pins))
    jobs = [
        many.job(name, SCRIPTS.get(name, "print('started')"), packages=pins)
        for name, pins in PINS.items()
    ]
    return many.started(agentjobs, namespace, many.in_force(agentjobs, namespace, jobs))


def record(agentjobs: Installed, namespace: str, run: str) -> Manifest:
    return agentjobs.finished(namespace, run)


def kept(agentjobs: Installed, namespace: str, name: str) -> Manifest:
    """The ConfigMap with the first resolution of what is in force."""
    digest = agentjobs.job(namespace, name)["status"]["approval"]["digest"]
    found: Manifest = agentjobs.kubectl.json(
        "get", "configmap", "-n", namespace, f"{name}-{digest}-packages"
    )
    return found


def test_an_installing_run_says_so_and_stops_if_a_package_is_withdrawn(
    agentjobs: Installed, kubectl: Kubectl, namespace: str, runs: dict[str, str]
) -> None:
    def installing() -> bool:
        return bool(
            agentjobs.run(namespace, runs["withdrawn"]).get("status", {}).get("reason")
            == "Installing"
        )

    wait_for(installing, 30, "it installs")
    kubectl("delete", "pka", "-n", namespace, "withdrawn")
    found = record(agentjobs, namespace, runs["withdrawn"])
    assert (found["phase"], found["reason"], found["stdout"]) == ("Cancelled", "PackageRevoked", "")
    assert found["logsComplete"] is True, "its script had not begun: there was nothing to lose"


def test_a_package_is_installed_read_only_with_its_dependencies(
    agentjobs: Installed, namespace: str, runs: dict[str, str]
) -> None:
    found = record(agentjobs, namespace, runs["dependency"])
    assert (found["phase"], found["resolvedPackages"]) == (
        "Succeeded",
        ["alpha==1.0", "beta==2.0"],
    ), found
    assert json.loads(found["stdout"]) == ["1.0", "2.0", "Read-only file system", []]


def test_withdrawn_and_denied_packages_stop_runs_whose_output_is_kept(
    agentjobs: Installed, kubectl: Kubectl, namespace: str, runs: dict[str, str]
) -> None:
    stopped = {name: runs[name] for name in ("revoked", "denied")}
    many.running(agentjobs, namespace, stopped)
    kubectl("delete", "pka", "-n", namespace, "revoked")
    kubectl.create(
        namespace,
        manifests.package_approval("no", packages=["Delta==1"], decision="Denied", reason="CVE"),
    )
    found = {
        name: body["status"] for name, body in many.finished(agentjobs, namespace, stopped).items()
    }
    assert {
        name: (each["phase"], each["reason"], each["stdout"], each["resolvedPackages"])
        for name, each in found.items()
    } == {
        "revoked": ("Cancelled", "PackageRevoked", "begun\n", ["gamma==1.0"]),
        "denied": ("Cancelled", "PackageDenied", "begun\n", ["delta==1.0"]),
    }
    selector = ("-n", namespace, "-l", "agentjobs.dev/job in (revoked,denied)")
    wait_for(
        lambda: not kubectl.json("get", "cronjobs", *selector)["items"],
        30,
        "their CronJobs are gone",
    )
    phases = {name: agentjobs.job(namespace, name)["status"]["phase"] for name in stopped}
    assert phases == {"revoked": "PendingApproval", "denied": "Denied"}


FAILURES: Final = {
    "missing": "missing was not found in the package registry",
    "source": "onlysource==1.0 has no usable wheels",
    "slow": f"did not finish within {SECONDS} s (the chart's packages.timeoutSeconds)",
}


@pytest.mark.parametrize("name", FAILURES)
def test_a_failed_installation_fails_the_run_in_the_installers_words(
    name: str, agentjobs: Installed, namespace: str, runs: dict[str, str]
) -> None:
    found = record(agentjobs, namespace, runs[name])
    assert (found["phase"], found["reason"], found["stdout"], found["logsComplete"]) == (
        "Failed",
        "PackageInstallFailed",
        "",
        True,
    )
    assert FAILURES[name] in found["message"]
    assert FAILURES[name] in found["stderr"]
    assert found.keys().isdisjoint({"startedAt", "exitCode", "resolvedPackages"})
    assert agentjobs.job(namespace, name)["status"]["lastError"].startswith(
        "PackageInstallFailed: "
    )


def test_the_first_resolution_is_frozen_and_used_by_every_later_run(
    agentjobs: Installed, namespace: str, index: Index, runs: dict[str, str]
) -> None:
    record(agentjobs, namespace, runs["dependency"])
    first = kept(agentjobs, namespace, "dependency")
    assert first["immutable"] is True
    assert first["metadata"]["ownerReferences"][0]["name"] == "dependency"
    assert first["metadata"]["labels"]["agentjobs.dev/job"] == "dependency"
    assert first["data"]["requirements.txt"].count("--hash=sha256:") == 2
    wait_for(
        lambda: _installs_from(agentjobs, namespace, first), 30, "the CronJob installs from it"
    )

    index.offer(site([ALPHA, BETA, wheel("beta", "3.0")]))
    again = record(agentjobs, namespace, agentjobs.start(namespace, "dependency", "newer-offered"))
    assert (again["phase"], again.get("resolvedPackages")) == (
        "Succeeded",
        ["alpha==1.0", "beta==2.0"],
    ), again

    index.offer(site([ALPHA, wheel("beta", "2.0", body="evil = True\n")]))
    changed = record(agentjobs, namespace, agentjobs.start(namespace, "dependency", "file-changed"))
    assert (changed["phase"], changed["reason"]) == ("Failed", "PackageInstallFailed")
    assert "Hash mismatch for `beta==2.0`" in changed["message"]
    assert kept(agentjobs, namespace, "dependency")["metadata"]["uid"] == first["metadata"]["uid"]


def _installs_from(agentjobs: Installed, namespace: str, kept: Manifest) -> bool:
    cron = agentjobs.kubectl.json("get", "cronjob", "-n", namespace, "dependency")
    volumes: list[dict[str, Any]] = cron["spec"]["jobTemplate"]["spec"]["template"]["spec"][
        "volumes"
    ]
    return any(
        volume.get("configMap", {}).get("name") == kept["metadata"]["name"] for volume in volumes
    )


def test_nobody_but_the_operator_changes_or_removes_what_was_frozen(
    agentjobs: Installed, kubectl: Kubectl, namespace: str, runs: dict[str, str]
) -> None:
    record(agentjobs, namespace, runs["dependency"])
    frozen = kept(agentjobs, namespace, "dependency")
    kubectl("create", "rolebinding", "ed", "-n", namespace, "--clusterrole=edit", "--user=ed")
    ed, name = kubectl.acting("ed"), frozen["metadata"]["name"]
    forged = {
        **frozen,
        "metadata": (
            {key: frozen["metadata"][key] for key in ("labels", "ownerReferences")}
            | {"name": "report-0-packages"}
        ),
    }
    for attempt in (
        ("delete", "configmap", name),
        ("label", "configmap", name, "agentjobs.dev/job-"),
    ):
        with pytest.raises(KubectlError, match="belongs to the operator"):
            ed(*attempt, "-n", namespace)
    with pytest.raises(KubectlError, match="belongs to the operator"):
        ed.create(namespace, forged)
