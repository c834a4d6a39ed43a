"""Jobs that start after one another on a real cluster, and hand on what they print."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest

from tests.cluster import many
from tests.cluster.installed import Installed, Manifest
from tests.cluster.support import Kubectl, KubectlError, wait_for
from tests.support import manifests

READER: Final = "print('two letters')\n"
SUMMARY: Final = """\
import json, os
event = json.load(open(os.environ['AGENTJOBS_EVENT_FILE']))
print(event['data']['job'], event['data']['phase'], 'said:', event['data']['stdout'].strip())
"""
CLAIM: Final[Manifest] = {
    "apiVersion": "v1",
    "kind": "PersistentVolumeClaim",
    "metadata": {"name": "letters"},
    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
}


def after(job: str, on: str = "Succeeded") -> list[dict[str, Any]]:
    return [{"after": {"job": job, "on": on}}]


def test_a_chain_of_three_jobs_hands_its_output_on_and_a_cycle_ends(
    agentjobs: Installed, kubectl: Kubectl, namespace: str
) -> None:
    jobs = [
        many.job("reader", READER, triggers=after("sender")),
        many.job("summary", SUMMARY, triggers=after("reader")),
        many.job("sender", SUMMARY, triggers=after("summary", "Finished")),
        many.job("alarm", SUMMARY, triggers=after("reader", "Failed")),
    ]
    many.in_force(agentjobs, namespace, jobs)
    kubectl.create(namespace, manifests.run("morning", "reader"))

    def runs() -> dict[str, list[Manifest]]:
        found: dict[str, list[Manifest]] = {}
        for body in kubectl.json("get", "ajr", "-n", namespace)["items"]:
            found.setdefault(body["spec"]["jobName"], []).append(body)
        assert all(
            body.get("status", {}).get("finishedAt") for bodies in found.values() for body in bodies
        )
        assert len(found["reader"]) == 2
        return found

    found = wait_for(runs, 120, "the chain has come to its end")
    (summary,), (sender,) = found["summary"], found["sender"]
    assert summary["status"]["stdout"] == "reader Succeeded said: two letters\n"
    assert (
        sender["status"]["stdout"] == "summary Succeeded said: reader Succeeded said: two letters\n"
    )
    trigger = sender["spec"]["trigger"]
    assert (trigger["upstreamRun"], trigger["ancestors"]) == (
        summary["metadata"]["name"],
        ["reader", "summary"],
    )
    (again,) = (body["status"] for body in found["reader"] if body["metadata"]["name"] != "morning")
    assert (again["phase"], again["reason"]) == ("Skipped", "ChainCycle")
    assert "reader -> summary -> sender -> reader" in again["message"]
    assert "alarm" not in found
    told = kubectl.json("get", "saj", "sender", "-n", namespace)["status"]["card"]["triggers"]
    assert told == ["after summary, when it has finished"]


def test_a_failure_starts_what_waits_for_it_in_a_shared_workspace(
    agentjobs: Installed, kubectl: Kubectl, namespace: str
) -> None:
    kubectl.create(namespace, CLAIM)
    workspace = {"claimName": CLAIM["metadata"]["name"]}
    jobs = [
        many.job(
            "writer",
            "open('mail.txt', 'w').write('a long letter')\nraise SystemExit(3)\n",
            workspace=workspace,
        ),
        many.job(
            "alarm",
            "print(open('mail.txt').read())\n" + SUMMARY,
            workspace=workspace,
            triggers=after("writer", "Failed"),
        ),
        many.job("digest", SUMMARY, workspace=workspace, triggers=after("writer")),
        many.job("cleaner", SUMMARY, workspace=workspace, triggers=after("alarm")),
    ]
    many.in_force(agentjobs, namespace, jobs)
    kubectl.create(namespace, manifests.run("morning", "writer"))

    def statuses() -> dict[str, Manifest]:
        found = {
            body["spec"]["jobName"]: body.get("status", {})
            for body in kubectl.json("get", "ajr", "-n", namespace)["items"]
        }
        assert found.get("cleaner", {}).get("finishedAt")
        return found

    found = wait_for(statuses, 120, "the chain has come to its end")
    assert found.keys() == {"writer", "alarm", "cleaner"}
    assert (found["writer"]["phase"], found["writer"]["exitCode"]) == ("Failed", 3)
    assert found["alarm"]["stdout"] == "a long letter\nwriter Failed said: \n"


def test_a_job_after_itself_and_a_forged_link_of_a_chain_are_refused(
    agentjobs: Installed, kubectl: Kubectl, namespace: str
) -> None:
    with pytest.raises(KubectlError, match="a job cannot start after itself"):
        kubectl.create(namespace, many.job("snake", READER, triggers=after("snake")))
    agentjobs.kubectl.create(namespace, many.job("victim", READER, triggers=after("reader")))
    event = {"id": "1", "source": "/x", "type": "dev.agentjobs.run.succeeded"}
    trigger = {"type": "After", "event": event, "upstreamRun": "morning", "ancestors": ["reader"]}
    forged = manifests.run("forged", "victim", trigger=trigger)
    with pytest.raises(KubectlError, match="spec.trigger.type After is set by the operator"):
        kubectl.create(namespace, forged)


def test_on_is_a_key_when_quoted_and_the_api_server_names_it_when_not(
    kubectl: Kubectl, namespace: str
) -> None:
    """YAML 1.1, which kubectl reads, has `on` for true.

    The page on troubleshooting quotes what users are told.
    """
    written = json.dumps(many.job("alarm", READER, triggers=after("reader", "Failed")))
    assert '"on": "Failed"' in written
    kubectl("create", "-n", namespace, "-f", "-", stdin=written)
    with pytest.raises(KubectlError, match=r'unknown field "spec\.triggers\[0\]\.after\.true"'):
        kubectl("apply", "-n", namespace, "-f", "-", stdin=written.replace('"on"', "on"))
