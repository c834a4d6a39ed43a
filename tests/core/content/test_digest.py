"""The digest covers every API field but `suspend` and `history`, and nothing else changes it.

This holds whatever fields there are.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any, Final, Literal, get_args, get_origin

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from agentjobs.api.base import ApiModel
from agentjobs.api.job import ScheduledAgentJobSpec
from agentjobs.core.approval.in_force import current_content
from agentjobs.core.content.digest import NOT_COVERED, content
from agentjobs.core.content.sources import Reference, resolved
from agentjobs.core.views.job import job_view
from tests.support import manifests
from tests.support.corpus.any_spec import SOURCES, SPECS, one_at_a_time

Path = tuple[str | int, ...]
TEXT: Final = Reference("sources", "text")
COMMON: Final[dict[str, Any]] = {
    "triggers": [
        {"event": {"type": "sold", "source": "/shop", "dataSchema": {"minimum": 1}}},
        {"after": {"job": "other", "on": "Failed"}},
    ],
    "session": "Continuous",
    "packages": ["six==1.17.0"],
    "env": [
        {"name": "A", "value": "x"},
        {"name": "B", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
    ],
    "resources": {
        side: {"cpu": "1", "memory": "1Gi", "ephemeral-storage": "1Gi"}
        for side in ("requests", "limits")
    },
    "workspace": {"claimName": "reports"},
    "timeoutSeconds": 60,
    "suspend": True,
    "history": {"successful": 3, "failed": 4},
}
ZONED: Final = {"timeZone": "Europe/Bucharest", "startingDeadlineSeconds": 60}
WEEKS: Final = {**ZONED, "cron": "0 8 * * 1", "everyWeeks": 2, "startDate": "2026-01-05"}
WINDOW: Final = {**ZONED, "window": {"cron": "0 0 * * 1", "startTime": "08:00", "endTime": "10:00"}}
ONCE: Final = {**ZONED, "once": {"runAt": "2026-12-01T09:00:00"}}
AGENT: Final = {
    "instructions": "Look.",
    "startingMessage": "begin",
    "tools": ["read"],
    "model": "a/b",
    "maxTurns": 3,
}
EXAMPLES: Final = {
    "script": ScheduledAgentJobSpec.model_validate(manifests.job(**COMMON, schedule=WEEKS)["spec"]),
    "once": ScheduledAgentJobSpec.model_validate(
        manifests.job(
            **COMMON | {"session": "Ephemeral", "concurrencyPolicy": "Replace"}, schedule=ONCE
        )["spec"]
    ),
    "agent": ScheduledAgentJobSpec.model_validate(
        manifests.job(**COMMON, schedule=WINDOW, script=None, agent=AGENT)["spec"]
    ),
}
"""Together they have every field, none at its default; a new field has to be added here.

References are tested on their own."""
REFERENCE: Final = "config_map_key_ref"


def fields(annotation: Any) -> Iterator[tuple[str, ...]]:
    """The paths of all leaves below a type."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        for name, field in annotation.model_fields.items():
            yield from ((name, *path) for path in fields(field.annotation) if name != REFERENCE)
        return
    inner = [
        part
        for part in get_args(annotation)
        if get_origin(annotation) is not Literal and part not in (type(None), Ellipsis)
    ]
    found = [path for part in inner for path in fields(part)]
    yield from found or [()]


def leaves(value: Any, at: Path = ()) -> Iterator[tuple[Path, Any]]:
    """The leaves that an example has."""
    if isinstance(value, ApiModel):
        for name in type(value).model_fields:
            yield from leaves(getattr(value, name), (*at, name))
    elif isinstance(value, tuple) and value:
        for number, part in enumerate(value):
            yield from leaves(part, (*at, number))
    elif value is not None:
        yield at, value


def with_leaf(value: Any, path: Path, leaf: Any) -> Any:
    if not path:
        return leaf
    step, *rest = path
    if isinstance(step, int):
        return tuple(
            with_leaf(part, tuple(rest), leaf) if number == step else part
            for number, part in enumerate(value)
        )
    return value.model_copy(update={step: with_leaf(getattr(value, step), tuple(rest), leaf)})


def another(value: Any) -> Any:
    words = {"Continuous": "Ephemeral", "Replace": "Allow"}
    if isinstance(value, bool):
        return not value
    if isinstance(value, dict):
        return {**value, "maximum": 2}
    return value + 1 if isinstance(value, int) else words.get(value, value + "x")


LEAVES: Final = [
    (kind, path, value) for kind, spec in EXAMPLES.items() for path, value in leaves(spec)
]


def test_the_examples_have_every_field_of_the_api() -> None:
    shown = {tuple(step for step in path if isinstance(step, str)) for _, path, _ in LEAVES}
    assert set(fields(ScheduledAgentJobSpec)) == shown


@pytest.mark.parametrize(
    ("kind", "path", "value"),
    LEAVES,
    ids=lambda part: ".".join(map(str, part)) if isinstance(part, tuple) else None,
)
def test_changing_a_field_changes_the_digest_exactly_if_it_is_covered(
    kind: str, path: Path, value: Any
) -> None:
    spec = EXAMPLES[kind]
    changed = with_leaf(spec, path, another(value))
    assert (content("report", changed).digest != content("report", spec).digest) == (
        path[0] not in NOT_COVERED
    )


@pytest.mark.parametrize("kind", EXAMPLES)
def test_a_reference_has_the_digest_of_its_text(kind: str) -> None:
    holder, field = ("script", "inline") if kind != "agent" else ("agent", "instructions")
    text = getattr(getattr(EXAMPLES[kind], holder), field)
    raw = EXAMPLES[kind].wire()
    raw[holder] = {key: part for key, part in raw[holder].items() if key != field} | {
        "configMapKeyRef": TEXT._asdict()
    }
    spec = ScheduledAgentJobSpec.model_validate(raw)
    assert content("report", spec, {TEXT: text}) == content("report", EXAMPLES[kind])
    assert (
        content("report", spec, {TEXT: text + "x"}).digest
        != content("report", EXAMPLES[kind]).digest
    )
    assert resolved(spec, {TEXT: text}) == EXAMPLES[kind]


def shuffled(value: Any, dice: random.Random) -> Any:
    """The same JSON with the keys of its maps in another order."""
    if isinstance(value, dict):
        keys = list(value)
        dice.shuffle(keys)
        return {key: shuffled(value[key], dice) for key in keys}
    return [shuffled(part, dice) for part in value] if isinstance(value, list) else value


@pytest.mark.slow
@given(SPECS, st.randoms(use_true_random=False))
def test_defaults_written_out_and_the_order_of_keys_change_nothing(
    written: dict[str, Any], dice: random.Random
) -> None:
    spec = ScheduledAgentJobSpec.model_validate(written)
    in_full = ScheduledAgentJobSpec.model_validate(shuffled(spec.wire(), dice))
    assert content("report", in_full, SOURCES) == content("report", spec, SOURCES)


def grafted(first: dict[str, Any], second: dict[str, Any], dice: random.Random) -> dict[str, Any]:
    """The first with one field of the second."""
    name = dice.choice(sorted(second))
    rest = first.keys() - ({"script", "agent"} if name in ("script", "agent") else {name})
    return one_at_a_time({**{key: first[key] for key in first if key in rest}, name: second[name]})


@pytest.mark.slow
@given(SPECS, SPECS, st.booleans(), st.randoms(use_true_random=False))
def test_specs_have_one_digest_exactly_if_their_covered_fields_are_equal(
    first: dict[str, Any], second: dict[str, Any], near: bool, dice: random.Random
) -> None:
    specs = [
        ScheduledAgentJobSpec.model_validate(each)
        for each in (first, grafted(first, second, dice) if near else second)
    ]
    covered = [resolved(spec, SOURCES).model_dump(exclude=set(NOT_COVERED)) for spec in specs]
    digests = [content("report", spec, SOURCES).digest for spec in specs]
    assert (covered[0] == covered[1]) == (digests[0] == digests[1])


@pytest.mark.slow
@given(
    SPECS,
    st.booleans(),
    st.integers(1, 1000),
    st.dictionaries(st.text("abc", min_size=1), st.text("xyz")),
)
def test_suspend_history_and_metadata_change_nothing(
    written: dict[str, Any], suspend: bool, kept: int, labels: dict[str, str]
) -> None:
    metadata = {"name": "report", "namespace": "a", "uid": "1", "resourceVersion": "1"}
    body = {"metadata": metadata, "spec": written}
    other = {
        "metadata": {
            **metadata,
            "namespace": "b",
            "uid": "2",
            "generation": 9,
            "labels": labels,
            "annotations": labels,
        },
        "spec": {**written, "suspend": suspend, "history": {"successful": kept}},
    }
    seen = [
        current_content(job_view(each), SOURCES).digest
        for each in (other, json.loads(json.dumps(body)))
    ]
    assert seen[0] == seen[1]
