"""What an approver is pointed at first."""

from __future__ import annotations

from typing import Any

import pytest

from agentjobs.present.points import points

BEFORE: dict[str, Any] = {
    "description": "Reports.",
    "schedule": {"cron": "0 8 * * 1"},
    "script": {"inline": "print(1)\n"},
    "packages": ["requests==2.32.3"],
    "env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "crm", "key": "token"}}}],
}


def told(before: dict[str, Any] | None, after: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(point.label, point.value, point.before) for point in points(before, after)]


def test_nothing_but_a_text_that_changed_points_at_nothing() -> None:
    assert told(BEFORE, BEFORE | {"script": {"inline": "print(2)\n"}}) == []


def test_a_first_content_names_all_that_it_may_reach() -> None:
    assert [(label, value) for label, value, _ in told(None, BEFORE)][:3] == [
        ("Secret", "crm/token"),
        ("Package", "requests==2.32.3"),
        ("Schedule", "At 08:00, only on Monday (Etc/UTC)"),
    ]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"packages": ["requests==2.32.3", "six==1.17.0"]}, ("Package", "six==1.17.0", "")),
        (
            {"schedule": {"cron": "0 9 * * 1"}},
            (
                "Schedule",
                "At 09:00, only on Monday (Etc/UTC)",
                "At 08:00, only on Monday (Etc/UTC)",
            ),
        ),
        ({"timeoutSeconds": 60}, ("Time limit", "60s", "59m")),
        ({"workspace": {"claimName": "desk"}}, ("Volume", "desk", "")),
        (
            {"env": [{"name": "B", "valueFrom": {"secretKeyRef": {"name": "crm", "key": "key"}}}]},
            ("Secret", "crm/key", ""),
        ),
        ({"session": "Continuous"}, ("Session", "Continuous", "")),
        ({"resources": {"limits": {"memory": "4Gi"}}}, ("Resources", "memory 4Gi", "")),
        (
            {"triggers": [{"event": {"type": "a.b"}}]},
            ("Triggers", "event a.b from any source", ""),
        ),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_is_new_or_different_is_named(
    change: dict[str, Any], expected: tuple[str, str, str]
) -> None:
    assert expected in told(BEFORE, BEFORE | change)


def test_what_is_taken_away_is_not_pointed_at() -> None:
    assert told(BEFORE, BEFORE | {"packages": [], "env": []}) == []
