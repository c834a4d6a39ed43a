"""Settings come from the environment, once, and are explained when they are wrong."""

from __future__ import annotations

import pytest

from agentjobs.settings import Settings, SettingsError

NEEDED = {"AGENTJOBS_RUNNER_IMAGE": "runner:1", "AGENTJOBS_LEASE_NAMESPACE": "system", "AGENTJOBS_IDENTITY": "pod-1"}


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


def test_a_missing_setting_is_named() -> None:
    with pytest.raises(SettingsError, match="AGENTJOBS_IDENTITY"):
        Settings.from_env({k: v for k, v in NEEDED.items() if k != "AGENTJOBS_IDENTITY"})
