"""What a log holds of a runner's report is found, whole and checked, or a sentence says why not."""

from __future__ import annotations

import time
import tracemalloc
import zlib
from collections.abc import Callable
from typing import Final

import pytest

from agentjobs.core.runner.lines import MAX_LINES, EnvelopeError, live_output, read_object
from tests.support.envelopes.recorded import CHECKSUM, RECORDED_LOG, log_of_packed


@pytest.mark.parametrize(
    "log",
    [b"", b"\n", b"hello\n", RECORDED_LOG + b"after\n", RECORDED_LOG + b"\n", RECORDED_LOG[:-10]],
    ids=repr,
)
def test_a_log_that_does_not_end_with_an_end_line_holds_no_envelope(log: bytes) -> None:
    with pytest.raises(EnvelopeError, match=r"^the log ends without the runner's report$"):
        read_object(log, None)


def test_no_envelope_is_believed_when_the_runner_says_that_it_printed_none() -> None:
    with pytest.raises(EnvelopeError, match=r"^the runner printed no report$"):
        read_object(RECORDED_LOG, "")


def test_a_wrong_checksum_is_refused() -> None:
    with pytest.raises(
        EnvelopeError, match=r"^the checksum of the runner's report does not match$"
    ):
        read_object(RECORDED_LOG.replace(CHECKSUM.encode(), b"0" * 64), None)


def test_more_lines_than_a_reader_asks_for_are_refused() -> None:
    with pytest.raises(EnvelopeError, match=r"^the log ends without the runner's report$"):
        read_object(log_of_packed(bytes(6000 * (MAX_LINES + 1))), None)


def test_a_line_longer_than_the_format_allows_counts_as_damaged() -> None:
    padded = RECORDED_LOG.replace(b"1/1 eJx", b"1/1 " + b"A" * 8192 + b"eJx")
    with pytest.raises(
        EnvelopeError, match=r"^line 1 of 1 of the runner's report is missing or damaged$"
    ):
        read_object(padded, None)


@pytest.mark.parametrize("text", [b"A", b"AAAAA", b"AA=A"])
def test_broken_base64_is_refused(text: bytes) -> None:
    marker = b"0" * 32
    log = b"@agentjobs:envelope %s 1/1 %s\n@agentjobs:end %s 1 %s\n" % (
        marker,
        text,
        marker,
        b"0" * 64,
    )
    with pytest.raises(
        EnvelopeError,
        match=(
            r"^(a line of the runner's report is not valid base64"
            r"|line 1 of 1 of the runner's report is missing or damaged)$"
        ),
    ):
        read_object(log, None)


@pytest.mark.parametrize(
    "packed",
    [
        b"\x00",
        b"not zlib",
        zlib.compress(b"{}")[:-1],
        zlib.compress(b"{}") + b"more",
        zlib.compress(b"{}") * 2,
    ],
    ids=["nothing", "not zlib", "cut", "followed by more", "twice"],
)
def test_what_cannot_be_decompressed_is_refused(packed: bytes) -> None:
    with pytest.raises(EnvelopeError, match=r"^the runner's report cannot be decompressed$"):
        read_object(log_of_packed(packed), None)


def test_a_bomb_is_refused_without_being_unpacked() -> None:
    packer = zlib.compressobj(1)
    # 100 MB in 440 KB.
    packed = b"".join(packer.compress(bytes(10**6)) for _ in range(100)) + packer.flush()
    log = log_of_packed(packed)
    tracemalloc.start()
    begun = time.monotonic()
    with pytest.raises(EnvelopeError, match=r"^the runner's report has more than [0-9]+ bytes$"):
        read_object(log, None)
    took, (_, peak) = time.monotonic() - begun, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10 * 1024 * 1024
    assert took < 2


def test_a_huge_log_costs_no_more_than_its_end() -> None:
    log = b"\n" * 5_000_000 + RECORDED_LOG
    begun = time.monotonic()
    assert read_object(log, None)["stdout"] == "hello\n"
    assert time.monotonic() - begun < 1


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"nul",
        b"[1]",
        b'"text"',
        b"[" * 500_000,
        b'{"version":' * 50_000,
        b"\xff",
        b'{"version":1' + b"0" * 5000 + b"}",
        b'{"version":NaN}',
        b'{"version":1,"stdout":"\\ud800"}',
        b'{"version":1,"more":[[[[[]]]]]}',
        b'{"version":1,"more":[' + b"[]," * 200 + b"[]]}",
    ],
    ids=lambda content: repr(content[:15]),
)
def test_what_is_not_a_record_is_refused(content: bytes) -> None:
    with pytest.raises(EnvelopeError, match=r"^the runner's report is not "):
        read_object(log_of_packed(zlib.compress(content)), None)


WORST: Final[dict[str, Callable[[], bytes]]] = {
    "ends": lambda: b"@agentjobs:end " * 500_000,
    "a long line": lambda: b"@agentjobs:envelope " + b"A" * 8_000_000,
    "parts": lambda: (b"@agentjobs:envelope " + b"0" * 32 + b" 1/90 " + b"A" * 8000 + b"\n") * 1000,
    "filler": lambda: b"@agentjobs:filler " + b"." * 8_000_000 + b"\n",
    "end lines": lambda: (b"@agentjobs:end " + b"0" * 32 + b" 90 " + b"f" * 64 + b"\n") * 60_000,
    "a bomb": lambda: log_of_packed(zlib.compress(b" " * 50_000_000)),
    "depth": lambda: log_of_packed(zlib.compress(b"[" * 600_000)),
    "values": lambda: log_of_packed(
        zlib.compress(b'{"version":1,"x":[' + b"{}," * 200_000 + b"{}]}")
    ),
}
"""Made when they are needed: every process of a run reads this module."""


@pytest.mark.parametrize("what", WORST)
def test_the_worst_logs_are_refused_in_a_moment(what: str) -> None:
    log = WORST[what]()
    begun = time.process_time()
    for checksum in (None, CHECKSUM):
        with pytest.raises(EnvelopeError):
            read_object(log, checksum)
    live_output(log)
    assert time.process_time() - begun < 2.0
