"""Any spec that the API accepts, made from its models.

A field that is added to them is in it, or the tests ask for its values.
"""

from __future__ import annotations

from datetime import date
from typing import Any, Final, Literal, get_args, get_origin

from hypothesis import strategies as st
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from agentjobs.api.agent import Agent
from agentjobs.api.agent_rules import TOOLS
from agentjobs.api.container import EnvVar, Resources
from agentjobs.api.event import JobTrigger
from agentjobs.api.job import ScheduledAgentJobSpec
from agentjobs.api.package_rules import name_of
from agentjobs.api.script import Script
from agentjobs.core.content.sources import Reference, Sources

LABELS: Final = st.from_regex(r"[a-z0-9]([-a-z0-9]{0,50}[a-z0-9])?", fullmatch=True)
TEXTS: Final = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cf"]), min_size=1, max_size=200
)
KEYS: Final = st.from_regex(r"[a-z0-9][-_a-z0-9]{0,8}", fullmatch=True)
CORES: Final = st.one_of(st.integers(1, 64), st.integers(1, 64_000).map(lambda cores: f"{cores}m"))
SIZES: Final = st.builds(
    lambda number, unit: f"{number}{unit}",
    st.integers(1, 999),
    st.sampled_from(["", "k", "M", "G", "T", "Ki", "Mi", "Gi", "Ti"]),
)
PINS: Final = st.builds(
    lambda name, version: f"{name}=={'.'.join(map(str, version))}",
    KEYS.map(lambda key: key.rstrip("-_").replace("_-", "-")),
    st.lists(st.integers(0, 30), min_size=1, max_size=3),
).filter(lambda pin: "--" not in pin and "__" not in pin and "-_" not in pin)
_ZONED: Final[dict[str, st.SearchStrategy[Any]]] = {
    "timeZone": st.sampled_from(["Etc/UTC", "Europe/Bucharest", "America/New_York"]),
    "startingDeadlineSeconds": st.integers(10, 86400),
}
_DAYS: Final = st.dates(date(2026, 1, 1), date(2030, 1, 1))
_WINDOWS: Final = st.fixed_dictionaries(
    {
        "cron": st.sampled_from(["0 0 * * *", "0 0 * * 1-5"]),
        "startTime": st.sampled_from(["08:00", "23:00"]),
        "endTime": st.just("10:30"),
    }
)
SCHEDULES: Final = st.one_of(
    st.fixed_dictionaries(
        {},
        optional={
            "cron": st.sampled_from(["0 8 * * 1", "*/5 * * * *", "15 3 1 1,4,7,10 *"]),
            **_ZONED,
        },
    ),
    st.fixed_dictionaries(
        {
            "cron": st.sampled_from(["0 8 * * 1", "30 6 * * 2,4"]),
            "everyWeeks": st.integers(2, 52),
            "startDate": _DAYS.map(date.isoformat),
        },
        optional=_ZONED,
    ),
    st.fixed_dictionaries({"window": _WINDOWS}, optional=_ZONED),
    st.fixed_dictionaries(
        {"once": st.fixed_dictionaries({"runAt": _DAYS.map(lambda day: f"{day}T09:00:00")})},
        optional=_ZONED,
    ),
)
LEAVES: Final[dict[str, st.SearchStrategy[Any]]] = {
    "ScheduledAgentJobSpec.description": TEXTS,
    "ScheduledAgentJobSpec.packages": st.lists(PINS, max_size=4, unique_by=name_of),
    "ScheduledAgentJobSpec.schedule": SCHEDULES,
    "ScheduledAgentJobSpec.triggers": st.lists(st.deferred(lambda: of(JobTrigger)), max_size=3),
    "AfterTrigger.job": LABELS,
    "EventTrigger.type": TEXTS,
    "EventTrigger.source": TEXTS,
    "EventTrigger.dataSchema": st.sampled_from([{"type": "object"}, {"minimum": 1}]),
    "Script.inline": TEXTS,
    "Agent.instructions": TEXTS,
    "Agent.startingMessage": TEXTS,
    "Agent.tools": st.lists(st.sampled_from(TOOLS), unique=True),
    "Agent.model": st.sampled_from(["openai/gpt-5", "local/a:b@c"]),
    "ConfigMapKeyRef.name": st.sampled_from(["texts", "others"]),
    "ConfigMapKeyRef.key": st.sampled_from(["a.py", "b.md"]),
    "SecretKeyRef.name": LABELS,
    "SecretKeyRef.key": KEYS,
    "EnvVar.name": st.from_regex(r"V_[A-Za-z0-9_]{0,20}", fullmatch=True),
    "EnvVar.value": st.text(max_size=50),
    "ResourceList.cpu": CORES,
    "ResourceList.memory": SIZES,
    "ResourceList.ephemeral-storage": SIZES,
    "Workspace.claimName": LABELS,
}
"""What patterns and bounds in words ask for; numbers, choices, and what is made of fields come from
the models themselves."""
ONE_OF: Final[dict[type[BaseModel], tuple[str, str]]] = {
    ScheduledAgentJobSpec: ("script", "agent"),
    Script: ("inline", "configMapKeyRef"),
    Agent: ("instructions", "configMapKeyRef"),
    JobTrigger: ("event", "after"),
    EnvVar: ("value", "valueFrom"),
    Resources: ("requests", "limits"),
}
"""Exactly one of these; of the last, so that no request is more than its limit."""
SOURCES: Final[Sources] = {
    Reference(name, key): f"text {key} of {name}"
    for name in ("texts", "others")
    for key in ("a.py", "b.md")
}
"""What the references stand for."""


def of(model: type[BaseModel]) -> st.SearchStrategy[dict[str, Any]]:
    """As it is written: fields under their names in YAML, those with a default present or not."""
    fields = {
        field.alias or name: (_value(model, field.alias or name, field), field)
        for name, field in model.model_fields.items()
    }
    either = ONE_OF.get(model, ())
    needed = {
        name: value
        for name, (value, field) in fields.items()
        if field.is_required() and name not in either
    }
    optional = {
        name: value
        for name, (value, field) in fields.items()
        if not field.is_required() and name not in either
    }
    whole = st.fixed_dictionaries(needed, optional=optional)
    if not either:
        return whole
    return st.one_of(
        *(
            st.builds(lambda a, b, name=name: {**a, name: b}, whole, fields[name][0])
            for name in either
        )
    )


def _value(model: type[BaseModel], name: str, field: FieldInfo) -> st.SearchStrategy[Any]:
    given = LEAVES.get(f"{model.__name__}.{name}")
    return _of_type(field.annotation, field, f"{model.__name__}.{name}") if given is None else given


def _of_type(annotation: Any, field: FieldInfo, where: str) -> st.SearchStrategy[Any]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return of(annotation)
    if annotation is bool:
        return st.booleans()
    if annotation is int:
        bounds = [getattr(part, side, None) for side in ("ge", "le") for part in field.metadata]
        low, high = [bound for bound in bounds if bound is not None]
        return st.integers(low, high)
    if get_origin(annotation) is Literal:
        return st.sampled_from(get_args(annotation))
    inner = [part for part in get_args(annotation) if part not in (type(None), Ellipsis)]
    assert inner, f"{where}: give it a strategy in LEAVES"
    parts = _of_type(inner[0], field, where)
    if get_origin(annotation) is tuple:
        return st.lists(parts, max_size=4, unique_by=lambda part: part["name"])
    return parts


def one_at_a_time(spec: dict[str, Any]) -> dict[str, Any]:
    """A continuous session is for one run at a time."""
    return {
        name: value
        for name, value in spec.items()
        if name != "concurrencyPolicy" or spec.get("session") != "Continuous"
    }


SPECS: Final = of(ScheduledAgentJobSpec).map(one_at_a_time)
