"""Which content runs follows from the approvals alone, in whatever order they were made."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from agentjobs.core.approval.in_force import (
    current_content,
    found_in,
    in_force,
    is_suspended,
    pins_in_use,
    why_nothing_runs,
)
from agentjobs.core.errors import UserError
from agentjobs.core.observed import InForce
from tests.support.decisions import approved, observed
from tests.support.endings import JOB
from tests.support.packages import asking, decided

OLD = observed()
NEW = observed(script={"inline": "print('new')\n"})
BEFORE = current_content(OLD.job)
AFTER = current_content(NEW.job)
CHANGED = replace(NEW, previous=BEFORE)


def test_a_change_waits_while_what_was_approved_before_goes_on() -> None:
    seen = approved(CHANGED, digest=BEFORE.digest)
    force = in_force(seen)
    assert (force.current, force.content, force.verdict) == (AFTER, BEFORE, "Pending")
    assert in_force(approved(seen)).content == AFTER
    denied = in_force(approved(seen, "Denied"))
    assert (denied.content, denied.verdict) == (BEFORE, "Denied")


def test_the_order_of_decisions_does_not_matter() -> None:
    seen = approved(approved(approved(CHANGED, digest=BEFORE.digest)), "Denied")
    found = {
        in_force(replace(seen, approvals=tuple(order))).content
        for order in itertools.permutations(seen.approvals)
    }
    assert found == {BEFORE}


def test_without_its_approval_what_ran_before_does_not_run() -> None:
    assert in_force(CHANGED).content is None
    assert in_force(approved(approved(CHANGED, digest=BEFORE.digest), "Denied", BEFORE.digest)) == (
        InForce(AFTER, None, None, "Pending")
    )


def test_a_content_whose_packages_may_not_be_used_does_not_run() -> None:
    seen = approved(asking(["six==1.17.0", "requests==2.32.3"]))
    force = in_force(seen)
    assert (force.content, force.verdict) == (None, "Approved")
    assert force.lacking == {"six==1.17.0": "Pending"}
    assert in_force(approved(asking(["six==1.17.0"], decided("six==1.17.0")))).content is not None


def test_an_invalid_spec_leaves_in_force_what_was_approved() -> None:
    broken = observed(schedule={"cron": "0 8 * * 1", "startDate": "9999-12-31", "everyWeeks": 2})
    force = in_force(approved(replace(broken, previous=BEFORE), digest=BEFORE.digest))
    assert (force.current, force.content, force.verdict) == (None, BEFORE, "Pending")
    assert force.problem is not None
    assert "spec.schedule.startDate" in str(force.problem)


def test_whatever_a_spec_breaks_is_its_authors_to_fix() -> None:
    said = r"^spec.triggers: agentjobs cannot process this value \(KeyError\)"
    with pytest.raises(UserError, match=said), found_in("spec.triggers"):
        raise KeyError("secret")
    with pytest.raises(UserError, match=r"^as it is$"), found_in("spec"):
        raise UserError("as it is")


def test_packages_in_use_are_those_of_spec_content_in_force_and_runs() -> None:
    seen = replace(asking(["Six==1.17"]), previous=current_content(asking(["a==1.0"]).job))
    started = replace(JOB, packages=("b==2.0",))
    assert pins_in_use(seen, [started]) == {"six==1.17", "a==1", "b==2"}


def test_a_job_that_is_being_deleted_starts_nothing_by_itself() -> None:
    job = OLD.job
    assert not is_suspended(job)
    assert is_suspended(replace(job, deleting=True))
    assert is_suspended(replace(job, suspended=True, spec=None, problem="it cannot be read"))


@pytest.mark.parametrize(
    ("force", "said"),
    [
        (InForce(None, None, UserError("no"), "Pending"), "condition Ready"),
        (InForce(AFTER, None, None, "Pending"), "status.card"),
        (InForce(AFTER, None, None, "Denied"), "was denied"),
        (InForce(AFTER, None, None, "Approved", {"a==1": "Pending"}), "not approved: a==1"),
    ],
)
def test_who_starts_a_run_in_vain_is_told_where_to_look(force: InForce, said: str) -> None:
    assert said in why_nothing_runs(force, "report")
