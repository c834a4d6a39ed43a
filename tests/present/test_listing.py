"""Finding jobs among thousands."""

from __future__ import annotations

from typing import Any

import pytest

from agentjobs.present import listing
from agentjobs.present.listing import PAGE, Choice


def job(name: str, namespace: str = "team", description: str = "", **status: Any) -> dict[str, Any]:
    labels = status.pop("labels", {})
    return {
        "metadata": {"name": name, "namespace": namespace, "labels": labels},
        "spec": {"description": description},
        "status": status,
    }


WAITS: dict[str, Any] = {
    "phase": "PendingApproval",
    "approval": {"state": "Pending"},
    "card": {"digest": "d"},
}
JOBS = [
    job("backlinks", description="Lost links, each Monday", phase="Failed", nextRunAt="2026-12-01"),
    job("audit", "ops", "Audits the site", phase="Scheduled", nextRunAt="2026-11-30"),
    job("mail", description="Reads mail", phase="Paused", lastRunAt="2026-11-01T00:00:00Z"),
    job("brief", description="Briefs", phase="Running", lastRunAt="2026-11-20T00:00:00Z"),
    job("draft", "team", "Drafts", labels={"tier": "gold"}, **WAITS),
]


def names(choice: Choice) -> list[str]:
    return [found["metadata"]["name"] for found in listing.found(JOBS, choice).jobs]


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (Choice(), ["audit", "backlinks", "brief", "draft", "mail"]),
        (Choice(words="link"), ["backlinks"]),
        (Choice(words="MONDAY lost"), ["backlinks"]),
        (Choice(words="ops/"), ["audit"]),
        (Choice(words="monday mail"), []),
        (Choice(namespace="ops"), ["audit"]),
        (Choice(show="waiting"), ["draft"]),
        (Choice(show="failed"), ["backlinks"]),
        (Choice(show="running"), ["brief"]),
        (Choice(show="paused"), ["mail"]),
        (
            Choice(show="nonsense", order="nonsense"),
            ["audit", "backlinks", "brief", "draft", "mail"],
        ),
        (Choice(label="tier"), ["draft"]),
        (Choice(label="tier=gold"), ["draft"]),
        (Choice(label="tier=silver"), []),
        (Choice(order="next"), ["audit", "backlinks", "brief", "draft", "mail"]),
        (Choice(order="last"), ["brief", "mail", "audit", "backlinks", "draft"]),
        (Choice(order="status"), ["backlinks", "mail", "draft", "brief", "audit"]),
    ],
    ids=str,
)
def test_a_choice_finds_these_jobs_in_this_order(choice: Choice, expected: list[str]) -> None:
    assert names(choice) == expected


def test_facets_count_what_the_other_choices_leave() -> None:
    counts = listing.found(JOBS, Choice(namespace="team", show="failed")).counts
    assert counts == {"": 4, "waiting": 1, "failed": 1, "running": 1, "paused": 1}


def test_pages_hold_everything_once() -> None:
    many = [job(f"job-{number:03}") for number in range(2 * PAGE + 1)]
    pages = [listing.found(many, Choice(page=page)) for page in (1, 2, 3)]
    assert [len(page.jobs) for page in pages] == [PAGE, PAGE, 1]
    assert [each["metadata"]["name"] for page in pages for each in page.jobs] == [
        each["metadata"]["name"] for each in many
    ]
    assert (pages[0].pages, pages[0].total) == (3, 2 * PAGE + 1)


@pytest.mark.parametrize(("asked", "shown"), [(0, 1), (-5, 1), (99, 1)])
def test_a_page_that_is_not_there_is_the_nearest_one(asked: int, shown: int) -> None:
    assert listing.found(JOBS, Choice(page=asked)).page == shown


def test_a_choice_is_an_address_and_another_one_begins_with_its_first_page() -> None:
    choice = Choice("a b", "failed", "team", "tier=gold", "next", 3)
    assert listing.query(choice, page=3)["page"] == 3
    assert listing.query(choice, show="paused") == {
        "q": "a b",
        "show": "paused",
        "namespace": "team",
        "label": "tier=gold",
        "order": "next",
        "page": "",
    }


def test_a_job_without_a_status_is_found() -> None:
    bare = {"metadata": {"name": "new", "namespace": "team"}, "spec": {}}
    assert listing.found([bare], Choice(words="new", order="last")).jobs == [bare]
