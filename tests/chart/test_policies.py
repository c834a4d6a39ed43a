"""The admission policies: complete, in force for everybody, and on clusters that can carry them."""

from __future__ import annotations

import json
import re
from itertools import islice
from typing import Any

import pytest
import yaml

from agentjobs.api.event import Event
from agentjobs.core import naming
from tests.chart.helm import CHART, FULL_VALUES, NAMESPACE, Document, Helm, HelmError, of_kind

ACCOUNT = f"system:serviceaccount:{NAMESPACE}:agentjobs"
KINDS = ("ValidatingAdmissionPolicy", "MutatingAdmissionPolicy")
ALWAYS = {"approvals", "runs", "status", "owned", "templates"}
STAMPS = {"stamp-approvals", "stamp-runs"}
BETA = "admissionregistration.k8s.io/v1beta1/MutatingAdmissionPolicy"


def named(documents: list[Document], kind: str) -> dict[str, Document]:
    return {
        document["metadata"]["name"].removeprefix("agentjobs-"): document
        for document in of_kind(documents, kind)
    }


@pytest.fixture(scope="module", params=[None, FULL_VALUES], ids=["default", "full"])
def documents(helm: Helm, request: pytest.FixtureRequest) -> list[Document]:
    return helm.documents(file=request.param)


@pytest.mark.parametrize("kind", KINDS)
def test_every_policy_is_bound_for_everybody_and_fails_closed(
    documents: list[Document], kind: str
) -> None:
    policies, bindings = named(documents, kind), named(documents, f"{kind}Binding")
    assert policies.keys() == bindings.keys()
    for name, policy in policies.items():
        assert policy["spec"]["failurePolicy"] == "Fail"
        spec = bindings[name]["spec"]
        assert spec["policyName"] == policy["metadata"]["name"]
        assert spec.get("validationActions", ["Deny"]) == ["Deny"]
        assert spec.keys() <= {
            "policyName",
            "validationActions",
            "paramRef",
        }, "it would not hold for everything"


def test_no_policy_is_left_out(helm: Helm) -> None:
    assert named(helm.documents(), KINDS[0]).keys() == ALWAYS
    assert named(helm.documents(), KINDS[1]).keys() == STAMPS
    assert named(helm.documents({"approval": {"stamp": False}}), KINDS[1]) == {}
    two = helm.documents({"approval": {"requireSecondPerson": True}})
    assert named(two, KINDS[0]).keys() == ALWAYS | {"requests", "second-person"}
    assert named(two, KINDS[1]).keys() == STAMPS | {"stamp-jobs"}


def test_each_policy_has_a_file_of_its_own(helm: Helm) -> None:
    documents = helm.documents({"approval": {"requireSecondPerson": True}})
    policies = {name for kind in KINDS for name in named(documents, kind)}
    files = {
        path.stem.removeprefix("_") for path in (CHART / "templates" / "policies").glob("_*.tpl")
    }
    assert files == policies | {"all", "cel"}


def test_a_second_person_needs_the_servers_stamp(helm: Helm) -> None:
    with pytest.raises(
        HelmError,
        match=(
            "approval.requireSecondPerson needs approval.stamp: only a name that the server writes"
        ),
    ):
        helm.template({"approval": {"requireSecondPerson": True, "stamp": False}})


def test_policies_know_the_operator_by_the_account_it_runs_as(documents: list[Document]) -> None:
    (deployment,) = of_kind(documents, "Deployment")
    assert deployment["spec"]["template"]["spec"]["serviceAccountName"] == "agentjobs"
    for name in ALWAYS:
        policy = named(documents, KINDS[0])[name]
        assert f"'{ACCOUNT}'" in json.dumps(policy["spec"])


def test_of_claims_and_config_maps_of_ours_only_the_operator_makes_one(
    documents: list[Document],
) -> None:
    """Not Kubernetes: it makes claims for ephemeral volumes with labels the pod's author likes."""
    (condition,) = named(documents, KINDS[0])["owned"]["spec"]["matchConditions"]
    asked, _, exempt = condition["expression"].partition("|| !(")
    words = (
        "request.operation == 'CREATE'",
        "['configmaps', 'persistentvolumeclaims']",
        f"request.userInfo.username != '{ACCOUNT}'",
    )
    assert all(word in asked for word in words)
    assert "kube-system" not in asked
    assert "kube-system" in exempt


def rendered(helm: Helm, version: str, *words: str, **values: Any) -> str:
    fixed = (
        "--namespace",
        NAMESPACE,
        "--kube-version",
        version,
        "--show-only",
        "templates/policies/admission.yaml",
    )
    return helm(
        "template", "agentjobs", CHART, *fixed, *words, "--values", "-", stdin=json.dumps(values)
    )


def test_a_cluster_that_cannot_stamp_is_told_what_to_set(helm: Helm) -> None:
    with pytest.raises(HelmError) as refusal:
        rendered(helm, "1.35.0")
    assert (
        "set approval.stamp=false; then whoever approves writes their own name into spec.approvedBy"
        in str(refusal.value)
    )
    without = rendered(helm, "1.35.0", approval={"stamp": False})
    assert "kind: MutatingAdmissionPolicy" not in without
    (approvals,) = [
        found
        for found in yaml.safe_load_all(without)
        if found["metadata"]["name"] == "agentjobs-approvals" and "validations" in found["spec"]
    ]
    messages = [each.get("messageExpression") for each in approvals["spec"]["validations"]]
    assert "'spec.approvedBy must be you, ' + request.userInfo.username + ''" in messages


def test_a_cluster_with_the_beta_stamps(helm: Helm) -> None:
    assert (
        "apiVersion: admissionregistration.k8s.io/v1beta1\nkind: MutatingAdmissionPolicy\n"
        in rendered(helm, "1.34.0", "--api-versions", BETA)
    )
    assert (
        "apiVersion: admissionregistration.k8s.io/v1\nkind: MutatingAdmissionPolicy\n"
        in rendered(helm, "1.36.0")
    )


def test_the_names_of_runs_that_follow_are_the_operators(documents: list[Document]) -> None:
    """Not those of events, which whoever may start the job may give away."""
    rules = json.dumps(named(documents, KINDS[0])["runs"]["spec"]["validations"])
    of_events, of_followers = re.findall(r"matches\('(-[ae].*?)'\)", rules)
    for name in islice(
        naming.runs_of_chain(
            "report", Event(id="u-1", source="/namespaces/team/agentjobruns/go", type="x")
        ),
        20,
    ):
        assert re.search(of_followers, name)
        assert not re.search(of_events, name)
