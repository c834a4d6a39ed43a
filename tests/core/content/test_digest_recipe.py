"""The recipe of the digest never changes, and a revision is read back as what was approved."""

from __future__ import annotations

import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentjobs.api.job import ScheduledAgentJobSpec
from agentjobs.core.content.digest import content, parse_revision
from agentjobs.core.errors import UserError
from tests.support import manifests


def spec(**fields: object) -> ScheduledAgentJobSpec:
    return ScheduledAgentJobSpec.model_validate(manifests.job("report", **fields)["spec"])


def test_the_digest_is_the_sha256_of_the_canonical_document() -> None:
    found = content("report", spec())
    assert found.digest == hashlib.sha256(found.document).hexdigest()
    body = {"description": "Writes the weekly report.", "script": {"inline": "print('hello')\n"}}
    assert (
        found.document
        == json.dumps(
            {"name": "report", "recipe": 1, "spec": body}, sort_keys=True, separators=(",", ":")
        ).encode()
    )


def test_the_digest_recipe_never_changes() -> None:
    """Approvals outlive releases: this digest was computed when the recipe was fixed."""
    assert (
        content("report", spec()).digest
        == "a0b2c819ef3cbcd8eb81bc77ec76138379579c78592c1a1bad6e2d745db6ff40"
    )


@pytest.mark.parametrize(
    "explicit",
    [
        {"suspend": False},
        {"schedule": {}},
        {"schedule": {"timeZone": "Etc/UTC", "startingDeadlineSeconds": 300}},
        {
            "session": "Ephemeral",
            "env": [],
            "resources": {"requests": {}, "limits": {}},
            "timeoutSeconds": 3540,
        },
        {"history": {"successful": 3, "failed": 4}},
        {"suspend": True},
    ],
)
def test_explicit_defaults_and_operating_fields_do_not_change_the_digest(
    explicit: dict[str, object],
) -> None:
    assert content("report", spec(**explicit)).digest == content("report", spec()).digest


CHANGES: dict[str, object] = {
    "description": "Another.",
    "schedule": {"cron": "0 8 * * 1"},
    "script": {"inline": "print('hellO')\n"},
    "env": [{"name": "A", "value": "1"}],
    "resources": {"limits": {"memory": "1Gi"}},
    "packages": ["requests==2.32.3"],
    "workspace": {"claimName": "reports"},
    "timeoutSeconds": 60,
}


@pytest.mark.parametrize("field", CHANGES)
def test_every_covered_field_changes_the_digest(field: str) -> None:
    assert (
        content("report", spec(**{field: CHANGES[field]})).digest
        != content("report", spec()).digest
    )


def test_the_name_changes_the_digest() -> None:
    assert content("report", spec()).digest != content("other", spec()).digest


def test_equal_quantities_written_as_number_and_text_have_one_digest() -> None:
    first, second = ({"resources": {"limits": {"cpu": value}}} for value in (1, "1"))
    assert content("report", spec(**first)).digest == content("report", spec(**second)).digest


@given(st.text(st.characters(blacklist_categories=["Cs", "Cc", "Cf"]), min_size=1, max_size=200))
def test_a_revision_reads_back_as_the_content_that_was_approved(text: str) -> None:
    found = content("report", spec(script={"inline": text}))
    assert parse_revision("report", found.document, found.digest) == found


def test_a_revision_that_was_tampered_with_is_refused() -> None:
    found = content("report", spec())
    with pytest.raises(UserError, match="does not match its digest"):
        parse_revision("report", found.document.replace(b"hello", b"hullo"), found.digest)
    with pytest.raises(UserError, match="does not belong to other"):
        parse_revision("other", found.document, found.digest)
    junk = b'{"recipe":1}'
    with pytest.raises(UserError, match="cannot read"):
        parse_revision("report", junk, hashlib.sha256(junk).hexdigest())


def test_a_content_too_large_for_a_config_map_is_refused_with_advice() -> None:
    with pytest.raises(UserError, match="shorten the script"):
        content(
            "report",
            spec(
                script={"inline": '"' * 131_072 + "\\" * 131_000},
                env=[{"name": f"A{n}", "value": "\\" * 32_768} for n in range(8)],
            ),
        )
