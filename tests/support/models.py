"""Models of an installation."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from agentjobs.core.workload.llm import Models
from tests.support import workload as pods
from tests.support.workload import cron_job

HOUSE = {
    "api": "openai-completions",
    "baseUrl": "http://models/v1",
    "secret": {"name": "agentjobs-models", "key": "house"},
    "models": [{"id": "small", "cost": {"input": 1, "output": 2}}, {"id": "large"}],
}
OWN = {
    "api": "anthropic-messages",
    "baseUrl": "https://api.example.com",
    "env": "OWN_KEY",
    "models": [{"id": "m"}],
}
MODELS = Models.model_validate(
    {"default": "house/small", "providers": {"house": HOUSE, "own": OWN}}
)
POLICY = replace(pods.POLICY, models=MODELS)


def variables(**spec: Any) -> dict[str, Any]:
    template = cron_job(policy=POLICY, **spec)["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    return {
        entry["name"]: entry.get("value", entry.get("valueFrom"))
        for entry in template["containers"][0]["env"]
    }
