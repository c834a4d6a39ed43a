"""What is observed says whose things are, and what an approval comes to, and decides nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agentjobs.core.approval.in_force import current_content
from agentjobs.core.observed import InForce
from tests.support.decisions import cron_job, observed, settled

NEW = current_content(observed(script={"inline": "print('new')\n"}).job)
OLD = current_content(observed().job)


@pytest.mark.parametrize(
    ("changes", "ours"),
    [
        ({}, True),
        ({"owner_uid": None}, True),
        ({"owner_uid": "another"}, False),
        ({"labelled": False}, False),
        ({"labelled": False, "owner_uid": None}, False),
    ],
)
def test_a_cron_job_is_ours_by_its_labels_and_no_other_owner(
    changes: dict[str, object], ours: bool
) -> None:
    seen = settled(observed())
    found = replace(seen, cron_job=cron_job(seen, **changes))
    assert (found.own_cron_job is not None) == ours
    assert replace(seen, cron_job=None).own_cron_job is None


def test_a_denied_package_denies_like_a_denial_of_the_content() -> None:
    force = InForce(NEW, None, None, "Approved", {"six==1.17.0": "Pending"})
    assert not force.denied
    assert replace(force, lacking={"six==1.17.0": "Pending", "a==1": "Denied"}).denied
    assert replace(force, verdict="Denied", lacking={}).denied


def test_what_runs_is_changed_where_it_is_not_the_specs_own() -> None:
    assert InForce(NEW, OLD, None, "Pending").changed
    assert InForce(None, OLD, None, "Pending").changed, "the spec has no content at all"
    assert not InForce(OLD, OLD, None, "Approved").changed
    assert not InForce(NEW, None, None, "Pending").changed, "nothing runs"


def test_the_spec_in_force_is_that_of_what_runs() -> None:
    assert InForce(NEW, OLD, None, "Pending").spec == OLD.spec
    assert InForce(NEW, None, None, "Pending").spec is None
