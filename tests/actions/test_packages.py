"""Decisions about packages: all that were shown, in one object."""

from __future__ import annotations

from typing import Any

import pytest

from agentjobs.actions import packages
from agentjobs.actions.decisions import Decision
from agentjobs.actions.refusal import Refusal
from agentjobs.api.approval import PackageApprovalSpec
from agentjobs.core.content.packages import Packages, card_lines
from agentjobs.core.plan import Write

Json = dict[str, Any]
PINS = ["six==1.17.0", "Requests==2.32.3"]


@pytest.mark.parametrize("word", ["Approved", "Denied"])
def test_packages_are_decided_about_as_they_were_shown(word: Decision) -> None:
    write = packages.decide(PINS, word, "read it")
    assert isinstance(write, Write)
    assert (write.verb, write.kind) == ("create", "packageapproval")
    assert write.sent == {
        "apiVersion": "agentjobs.dev/v1alpha1",
        "kind": "PackageApproval",
        "metadata": {"generateName": "packages-"},
        "spec": {"packages": PINS, "decision": word, "reason": "read it"},
    }
    assert PackageApprovalSpec.model_validate(write.sent["spec"]).packages == tuple(PINS)


@pytest.mark.parametrize("word", ["requests", "requests>=2", "./requests.py", ""])
def test_what_is_no_exact_version_is_not_decided_about(word: str) -> None:
    refusal = packages.decide(["six==1.17.0", word], "Approved")
    assert isinstance(refusal, Refusal)
    assert (refusal.cause, refusal.message) == (
        "Invalid",
        f"{word} is not a package with its version",
    )


def test_the_packages_that_wait_are_those_that_cards_say_need_approval() -> None:
    """In the words in which the operator writes them."""
    lines = card_lines([*PINS, "pandas==2.2.0"], Packages(frozenset({"pandas==2.2"})))
    jobs: list[Json] = [
        {"status": {"card": {"packages": list(lines)}}},
        {"status": {"card": {}}},
        {},
    ]
    assert packages.waiting([*jobs, *jobs]) == sorted(PINS)


def test_the_decision_that_was_shown_is_withdrawn() -> None:
    write = packages.withdraw({"metadata": {"name": "packages-7", "uid": "u-7"}})
    assert (write.verb, write.kind, write.name) == ("delete", "packageapproval", "packages-7")
    assert (write.sent or {})["preconditions"] == {"uid": "u-7"}
