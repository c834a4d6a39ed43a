"""The last to change a job's content does not approve it before, afterwards or by a pipeline."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import pytest

from agentjobs.api.job import ScheduledAgentJobSpec
from agentjobs.api.package_rules import canonical
from agentjobs.core.approval.decisions import verdict
from agentjobs.core.approval.in_force import current_content, in_force
from agentjobs.core.approval.second_person import apart, packages_alone
from agentjobs.core.content.packages import PackageApprovalView, Packages
from agentjobs.core.content.sources import Reference
from agentjobs.core.decide import decide
from agentjobs.core.observed import Observed
from agentjobs.core.views.approvals import ApprovalView
from tests.support import manifests
from tests.support.decisions import NOW, asked, observed, told
from tests.support.workload import POLICY


def approves(by: str | None, digest: str, name: str = "a") -> ApprovalView:
    return ApprovalView(name, "report", digest, "Approved", by, "2026-11-22T07:00:00Z")


def written_by(requester: str | None, in_force: dict[str, str] | None = None) -> Observed:
    seen = observed({"approval": {"state": "Approved", **in_force}} if in_force else None)
    return replace(seen, job=replace(seen.job, requester=requester))


REFERENCE = Reference("texts", "script.py")
DIGEST = current_content(observed().job).digest


@pytest.mark.parametrize(
    ("requester", "approver", "counts"),
    [
        ("ana", "bo", True),
        ("ana", "ana", False),
        ("ana", None, False),
        (None, "bo", False),
        ("ana", "system:serviceaccount:flux-system:flux", False),
        ("system:serviceaccount:agents:writer", "bo", True),
    ],
)
def test_an_approval_counts_when_a_second_person_made_it(
    requester: str | None, approver: str | None, counts: bool
) -> None:
    approval = approves(approver, DIGEST)
    assert apart(written_by(requester).job, DIGEST, [approval]) == (
        ((approval,), ()) if counts else ((), (approval,))
    )


def test_a_denial_always_counts() -> None:
    denial = replace(approves("ana", DIGEST), decision="Denied")
    assert apart(written_by("ana").job, DIGEST, [denial]) == ((denial,), ())


def test_approvals_of_other_contents_are_left_alone() -> None:
    other = approves("ana", "e" * 64)
    assert apart(written_by("ana").job, DIGEST, [other]) == ((other,), ())


def test_who_approved_what_is_in_force_may_come_back_to_it() -> None:
    job = written_by("bo", {"digest": DIGEST, "by": "bo"}).job
    counting, _ = apart(job, DIGEST, [approves("bo", DIGEST)])
    assert verdict(DIGEST, counting) == "Approved"


def test_the_authors_own_approval_does_not_replace_a_withdrawn_one() -> None:
    job = written_by("ana", {"digest": DIGEST, "by": "bo"}).job
    assert apart(job, DIGEST, [approves("ana", DIGEST)])[0] == ()


def test_the_job_says_who_cannot_approve_it_and_runs_nothing() -> None:
    seen = written_by("ana")
    counting, alone = apart(seen.job, DIGEST, [approves("ana", DIGEST)])
    plan = decide(replace(seen, approvals=counting, alone=alone), POLICY, NOW)
    assert asked(plan) == []
    condition = told(plan, "Approved")
    assert (condition.status, condition.reason) == ("False", "SecondPersonNeeded")
    assert "the approval by ana does not count" in condition.message


def test_a_second_persons_approval_is_enough_beside_the_authors_own() -> None:
    counting, alone = apart(
        written_by("ana").job, DIGEST, [approves("ana", DIGEST), approves("bo", DIGEST, "b")]
    )
    assert verdict(DIGEST, counting) == "Approved"
    assert [approval.by for approval in alone] == ["ana"]


def referring(in_force: str | None = None) -> Observed:
    """Its text is in a ConfigMap; `bo` approved what is in force, `ana` changed the job last."""
    spec = ScheduledAgentJobSpec.model_validate(
        manifests.job(script={"configMapKeyRef": REFERENCE._asdict()})["spec"]
    )
    seen = written_by("ana", {"digest": in_force, "by": "bo"} if in_force else None)
    return replace(
        seen, job=replace(seen.job, spec=spec), sources={REFERENCE: "print('from a ConfigMap')"}
    )


def test_a_text_of_unknown_author_cannot_be_approved_and_its_job_says_so() -> None:
    seen = referring()
    digest = current_content(seen.job, seen.sources).digest
    counting, alone = apart(seen.job, digest, [approves("bo", digest)])
    assert counting == ()
    for found in (seen, replace(seen, alone=alone)):
        condition = told(decide(found, replace(POLICY, second_person=True), NOW), "Approved")
        assert (condition.status, condition.reason) == ("False", "SecondPersonNeeded")
        assert condition.message.endswith(
            "changed a ConfigMap last; write the text inline instead of using configMapKeyRef"
        )


def test_a_config_map_text_in_force_before_the_rule_stays_in_force() -> None:
    digest = current_content(referring().job, referring().sources).digest
    seen = referring(digest)
    counting, alone = apart(seen.job, digest, [approves("bo", digest)])
    assert (len(counting), alone) == (1, ())
    condition = told(
        decide(replace(seen, approvals=counting), replace(POLICY, second_person=True), NOW),
        "Approved",
    )
    assert (condition.status, condition.reason) == ("True", "Approved")


# Packages


PINS = ["six==1.17.0", "Flask==3.0"]


def asks_for_packages(requester: str | None = "ana", in_force: str | None = None) -> Observed:
    seen = written_by(requester, {"digest": in_force, "by": "bo"} if in_force else None)
    spec = ScheduledAgentJobSpec.model_validate(manifests.job(packages=PINS)["spec"])
    return replace(seen, job=replace(seen.job, spec=spec))


def packages_by(
    by: str | None, *pins: str, decision: Literal["Approved", "Denied"] = "Approved"
) -> PackageApprovalView:
    return PackageApprovalView(f"by-{by}", frozenset(map(canonical, pins or PINS)), decision, by)


def decided(seen: Observed, *approvals: PackageApprovalView) -> Observed:
    digest = current_content(seen.job).digest
    alone = packages_alone(seen.job, digest, approvals)
    return replace(
        seen,
        approvals=(approves("bo", digest),),
        packages=Packages(approvals=approvals),
        packages_alone=alone,
    )


@pytest.mark.parametrize(
    ("requester", "approver", "runs"),
    [
        ("ana", "bo", True),
        ("ana", "ana", False),
        ("ana", None, False),
        (None, "bo", False),
        ("ana", "system:serviceaccount:flux-system:flux", False),
    ],
)
def test_packages_are_approved_by_somebody_else_than_who_asks_for_them(
    requester: str | None, approver: str | None, runs: bool
) -> None:
    seen = decided(asks_for_packages(requester), packages_by(approver))
    assert bool(in_force(seen).content) == runs
    condition = told(decide(seen, POLICY, NOW), "PackagesApproved")
    assert condition.reason == ("PackagesApproved" if runs else "SecondPersonNeeded")
    assert runs or f"the approval by {approver or 'somebody'} does not count" in condition.message


def test_in_whatever_spelling_the_author_approves_them() -> None:
    seen = decided(
        asks_for_packages(),
        packages_by("ana", "SIX==1.17", "flask==3"),
        packages_by("bo", "six==1.17.0"),
    )
    assert in_force(seen).lacking == {"Flask==3.0": "Pending"}
    assert in_force(decided(asks_for_packages(), packages_by("ana"), packages_by("bo"))).content


def test_a_denial_of_packages_always_counts() -> None:
    seen = decided(asks_for_packages(), packages_by("bo"), packages_by("ana", decision="Denied"))
    assert in_force(seen).denied


def test_what_came_into_force_with_its_packages_stays_whoever_writes_next() -> None:
    """`ana` approved the packages of what is in force, and now changes the job."""
    old = asks_for_packages("bo")
    content = current_content(old.job)
    seen = decided(
        observed({"approval": {"state": "Approved", "digest": content.digest, "by": "bo"}}),
        packages_by("ana"),
    )
    seen = replace(
        seen,
        job=replace(seen.job, requester="ana"),
        previous=content,
        approvals=(approves("bo", content.digest),),
    )
    assert in_force(seen).content == content
    back = decided(asks_for_packages("ana", content.digest), packages_by("ana"))
    assert (back.packages_alone, in_force(back).content) == ((), content)
