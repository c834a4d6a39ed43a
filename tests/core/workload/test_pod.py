"""What the operator writes: the promises of a run's pod."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agentjobs.core.workload.pod import GRACE_SECONDS, REVISION_DIRECTORY, Frozen, pod_spec
from tests.support.workload import POLICY, cron_job, observed, pod


def test_a_run_has_no_token_no_privilege_and_a_root_that_it_cannot_write() -> None:
    spec = pod()
    container = spec["containers"][0]
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert not {"hostPID", "hostNetwork", "hostIPC", "initContainers"} & spec.keys()


@pytest.mark.parametrize(("asked", "given"), [(3540, "3540"), (60, "60")])
def test_the_runners_own_limit_comes_before_the_deadline(asked: int, given: str) -> None:
    env = {
        variable["name"]: variable.get("value")
        for variable in pod(timeoutSeconds=asked)["containers"][0]["env"]
    }
    assert env["AGENTJOBS_TIMEOUT_SECONDS"] == given


def test_a_shorter_deadline_of_the_installation_shortens_the_limit() -> None:
    spec = cron_job(policy=replace(POLICY, deadline_seconds=70, longest_run_seconds=10))["spec"][
        "jobTemplate"
    ]["spec"]
    env = {
        variable["name"]: variable.get("value")
        for variable in spec["template"]["spec"]["containers"][0]["env"]
    }
    assert (spec["activeDeadlineSeconds"], env["AGENTJOBS_TIMEOUT_SECONDS"]) == (70, "10")


def test_what_the_job_asks_for_wins_over_the_installations_defaults() -> None:
    assert pod(resources={"limits": {"memory": "1Gi"}})["containers"][0]["resources"] == {
        "requests": {"cpu": "50m"},
        "limits": {"cpu": "1", "memory": "1Gi"},
    }


def test_variables_and_claims_reach_the_pod() -> None:
    spec = pod(
        env=[
            {"name": "A", "value": "x"},
            {"name": "E", "value": ""},
            {"name": "T", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
        ],
        workspace={"claimName": "reports"},
    )
    assert spec["containers"][0]["env"][-3:] == [
        {"name": "A", "value": "x"},
        {"name": "E"},
        {"name": "T", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
    ]
    assert {"name": "workspace", "persistentVolumeClaim": {"claimName": "reports"}} in spec[
        "volumes"
    ]


def test_the_runner_is_told_which_variables_come_from_secrets() -> None:
    secret = [
        {"name": name, "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}
        for name in ("T", "U")
    ]
    env = {
        variable["name"]: variable.get("value")
        for variable in pod(env=[{"name": "A", "value": "x"}, *secret])["containers"][0]["env"]
    }
    assert env["AGENTJOBS_SECRET_VARIABLES"] == "T,U"
    assert "AGENTJOBS_SECRET_VARIABLES" not in {
        variable["name"] for variable in pod()["containers"][0]["env"]
    }


def test_what_an_installation_asks_of_nodes_is_written_and_nothing_else() -> None:
    """An empty field would be drift: the API server stores none."""
    _, approved = observed()
    plain = pod_spec("report", approved, POLICY, Frozen("revision"))
    placed = replace(POLICY, node_selector={"disk": "ssd"}, priority_class_name="low")
    there = pod_spec("report", approved, placed, Frozen("revision"))
    assert there.keys() - plain.keys() == {"nodeSelector", "priorityClassName"}
    assert there["nodeSelector"] == {"disk": "ssd"}


def test_the_content_is_mounted_from_its_revision_and_cannot_be_written() -> None:
    _, approved = observed()
    spec = pod_spec("report", approved, POLICY, Frozen("report-0123456789"))
    (revision,) = (volume for volume in spec["volumes"] if volume["name"] == "revision")
    assert revision["configMap"]["name"] == "report-0123456789"
    (container,) = spec["containers"]
    mounts = {mount["mountPath"]: mount.get("readOnly") for mount in container["volumeMounts"]}
    assert mounts[REVISION_DIRECTORY] is True
    assert spec["terminationGracePeriodSeconds"] == GRACE_SECONDS
