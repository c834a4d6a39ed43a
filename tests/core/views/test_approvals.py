"""Of approvals and revisions a decision takes what the API server vouches for."""

from __future__ import annotations

from agentjobs.api import names
from agentjobs.core.approval.in_force import current_content
from agentjobs.core.views.approvals import approval_view, revision_view
from agentjobs.core.workload import records
from tests.support import manifests as written
from tests.support.decisions import observed


def test_an_approval_says_who_decided_what_about_which_content_and_when() -> None:
    body = written.approval(jobName="report", digest="a" * 64, decision="Denied", approvedBy="ana")
    body["metadata"] |= {"creationTimestamp": "2026-11-22T07:00:00Z"}
    found = approval_view(body)
    assert (found.job_name, found.digest, found.decision) == ("report", "a" * 64, "Denied")
    assert (found.by, found.at) == ("ana", "2026-11-22T07:00:00Z")
    del body["spec"]["approvedBy"]
    assert approval_view(body).by is None, "no policy has stamped it"


def test_a_revision_as_it_is_written_is_read_back_from_its_metadata_alone() -> None:
    job = observed().job
    content = current_content(job)
    metadata = records.revision(job, content)["metadata"] | {"uid": "r"}
    found = revision_view({"metadata": metadata})
    assert (found.name, found.job, found.digest) == (metadata["name"], "report", content.digest)
    assert (found.uid, found.owner_uid) == ("r", job.uid)


def test_what_lacks_our_marks_claims_nothing() -> None:
    found = revision_view({"metadata": {"name": "theirs", "uid": "t"}})
    assert (found.job, found.digest, found.owner_uid) == ("", "", None)
    foreign = {"name": "theirs", "uid": "t", "labels": {names.JOB_LABEL: "report"}}
    assert revision_view({"metadata": foreign}).job == "report", "its owner and digest decide"
