"""The runner writes, the operator reads: two programs that share only the envelope's format."""

from __future__ import annotations

import binascii
import contextlib
import dataclasses
import json
import random
import zlib
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentjobs.core.runner import envelope as reader
from agentjobs.core.runner import lines
from agentjobs.core.runner.envelope import Envelope, ShortForm, read_envelope, read_short_form
from agentjobs.core.runner.lines import EnvelopeError
from agentjobs.present.output import ENVELOPE
from agentjobs_runner import envelope as writer
from agentjobs_runner import livelog
from agentjobs_runner.report import RefusedError, Report
from tests.support.envelopes.written import DIGEST, RUN_ID, captured, report, written


def noise(seed: int, size: int) -> bytes:
    """Bytes that hardly compress."""
    return random.Random(seed).randbytes(size)


OUTPUT = st.one_of(
    st.binary(max_size=200),
    st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.builds(noise, st.integers(), st.integers(0, 60_000)),
    st.builds(
        lambda data, times: data * times, st.binary(min_size=1, max_size=50), st.integers(0, 2000)
    ),
)


def log_of(record: object, level: int = 9) -> bytes:
    """A log whose envelope is formally right, whatever the record."""
    return log_of_packed(zlib.compress(json.dumps(record).encode(), level))


def log_of_packed(packed: bytes) -> bytes:
    return b"".join(writer.envelope_lines(packed, sha256(packed).hexdigest(), "0" * 32))


def record() -> dict[str, object]:
    lines = written().lines
    packed = binascii.a2b_base64(lines[0].split()[3])
    value = json.loads(zlib.decompress(packed))
    assert isinstance(value, dict)
    return value


def test_the_constants_agree() -> None:
    read = vars(lines) | vars(reader)
    shared = {name for name in vars(writer) if name.isupper()} & read.keys()
    assert shared >= {
        "VERSION",
        "LINE_PREFIX",
        "END_PREFIX",
        "FILLER_PREFIX",
        "MAX_LINE_BYTES",
        "MAX_LINES",
        "MAX_TERMINATION_BYTES",
    }
    for name in shared - {"TYPE_CHECKING", "MAX_TAIL_BYTES"}:
        assert getattr(writer, name) == read[name], name
    # An invalid byte is shown as four characters.
    assert reader.MAX_TAIL_BYTES == 4 * writer.MAX_TAIL_BYTES
    pipes_of_64_kib = 192 * 1024 // writer.MAX_LINE_BYTES
    assert writer.MAX_LINES + 1 + 2 * pipes_of_64_kib < lines.TAIL_LINES
    most = livelog.MAX_FILLER_BYTES // writer.MAX_LINE_BYTES
    assert writer.MAX_LINES + 1 + 2 * most + livelog.MANY_LINES < lines.WIDE_LINES


@settings(deadline=None)
@given(stdout=OUTPUT, stderr=OUTPUT, log_dropped=st.integers(0, 2**40))
def test_what_is_written_is_read(stdout: bytes, stderr: bytes, log_dropped: int) -> None:
    envelope = written(stdout, stderr, log_dropped=log_dropped)
    read = read_envelope(stdout + b"\n" + b"".join(envelope.lines))
    assert (read.stdout, read.stdout_dropped_bytes) == captured(stdout).text()
    assert (read.stderr, read.stderr_dropped_bytes) == captured(stderr).text()
    assert (read.run_id, read.digest, read.outcome, read.exit_code) == (RUN_ID, DIGEST, "Exited", 0)
    assert read.log_dropped_bytes == log_dropped


@pytest.mark.slow
@settings(deadline=None)
@given(stdout=OUTPUT, stderr=OUTPUT)
def test_the_short_form_says_the_same_within_4096_bytes(stdout: bytes, stderr: bytes) -> None:
    envelope = written(stdout, stderr)
    assert len(envelope.termination) <= 4096
    short = read_short_form(envelope.termination.decode())
    assert short is not None
    read = read_envelope(b"".join(envelope.lines), short.sha256)
    assert (short.sha256, short.lines) == (envelope.checksum, len(envelope.lines) - 1)
    for field in dataclasses.fields(Envelope):
        if field.name not in ("stdout", "stderr"):
            assert getattr(short, field.name) == getattr(read, field.name)
    assert read.stdout.endswith(short.stdout_tail)
    assert read.stderr.endswith(short.stderr_tail)


@pytest.mark.parametrize(
    ("code", "outcome", "exit_code", "reason", "message"),
    [
        (0, "Exited", 0, "Completed", "the script exited with code 0"),
        (3 << 8, "Exited", 3, "ScriptFailed", "the script exited with code 3"),
        (9, "Exited", 137, "KilledBySignal", "the script was killed by SIGKILL"),
        (40, "Exited", 168, "KilledBySignal", "the script was killed by signal 40"),
    ],
)
def test_every_way_to_exit_is_read(
    code: int, outcome: str, exit_code: int, reason: str, message: str
) -> None:
    ended = report()
    ended.exited(code)
    read = read_envelope(b"".join(written(report=ended).lines))
    assert (read.outcome, read.exit_code, read.reason, read.message) == (
        outcome,
        exit_code,
        reason,
        message,
    )


def test_every_other_end_is_read() -> None:
    ends = {}
    for name in ("timed_out", "terminated", "refused", "failed"):
        ended = report()
        arguments = {
            "timed_out": (10,),
            "refused": (RefusedError("DigestMismatch", "no"),),
            "failed": (MemoryError(),),
        }
        getattr(ended, name)(*arguments.get(name, ()))
        read = read_envelope(b"".join(written(report=ended).lines))
        ends[name] = (read.outcome, read.exit_code, read.reason)
    assert ends == {
        "timed_out": ("TimedOut", 124, "Timeout"),
        "terminated": ("Terminated", 143, "Terminated"),
        "refused": ("Refused", 78, "DigestMismatch"),
        "failed": ("Refused", 70, "RunnerFailed"),
    }


def test_a_runner_that_failed_is_read_from_its_termination_message() -> None:
    failed = Report("", "")
    failed.failed(OSError(24, "secret"))
    short = read_short_form(writer.failure(failed).decode())
    assert isinstance(short, ShortForm)
    assert (short.exit_code, short.reason, short.sha256, short.lines, short.started_at) == (
        70,
        "RunnerFailed",
        "",
        0,
        None,
    )
    assert (
        short.message
        == "the runner itself failed: OSError (Too many open files) at an unknown place"
    )


@pytest.mark.parametrize(
    "alphabet",
    [
        bytes(range(256)),
        bytes(range(128, 256)),
        bytes(range(32)),
        bytes([0x80, 0xFF, 0x00, 0x22, 0x5C]),
        "é€😀漢".encode(),
        bytes(range(32, 127)),
    ],
    ids=["any", "invalid", "control", "invalid and escaped", "several bytes", "printable"],
)
def test_the_longest_record_fits_the_lines_that_are_read(alphabet: bytes) -> None:
    full = bytes(alphabet[byte % len(alphabet)] for byte in noise(7, 51_200))
    envelope = written(full, full[::-1])
    assert len(envelope.lines) <= writer.MAX_LINES + 1 < lines.TAIL_LINES
    assert all(
        len(line) <= writer.MAX_LINE_BYTES and line.endswith(b"\n") for line in envelope.lines
    )
    assert len(envelope.termination) <= writer.MAX_TERMINATION_BYTES
    assert read_envelope(b"".join(envelope.lines)).stdout == full.decode(errors="backslashreplace")


def test_late_lines_of_the_other_stream_do_no_harm_to_a_named_envelope() -> None:
    envelope = written(noise(1, 30_000))
    late = [f"late line {number}\n".encode() for number in range(8)]
    first, *others, end = envelope.lines
    log = b"".join([first, late[0], *others, late[1], end, *late[2:]])
    assert read_envelope(log, envelope.checksum).stderr == "err\n"
    with pytest.raises(EnvelopeError, match="the log ends without the runner's report"):
        read_envelope(log)


def test_a_late_forged_envelope_is_not_taken_for_the_one_that_is_named() -> None:
    true, forged = written(b"true\n"), written(b"forged\n")
    log = b"".join([*true.lines, *forged.lines])
    assert read_envelope(log, true.checksum).stdout == "true\n"
    with pytest.raises(
        EnvelopeError, match="the end of the log does not contain the runner's report"
    ):
        read_envelope(b"".join(forged.lines), true.checksum)


def test_a_forged_envelope_before_the_true_one_is_output() -> None:
    forged = b"".join(written(b"forged\n").lines)
    assert read_envelope(forged + b"".join(written(forged).lines)).stdout == forged.decode()


def test_lines_of_another_marker_are_not_mixed_in() -> None:
    packed = zlib.compress(json.dumps(record()).encode())
    one, two = packed[:100], packed[100:]
    whole = log_of_packed(packed).splitlines()[-1]
    marker = b"0" * 32
    first = b"@agentjobs:envelope " + marker + b" 1/2 " + binascii.b2a_base64(one)
    second = b"@agentjobs:envelope " + b"1" * 32 + b" 2/2 " + binascii.b2a_base64(two)
    with pytest.raises(EnvelopeError, match="line 2 of 2 of the runner's report is missing"):
        read_envelope(first + second + whole.replace(marker + b" 1 ", marker + b" 2 "))


def test_each_missing_line_is_named() -> None:
    lines = written(noise(1, 50_000)).lines
    count = len(lines) - 1
    assert count > 3
    for number in range(1, count + 1):
        with pytest.raises(
            EnvelopeError,
            match=f"^line {number} of {count} of the runner's report is missing or damaged$",
        ):
            read_envelope(b"".join(lines[: number - 1] + lines[number:]))


def test_a_log_that_ends_too_early_is_refused() -> None:
    log = b"".join(written(noise(1, 20_000)).lines)
    for end in (*range(0, len(log) - 200, 997), *range(len(log) - 200, len(log) - 1)):
        with pytest.raises(EnvelopeError):
            read_envelope(log[:end])


@settings(deadline=None)
@given(position=st.integers(0, 10**6), value=st.integers(0, 255))
def test_a_changed_byte_is_noticed(position: int, value: int) -> None:
    log = bytearray(b"".join(written(b"x" * 5000 + b"\n").lines))
    true = read_envelope(bytes(log))
    log[position % len(log)] = value
    with contextlib.suppress(EnvelopeError):
        assert read_envelope(bytes(log)) == true


@settings(deadline=None)
@given(
    lines=st.lists(
        st.sampled_from(
            [
                *written(b"x" * 60_000).lines,
                b"@agentjobs:end\n",
                b"@agentjobs:envelope  1/1 \n",
                b"text\n",
            ]
        )
    )
)
def test_a_log_of_shuffled_lines_is_read_or_refused(lines: list[bytes]) -> None:
    with contextlib.suppress(EnvelopeError):
        assert read_envelope(b"".join(lines)).stdout_dropped_bytes == 60_000 - 51_200


@settings(deadline=None)
@given(st.binary(max_size=5000))
def test_any_other_log_is_refused(log: bytes) -> None:
    with pytest.raises(EnvelopeError, match=r"^the log ends without the runner's report$"):
        read_envelope(log)


def filler(marker: str, lines: int) -> bytes:
    return writer.filler(marker, lines * writer.MAX_LINE_BYTES)


FORGED = written(b"forged\n")
SCRIPT_LINES = st.lists(
    st.sampled_from(
        [
            *FORGED.lines,
            filler(FORGED.marker, 1),
            filler("0" * 32, 1),
            b"@agentjobs:filler \n",
            b"1\n",
            b"x" * 9000 + b"\n",
        ]
    ),
    max_size=20,
)


@pytest.mark.slow
@settings(deadline=None)
@given(
    stdout=st.one_of(st.just(b"out\n"), st.builds(noise, st.integers(), st.integers(0, 50_000))),
    printed=SCRIPT_LINES,
    late=st.lists(st.integers(0, 10**6), max_size=24),
    behind=st.integers(0, 24),
)
def test_whatever_a_script_prints_before_it_the_runners_envelope_is_read(
    stdout: bytes, printed: list[bytes], late: list[int], behind: int
) -> None:
    """late: where filler of stderr stands between and behind the runner's lines.

    A script is dead by then, but not what it printed.
    """
    envelope = written(stdout, b"".join(printed))
    lines = [*envelope.lines, *[filler(envelope.marker, 1)] * behind]
    for place in late:
        lines.insert(place % (len(lines) + 1), filler(envelope.marker, 1))
    log = b"".join([*printed, *lines])
    read = read_envelope(log)
    assert read == read_envelope(log, envelope.checksum)
    assert (read.stdout, read.stderr) == (
        captured(stdout).text()[0],
        captured(b"".join(printed)).text()[0],
    )


@pytest.mark.slow
@settings(deadline=None)
@given(printed=SCRIPT_LINES, between=SCRIPT_LINES, behind=st.integers(0, 24))
def test_late_stderr_neither_forges_nor_hides_the_envelope_that_is_named(
    printed: list[bytes], between: list[bytes], behind: int
) -> None:
    envelope = written(noise(3, 20_000))
    first, *others = envelope.lines
    log = b"".join(
        [*printed, first, *between, *others, filler(envelope.marker, behind), *between, *printed]
    )
    assert read_envelope(log, envelope.checksum).stderr == "err\n"


def test_followers_of_a_run_see_the_scripts_lines_and_none_of_the_runners() -> None:
    envelope = written(noise(1, 30_000))
    ours = [*envelope.lines, *filler(envelope.marker, 2).splitlines(keepends=True)]
    assert all(ENVELOPE.match(line) for line in ours)
    for line in (
        f"@agentjobs:filler {envelope.marker} ...x\n",
        "@agentjobs:filler x ...\n",
        "@agentjobs:end\n",
    ):
        assert not ENVELOPE.match(line.encode())
