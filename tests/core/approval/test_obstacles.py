"""What has a name that the job needs is named, and nothing else is called an obstacle."""

from __future__ import annotations

from dataclasses import replace

from agentjobs.core.approval.in_force import in_force
from agentjobs.core.approval.obstacles import foreign_claim, obstacle
from agentjobs.core.observed import Observed
from tests.support.decisions import cron_job, observed, settled

SEEN = settled(observed())


def told(seen: Observed) -> str | None:
    return obstacle(seen, in_force(seen))


def test_a_job_with_its_own_objects_has_no_obstacle() -> None:
    assert told(SEEN) is None
    assert told(replace(SEEN, cron_job=None)) is None


def test_a_foreign_cron_job_is_named_first() -> None:
    foreign = replace(
        SEEN, cron_job=cron_job(SEEN, owner_uid="another"), foreign=frozenset({"report-x"})
    )
    assert (told(foreign) or "").startswith("a CronJob named report exists and does not belong to")


def test_a_foreign_config_map_is_named_where_the_content_needs_its_name() -> None:
    needed = next(iter(SEEN.revisions))
    said = told(replace(SEEN, foreign=frozenset({needed}), revisions=frozenset()))
    assert said is not None
    assert said.startswith(f"a ConfigMap named {needed} exists")


def test_a_foreign_claim_is_in_the_way_of_a_session_and_of_nothing_else() -> None:
    continuous = settled(observed(session="Continuous"))
    foreign = replace(continuous, session_claim="foreign")
    assert (told(foreign) or "").startswith("a PersistentVolumeClaim named report-session exists")
    assert told(replace(continuous, session_claim="ours")) is None
    assert told(replace(SEEN, session_claim="foreign")) is None
    unapproved = replace(foreign, approvals=())
    assert foreign_claim(unapproved, in_force(unapproved)) is None, "nothing needs the session yet"
