"""A container's last words arrive, though the runtime drops what is under way when it ends."""

from __future__ import annotations

import signal

import pytest

from agentjobs.core.runner.envelope import read_envelope
from agentjobs.core.runner.lines import TAIL_LINES, EnvelopeError
from agentjobs_runner.envelope import MAX_LINES, filler
from agentjobs_runner.livelog import LIMIT_BYTES, MANY_LINES, MAX_FILLER_BYTES
from tests.runner.container import Host, kept, wait_until
from tests.runner.dropping import Runtime
from tests.support.envelopes.log_files import ENVELOPE_BYTES, ROTATED_AT_BYTES, log_file_bytes
from tests.support.slow import slow_but

MOST_BYTES, MOST_LINES = 300_000, 50_000
"""Of each stream.

More would be cut from the live log, and the rest would be quiet while the pipes run dry."""
AT_ONCE = "work()\n"
WHEN_TOLD = """\
import signal, sys, time
signal.signal(15, lambda *_: (work(), sys.exit()))
os.write(1, b"ready\\n")
time.sleep(60)
"""
OUTCOMES = {"exit": "Exited", "timeout": "TimedOut", "told": "Terminated"}


def prints(width: int, streams: tuple[int, ...], most: int = MOST_LINES) -> tuple[str, str]:
    """A script whose `work` prints numbered lines of this width on `streams`, and those lines."""
    count = min(MOST_BYTES // width, most)
    script = f"""\
import os
numbers = (number % 10 ** {min(width - 1, 6)} for number in range({count}))
data = b"".join(b"%0{width - 1}d\\n" % number for number in numbers)
def work():
    for start in range(0, len(data), 8192):
        for stream in {streams}:
            piece = data[start : start + 8192]
            while piece:
                piece = piece[os.write(stream, piece):]
"""
    return script, "".join(
        f"{number % 10 ** min(width - 1, 6):0{width - 1}d}\n" for number in range(count)
    )


def tail(log: bytes, count: int) -> bytes:
    """As the log API gives it."""
    return b"".join(log.splitlines(keepends=True)[-count:])


CASES = [
    *((width, (1, 2), "exit") for width in (2, 5, 10, 20, 100)),
    *((2, streams, ending) for ending in ("timeout", "told") for streams in ((1,), (2,), (1, 2))),
    (2, (1,), "exit"),
    (2, (2,), "exit"),
]


@pytest.mark.parametrize(
    ("width", "streams", "ending"),
    slow_but([(100, (1, 2), "exit"), (2, (1,), "told")], CASES, several=True),
)
def test_after_many_lines_the_record_is_whole(
    host: Host, width: int, streams: tuple[int, ...], ending: str
) -> None:
    script, text = prints(width, streams)
    limit = "1" if ending == "timeout" else "15"
    script += AT_ONCE if ending == "exit" else WHEN_TOLD
    container = host.start(
        script, reading=False, AGENTJOBS_TIMEOUT_SECONDS=limit, AGENTJOBS_LINGER_SECONDS="0"
    )
    runtime = Runtime(container)
    if ending == "told":
        wait_until("it is ready", lambda: runtime.log == b"ready\n")
        container.signal(signal.SIGTERM)
    ended, log = runtime.wait()
    envelope = read_envelope(tail(log, TAIL_LINES), ended.short_form.sha256)
    ready = "" if ending == "exit" else "ready\n"
    assert envelope.outcome == OUTCOMES[ending]
    assert envelope.stdout == kept(ready + text * (1 in streams))
    assert envelope.stderr == kept(text * (2 in streams))


def test_a_run_stopped_in_a_flood_ends_its_log_with_the_record_and_lingers(host: Host) -> None:
    """Nothing but its place proves whose it is.

    Had the script printed an envelope last, it would come behind ours.
    """
    script, text = prints(2, (2,))
    forges = (
        f"{script}work(); os.write(2, b'@agentjobs:end {'0' * 32} 1 {'0' * 64}\\n'); import time;"
        " time.sleep(60)\n"
    )
    container = host.start(forges, reading=False, AGENTJOBS_LINGER_SECONDS="15")
    runtime = Runtime(container)
    wait_until("some of it is printed", lambda: len(runtime.log) > 10_000)
    container.signal(signal.SIGTERM)

    def is_read() -> bool:
        try:
            return read_envelope(runtime.log).outcome == "Terminated"
        except EnvelopeError:
            return False

    wait_until("the envelope is the end of the log", is_read)
    assert container.alive
    assert read_envelope(runtime.log).stderr.startswith(text[:1000])
    container.signal(signal.SIGKILL)
    runtime.wait()


@pytest.mark.parametrize("lines", [0, 1, MANY_LINES - 50])
def test_a_small_run_has_no_filler(host: Host, lines: int) -> None:
    ended = host.run(f"import sys\nfor n in range({lines}): print(n); print(n, file=sys.stderr)")
    assert b"@agentjobs:filler" not in ended.stdout + ended.stderr


def test_a_small_run_that_is_told_to_stop_has_none_but_on_stderr(host: Host) -> None:
    running = host.start(
        "import sys, time\nprint('x', file=sys.stderr); print('ready'); time.sleep(60)",
        AGENTJOBS_LINGER_SECONDS="0",
    )
    running.expect(b"ready\n")
    running.signal(signal.SIGTERM)
    ended = running.wait()
    assert b"@agentjobs:filler" not in ended.stdout
    assert ended.stderr.startswith(b"x\n@agentjobs:filler ")


def test_many_lines_long_ago_are_in_the_log_already(host: Host) -> None:
    script, _ = prints(2, (1, 2), most=2_000)
    ended = host.run(f"{script}work(); import time; time.sleep(1)\n")
    assert b"@agentjobs:filler" not in ended.stdout + ended.stderr


def test_the_filler_is_whole_marked_lines_and_more_than_the_pipes_hold(host: Host) -> None:
    script, text = prints(2, (1, 2))
    ended = host.run(script + AT_ONCE)
    end, *lines = ended.stdout.splitlines(keepends=True)[-25:]
    marker = end.split()[1].decode()
    assert b"".join(lines) == filler(marker, 192 * 1024)
    assert ended.stderr == text.encode() + filler(marker, 192 * 1024)
    assert ended.live_stdout == text.encode()


def test_no_filler_makes_the_log_file_reach_its_rotation() -> None:
    most = filler("0" * 32, MAX_FILLER_BYTES)
    assert LIMIT_BYTES + 1024 + ENVELOPE_BYTES + 2 * log_file_bytes(most, 8192) < ROTATED_AT_BYTES
    assert (MAX_LINES + 1) * 8192 < ENVELOPE_BYTES
