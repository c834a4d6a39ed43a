"""Exactly the approved content runs, whatever happens to its ConfigMap and to its revision."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cluster import many
from tests.cluster.installed import Installed
from tests.cluster.sources import digest_after, referring, rewrite, source
from tests.cluster.support import Kubectl, new_namespace, wait_for
from tests.support import manifests


@pytest.fixture(scope="module")
def namespace(kubectl: Kubectl) -> Iterator[str]:
    """One for all: each test has jobs of its own."""
    with new_namespace(kubectl) as name:
        yield name


@pytest.fixture(scope="module", autouse=True)
def replaced(agentjobs: Installed, kubectl: Kubectl, namespace: str) -> tuple[str, str]:
    """A job's revisions before and after an approved change; the first goes during the tests."""
    old = agentjobs.in_force(namespace, "replaced", "print('old')")
    kubectl.apply(namespace, many.job("replaced", "print('new')"))
    new = agentjobs.approve(namespace, "replaced")
    agentjobs.wait_condition(namespace, "replaced", "Ready", "True")
    return f"replaced-{old}", f"replaced-{new}"


def test_an_approved_text_runs_while_its_changed_config_map_waits(
    agentjobs: Installed, kubectl: Kubectl, namespace: str
) -> None:
    kubectl.apply(namespace, source("report", "print('one')\nprint('two')\n"))
    many.in_force(agentjobs, namespace, [referring("report")])
    old = agentjobs.digest(namespace, "report")
    rewrite(kubectl, namespace, "report", "print('one')\nprint('three')\u200b\n")
    digest_after(agentjobs, namespace, "report", old)
    assert (
        agentjobs.finished(namespace, agentjobs.start(namespace, "report"))["stdout"]
        == "one\ntwo\n"
    )
    status = agentjobs.job(namespace, "report")["status"]
    assert status["approval"]["state"] == "Changed"
    assert status["card"]["changes"][3:] == [
        " print('one')",
        "-print('two')",
        "+print('three')<U+200B ZERO WIDTH SPACE>",
        " ",
    ]
    rewrite(kubectl, namespace, "report", "print('one')\nprint('two')\n")
    wait_for(
        lambda: agentjobs.job(namespace, "report")["status"]["approval"]["state"] == "Approved",
        30,
        "going back needs no approval",
    )


def test_approving_a_card_whose_config_map_changed_starts_nothing(
    agentjobs: Installed, kubectl: Kubectl, namespace: str
) -> None:
    kubectl.apply(namespace, source("swapped", "print('harmless')\n"), referring("swapped"))
    digest = wait_for(lambda: agentjobs.digest(namespace, "swapped"), 30, "swapped has a card")
    rewrite(kubectl, namespace, "swapped", "print('evil')\n")
    kubectl.create(namespace, manifests.approval("swapped-read", jobName="swapped", digest=digest))
    assert digest[:10] in many.told(agentjobs, namespace, "swapped", "Approved", "DigestMismatch")
    assert (
        agentjobs.finished(namespace, agentjobs.start(namespace, "swapped"))["reason"]
        == "NotApproved"
    )
    assert (
        kubectl(
            "get",
            "cronjobs,jobs,pods",
            "-n",
            namespace,
            "-l",
            "agentjobs.dev/job=swapped",
            "-o",
            "name",
        )
        == ""
    )


def test_a_config_map_that_nobody_labelled_is_not_used_and_the_job_says_so(
    agentjobs: Installed, kubectl: Kubectl, namespace: str
) -> None:
    kubectl.apply(namespace, source("private", "print('x')\n", {}), referring("private"))
    assert "agentjobs.dev/source=true" in many.told(
        agentjobs, namespace, "private", "Ready", "SourceNotLabelled"
    )
    kubectl("label", "configmap", "-n", namespace, "private", "agentjobs.dev/source=true")
    assert many.told(agentjobs, namespace, "private", "Approved", "PendingApproval")


def test_one_selector_lists_what_waits_changed_jobs_included(
    agentjobs: Installed, kubectl: Kubectl, namespace: str
) -> None:
    many.in_force(
        agentjobs,
        namespace,
        [many.job("listed-changed", "print(1)"), many.job("listed-approved", "print(1)")],
    )
    kubectl.apply(
        namespace,
        many.job("listed-changed", "print(2)"),
        many.job("listed-new", "print(1)"),
        many.job("listed-denied", "pass"),
    )
    agentjobs.approve(namespace, "listed-denied", "Denied")
    many.told(agentjobs, namespace, "listed-denied", "Approved", "Denied")
    many.told(agentjobs, namespace, "listed-changed", "Approved", "Changed")
    found = kubectl(
        "get",
        "saj",
        "-n",
        namespace,
        "--field-selector",
        "status.approval.state!=Approved",
        "-o",
        "name",
    ).split()
    names = {name.partition("/")[2] for name in found}
    assert {name for name in names if name.startswith("listed-")} == {
        "listed-changed",
        "listed-new",
        "listed-denied",
    }


def test_a_revision_that_nothing_needs_goes_and_the_one_in_force_stays(
    kubectl: Kubectl, namespace: str, replaced: tuple[str, str]
) -> None:
    def revisions() -> list[str]:
        selector = ("-n", namespace, "-l", "agentjobs.dev/job=replaced", "-o", "name")
        return [name.partition("/")[2] for name in kubectl("get", "configmaps", *selector).split()]

    wait_for(lambda: replaced[0] not in revisions(), 120, "the old revision is gone")
    assert revisions() == [replaced[1]]
