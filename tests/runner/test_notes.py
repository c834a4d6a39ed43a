"""Whatever a run's processes write among pi's notes, the record stays bounded and readable."""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentjobs.core.runner.envelope import read_envelope, read_short_form
from agentjobs_runner import agents, notes
from agentjobs_runner.capture import Capture
from agentjobs_runner.envelope import Envelope
from agentjobs_runner.report import Report
from tests.runner.container import NOTES, RUN_ID, Host
from tests.support.slow import slow_but

SECRET = b"swordfish"
KEYS = st.sampled_from(
    ["input", "output", "microUSD", "remark", "reason", "message", "failed", "needs", "x"]
)
TEXTS = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        [
            "NoModel",
            "ModelError",
            "Completed",
            "x" * 5000,
            "\x00" * 900,
            '"\\' * 900,
            "\U0001f600" * 900,
            "swordfish",
            "swo\u200brdfish",
            "\ud800",
        ]
    ),
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), TEXTS, st.integers(10**30, 10**80)
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)
LINES = st.one_of(
    st.dictionaries(KEYS, VALUES, max_size=5).map(lambda note: json.dumps(note).encode()),
    st.fixed_dictionaries({"failed": TEXTS, "message": TEXTS, "needs": st.booleans()}).map(
        lambda note: json.dumps(note).encode()
    ),
    VALUES.map(lambda value: json.dumps(value).encode()),
    st.binary(max_size=40),
    st.sampled_from(
        [
            b"[" * 5000,
            b'{"a":' * 900,
            b"[" * 8000 + b"]" * 192,
            b'{"input":' + b"9" * 5000 + b"}",
            b'{"input":1e999}',
            b'{"input":NaN}',
            b"\xff\xfe",
        ]
    ),
)
HOSTILE = st.one_of(
    st.lists(LINES, max_size=12).map(b"\n".join),
    st.lists(LINES, max_size=3).map(lambda lines: b"\r\n".join(lines) * 50),
)


def taken(root: Path, data: bytes, *, script: bool) -> Report:
    (root / notes.FILE).parent.mkdir(parents=True, exist_ok=True)
    (root / notes.FILE).write_bytes(data)
    report = Report(RUN_ID, "a" * 64)
    report.start()
    report.exited(0)
    agents.take_notes(str(root), report, [SECRET], script=script)
    return report


@pytest.mark.slow
@given(HOSTILE, st.booleans())
@settings(max_examples=300, deadline=None)
def test_whatever_stands_there_the_record_is_whole_bounded_and_readable(
    data: bytes, script: bool
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        report = taken(Path(folder), data, script=script)
    written = Envelope(report, Capture(), Capture(), 0)
    assert len(written.termination) <= 4096
    short = read_short_form(written.termination.decode())
    envelope = read_envelope(b"".join(written.lines))
    assert short is not None
    assert short.message == envelope.message
    assert envelope.message.isprintable()
    assert "swordfish" not in written.termination.decode()
    assert (envelope.exit_code, envelope.reason == "Completed") in ((0, True), (69, False))


@pytest.mark.parametrize(
    "line",
    [
        b"[" * 1_048_576,
        b"{}\n" * 349_525,
        b"\n" * 1_048_576,
        b'{"failed":"A","message":"x"}\n' * 36_000,
        b'{"remark":"' + b"x" * 1_048_000 + b'"}',
        b"{x\n" * 349_525,
    ],
    ids=["deep", "empty", "lines", "failures", "long", "broken"],
)
def test_a_file_as_large_as_is_read_takes_a_moment(tmp_path: Path, line: bytes) -> None:
    begun = time.process_time()
    report = taken(tmp_path, line * 2, script=True)
    assert time.process_time() - begun < 2.0
    assert len(report.message) < 700


@pytest.mark.parametrize(
    "place",
    slow_but(
        ("os.mkfifo(path)", "os.mkdir(path)"),
        [
            "os.mkfifo(path)",
            (
                "os.mkfifo(path); import subprocess; subprocess.Popen(['sh', '-c', 'trap \"\" TERM;"
                " exec sleep 60 <> ' + path])"
            ),
            "os.mkdir(path)",
            "os.symlink('/dev/zero', path)",
            "os.symlink(path, path)",
            "os.symlink('/etc/passwd', path)",
            "open(path, 'w').close(); os.chmod(path, 0)",
            (
                "import socket; os.chdir(os.path.dirname(path));"
                " socket.socket(socket.AF_UNIX).bind('notes.jsonl')"
            ),
            (
                "folder = os.path.dirname(path); os.rename(folder, folder + '.away');"
                " os.symlink('/proc/self', folder)"
            ),
            "open(path, 'w').truncate(1 << 40)",
        ],
    ),
)
def test_what_is_no_small_file_is_passed_over(host: Host, place: str) -> None:
    envelope = host.run(f"{NOTES}\n{place}\nos._exit(0)").envelope
    assert (envelope.exit_code, envelope.message, envelope.failed_calls) == (
        0,
        "the script exited with code 0",
        None,
    )


def test_a_note_that_is_no_text_ends_nothing(host: Host) -> None:
    written = (
        f"{NOTES}\nopen(path, 'wb').write(b'\\xff\\n[[[\\n{{\"remark\": \"\\\\ud800 ok\"}}\\n')"
    )
    assert host.run(written).envelope.message == "the script exited with code 0; ? ok"
