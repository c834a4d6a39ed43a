"""Which packages may be used, what is said of them, and which jobs package decisions concern."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agentjobs.api import names
from agentjobs.core.approval.in_force import current_content
from agentjobs.core.content.packages import PackageApprovalView, Packages
from agentjobs.core.decide import decide
from tests.support.decisions import NOW, approved, asked, observed, settled, status, told
from tests.support.packages import IMAGE, asking, decided
from tests.support.workload import POLICY, timed

PINS = ["requests==2.32.3", "six==1.17.0", "Flask==3.0"]


@pytest.mark.parametrize(
    ("pin", "decisions", "verdict"),
    [
        ("requests==2.32.3", (), "Included"),
        ("pyyaml==6.0.0", (), "Included"),
        ("requests==2.32.4", (), "Pending"),
        ("six==1.17.0", (decided("six==1.17"),), "Approved"),
        ("six==1.17.1", (decided("six==1.17.0"),), "Pending"),
        (
            "six==1.17.0",
            (decided("six==1.17.0"), decided("a==1", "SIX==1.17.0.0", decision="Denied")),
            "Denied",
        ),
        ("requests==2.32.3", (decided("requests==2.32.3", decision="Denied"),), "Denied"),
    ],
)
def test_a_package_is_usable_if_in_the_image_or_approved_and_not_denied(
    pin: str, decisions: tuple[PackageApprovalView, ...], verdict: str
) -> None:
    assert (
        Packages(IMAGE, decisions).verdict(pin)
        == Packages(IMAGE, decisions[::-1]).verdict(pin)
        == verdict
    )


def test_the_card_says_of_each_package_what_an_approver_has_to_know() -> None:
    plan = decide(
        asking([*PINS, "evil==1"], decided("six==1.17.0"), decided("evil==1", decision="Denied")),
        POLICY,
        NOW,
    )
    assert status(plan)["card"]["packages"] == [
        "requests==2.32.3: in the runner image",
        "six==1.17.0: approved",
        "Flask==3.0: needs approval",
        "evil==1: denied",
    ]


def test_an_approved_job_with_unapproved_packages_only_names_them() -> None:
    plan = decide(approved(asking(PINS)), POLICY, NOW)
    assert asked(plan) == []
    assert (status(plan)["phase"], status(plan)["approval"]) == (
        "PendingApproval",
        {"state": "Pending"},
    )
    assert (told(plan, "Approved").status, told(plan, "Approved").reason) == ("True", "Approved")
    condition = told(plan, "PackagesApproved")
    assert (condition.status, condition.reason) == ("False", "PackagesPending")
    assert (
        condition.message
        == "packages waiting for approval (2 of 3): six==1.17.0, Flask==3.0; create a"
        " PackageApproval that names them"
    )
    assert (told(plan, "Ready").status, told(plan, "Ready").reason) == ("False", "PackagesPending")


def test_with_its_last_package_an_approved_job_comes_into_force() -> None:
    plan = decide(approved(asking(PINS, decided("six==1.17.0"), decided("flask==3"))), POLICY, NOW)
    assert asked(plan) == [("create", "revision"), ("create", "cronjob")]
    assert (told(plan, "PackagesApproved").status, told(plan, "Ready").status) == ("True", "True")


def test_approved_packages_do_not_approve_a_job() -> None:
    plan = decide(asking(PINS, decided("six==1.17.0"), decided("flask==3")), POLICY, NOW)
    assert asked(plan) == []
    assert (told(plan, "PackagesApproved").status, told(plan, "Ready").reason) == (
        "True",
        "PendingApproval",
    )


def test_a_denied_package_denies_the_job_and_withdraws_what_runs() -> None:
    seen = settled(asking(PINS, decided(*PINS)))
    assert asked(decide(seen, POLICY, NOW)) == []
    denied = replace(
        seen, packages=Packages(IMAGE, (decided(*PINS), decided("Six==1.17.0", decision="Denied")))
    )
    plan = decide(denied, POLICY, NOW)
    assert asked(plan) == [("patch", "cronjob")]
    assert (status(plan)["phase"], status(plan)["approval"]["state"]) == ("Denied", "Denied")
    assert (
        told(plan, "PackagesApproved").message
        == "denied packages: six==1.17.0; choose other versions, or delete the PackageApproval that"
        " denies them"
    )


def test_while_packages_of_a_change_wait_the_old_revision_is_in_force() -> None:
    old = observed()
    new = asking(PINS, decided("six==1.17.0"))
    seen = approved(
        replace(
            approved(old), job=new.job, packages=new.packages, previous=current_content(old.job)
        )
    )
    plan = decide(seen, POLICY, NOW)
    assert [
        write.kind for write in plan.writes if write.verb == "create" and write.kind != "event"
    ] == ["revision", "cronjob"]
    assert status(plan)["approval"]["state"] == "Changed"
    assert status(plan)["approval"]["digest"] == current_content(old.job).digest
    assert told(plan, "PackagesApproved").reason == "PackagesPending"
    assert "stays in force" in told(plan, "Approved").message


def test_a_sentence_names_ten_packages_and_counts_the_others() -> None:
    pins = [f"p{n}==1" for n in range(12)]
    message = told(decide(approved(asking(pins)), POLICY, NOW), "PackagesApproved").message
    assert message.startswith("packages waiting for approval (12 of 12): p0==1, ")
    assert "p9==1 and 2 more; create" in message
    assert "p10" not in message


def test_jobs_say_which_of_their_packages_needed_an_approval() -> None:
    seen = asking(PINS)
    body = timed(seen.job, current_content(seen.job), replace(POLICY, inventory=IMAGE))
    assert (
        body["spec"]["jobTemplate"]["metadata"]["annotations"][names.PACKAGES_ANNOTATION]
        == "six==1.17.0,Flask==3.0"
    )
    plain = timed(observed().job, current_content(observed().job), POLICY)
    assert names.PACKAGES_ANNOTATION not in plain["spec"]["jobTemplate"]["metadata"]["annotations"]
