"""A write means the same whether kubectl or the operator's client carries it to the API server."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, Literal

import pytest

from agentjobs.actions import decisions, jobs, runs
from agentjobs.cli.errors import ApiServerError, Exit
from agentjobs.cli.kube import Kube
from agentjobs.cluster.connection import connect
from agentjobs.core.errors import Conflict
from agentjobs.core.plan import Write
from tests.cluster.installed import Installed
from tests.cluster.provider import Cluster
from tests.cluster.support import Kubectl
from tests.support import manifests

Json = dict[str, Any]
Carrier = Callable[[str, Write], Json]
"""Carries out a write in a namespace."""
CARRIERS: Final = ("kubectl", "client")
NO: Final = (Conflict, ApiServerError)


@pytest.fixture(params=CARRIERS)
def carry(
    request: pytest.FixtureRequest,
    agentjobs: Installed,
    cluster: Cluster,
    monkeypatch: pytest.MonkeyPatch,
) -> Carrier:
    monkeypatch.setenv("PATH", str(Path(cluster.kubectl).parent), prepend=os.pathsep)

    async def by_client(namespace: str, write: Write) -> Json:
        async with connect(str(cluster.kubeconfig)) as api:
            return await api.write(namespace, write)

    if request.param == "client":
        return lambda namespace, write: asyncio.run(by_client(namespace, write))
    kube = Kube(kubeconfig=str(cluster.kubeconfig))
    return lambda namespace, write: kube.execute(write, namespace)


def create(body: Json) -> Write:
    return Write("create", "job", body["metadata"]["name"], "", body)


def specs(kubectl: Kubectl, namespace: str, kind: Literal["saj", "aja", "ajr"]) -> Json:
    found = kubectl.json("--namespace", namespace, "get", kind)["items"]
    return {body["metadata"]["name"]: body["spec"] for body in found}


def test_a_write_returns_the_object_as_it_is_afterwards(
    carry: Carrier, kubectl: Kubectl, namespace: str
) -> None:
    made = carry(namespace, create(manifests.job("report")))
    assert (made["metadata"]["namespace"], bool(made["metadata"]["uid"])) == (namespace, True)
    paused = carry(namespace, jobs.pause(made))
    assert (paused["spec"]["suspend"], paused["metadata"]["generation"]) == (True, 2)
    assert specs(kubectl, namespace, "saj") == {"report": paused["spec"]}
    run = carry(namespace, runs.start("report"))
    assert run["metadata"]["name"].startswith("report-")
    (cancel,) = _cancelled(run)
    assert carry(namespace, cancel)["spec"]["cancel"] is True


def test_a_replaced_object_holds_nothing_of_before(carry: Carrier, namespace: str) -> None:
    """A ConfigMap: the operator writes to jobs and runs meanwhile."""
    body: Json = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "texts"}}
    made = carry(namespace, Write("create", "revision", "texts", "", {**body, "data": {"a": "1"}}))
    body["metadata"]["resourceVersion"] = made["metadata"]["resourceVersion"]
    new = Write("replace", "revision", "texts", "", {**body, "data": {"b": "2"}})
    assert carry(namespace, new)["data"] == {"b": "2"}
    with pytest.raises(NO) as error:
        carry(namespace, new)
    assert _is_conflict(error.value)


def _cancelled(run: Json) -> tuple[Write, ...]:
    writes = runs.cancel(run["metadata"]["name"], [{**run, "status": {}}])
    assert isinstance(writes, tuple)
    return writes


def test_a_patch_holds_only_for_the_version_that_it_names(
    carry: Carrier, kubectl: Kubectl, namespace: str
) -> None:
    made = carry(namespace, create(manifests.job("report")))
    version = {"resourceVersion": made["metadata"]["resourceVersion"]}
    pause = jobs.pause(made)
    on_top = replace(pause, body={**(pause.body or {}), "metadata": version})
    carry(namespace, Write("patch", "job", "report", "", {"spec": {"description": "Another."}}))
    with pytest.raises(NO) as error:
        carry(namespace, on_top)
    assert _is_conflict(error.value)
    assert specs(kubectl, namespace, "saj")["report"]["suspend"] is False


def test_a_delete_meets_no_later_object_of_the_same_name(
    carry: Carrier, kubectl: Kubectl, namespace: str
) -> None:
    shown = carry(namespace, create(manifests.job("report")))
    carry(namespace, jobs.delete(shown))
    later = carry(namespace, create(manifests.job("report")))
    with pytest.raises(NO) as error:
        carry(namespace, jobs.delete(shown))
    assert _is_conflict(error.value)
    assert set(specs(kubectl, namespace, "saj")) == {"report"}
    carry(namespace, jobs.delete(later))
    assert specs(kubectl, namespace, "saj") == {}


def test_a_decision_is_taken_back_as_it_was_shown(
    carry: Carrier, kubectl: Kubectl, namespace: str
) -> None:
    job, digest = {"metadata": {"name": "report"}}, "a" * 64
    approval = decisions.approve(job, digest, digest, [], "read it")
    assert isinstance(approval, Write)
    made = carry(namespace, approval)
    assert {**made["spec"], "approvedBy": None} == {
        **(approval.body or {})["spec"],
        "approvedBy": None,
    }
    carry(namespace, decisions.withdraw(made))
    assert specs(kubectl, namespace, "aja") == {}


def _is_conflict(error: Exception) -> bool:
    if isinstance(error, ApiServerError):
        return (error.reason, error.code) == ("Conflict", Exit.CHANGED)
    return isinstance(error, Conflict)
