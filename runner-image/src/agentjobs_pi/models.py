"""Which model a call uses, and pi's models.json for it.

The file names variables; keys stand only in the environment.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agentjobs_pi.places import KEY_VARIABLE, MODEL_VARIABLE, MODELS_VARIABLE
from agentjobs_pi.verdict import Verdict

NO_KEY = "none"
"""pi wants a key also for endpoints that ask for none."""


class CannotCallError(Exception):
    """There is no model to call; the verdict says why and what to do."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.verdict = Verdict(reason, message, needs=True)


@dataclass(frozen=True)
class Models:
    """What the installation offers to this job."""

    providers: Mapping[str, Mapping[str, Any]]
    chosen: str
    """provider/model of the job; empty when the installation has no default."""
    variables: Mapping[str, str]

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Models:
        return cls(
            json.loads(environment.get(MODELS_VARIABLE) or "{}"),
            environment.get(MODEL_VARIABLE, ""),
            environment,
        )

    def check(self, name: str) -> bool:
        """Whether the model has a price. Raises CannotCallError when it cannot be called."""
        if not name:
            raise CannotCallError(
                "NoModel",
                "this installation has no default model; name a model, or set the chart's value"
                " models.default",
            )
        provider, _, model = name.partition("/")
        known = [
            f"{key}/{entry['id']}"
            for key, value in self.providers.items()
            for entry in value["models"]
        ]
        if name not in known:
            has = ", ".join(known) or "none"
            raise CannotCallError(
                "UnknownModel",
                f"this installation has no model {name}; its models are: {has} (see the chart's"
                " value models)",
            )
        variable = self._key_variable(provider)
        if not self._usable(provider) or (variable and not self.variables.get(variable)):
            raise CannotCallError(
                "ModelKeyMissing", f"there is no key for {name}: {self._remedy(provider)}"
            )
        return next(
            "cost" in entry for entry in self.providers[provider]["models"] if entry["id"] == model
        )

    def _key_variable(self, provider: str) -> str | None:
        """The variable that holds the provider's key; None: it needs none."""
        found = self.providers[provider]
        if found.get("env"):
            return str(found["env"])
        return KEY_VARIABLE if found.get("secret") else None

    def _remedy(self, provider: str) -> str:
        found = self.providers[provider]
        if found.get("env"):
            return f"set the variable {found['env']} in spec.env, from a Secret"
        if provider != self.chosen.partition("/")[0]:
            return (
                "a job gets only the key for the provider of its own model, which is"
                f" {self.chosen or 'none'}"
            )
        return (
            f"the Secret {found['secret']['name']} in the job's namespace must hold it under"
            f" {found['secret']['key']}"
        )

    def configuration(self) -> dict[str, Any]:
        """pi's models.json."""
        return {
            "providers": {
                name: self._provider(name, value)
                for name, value in self.providers.items()
                if self._usable(name)
            }
        }

    def _usable(self, provider: str) -> bool:
        """KEY_VARIABLE holds one provider's key: no other endpoint is ever sent it."""
        variable = self._key_variable(provider)
        return variable != KEY_VARIABLE or provider == self.chosen.partition("/")[0]

    def _provider(self, name: str, value: Mapping[str, Any]) -> dict[str, Any]:
        variable = self._key_variable(name)
        models = [_model(entry) for entry in value["models"]]
        return {
            "baseUrl": value["baseUrl"],
            "api": value["api"],
            "apiKey": f"${variable}" if variable else NO_KEY,
            "models": models,
        }

    def without_keys(self, text: str) -> str:
        """An endpoint may repeat the key in its error."""
        for variable in {self._key_variable(name) for name in self.providers} - {None}:
            key = self.variables.get(str(variable))
            text = text.replace(key, "***") if key else text
        return text

    def write(self, path: Path) -> None:
        """Whole or not at all: calls run side by side."""
        new = path.with_name(f"{path.name}.{os.getpid()}")
        new.write_text(json.dumps(self.configuration()))
        new.replace(path)


def _model(entry: Mapping[str, Any]) -> dict[str, Any]:
    cost = entry.get("cost")
    return dict(entry) | (
        {"cost": {"input": 0, "output": 0, "cacheRead": 0, "cacheWrite": 0} | cost} if cost else {}
    )
