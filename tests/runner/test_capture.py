"""What is kept of a stream: all, or its first and last bytes, and an exact count of the rest."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentjobs_runner.capture import (
    HEAD_BYTES,
    TAIL_BYTES,
    Capture,
    without_cut_end,
    without_cut_start,
)

CHARACTERS = "aé€😀"


def captured(data: bytes, size: int = 65536) -> Capture:
    capture = Capture()
    for start in range(0, len(data), size):
        capture.feed(data[start : start + size])
    return capture


@settings(deadline=None)
@given(data=st.binary(max_size=300), repeat=st.integers(0, 1000), size=st.integers(1, 70_000))
def test_kept_and_dropped_add_up_and_a_beginning_and_an_end_are_kept(
    data: bytes, repeat: int, size: int
) -> None:
    total = data * repeat
    capture = captured(total, size)
    head, tail = capture.kept()
    text, dropped = capture.text()
    assert capture.total == len(total)
    assert len(head) + len(tail) + dropped == len(total)
    assert total.startswith(head)
    assert total.endswith(tail)
    assert (
        dropped == 0
        if len(total) <= HEAD_BYTES + TAIL_BYTES
        else dropped >= len(total) - HEAD_BYTES - TAIL_BYTES
    )
    assert (f"[agentjobs: {dropped} bytes dropped here]" in text) == (dropped > 0)


@pytest.mark.parametrize("shift", range(12))
@pytest.mark.parametrize("pattern", [*CHARACTERS, CHARACTERS])
def test_no_character_is_ever_halved_wherever_the_cuts_fall(pattern: str, shift: int) -> None:
    total = "." * shift + pattern * (80_000 // len(pattern.encode()))
    text, dropped = captured(total.encode()).text()
    head, tail = text.split(f"\n[agentjobs: {dropped} bytes dropped here]\n")
    assert "\\x" not in text
    assert total.startswith(head)
    assert total.endswith(tail)
    assert len(head.encode()) in range(HEAD_BYTES - 3, HEAD_BYTES + 1)
    assert len(tail.encode()) in range(TAIL_BYTES - 3, TAIL_BYTES + 1)


@pytest.mark.parametrize("size", [1, 7, 25_600, 51_200])
def test_51200_bytes_are_kept_whole_with_a_character_across_the_middle(size: int) -> None:
    total = "." * 25_599 + "€" + "." * (51_200 - 25_599 - 3)
    assert captured(total.encode(), size).text() == (total, 0)


def test_half_a_character_that_the_script_itself_wrote_is_shown() -> None:
    assert captured(b"\x82\xac and \xe2\x82").text() == ("\\x82\\xac and \\xe2\\x82", 0)


@settings(deadline=None)
@given(
    text=st.text(st.sampled_from(CHARACTERS), max_size=30),
    start=st.integers(0, 60),
    end=st.integers(0, 60),
)
def test_a_cut_text_loses_its_halved_characters_and_no_other(
    text: str, start: int, end: int
) -> None:
    data = text.encode()[start : len(text.encode()) - end]
    trimmed = without_cut_end(without_cut_start(data))
    assert trimmed.decode() in text
    assert len(data) - len(trimmed) <= 6


@settings(deadline=None)
@given(st.binary(max_size=20))
def test_a_cut_never_costs_more_than_3_bytes(data: bytes) -> None:
    assert len(data) - len(without_cut_start(data)) <= 3
    assert len(data) - len(without_cut_end(data)) <= 3


@settings(deadline=None)
@given(data=st.binary(max_size=3000), limit=st.integers(1, 1000))
def test_the_last_bytes_are_an_end_of_the_stream_within_the_limit(data: bytes, limit: int) -> None:
    last = captured(data).last(limit)
    assert data.decode(errors="backslashreplace").endswith(last) or len(data) > limit
    assert len(last) <= 4 * limit


def test_the_last_bytes_of_a_long_stream_come_from_its_tail() -> None:
    assert captured(b"a" * 60_000 + "é".encode() * 600).last(1000) == "é" * 500
    assert captured(b"a" * 60_000 + "é".encode() * 600).last(999) == "é" * 499
