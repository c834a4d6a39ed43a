"""The example of an agent is one that this version takes, and what its text claims of it is so."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import yaml

from agentjobs.api.job import ScheduledAgentJobSpec
from agentjobs.core import naming
from agentjobs.core.approval.card import card
from agentjobs.core.content.digest import content
from agentjobs.core.content.packages import Packages
from agentjobs.core.workload.llm import Models
from tests.support.root import ROOT

EXAMPLE = ROOT / "examples" / "daily-summary"
NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
HOUSE = {
    "api": "openai-completions",
    "baseUrl": "http://x/v1",
    "secret": {"name": "s", "key": "k"},
    "models": [{"id": "m"}],
}


def manifest(name: str) -> Any:
    return yaml.safe_load((EXAMPLE / name).read_text())


def test_its_card_shows_what_an_approver_has_to_know() -> None:
    body = manifest("job.yaml")
    job = content(body["metadata"]["name"], ScheduledAgentJobSpec.model_validate(body["spec"]))
    models = Models.model_validate({"default": "house/m", "providers": {"house": HOUSE}})
    shown = card(body["metadata"]["name"], job, Packages(), models, NOW)
    assert shown.schedule == "At 17:30, Monday through Friday (Europe/Bucharest)"
    assert shown.tools == ("read", "write", "ls")
    assert shown.model == "house/m (the installation's default)"
    assert shown.claims == ("team-notes", "daily-summary-session")
    assert shown.secrets == ("s/k",)


def test_its_claims_are_those_that_its_text_names() -> None:
    job = manifest("job.yaml")
    assert job["spec"]["workspace"]["claimName"] == manifest("claim.yaml")["metadata"]["name"]
    assert (
        f"kubectl delete pvc {naming.claim_name(job['metadata']['name'])}"
        in (EXAMPLE / "job.yaml").read_text()
    )
