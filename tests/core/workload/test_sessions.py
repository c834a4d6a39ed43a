"""Continuous jobs: the claim that remembers, whose it is, and what its runs get."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from agentjobs.core.decide import decide
from agentjobs.core.plan import Plan
from agentjobs.core.runner.evidence import Evidence
from agentjobs.core.runs.outcome import Ending, record
from agentjobs.core.workload.sessions import SessionPolicy
from tests.support.decisions import NOW, approved, asked, observed, settled, status, told
from tests.support.endings import EXITED, FAILED_POD, JOB, RUN
from tests.support.workload import POLICY, pod

FAST = replace(POLICY, session=SessionPolicy("2Gi", "fast"))


def claims(plan: Plan) -> list[dict[str, Any]]:
    return [dict(write.body or {}) for write in plan.writes if write.kind == "claim"]


def test_a_continuous_job_gets_its_claim_before_its_cron_job() -> None:
    plan = decide(approved(observed(session="Continuous")), FAST, NOW)
    assert asked(plan) == [("create", "revision"), ("create", "claim"), ("create", "cronjob")]
    (claim,) = claims(plan)
    assert claim["metadata"]["name"] == "report-session"
    assert claim["spec"] == {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "2Gi"}},
        "storageClassName": "fast",
    }
    assert claim["metadata"]["ownerReferences"][0]["uid"] == "uid"


def test_nothing_is_remembered_before_it_is_approved() -> None:
    assert claims(decide(observed(session="Continuous"), POLICY, NOW)) == []


def test_an_existing_claim_is_left_alone_and_a_deleted_one_made_again() -> None:
    there = replace(settled(observed(session="Continuous")), session_claim="ours")
    assert asked(decide(there, POLICY, NOW)) == []
    assert len(claims(decide(replace(there, session_claim="none"), POLICY, NOW))) == 1


def test_an_ephemeral_job_has_neither_claim_nor_volume() -> None:
    assert claims(decide(approved(observed()), POLICY, NOW)) == []
    assert "session" not in [volume["name"] for volume in pod()["volumes"]]
    assert "AGENTJOBS_SESSION" not in [entry["name"] for entry in pod()["containers"][0]["env"]]


def test_a_session_is_mounted_at_a_fixed_place_and_stands_on_the_card() -> None:
    spec = pod(session="Continuous")
    assert {"name": "session", "persistentVolumeClaim": {"claimName": "report-session"}} in spec[
        "volumes"
    ]
    assert {"name": "session", "mountPath": "/session"} in spec["containers"][0]["volumeMounts"]
    assert {"name": "AGENTJOBS_SESSION", "value": "/session"} in spec["containers"][0]["env"]
    assert status(decide(observed(session="Continuous"), POLICY, NOW))["card"]["claims"] == [
        "report-session"
    ]


def test_somebody_elses_claim_is_not_used_and_the_job_says_so() -> None:
    plan = decide(
        replace(approved(observed(session="Continuous")), session_claim="foreign"), POLICY, NOW
    )
    assert claims(plan) == []
    cron = next(dict(write.body or {}) for write in plan.writes if write.kind == "cronjob")
    assert cron["spec"]["suspend"] is True
    assert told(plan, "Ready").reason == "NameTaken"
    assert (
        "a PersistentVolumeClaim named report-session exists and does not belong to this job"
        in told(plan, "Ready").message
    )


@pytest.mark.parametrize(
    ("reason", "phase"), [("SessionBusy", "Skipped"), ("SessionUnusable", "Failed")]
)
def test_a_run_whose_session_another_run_has_did_not_happen(reason: str, phase: str) -> None:
    refused = replace(
        EXITED,
        outcome="Refused",
        exit_code=78,
        reason=reason,
        message="another run has it",
        started_at=None,
    )
    found = record(
        Ending(RUN, JOB, replace(FAILED_POD, exit_code=78), Evidence(refused)),
        "d" * 64,
        "runner:1",
        NOW,
    )
    assert (found.phase, found.reason, found.message) == (phase, reason, "another run has it")


def test_the_record_says_what_the_models_cost() -> None:
    def usage(**used: int | None) -> dict[str, Any] | None:
        ended = replace(EXITED, exit_code=1, **used)  # type: ignore[arg-type]
        ending = Ending(RUN, JOB, FAILED_POD, Evidence(ended))
        found = record(ending, "d" * 64, "runner:1", NOW)
        return found.usage.wire() if found.usage else None

    assert usage() is None
    assert usage(input_tokens=7, output_tokens=2, cost_micro_usd=12_345) == {
        "inputTokens": 7,
        "outputTokens": 2,
        "costUSD": 0.012345,
    }
    assert usage(input_tokens=7, output_tokens=2) == {"inputTokens": 7, "outputTokens": 2}
