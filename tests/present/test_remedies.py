"""What screens say to do is what the troubleshooting page says."""

from __future__ import annotations

import re

from agentjobs.present import remedies
from tests.support.root import ROOT

PAGE = ROOT / "docs" / "troubleshooting.md"
LINK = re.compile(r"\[([^\]]+)\]\([^)]*\)")


def test_every_remedy_is_on_the_page_next_to_its_reason() -> None:
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith("| ")]
    written = {
        (reason, LINK.sub(r"\1", row.strip("| ").rsplit(" | ", 1)[-1]))
        for row in rows
        for reason in re.findall(r"`([A-Z][A-Za-z]+)`", row.split(" | ")[0])
    }
    known = {*remedies.RUNS.items(), *remedies.CONDITIONS.items()}
    assert known - written == set()
    assert len(known) > 50


def test_what_needs_nothing_has_no_remedy() -> None:
    assert remedies.of_run("Completed") == remedies.of_condition(None) == ""
