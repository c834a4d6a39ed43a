"""Admission policies as the chart installs them, made small."""

from __future__ import annotations

from typing import Any

from agentjobs.core.admission import Expected

SPEC: dict[str, Any] = {
    "failurePolicy": "Fail",
    "matchConstraints": {"resourceRules": [{"operations": ["CREATE"]}]},
}
API = "admissionregistration.k8s.io/v1"
EXPECTED = (
    Expected(api_version=API, kind="ValidatingAdmissionPolicy", name="a", spec=SPEC),
    Expected(
        api_version=API,
        kind="ValidatingAdmissionPolicyBinding",
        name="a",
        spec={"policyName": "a", "validationActions": ["Deny"]},
    ),
)
WHOLE = {(one.kind, one.name): one.spec for one in EXPECTED}
BINDING = ("ValidatingAdmissionPolicyBinding", "a")
MISSING = "ValidatingAdmissionPolicyBinding a is missing"
