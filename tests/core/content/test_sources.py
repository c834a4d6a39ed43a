"""Texts from ConfigMaps: what a reference means, when it is read; a job hears of each change."""

from __future__ import annotations

from typing import Any

import pytest

from agentjobs.api.job import ScheduledAgentJobSpec
from agentjobs.cluster.client import Json
from agentjobs.core.content.digest import content
from agentjobs.core.content.sources import references, resolved, text_of
from agentjobs.core.errors import UserError
from tests.support import manifests
from tests.support.sources import SCRIPT, config_map


def spec(**script: Any) -> ScheduledAgentJobSpec:
    return ScheduledAgentJobSpec.model_validate(
        manifests.job(script=script or {"configMapKeyRef": SCRIPT._asdict()})["spec"]
    )


# What a reference stands for


def test_a_text_in_a_config_map_is_the_same_content_as_inline() -> None:
    inline = content("report", spec(inline="print('hello')\n"))
    referred = content("report", spec(), {SCRIPT: "print('hello')\n"})
    assert referred == inline
    assert b"configMapKeyRef" not in referred.document
    assert content("report", spec(), {SCRIPT: "print('hullo')\n"}).digest != inline.digest


def test_a_spec_tells_what_it_refers_to() -> None:
    assert references(spec()) == {SCRIPT}
    assert references(spec(inline="pass")) == frozenset()
    assert resolved(spec(inline="pass"), {}) == spec(inline="pass")


@pytest.mark.parametrize(
    ("body", "reason", "told"),
    [
        (
            None,
            "SourceMissing",
            "there is no ConfigMap named scripts in this namespace; create it, or correct the name",
        ),
        (
            config_map(label=None),
            "SourceNotLabelled",
            "the ConfigMap scripts is not labelled agentjobs.dev/source=true",
        ),
        (config_map(label="yes"), "SourceNotLabelled", "label it if jobs may use it"),
        (
            config_map(data={"other": "x"}),
            "SourceMissing",
            "the ConfigMap scripts has no key report.py; add it, or correct the key",
        ),
        (config_map(data=None), "SourceMissing", "has no key report.py"),
        (
            config_map(data=None, binaryData={"report.py": "/w=="}),
            "SourceInvalid",
            "is not UTF-8 text; save it as UTF-8",
        ),
        (
            config_map(data={"report.py": ""}),
            "SourceInvalid",
            "the key report.py of the ConfigMap scripts is empty",
        ),
        (
            config_map(data={"report.py": "é" * 131_073}),
            "SourceInvalid",
            "may have at most 262144 bytes (256 KiB) of UTF-8",
        ),
        (
            config_map(data={"report.py": "ok = 1 #\u202e x"}),
            "SourceInvalid",
            "text direction characters, which hide text",
        ),
        (
            config_map(data={"report.py": "evil()\rnice()"}),
            "SourceInvalid",
            "write them as escapes such as \\x1b",
        ),
    ],
)
def test_a_text_that_cannot_be_used_is_told_with_its_field_and_what_to_do(
    body: Json | None, reason: str, told: str
) -> None:
    with pytest.raises(UserError) as refused:
        content("report", spec(), {SCRIPT: text_of(body, SCRIPT)})
    assert refused.value.reason == reason
    assert str(refused.value).startswith("spec.script.configMapKeyRef: ")
    assert told in str(refused.value)


def test_the_longest_text_is_usable() -> None:
    found = content(
        "report", spec(), {SCRIPT: text_of(config_map(data={"report.py": "é" * 131_072}), SCRIPT)}
    )
    assert len(found.document) > 262_144


def test_without_the_text_there_is_no_digest() -> None:
    with pytest.raises(UserError, match="the key .+ of the ConfigMap .+ has not been read"):
        content("report", spec())


# When it is read


# Who hears of a change
