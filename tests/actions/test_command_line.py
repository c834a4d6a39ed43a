"""The command line adds commands and exit codes to refusals, and decides nothing."""

from __future__ import annotations

from typing import get_args

import pytest

from agentjobs.actions.refusal import Cause, Refusal
from agentjobs.cli.errors import Exit
from agentjobs.cli.writing import ENDINGS, refused

CAUSES: tuple[Cause, ...] = get_args(Cause)


@pytest.mark.parametrize("cause", CAUSES)
def test_each_refusal_has_its_exit_code_and_says_what_to_do(cause: Cause) -> None:
    error = refused(Refusal(cause, "why {this}", "do {that}", ("a", "b"), "team"))
    assert error.message == "why {this}"
    assert (error.code is Exit.OK, bool(error.remedy)) == (False, True)
    assert set(ENDINGS) == set(CAUSES)


def test_a_refusal_names_the_command_for_what_has_to_be_looked_at() -> None:
    changed = refused(Refusal("Changed", "why", "read it again", ("report",)))
    assert changed.remedy == "read it again: `kubectl saj cards report`"
    denied = refused(Refusal("Denied", "why", "take it back", ("a", "b"), "team"))
    assert denied.remedy == "take it back: `kubectl delete aja a b --namespace team`"
