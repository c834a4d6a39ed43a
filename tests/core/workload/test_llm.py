"""Which model a job may ask, and with which key: what its card says and what its pod gets."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from agentjobs.api.card import Card
from agentjobs.core.approval.card import card
from agentjobs.core.content.packages import Packages
from agentjobs.core.workload.llm import Models
from tests.support import manifests as written
from tests.support.models import HOUSE, MODELS, variables
from tests.support.workload import observed, pod

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


def agent(**fields: Any) -> dict[str, Any]:
    return dict(written.agent_job(agent=fields)["spec"])


def shown(models: Models = MODELS, **spec: Any) -> Card:
    return card("report", observed(**spec)[1], Packages(), models, NOW)


def test_an_agent_gets_the_model_that_was_approved_and_its_providers_key() -> None:
    spec = {"script": None, "agent": agent(model="house/large")["agent"]}
    given = variables(**spec)
    assert given["AGENTJOBS_MODEL"] == "house/large"
    assert given["AGENTJOBS_MODEL_KEY"]["secretKeyRef"] == {
        "name": "agentjobs-models",
        "key": "house",
        "optional": True,
    }
    assert shown(**spec).model == "house/large"
    assert shown(**spec).secrets == ("agentjobs-models/house",)
    assert shown(**spec).tools == ("read", "write", "edit", "ls")


def test_a_script_gets_the_default_and_its_card_says_so() -> None:
    assert variables()["AGENTJOBS_MODEL"] == "house/small"
    assert shown().model == "house/small (the installation's default, if the script calls pi)"
    assert shown().secrets == ("agentjobs-models/house",)
    assert shown().tools == ()


def test_an_agent_without_a_model_gets_the_default_and_its_card_says_so() -> None:
    assert (
        shown(script=None, agent=agent()["agent"]).model
        == "house/small (the installation's default)"
    )


def test_a_key_that_the_job_names_itself_comes_from_nowhere_else() -> None:
    given = variables(script=None, agent=agent(model="own/m")["agent"])
    assert "AGENTJOBS_MODEL_KEY" not in given
    assert shown(script=None, agent=agent(model="own/m")["agent"]).secrets == ()


def test_without_models_a_pod_knows_nothing_of_them() -> None:
    assert not [
        name
        for name in (entry["name"] for entry in pod()["containers"][0]["env"])
        if "MODEL" in name
    ]
    assert shown(Models()).model is None
    assert shown(Models()).secrets == ()


def test_what_a_pod_is_told_of_the_providers_is_what_the_chart_says() -> None:
    told = json.loads(variables()["AGENTJOBS_MODELS"])
    assert told["house"]["baseUrl"] == "http://models/v1"
    assert told["house"]["models"][0]["cost"] == {
        "input": 1.0,
        "output": 2.0,
        "cacheRead": 0.0,
        "cacheWrite": 0.0,
    }
    assert "cost" not in told["house"]["models"][1]


def test_the_installations_models_are_in_no_digest() -> None:
    _, content = observed()
    assert b"house" not in content.document
    assert (
        card("report", content, Packages(), MODELS, NOW).digest
        == card("report", content, Packages(), Models(), NOW).digest
    )


@pytest.mark.parametrize(
    ("models", "problem"),
    [
        (
            {"default": "house/huge", "providers": {"house": HOUSE}},
            "there is no model house/huge; the models are: house/small, house/large",
        ),
        ({"providers": {"house": HOUSE | {"env": "KEY"}}}, "set at most one of secret and env"),
        ({"providers": {"house": HOUSE | {"api": "telepathy"}}}, "openai-completions"),
        ({"providers": {"ho/use": HOUSE}}, "should match pattern"),
        ({"providers": {"house": HOUSE | {"apiKey": "sk-1"}}}, "not permitted"),
    ],
)
def test_an_installation_whose_models_cannot_be_is_told_so_at_its_start(
    models: dict[str, Any], problem: str
) -> None:
    with pytest.raises(ValidationError, match=problem):
        Models.model_validate(models)


FAIL = "every run will fail"
