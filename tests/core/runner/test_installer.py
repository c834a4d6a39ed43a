"""What an installer says: its last word, and the list in its log, which may be a forgery."""

from __future__ import annotations

import json

import pytest

from agentjobs.core.runner.installer import (
    Installation,
    Resolution,
    read_installation,
    read_resolution,
)
from agentjobs.core.runner.lines import EnvelopeError
from agentjobs.testing.envelopes import envelope
from tests.support.packages import (
    FOUND,
    LAST_WORD,
    REQUIREMENTS,
)


def said(resolved: object = "a==1", requirements: object = "", **more: object) -> tuple[bytes, str]:
    log = b"noise of uv\n" + envelope(
        json.dumps(
            {"version": 1, "resolved": resolved, "requirements": requirements, **more}
        ).encode()
    )
    return log, log.split()[-1].decode()


def test_what_was_installed_is_read_back() -> None:
    assert read_resolution(*said("requests==2.32.3\nsix==1.17.0", REQUIREMENTS)) == FOUND
    assert read_resolution(*said("a==1")) == Resolution(("a==1",), "")


@pytest.mark.parametrize(
    ("resolved", "requirements"),
    [
        (None, ""),
        ("a==1", 7),
        ("", ""),
        ("a==1\n-r x", ""),
        ("a>=1", ""),
        ("a==1", "a==2 \\\n"),
        ("a==1", "a==1 \\\n--index-url http://evil\n"),
        ("a==1", "a==1 \\\n    --hash=sha256:12\n"),
        ("a==1", "a==1 @ http://evil \\\n"),
        ("a==1", "x" * 600_001),
        ("\n".join(f"p{n}==1" for n in range(501)), ""),
    ],
)
def test_a_list_that_is_none_is_refused(resolved: object, requirements: object) -> None:
    with pytest.raises(EnvelopeError):
        read_resolution(*said(resolved, requirements))


def test_only_the_envelope_that_the_installer_named_counts() -> None:
    log, checksum = said("evil==1")
    with pytest.raises(EnvelopeError):
        read_resolution(log, "f" * 64)
    assert read_resolution(log, checksum).resolved == ("evil==1",)


def test_a_termination_message_is_the_installers_or_nothing() -> None:
    assert read_installation(json.dumps(LAST_WORD)) == Installation(
        "PackageInstallFailed", "uv could not", ""
    )
    bad: list[dict[str, object]]
    bad = [
        {"version": 2},
        {"reason": "no reason"},
        {"reason": 1},
        {"message": None},
        {"sha256": "12"},
        {"message": "x" * 5000},
    ]
    assert [read_installation(json.dumps({**LAST_WORD, **change})) for change in bad] == [
        None
    ] * len(bad)
    assert [read_installation(text) for text in ("", "[]", "{", "null", "[" * 2000)] == [None] * 5


def test_a_resolution_covers_pins_in_any_spelling_and_only_in_that_version() -> None:
    assert FOUND.covers(["SIX==1.17", "requests==2.32.3"])
    assert not FOUND.covers(["six==1.17.1"])
    assert not FOUND.covers(["six==1.17.0", "other==1"])
