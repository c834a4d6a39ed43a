"""Settings come from the environment, once, and are explained when they are wrong."""

from __future__ import annotations

import pytest

from agentjobs.operator.settings import Settings, SettingsError

POLICIES = '[{"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy", "name": "a", "spec": {}}]'
NEEDED = {
    "AGENTJOBS_RUNNER_IMAGE": "runner:1",
    "AGENTJOBS_LEASE_NAMESPACE": "system",
    "AGENTJOBS_IDENTITY": "pod-1",
    "AGENTJOBS_POLICIES": POLICIES,
}


def test_the_defaults_are_those_that_the_documentation_names() -> None:
    settings = Settings.from_env(NEEDED)
    assert (settings.run_deadline_seconds, settings.longest_run_seconds, settings.run_start_timeout_seconds) == (3600, 3540, 600)


def test_structured_settings_are_json() -> None:
    settings = Settings.from_env(NEEDED | {"AGENTJOBS_RUN_RESOURCES": '{"limits": {"ephemeral-storage": "2Gi", "cpu": 1}}'})
    assert settings.policy().resources.wire() == {"requests": {}, "limits": {"ephemeral-storage": "2Gi", "cpu": "1"}}


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("AGENTJOBS_RUN_DEADLINE_SECONDS", "69"),
        ("AGENTJOBS_RUN_DEADLINE_SECONDS", "3601"),
        ("AGENTJOBS_WORKERS", "many"),
        ("AGENTJOBS_RUN_TOLERATIONS", "[{"),
        ("AGENTJOBS_LOG_LEVEL", "LOUD"),
        ("AGENTJOBS_RUNNER_IMAGE", ""),
    ],
)
def test_a_wrong_setting_is_named(variable: str, value: str) -> None:
    with pytest.raises(SettingsError, match=variable):
        Settings.from_env(NEEDED | {variable: value})


def test_an_operator_without_policies_has_to_be_wanted() -> None:
    without = {name: value for name, value in NEEDED.items() if name != "AGENTJOBS_POLICIES"}
    with pytest.raises(SettingsError, match="AGENTJOBS_POLICIES must name the admission policies, or AGENTJOBS_ALLOW_WITHOUT"):
        Settings.from_env(without)
    assert Settings.from_env(without | {"AGENTJOBS_ALLOW_WITHOUT_POLICIES": "true"}).policies == ()


def test_a_missing_setting_is_named() -> None:
    with pytest.raises(SettingsError, match="AGENTJOBS_IDENTITY"):
        Settings.from_env({k: v for k, v in NEEDED.items() if k != "AGENTJOBS_IDENTITY"})
