"""With `requireSecondPerson` the last to change a job does not approve it in any way.

That is: not openly, not in advance, not through an account.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import pytest

from agentjobs.api.job import ScheduledAgentJobSpec
from agentjobs.core.content.digest import content
from tests.cluster import many
from tests.cluster.installed import Installed, Manifest
from tests.cluster.sources import digest_after, referring, rewrite, source
from tests.cluster.support import Kubectl, KubectlError, new_namespace, wait_for
from tests.support import manifests

STAMP: Final = "agentjobs.dev/requested-by"
NEEDED: Final = "approval needs a second person (approval.requireSecondPerson)"


@dataclass(frozen=True)
class Team:
    """`ana` and `bo` have `admin` in the namespace, and so have two default accounts.

    These are its own and that of the namespace `elsewhere`.
    """

    agentjobs: Installed
    namespace: str
    elsewhere: str

    def kubectl(self, user: str, *words: str, stdin: Manifest | None = None) -> str:
        return self.agentjobs.kubectl.acting(user)(
            "-n", self.namespace, *words, stdin=json.dumps(stdin) if stdin else ""
        )

    def apply(self, user: str, manifest: Manifest) -> None:
        self.kubectl(user, "apply", "--server-side", "--force-conflicts", "-f", "-", stdin=manifest)

    def approve(self, user: str, job: str, digest: str = "") -> None:
        found = digest or self.agentjobs.digest(self.namespace, job)
        name = f"{job}-{user.replace(':', '-')}-{found[:10]}"
        self.kubectl(
            user, "create", "-f", "-", stdin=manifests.approval(name, jobName=job, digest=found)
        )

    def stamp(self, job: str) -> str:
        return str(self.agentjobs.job(self.namespace, job)["metadata"]["annotations"][STAMP])


def refusal(action: Any, *arguments: Any, **named: Any) -> str:
    with pytest.raises(KubectlError) as refused:
        action(*arguments, **named)
    return refused.value.stderr


@pytest.fixture(scope="module")
def team(agentjobs: Installed, kubectl: Kubectl) -> Iterator[Team]:
    with new_namespace(kubectl) as namespace, new_namespace(kubectl) as elsewhere:
        for user in ("ana", "bo"):
            kubectl(
                "create",
                "rolebinding",
                user,
                "-n",
                namespace,
                "--clusterrole=admin",
                f"--user={user}",
            )
        kubectl.apply(namespace, many.job("older", "print('older')"))
        text = source("referring", "print('old')\n")
        kubectl.apply(namespace, text, source("fresh", "print('fresh')\n"))
        many.in_force(agentjobs, namespace, [referring("referring")])
        for account in (f"{namespace}:default", f"{elsewhere}:default"):
            name = account.replace(":", "-")
            kubectl(
                "create",
                "rolebinding",
                name,
                "-n",
                namespace,
                "--clusterrole=admin",
                f"--serviceaccount={account}",
            )
        with agentjobs.values_set(**{"approval.requireSecondPerson": "true"}):
            yield Team(agentjobs, namespace, elsewhere)


def test_an_author_cannot_approve_and_a_colleague_can(team: Team) -> None:
    team.apply("ana", many.job("anas", "print('by ana')"))
    assert team.stamp("anas") == "ana"
    assert f"{NEEDED}: you, ana, changed the content of anas last" in refusal(
        team.approve, "ana", "anas"
    )
    team.approve("bo", "anas")
    team.agentjobs.wait_condition(team.namespace, "anas", "Ready", "True")
    assert (
        team.agentjobs.finished(team.namespace, team.agentjobs.start(team.namespace, "anas"))[
            "stdout"
        ]
        == "by ana\n"
    )


def test_pausing_makes_no_author_and_going_back_keeps_what_is_in_force(team: Team) -> None:
    team.apply("ana", many.job("both", "print('by ana')"))
    team.kubectl(
        "bo", "patch", "saj", "both", "--type=merge", "--patch", '{"spec":{"suspend":true}}'
    )
    assert team.stamp("both") == "ana"
    team.approve("bo", "both")
    team.agentjobs.wait_condition(team.namespace, "both", "Ready", "True")
    team.apply("bo", many.job("both", "print('by bo')"))
    assert many.told(team.agentjobs, team.namespace, "both", "Approved", "Changed")
    assert f"{NEEDED}: you, bo, changed" in refusal(team.approve, "bo", "both")
    team.apply("bo", many.job("both", "print('by ana')"))
    assert team.stamp("both") == "bo"
    team.agentjobs.wait_condition(team.namespace, "both", "Ready", "True")


def test_nobody_edits_who_asked(team: Team) -> None:
    team.apply("ana", many.job("marked", "print(1)"))
    told = refusal(team.kubectl, "ana", "annotate", "saj", "marked", f"{STAMP}=bo", "--overwrite")
    assert (
        f"{STAMP} names who changed the content last; the server writes it, and nobody edits it"
        in told
    )
    team.kubectl("ana", "annotate", "saj", "marked", f"{STAMP}-")
    assert team.stamp("marked") == "ana"
    forged = many.job("marked", "print(2)")
    forged["metadata"]["annotations"] = {STAMP: "bo"}
    team.apply("ana", forged)
    assert team.stamp("marked") == "ana"


def test_approving_first_and_writing_afterwards_does_not_help(team: Team) -> None:
    job = many.job("foreseen", "print('by bo')")
    digest = content("foreseen", ScheduledAgentJobSpec.model_validate(job["spec"])).digest
    team.approve("bo", "foreseen", digest)
    team.apply("bo", job)
    assert team.agentjobs.digest(team.namespace, "foreseen") == digest
    assert "the approval by bo does not count" in many.told(
        team.agentjobs, team.namespace, "foreseen", "Approved", "SecondPersonNeeded"
    )
    record = team.agentjobs.finished(
        team.namespace, team.agentjobs.start(team.namespace, "foreseen")
    )
    assert (record["phase"], record["reason"]) == ("Skipped", "NotApproved")


def test_service_accounts_are_nobody(team: Team) -> None:
    here = f"system:serviceaccount:{team.namespace}:default"
    assert "whoever may edit here can act as this service account" in refusal(
        team.apply, here, many.job("robots", "print(1)")
    )
    team.apply("ana", many.job("merged", "print(1)"))
    told = refusal(team.approve, f"system:serviceaccount:{team.elsewhere}:default", "merged")
    assert f"{NEEDED}, and a service account is none: a pipeline that applies approvals" in told


def test_a_job_that_is_older_than_the_rule_has_to_be_written_anew(team: Team) -> None:
    assert "nobody knows who wrote older" in refusal(team.approve, "bo", "older")
    team.apply("ana", many.job("older", "print('newer')"))
    team.approve("bo", "older")
    team.agentjobs.wait_condition(team.namespace, "older", "Ready", "True")


def test_who_asks_for_a_package_cannot_approve_it_alone(team: Team, kubectl: Kubectl) -> None:
    team.apply("ana", many.job("packed", "print(1)", packages=["no-such-package==1.0"]))
    team.approve("bo", "packed")
    own = manifests.package_approval("own", packages=["No_Such.Package==1"])
    team.kubectl("ana", "create", "-f", "-", stdin=own)
    told = many.told(
        team.agentjobs, team.namespace, "packed", "PackagesApproved", "SecondPersonNeeded"
    )
    assert "no-such-package==1.0; the approval by ana does not count" in told
    assert (
        kubectl(
            "get", "cronjobs", "-n", team.namespace, "-l", "agentjobs.dev/job=packed", "-o", "name"
        )
        == ""
    )
    second = manifests.package_approval("second", packages=["no-such-package==1.0"])
    account = f"system:serviceaccount:{team.elsewhere}:default"
    assert f"{NEEDED}, and a service account is none" in refusal(
        team.kubectl, account, "create", "-f", "-", stdin=second
    )
    team.kubectl("bo", "create", "-f", "-", stdin=second)
    team.agentjobs.wait_condition(team.namespace, "packed", "Ready", "True")


def test_a_text_in_a_config_map_is_refused_since_nobody_knows_who_wrote_it(team: Team) -> None:
    told = refusal(team.apply, "ana", referring("fresh"))
    assert (
        "nobody knows who changed a ConfigMap last: write the text inline instead of"
        " configMapKeyRef" in told
    )


def test_a_config_map_job_keeps_what_is_in_force_and_gets_nothing_new(
    team: Team, kubectl: Kubectl
) -> None:
    old = team.agentjobs.digest(team.namespace, "referring")
    rewrite(kubectl, team.namespace, "referring", "print('new')\n")
    new = digest_after(team.agentjobs, team.namespace, "referring", old)
    message = many.told(
        team.agentjobs, team.namespace, "referring", "Approved", "SecondPersonNeeded"
    )
    assert f"revision {old[:10]} stays in force" in message
    assert "write the text inline instead of using configMapKeyRef" in message
    assert "nobody knows who changed the ConfigMap of referring last" in refusal(
        team.approve, "bo", "referring", new
    )
    assert (
        team.agentjobs.finished(team.namespace, team.agentjobs.start(team.namespace, "referring"))[
            "stdout"
        ]
        == "old\n"
    )
    team.apply("ana", many.job("referring", "print('inline')"))
    team.approve("bo", "referring")
    wait_for(
        lambda: (
            team.agentjobs.job(team.namespace, "referring")["status"]["approval"]["state"]
            == "Approved"
        ),
        30,
        "it is in force",
    )
