"""Output: passed on live, bounded, and kept as it was written."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentjobs_runner.livelog import LIMIT_BYTES, PIECE_BYTES, Budget
from tests.runner.container import Host, kept, wait_until
from tests.support.envelopes.log_files import ENVELOPE_BYTES, ROTATED_AT_BYTES, log_file_bytes

NOTICE = (
    b"[agentjobs: live log stopped at 8 MiB; the record keeps the first and last 25 KiB of each"
    b" stream]\n"
)


def test_output_is_seen_while_the_script_runs(host: Host) -> None:
    running = host.start("import time; print('now'); time.sleep(60)")
    running.expect(b"now\n")
    assert running.alive


def test_5_megabytes_reach_the_log_whole_and_the_record_by_their_ends(host: Host) -> None:
    ended = host.run("import sys\nfor n in range(50000): sys.stdout.write(f'{n:099d}\\n')")
    total = "".join(f"{n:099d}\n" for n in range(50000))
    assert ended.live_stdout == total.encode()
    assert ended.envelope.stdout == kept(total)
    assert (ended.envelope.stdout_dropped_bytes, ended.envelope.log_dropped_bytes) == (
        5_000_000 - 51_200,
        0,
    )


@pytest.mark.slow
def test_two_million_empty_lines_end_soon_and_stay_within_the_log_limit(host: Host) -> None:
    ended = host.run("import os\nfor _ in range(2000000): os.write(1, b'\\n')")
    passed = len(ended.live_stdout)
    assert ended.live_stdout == b"\n" * passed
    assert passed == LIMIT_BYTES // 65
    assert ended.envelope.log_dropped_bytes == 2_000_000 - passed
    assert ended.envelope.stdout == kept("\n" * 2_000_000)
    assert ended.stderr == NOTICE
    assert (
        log_file_bytes(ended.stdout) + log_file_bytes(ended.stderr) + ENVELOPE_BYTES
        < ROTATED_AT_BYTES
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    "script",
    [
        "import os\nfor _ in range(100): os.write(1, b'x' * 100000)",
        "import os\nfor _ in range(1000): os.write(1, b'a\\n' * 4000); os.write(2, b'b' * 9000)",
        (
            "import os\nfor n in range(600): os.write(1, b'0123456789\\r' * 2000)\nfor n in"
            " range(600): os.write(2, b'e' * 16384 + b'\\n')"
        ),
    ],
    ids=["one endless line", "two streams at once", "carriage returns, then long lines"],
)
def test_no_mix_of_lines_makes_the_log_file_reach_its_rotation(host: Host, script: str) -> None:
    ended = host.run(script)
    envelope = ended.envelope
    assert (
        log_file_bytes(ended.live_stdout) + log_file_bytes(ended.stderr) + ENVELOPE_BYTES
        < ROTATED_AT_BYTES
    )
    assert log_file_bytes(ended.live_stdout) + log_file_bytes(ended.stderr) > LIMIT_BYTES * 0.4
    assert NOTICE in ended.stderr.splitlines(keepends=True)
    assert envelope.log_dropped_bytes > 0


def test_what_is_passed_on_and_what_is_dropped_add_up(host: Host) -> None:
    ended = host.run("import os\nfor _ in range(100): os.write(1, b'x' * 100000)")
    passed = ended.live_stdout.count(b"x")
    assert passed + ended.envelope.log_dropped_bytes == 10_000_000
    assert passed % PIECE_BYTES == 0


def test_200_kilobytes_without_newline_are_one_line_before_the_envelope(host: Host) -> None:
    ended = host.run("print('x' * 200000, end='')")
    assert ended.live_stdout == b"x" * 200_000 + b"\n"
    assert ended.envelope.stdout == kept("x" * 200_000)


def test_an_open_line_on_stderr_is_closed_before_the_envelope_too(host: Host) -> None:
    ended = host.run("import sys; sys.stderr.write('open'); sys.stdout.write('closed\\n')")
    assert (ended.live_stdout, ended.stderr) == (b"closed\n", b"open\n")
    assert (ended.envelope.stdout, ended.envelope.stderr) == ("closed\n", "open")


def test_invalid_utf8_is_passed_on_and_escaped_in_the_record(host: Host) -> None:
    ended = host.run(r"import os; os.write(1, b'a\xff\xfe\xc3(\xf0\x9f\x98' + b'\n')")
    assert ended.live_stdout == b"a\xff\xfe\xc3(\xf0\x9f\x98\n"
    assert ended.envelope.stdout == "a\\xff\\xfe\\xc3(\\xf0\\x9f\\x98\n"
    assert ended.short_form.stdout_tail == ended.envelope.stdout


@pytest.mark.parametrize(("size", "dropped"), [(51_200, 0), (51_201, 1)])
def test_exactly_what_can_be_kept_is_kept_whole(host: Host, size: int, dropped: int) -> None:
    ended = host.run(f"print('y' * {size}, end='')")
    assert ended.envelope.stdout_dropped_bytes == dropped
    assert ended.envelope.stdout == ("y" * size if not dropped else kept("y" * size))


def test_characters_of_several_bytes_are_not_cut(host: Host) -> None:
    envelope = host.run("import sys; sys.stdout.write('é€😀' * 20000)").envelope
    head, tail = envelope.stdout.split(
        f"\n[agentjobs: {envelope.stdout_dropped_bytes} bytes dropped here]\n"
    )
    total = "é€😀" * 20000
    assert total.startswith(head)
    assert total.endswith(tail)
    assert len((head + tail).encode()) + envelope.stdout_dropped_bytes == 180_000
    assert 51_200 - len((head + tail).encode()) <= 6


def test_the_worst_output_still_makes_an_envelope_that_can_be_read(host: Host) -> None:
    """Random bytes pack badly, and invalid ones are shown as four characters."""
    script = "import os, random\nfor n in (1, 2): os.write(n, random.Random(n).randbytes(51200))"
    ended = host.run(script)
    for seed, text in ((1, ended.envelope.stdout), (2, ended.envelope.stderr)):
        assert text == random.Random(seed).randbytes(51200).decode(errors="backslashreplace")
    assert len(ended.termination.encode()) <= 4096


def test_a_termination_message_fits_whatever_the_tails_hold(host: Host) -> None:
    ended = host.run("import os\nfor n in (1, 2): os.write(n, b'\\x00\\x01\"\\\\' * 1000)")
    assert len(ended.termination.encode()) <= 4096
    assert ended.short_form.stdout_tail.endswith('\x00\x01"\\')


def test_a_reader_that_has_gone_away_costs_the_log_but_not_the_record(host: Host) -> None:
    running = host.start("import time\nfor n in range(2000): print('x' * 100)", reading=False)
    running.close_output()
    ended = running.wait()
    short = ended.short_form
    assert (ended.exit_code, short.outcome, short.exit_code) == (0, "Exited", 0)
    assert short.stdout_tail.endswith("x" * 100 + "\n")


@pytest.mark.slow
def test_a_stalled_reader_slows_the_script_down_but_not_the_limit(host: Host) -> None:
    running = host.start(
        "while True: print('x' * 1000)", reading=False, AGENTJOBS_TIMEOUT_SECONDS="1"
    )
    wait_until("the termination message", running.termination, seconds=6)
    running.read()
    ended = running.wait()
    assert (ended.envelope.outcome, ended.exit_code) == ("TimedOut", 124)
    assert ended.envelope.stdout.count("x" * 1000) > 40


def test_a_file_is_as_good_a_log_as_a_pipe(host: Host) -> None:
    script = "print('to a file')"
    root = host.folder(script)
    (root / "workspace/log").touch()
    (root / "workspace/log").chmod(0o666)
    host.run(script, root, prefix=("sh", "-c", 'exec "$@" >log', "sh"))
    assert (root / "workspace/log").read_bytes().startswith(b"to a file\n@agentjobs:envelope ")


@pytest.mark.parametrize(
    ("data", "cost"),
    [
        (b"", 0),
        (b"\n", 1 + 64),
        (b"\n\n", 2 + 128),
        (b"x" * 8191 + b"\n", 8192 + 64),
        (b"x" * 8192 + b"\n", 8193 + 128),
        (b"x" * 20_000, 20_000 + 192),
    ],
    ids=[
        "nothing",
        "an empty line",
        "two",
        "one piece",
        "a piece and its newline",
        "an open line of three pieces",
    ],
)
def test_each_byte_costs_one_and_each_line_and_begun_piece_64_more(data: bytes, cost: int) -> None:
    budget = Budget(100_000)
    budget.admit(data, 0)
    assert budget.left == 100_000 - cost


@settings(deadline=None)
@given(
    chunks=st.lists(
        st.tuples(
            st.integers(0, 1),
            st.one_of(st.binary(max_size=50), st.just(b"x" * 20_000), st.just(b"\n" * 40)),
        )
    ),
    limit=st.integers(0, 60_000),
)
def test_what_is_admitted_never_costs_the_log_file_more_than_the_budget(
    chunks: list[tuple[int, bytes]], limit: int
) -> None:
    budget, columns, passed = Budget(limit), [0, 0], [b"", b""]
    for stream, data in chunks:
        admitted, columns[stream] = budget.admit(data, columns[stream])
        passed[stream] += data[:admitted]
        assert admitted == len(data) or budget.exhausted
    file = sum(log_file_bytes(stream, PIECE_BYTES) for stream in passed if stream)
    assert file <= limit + 2  # each stream's last line may have no newline of its own yet


@pytest.mark.slow
@settings(deadline=None)
@given(lengths=st.lists(st.integers(0, 20_000), max_size=20), size=st.integers(1, 30_000))
def test_how_a_stream_is_cut_into_chunks_changes_no_cost(lengths: list[int], size: int) -> None:
    data = b"\n".join(b"x" * length for length in lengths)
    whole, chunked, column = Budget(), Budget(), 0
    whole.admit(data, 0)
    for start in range(0, len(data), size):
        _, column = chunked.admit(data[start : start + size], column)
    assert whole.left == chunked.left
