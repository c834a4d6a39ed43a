"""Filler behind an envelope is recognised as the runner's own, and nothing else is."""

from __future__ import annotations

import random

import pytest

from agentjobs.core.runner.envelope import read_envelope
from agentjobs.core.runner.lines import EnvelopeError
from agentjobs_runner import envelope as writer
from tests.support.envelopes.written import written


def noise(seed: int, size: int) -> bytes:
    """Bytes that hardly compress."""
    return random.Random(seed).randbytes(size)


def filler(marker: str, lines: int) -> bytes:
    return writer.filler(marker, lines * writer.MAX_LINE_BYTES)


@pytest.mark.parametrize("lines", [1, 24, 56])
def test_filler_after_the_envelope_is_recognised_even_with_a_cut_line(lines: int) -> None:
    envelope = written(noise(1, 30_000))
    log = b"".join(envelope.lines) + filler(envelope.marker, lines)
    assert read_envelope(log) == read_envelope(log, envelope.checksum)
    for cut in (1, 2, 100, writer.MAX_LINE_BYTES - 20):
        assert read_envelope(log[:-cut], envelope.checksum).stderr == "err\n"


def test_filler_is_long_lines_and_at_least_as_much_as_was_asked_for() -> None:
    for size in (1, 8192, 8193, 192 * 1024):
        lines = writer.filler("0" * 32, size).splitlines(keepends=True)
        assert {len(line) for line in lines} == {writer.MAX_LINE_BYTES}
        assert size <= 8192 * len(lines) < size + 8192
    assert writer.filler("0" * 32, 0) == b""


@pytest.mark.parametrize(
    "behind", [filler("0" * 32, 1), filler("0" * 32, 24) + b"text\n", b"@agentjobs:filler\n"]
)
def test_only_its_own_filler_may_follow_an_envelope_that_is_not_named(behind: bytes) -> None:
    envelope = written()
    log = b"".join(envelope.lines)
    assert read_envelope(log + filler(envelope.marker, 1)).stdout == "out\n"
    for late in (behind, filler(envelope.marker, 1) + behind, behind + filler(envelope.marker, 1)):
        with pytest.raises(EnvelopeError, match="the log ends without the runner's report"):
            read_envelope(log + late)
        assert read_envelope(log + late, envelope.checksum).stdout == "out\n"
