"""What the doctor concludes from what it sees."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from agentjobs.api.package_rules import canonical
from agentjobs.cli.commands import packages
from agentjobs.cli.errors import ApiServerError, Exit
from agentjobs.cli.kube import CONFIG_MAPS
from agentjobs.core.content.packages import PackageApprovalView, Packages
from agentjobs.present import health, package_rows
from agentjobs.present.rbac import BOTH, WAYS_AROUND, Act, allows, holders, ways_around
from tests.support.cli.jobs import job

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
Json = dict[str, Any]


def rule(verbs: list[str], groups: list[str], resources: list[str]) -> Json:
    return {"verbs": verbs, "apiGroups": groups, "resources": resources}


EXEC = Act("create", "", "pods/exec")
ALLOWED = {
    "by name": (rule(["create"], [""], ["pods/exec"]), True),
    "by stars": (rule(["*"], ["*"], ["*"]), True),
    "for the part of everything": (rule(["create"], [""], ["*/exec"]), True),
    "not for the whole": (rule(["create"], [""], ["pods"]), False),
    "not with another verb": (rule(["get"], [""], ["pods/exec"]), False),
    "not in another group": (rule(["create"], ["apps"], ["pods/exec"]), False),
    "not by a rule about addresses": ({"verbs": ["*"], "nonResourceURLs": ["*"]}, False),
}


@pytest.mark.parametrize("how", ALLOWED)
def test_a_rule_allows_what_kubernetes_would(how: str) -> None:
    body, answer = ALLOWED[how]
    assert allows(body, EXEC) is answer


def binding(role: str, *subjects: Json, kind: str = "ClusterRole") -> Json:
    return {
        "metadata": {"namespace": "team"},
        "roleRef": {"kind": kind, "name": role},
        "subjects": list(subjects),
    }


ROLES: dict[tuple[str, str], Json] = {
    ("ClusterRole", "all"): {"rules": [rule(["*"], ["*"], ["*"])]},
    ("Role", "writes"): {"rules": [rule(["patch"], ["agentjobs.dev"], ["scheduledagentjobs"])]},
    ("Role", "decides"): {
        "rules": [
            rule(["approve"], ["agentjobs.dev"], ["scheduledagentjobs"]),
            rule(["create"], ["agentjobs.dev"], ["agentjobapprovals"]),
        ]
    },
}


def test_people_who_could_bypass_an_approval_are_named_but_no_components() -> None:
    found = holders(
        [
            binding(
                "all",
                {"kind": "Group", "name": "system:masters"},
                {"kind": "User", "name": "system:kube-scheduler"},
            ),
            binding(
                "all",
                {"kind": "ServiceAccount", "name": "job-controller", "namespace": "kube-system"},
            ),
            binding(
                "writes",
                {"kind": "User", "name": "ana"},
                {"kind": "User", "name": "ben"},
                kind="Role",
            ),
            binding(
                "decides",
                {"kind": "User", "name": "ana"},
                {"kind": "ServiceAccount", "name": "ci"},
                kind="Role",
            ),
            binding("gone", {"kind": "User", "name": "eve"}),
        ],
        ROLES,
    )
    told = dict(ways_around(found))
    assert told == {
        **{way: ["group system:masters"] for way in WAYS_AROUND},
        BOTH: ["group system:masters", "user ana"],
    }


def verdicts(findings: Any) -> list[str]:
    return [finding.verdict for finding in findings]


def lease(renewed: str | None) -> Json:
    return {"metadata": {"namespace": "agentjobs-system"}, "spec": {"renewTime": renewed}}


def test_an_operator_is_alive_while_it_renews_its_lease() -> None:
    assert verdicts(health.lease([lease("2026-11-24T11:59:30.000000Z")], NOW)) == ["ok"]
    assert verdicts(health.lease([lease("2026-11-24T11:58:30.000000Z")], NOW)) == ["problem"]
    assert verdicts(health.lease([lease(None)], NOW)) == ["problem"]
    assert verdicts(health.lease([], NOW)) == ["problem"]


def test_a_policy_counts_only_when_something_binds_it() -> None:
    assert verdicts(health.enforced({"a", "b"}, {"a", "b"})) == ["ok"]
    assert verdicts(health.enforced({"a", "b"}, {"a"})) == ["problem"]
    assert verdicts(health.enforced(set(), {"a"})) == ["problem"]


def ready(name: str, reason: str, seen: int = 1) -> Json:
    body = job(
        name, conditions=[{"type": "Ready", "status": "False", "reason": reason, "message": "why"}]
    )
    body["status"]["observedGeneration"] = seen
    return body


def test_a_job_that_only_waits_is_in_no_trouble() -> None:
    assert verdicts(health.troubles([ready("pages", "PendingApproval")], NOW)) == ["ok"]
    assert verdicts(
        health.troubles([ready("pages", "NameTaken"), ready("mail", "PolicyMissing")], NOW)
    ) == ["problem", "problem"]
    assert verdicts(health.troubles([ready("pages", "Ready", seen=0)], NOW)) == ["problem"]


def test_a_single_start_is_trouble_only_when_it_did_not_happen() -> None:
    past = [{"type": "Scheduled", "status": "False", "reason": "Past", "message": "it is over"}]
    for phase, found in {
        "Triggered": "ok",
        "Running": "ok",
        "Idle": "problem",
        "Finished": "problem",
        "Failed": "problem",
    }.items():
        assert verdicts(health.troubles([job("pages", phase=phase, conditions=past)], NOW)) == [
            found
        ], phase


def test_each_package_has_one_row_however_it_is_spelt() -> None:
    decision = {
        "metadata": {"name": "batch"},
        "spec": {
            "packages": ["Six==1.17.0", "idna==3"],
            "decision": "Approved",
            "approvedBy": "ana",
        },
    }
    view = PackageApprovalView(
        "batch", frozenset(map(canonical, ["Six==1.17.0", "idna==3"])), "Approved"
    )
    asked = [
        job("pages", spec={"packages": ["six==1.17", "attrs==1"]}),
        job("mail", spec={"packages": ["six==1.17.0"]}),
    ]
    rows = package_rows.rows(asked, [decision], Packages(frozenset({"attrs==1"}), (view,)))
    assert [(row["package"], row["status"], row["jobs"], row["by"]) for row in rows] == [
        ("attrs==1", "in the runner image", ["pages"], []),
        ("idna==3", "approved", [], ["ana"]),
        ("Six==1.17.0", "approved", ["pages", "mail"], ["ana"]),
    ]


def test_a_version_is_shown_as_it_was_approved_else_denied_else_asked_for() -> None:
    def decided(name: str, *pins: str, decision: str = "Approved") -> Json:
        return {
            "metadata": {"name": name},
            "spec": {"packages": list(pins), "decision": decision, "approvedBy": "ana"},
        }

    decisions = [
        decided("a", "six==1.17.0.0", "attrs==2.0", decision="Denied"),
        decided("b", "six==1.17.0"),
    ]
    asked = [job("pages", spec={"packages": ["six==1.17", "attrs==2", "idna==3.0"]})]
    rows = package_rows.rows(asked, decisions, Packages())
    assert [row["package"] for row in rows] == ["attrs==2.0", "idna==3.0", "six==1.17.0"]


def settings(text: str) -> Json:
    return {"data": {"config.yaml": text}}


class Reads:
    """A Kube that has ConfigMaps, or may not read them."""

    def __init__(self, *config_maps: Json, code: Exit | None = None) -> None:
        self.config_maps = config_maps
        self.code = code

    def all(self, collection: str, namespace: str | None = None, **query: object) -> list[Json]:
        if collection != CONFIG_MAPS:
            return []
        assert (namespace, query) == ("", {"labelSelector": "app.kubernetes.io/name=agentjobs"})
        if self.code:
            raise ApiServerError("no", "", self.code, "")
        return list(self.config_maps)


@pytest.mark.parametrize(
    ("kube", "included"),
    [
        (
            Reads(
                {"metadata": {}},
                settings('{runner: {inventory: {idna: "3.10"}}, kind: OperatorConfiguration}'),
            ),
            True,
        ),
        (Reads(settings("{runner: {image: x}, kind: OperatorConfiguration}")), False),
        (Reads(settings('runner: {inventory: {idna: "3.10"}}')), False),
        (Reads(settings("{runner: {inventory: [idna]}, kind: OperatorConfiguration}")), False),
        (Reads(settings("[not: what it should be")), False),
        (Reads(settings("")), False),
        (
            Reads(
                *[settings('{runner: {inventory: {idna: "3.10"}}, kind: OperatorConfiguration}')]
                * 2
            ),
            False,
        ),
        (Reads(), False),
        (Reads(code=Exit.FORBIDDEN), False),
    ],
    ids=[
        "listed",
        "not listed",
        "another kind",
        "no names",
        "no YAML",
        "empty",
        "two of them",
        "no operator",
        "forbidden",
    ],
)
def test_what_the_image_holds_is_read_from_the_operators_settings(
    kube: Any, included: bool
) -> None:
    assert packages.known(kube, []).verdict("idna==3.10") == ("Included" if included else "Pending")
