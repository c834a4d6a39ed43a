"""The models refuse what the CRDs refuse, in the same words, and keep what they accept."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from agentjobs.api.base import MAX_SENTENCE, explain
from agentjobs.api.job import ScheduledAgentJobSpec
from agentjobs.api.job_status import ScheduledAgentJobStatus
from agentjobs.api.quantity_rules import amount
from agentjobs.api.resources import JOB, RESOURCES, RUN
from agentjobs.api.run import AgentJobRunStatus
from tests.support.corpus.any_spec import LABELS, SPECS
from tests.support.corpus.case import Refused
from tests.support.corpus.good import GOOD
from tests.support.corpus.refused import REFUSED
from tests.support.manifests import Manifest, job, run, scheduled

BY_KIND = {resource.kind: resource for resource in RESOURCES}


def refusal(body: Manifest) -> str | None:
    """What Python says of an object that came past its CRD."""
    resource = BY_KIND[body["kind"]]
    try:
        resource.spec.model_validate(body["spec"])
    except ValidationError as error:
        return explain(error)
    return resource.problem(body)


def spec_problem(**spec: Any) -> str:
    return refusal(job(**spec)) or ""


@pytest.mark.parametrize("bad", [bad for bad in REFUSED if bad.in_python], ids=lambda bad: bad.what)
def test_what_the_crd_refuses_is_refused_in_python_with_the_same_sentence(bad: Refused) -> None:
    assert bad.in_python in (refusal(bad.manifest) or "accepted")


@pytest.mark.parametrize("what", GOOD)
def test_what_the_crd_accepts_is_accepted_in_python(what: str) -> None:
    assert refusal(GOOD[what]) is None


@pytest.mark.parametrize("what", GOOD)
def test_a_model_on_the_wire_and_back_is_the_same(what: str) -> None:
    model = BY_KIND[GOOD[what]["kind"]].spec
    spec = model.model_validate(GOOD[what]["spec"])
    assert model.model_validate(spec.wire()) == spec


# Quantities


@pytest.mark.parametrize(("written", "same"), [(1, "1"), (0, "0")])
def test_a_quantity_written_as_a_number_is_the_same_content_as_its_text(
    written: int, same: str
) -> None:
    def spec(cpu: object) -> ScheduledAgentJobSpec:
        return ScheduledAgentJobSpec.model_validate(
            job(resources={"requests": {"cpu": cpu}})["spec"]
        )

    assert spec(written) == spec(same)
    assert spec(written).wire()["resources"]["requests"] == {"cpu": same}


def test_true_is_not_a_quantity() -> None:
    assert "spec.resources.limits.cpu: should be a string" in spec_problem(
        resources={"limits": {"cpu": True}}
    )


@pytest.mark.parametrize(
    ("quantity", "number"),
    [
        ("500m", "0.5"),
        ("2", "2"),
        ("1.5", "1.5"),
        ("1k", "1000"),
        ("1Ki", "1024"),
        ("2M", "2000000"),
        ("1.5Gi", "1610612736"),
        ("1T", "1e12"),
    ],
)
def test_quantities_are_compared_as_numbers(quantity: str, number: str) -> None:
    assert amount(quantity) == Decimal(number)


# Names


def test_a_problem_of_the_whole_object_is_reported_if_the_spec_is_fine() -> None:
    assert JOB.problem(job()) is None
    assert "at most 52 characters" in (JOB.problem(job("a" * 53)) or "")
    assert "reserved for scheduled starts" in (RUN.problem(run("report-29412345")) or "")


def test_a_name_that_ends_in_a_newline_is_no_name() -> None:
    assert JOB.problem(job("report\n")) is not None


# Sentences


def test_a_sentence_names_each_field_as_it_is_written_in_yaml() -> None:
    told = spec_problem(
        timeoutSeconds=0,
        schedule={"timeZone": "", "startingDeadlineSeconds": "soon"},
        env=[{"name": "A", "value": "x"}, {"name": "B-C", "value": "x"}],
    )
    assert told.split("; ") == [
        "spec.schedule.timeZone: should have at least 1 character",
        (
            "spec.schedule.startingDeadlineSeconds: should be a valid integer, unable to parse"
            " string as an integer"
        ),
        (
            'spec.env[1].name: must be the name of a variable: letters, digits and "_", not'
            " beginning with a digit"
        ),
        "spec.timeoutSeconds: should be greater than or equal to 1",
    ]


def test_a_status_is_named_as_such() -> None:
    with pytest.raises(ValidationError) as caught:
        AgentJobRunStatus.model_validate({"exitCode": "three"})
    assert explain(caught.value, root="status").startswith("status.exitCode: ")


def test_a_sentence_is_bounded_and_says_how_much_is_left_out() -> None:
    told = spec_problem(
        env=[{"name": f"{number}-{'x' * 80}", "value": "x"} for number in range(100)]
    )
    assert len(told) <= MAX_SENTENCE
    shown = told.count("must be the name of a variable")
    assert told.endswith(f"; and {100 - shown} more")


def test_a_path_is_bounded_and_printable() -> None:
    told = spec_problem(**{"a\x1b[2K" + "b" * 5000: 1})
    assert told == f"spec.a?[2K{'b' * 189}…: is not a field that this version of agentjobs knows"


SECRETS = ("hunter2", "s3cr3t")


@pytest.mark.parametrize(
    "spec",
    [
        {"script": {"inline": "hunter2\x1b"}},
        {"script": {"inline": "é" * 131_072 + "hunter2"}},
        {"script": "hunter2"},
        {
            "env": [
                {
                    "name": "A",
                    "value": "hunter2",
                    "valueFrom": {"secretKeyRef": {"name": "s", "key": "s3cr3t s3cr3t"}},
                }
            ]
        },
        {"env": [{"name": "A", "value": "hunter2"}, {"name": "A", "value": "s3cr3t"}]},
        {"env": "hunter2"},
        {"timeoutSeconds": "hunter2"},
        {"suspend": "s3cr3t"},
        {"session": "hunter2"},
        {"resources": {"limits": {"memory": "hunter2"}}},
    ],
)
def test_a_sentence_never_repeats_a_value(spec: dict[str, Any]) -> None:
    told = spec_problem(**spec)
    assert told
    assert not any(secret in told for secret in SECRETS)


# Versions


def test_an_unknown_field_is_refused_in_a_spec_and_ignored_in_a_status() -> None:
    assert "spec.egress: is not a field" in spec_problem(egress=[])
    later = {
        "phase": "Running",
        "novelty": 1,
        "lastRun": {"name": "r", "uid": "u", "phase": "Running", "novelty": 1},
    }
    assert ScheduledAgentJobStatus.model_validate(later).phase == "Running"


# Round trips


@pytest.mark.slow
@given(SPECS)
def test_any_spec_survives_the_wire(written: dict[str, Any]) -> None:
    spec = ScheduledAgentJobSpec.model_validate(written)
    assert ScheduledAgentJobSpec.model_validate(spec.wire()) == spec
    assert (
        ScheduledAgentJobSpec.model_validate_json(
            spec.model_dump_json(by_alias=True, exclude_none=True)
        )
        == spec
    )


@pytest.mark.slow
@given(LABELS, st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.timezones()))  # noqa: DTZ001 - st.timezones adds it
def test_the_name_of_any_scheduled_start_is_accepted(name: str, moment: datetime) -> None:
    start = moment.replace(second=0, microsecond=0)
    body = scheduled(
        name, int(start.timestamp()) // 60, start.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    )
    assert refusal(body) is None
