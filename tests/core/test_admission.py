"""Without its admission policies the operator starts nothing new and says why.

It takes nothing away at once.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentjobs.core.admission import PATIENCE, Gap, problems
from agentjobs.core.approval.in_force import current_content
from agentjobs.core.decide import decide
from agentjobs.core.observed import Observed
from agentjobs.core.views.batch_job import BatchJobView
from agentjobs.core.views.run import run_view
from tests.support import manifests
from tests.support.decisions import approved, asked, cron_job, observed, settled, told
from tests.support.policies import BINDING, EXPECTED, MISSING, SPEC, WHOLE
from tests.support.workload import POLICY

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
YOUNG = Gap((MISSING,), NOW)
OLD = Gap((MISSING,), NOW - PATIENCE)


def changed(kind: str, **fields: Any) -> dict[tuple[str, str], dict[str, Any]]:
    return WHOLE | {(kind, "a"): WHOLE[kind, "a"] | fields}


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (WHOLE, ()),
        ({}, ("ValidatingAdmissionPolicy a is missing", MISSING)),
        (
            changed(BINDING[0], validationActions=["Audit"]),
            ("ValidatingAdmissionPolicyBinding a was changed at spec.validationActions[0]",),
        ),
        (
            changed(BINDING[0], validationActions=[]),
            ("ValidatingAdmissionPolicyBinding a was changed at spec.validationActions",),
        ),
        (
            changed("ValidatingAdmissionPolicy", failurePolicy="Ignore"),
            ("ValidatingAdmissionPolicy a was changed at spec.failurePolicy",),
        ),
        (
            changed(
                "ValidatingAdmissionPolicy",
                matchConditions=[{"name": "never", "expression": "false"}],
            ),
            ("ValidatingAdmissionPolicy a was changed at spec.matchConditions",),
        ),
        (
            changed(
                "ValidatingAdmissionPolicy",
                matchConstraints={"resourceRules": [{"operations": ["DELETE"]}]},
            ),
            (
                (
                    "ValidatingAdmissionPolicy a was changed at"
                    " spec.matchConstraints.resourceRules[0].operations[0]"
                ),
            ),
        ),
    ],
)
def test_what_is_missing_or_was_changed_is_named(
    found: dict[tuple[str, str], dict[str, Any]], said: tuple[str, ...]
) -> None:
    assert problems(EXPECTED, found) == said


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([*SPEC, "resourceRules", "operations", "x"]), inner, max_size=3
        )
    ),
)


def nested(levels: int) -> list[Any]:
    found: list[Any] = []
    for _ in range(levels):
        found = [found]
    return found


def is_told(spec: Any) -> None:
    said = problems(EXPECTED, WHOLE | {(EXPECTED[0].kind, "a"): spec})
    assert [sentence.partition(" at ")[0] for sentence in said] == (
        [] if spec == SPEC else ["ValidatingAdmissionPolicy a was changed"]
    )
    assert sum(map(len, said)) < 1000


@given(JSON.filter(lambda spec: spec is not None))
def test_whatever_stands_in_the_place_of_a_policy_is_told(spec: Any) -> None:
    is_told(spec)


WORST = {
    "deep": nested(900),
    "deep in its place": {**SPEC, "matchConstraints": nested(900)},
    "wide": {f"f{number}": number for number in range(50_000)},
    "long": {**SPEC, "matchConstraints": {"resourceRules": [{}] * 50_000}},
}


@pytest.mark.parametrize("spec", WORST.values(), ids=WORST)
def test_the_worst_that_can_stand_there_is_told(spec: Any) -> None:
    is_told(spec)


def test_a_long_list_is_cut_and_says_so() -> None:
    sentence = Gap(tuple(f"x{number} is missing" for number in range(7)), NOW).sentence()
    assert "x4 is missing; and 2 more; an administrator has to run helm upgrade" in sentence
    assert "x5" not in sentence


@pytest.mark.parametrize("gap", [YOUNG, OLD])
def test_nothing_new_comes_into_force(gap: Gap) -> None:
    plan = decide(replace(approved(observed()), gap=gap), POLICY, NOW)
    assert "cronjob" not in [kind for _, kind in asked(plan)]
    assert (told(plan, "Ready").status, told(plan, "Ready").reason) == ("False", "PolicyMissing")
    assert MISSING in told(plan, "Ready").message
    assert told(plan, "Scheduled").reason == "PolicyMissing"


def test_a_schedule_goes_on_for_a_moment_and_then_stops() -> None:
    assert asked(decide(replace(settled(observed()), gap=YOUNG), POLICY, NOW)) == []
    (write,) = [
        write
        for write in decide(replace(settled(observed()), gap=OLD), POLICY, NOW).writes
        if write.kind == "cronjob"
    ]
    assert write.body
    assert write.body["spec"]["suspend"] is True


def test_a_stopped_schedule_starts_again_without_making_up_for_starts() -> None:
    seen = settled(observed())
    suspended = replace(seen, cron_job=cron_job(seen, suspended=True, spec_hash="suspended"))
    assert asked(decide(suspended, POLICY, NOW)) == [("patch", "cronjob"), ("replace", "cronjob")]


def test_what_is_withdrawn_still_ends() -> None:
    denied = replace(approved(settled(observed()), "Denied"), gap=YOUNG)
    assert asked(decide(denied, POLICY, NOW)) == [("patch", "cronjob")]


def with_a_run(seen: Observed) -> Observed:
    body = manifests.run("by-hand", "report")
    metadata = {
        "namespace": "ns",
        "uid": "run",
        "resourceVersion": "8",
        "creationTimestamp": "2026-11-22T07:59:00Z",
    }
    return replace(seen, runs=(run_view(body | {"metadata": body["metadata"] | metadata}),))


def test_a_run_by_hand_waits_for_a_moment_and_is_then_skipped() -> None:
    waits = decide(replace(with_a_run(settled(observed())), gap=YOUNG), POLICY, NOW)
    assert (asked(waits), waits.requeue_after) == ([], 1)
    skipped = decide(replace(with_a_run(settled(observed())), gap=OLD), POLICY, NOW)
    (write,) = [write for write in skipped.writes if write.kind == "run"]
    assert write.body
    assert write.body["metadata"]["annotations"]["agentjobs.dev/skipped"].startswith(
        "PolicyMissing: nothing new starts"
    )


def test_an_adopted_run_is_not_released_before_the_policies_are_back() -> None:
    seen = with_a_run(settled(observed()))
    job = BatchJobView(
        namespace="ns",
        name="by-hand",
        job="report",
        uid="job",
        resource_version="9",
        owner_uid="cron",
        created=NOW,
        suspended=True,
        manual=True,
        digest=current_content(seen.job).digest,
        stop_reason=None,
        ended="",
        failure="",
        deleting=False,
        held=True,
    )
    adopted = replace(
        seen, runs=(replace(seen.runs[0], adopted=True, started_as="job"),), batch_jobs=(job,)
    )
    assert ("patch", "batchjob") in asked(decide(adopted, POLICY, NOW))
    for gap in (YOUNG, OLD):
        plan = decide(replace(adopted, gap=gap), POLICY, NOW)
        assert "batchjob" not in [kind for _, kind in asked(plan)]
        assert plan.requeue_after == 1
