"""A session file that pi would refuse for ever is recognised, and one that it can use is not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agentjobs_pi.session import damage

HEADER = json.dumps(
    {
        "type": "session",
        "version": 3,
        "id": "0199",
        "timestamp": "2026-11-24T08:00:00Z",
        "cwd": "/workspace",
    }
).encode()


@pytest.mark.parametrize(
    "content",
    [None, b"", HEADER + b"\n", HEADER + b'\n{"type":"message","id":"1"}\n{"type":"mess', HEADER],
)
def test_what_pi_can_continue_is_left_alone(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "session.jsonl").write_bytes(content)
    assert damage(tmp_path / "session.jsonl") == ""


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"\x00" * 4096, "its first line is not JSON"),
        (b"\n" + HEADER, "its first line is not JSON"),
        (HEADER[:40], "its first line is not JSON"),
        (HEADER.replace(b"session", b"message") + b"\n", "its first line is not that of a session"),
        (b"[]\n", "its first line is not that of a session"),
        (
            HEADER.replace(b"/workspace", b"/elsewhere") + b"\n",
            "it belongs to another working directory",
        ),
    ],
)
def test_what_pi_would_refuse_is_damaged(tmp_path: Path, content: bytes, problem: str) -> None:
    (tmp_path / "session.jsonl").write_bytes(content)
    assert damage(tmp_path / "session.jsonl") == problem
