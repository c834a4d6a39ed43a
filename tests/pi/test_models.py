"""A run's models.json: no key in it, and a sentence for each way of having no model to call."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from agentjobs_pi.models import CannotCallError, Models

PROVIDERS: dict[str, Any] = {
    "house": {
        "api": "openai-completions",
        "baseUrl": "http://h/v1",
        "secret": {"name": "s", "key": "k"},
        "models": [{"id": "m", "cost": {"input": 1, "output": 2}}, {"id": "n"}],
    },
    "other": {
        "api": "openai-completions",
        "baseUrl": "http://o/v1",
        "secret": {"name": "s", "key": "o"},
        "models": [{"id": "m"}],
    },
    "own": {
        "api": "anthropic-messages",
        "baseUrl": "http://a",
        "env": "OWN_KEY",
        "models": [{"id": "m"}],
    },
    "open": {"api": "openai-completions", "baseUrl": "http://l/v1", "models": [{"id": "m"}]},
}
KEYS = {"AGENTJOBS_MODEL_KEY": "sk-house", "OWN_KEY": "sk-own"}


def models(**variables: str) -> Models:
    told = {
        "AGENTJOBS_MODELS": json.dumps(PROVIDERS),
        "AGENTJOBS_MODEL": "house/m",
        **KEYS,
        **variables,
    }
    return Models.from_environment({name: value for name, value in told.items() if value})


def test_the_file_names_variables_and_holds_no_key(tmp_path: Path) -> None:
    models().write(tmp_path / "models.json")
    text = (tmp_path / "models.json").read_text()
    assert [path.name for path in tmp_path.iterdir()] == ["models.json"]
    assert not any(key in text for key in KEYS.values())
    keys = {name: provider["apiKey"] for name, provider in json.loads(text)["providers"].items()}
    assert keys == {"house": "$AGENTJOBS_MODEL_KEY", "own": "$OWN_KEY", "open": "none"}


def test_a_price_is_whole_in_the_file_or_not_there() -> None:
    priced, free = models().configuration()["providers"]["house"]["models"]
    assert priced["cost"] == {"input": 1, "output": 2, "cacheRead": 0, "cacheWrite": 0}
    assert "cost" not in free
    assert [models().check(name) for name in ("house/m", "house/n")] == [True, False]


@pytest.mark.parametrize(
    ("variables", "model", "reason", "sentence"),
    [
        ({}, "", "NoModel", "this installation has no default model"),
        (
            {},
            "house/x",
            "UnknownModel",
            (
                "this installation has no model house/x; its models are: house/m, house/n, other/m,"
                " own/m, open/m"
            ),
        ),
        (
            {"AGENTJOBS_MODELS": ""},
            "house/m",
            "UnknownModel",
            "its models are: none (see the chart's value models)",
        ),
        (
            {"AGENTJOBS_MODEL_KEY": ""},
            "house/m",
            "ModelKeyMissing",
            "the Secret s in the job's namespace must hold it under k",
        ),
        ({"OWN_KEY": ""}, "own/m", "ModelKeyMissing", "set the variable OWN_KEY in spec.env"),
    ],
)
def test_without_a_model_to_call_the_call_says_what_to_do(
    variables: dict[str, str], model: str, reason: str, sentence: str
) -> None:
    with pytest.raises(CannotCallError) as refused:
        models(**variables).check(model)
    assert refused.value.verdict.reason == reason
    assert sentence in refused.value.verdict.message


def test_a_call_gets_no_key_of_a_provider_that_is_not_its_jobs() -> None:
    assert "other" not in models().configuration()["providers"]
    with pytest.raises(CannotCallError) as refused:
        models(AGENTJOBS_MODEL="own/m").check("house/m")
    assert (
        "a job gets only the key for the provider of its own model, which is own/m"
        in refused.value.verdict.message
    )


def test_an_error_that_repeats_the_key_is_told_without_it() -> None:
    assert (
        models().without_keys("Incorrect API key: sk-house or sk-own")
        == "Incorrect API key: *** or ***"
    )
