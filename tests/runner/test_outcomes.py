"""How a run ends, and what the record says about it."""

from __future__ import annotations

import hashlib

import pytest

from tests.runner.container import RUN_ID, Host
from tests.support.slow import slow_but


def test_a_script_that_ends_well_is_recorded_with_its_streams_apart(host: Host) -> None:
    ended = host.run("import sys; print('to out'); print('to err', file=sys.stderr)")
    envelope = ended.envelope
    assert (envelope.outcome, envelope.exit_code, envelope.reason) == ("Exited", 0, "Completed")
    assert (envelope.stdout, envelope.stderr) == ("to out\n", "to err\n")
    assert (ended.live_stdout, ended.stderr) == (b"to out\n", b"to err\n")
    assert (
        envelope.stdout_dropped_bytes,
        envelope.stderr_dropped_bytes,
        envelope.log_dropped_bytes,
    ) == (0, 0, 0)
    assert envelope.run_id == RUN_ID
    assert envelope.started_at
    assert envelope.started_at < envelope.finished_at


def test_the_termination_message_says_the_same_and_names_the_envelope(host: Host) -> None:
    ended = host.run("import sys; print('to out'); print('to err', file=sys.stderr); sys.exit(3)")
    short, envelope = ended.short_form, ended.envelope
    for field in (
        "run_id",
        "digest",
        "outcome",
        "exit_code",
        "reason",
        "message",
        "started_at",
        "finished_at",
        "log_dropped_bytes",
    ):
        assert getattr(short, field) == getattr(envelope, field)
    assert (short.lines, short.stdout_tail, short.stderr_tail) == (1, "to out\n", "to err\n")


def test_an_exception_is_a_failure_with_its_traceback(host: Host) -> None:
    envelope = host.run("raise ValueError('no backlinks')").envelope
    assert (envelope.outcome, envelope.exit_code, envelope.reason) == ("Exited", 1, "ScriptFailed")
    assert envelope.message == "the script exited with code 1"
    assert envelope.stderr.endswith("ValueError: no backlinks\n")


def test_an_exit_code_is_passed_on(host: Host) -> None:
    envelope = host.run("raise SystemExit(42)").envelope
    assert (envelope.outcome, envelope.exit_code, envelope.reason) == ("Exited", 42, "ScriptFailed")


@pytest.mark.parametrize(("name", "code"), [("SIGKILL", 137), ("SIGSEGV", 139), ("SIGTERM", 143)])
def test_a_script_killed_by_a_signal_says_which(host: Host, name: str, code: int) -> None:
    envelope = host.run(
        f"import os, signal; print('last words'); os.kill(os.getpid(), signal.{name})"
    ).envelope
    assert (envelope.outcome, envelope.exit_code, envelope.reason) == (
        "Exited",
        code,
        "KilledBySignal",
    )
    assert envelope.message == f"the script was killed by {name}"
    assert envelope.stdout == "last words\n"


def test_a_script_that_exits_at_once_is_recorded(host: Host) -> None:
    envelope = host.run("import os; os._exit(0)").envelope
    assert (envelope.outcome, envelope.exit_code, envelope.stdout, envelope.stderr) == (
        "Exited",
        0,
        "",
        "",
    )


def test_a_script_that_closes_its_output_is_still_waited_for(host: Host) -> None:
    script = (
        "import os, time; print('before'); os.close(1); os.close(2); time.sleep(0.5); os._exit(7)"
    )
    ended = host.run(script)
    assert (ended.envelope.exit_code, ended.envelope.stdout) == (7, "before\n")
    assert ended.seconds > 0.5


def test_a_program_that_cannot_be_compiled_is_the_scripts_failure(host: Host) -> None:
    envelope = host.run("def").envelope
    assert (envelope.outcome, envelope.exit_code, envelope.reason) == ("Exited", 1, "SyntaxError")
    assert "SyntaxError" in envelope.stderr


def test_the_scripts_input_is_empty(host: Host) -> None:
    assert host.run("import sys; print(repr(sys.stdin.read()))").envelope.stdout == "''\n"


def test_a_wrong_digest_is_refused_and_nothing_runs(host: Host) -> None:
    ended = host.run("print('unapproved')", AGENTJOBS_DIGEST="0" * 64)
    envelope = ended.envelope
    assert (envelope.outcome, envelope.exit_code, envelope.reason) == (
        "Refused",
        78,
        "DigestMismatch",
    )
    assert (envelope.digest, envelope.started_at, envelope.stdout) == ("0" * 64, None, "")


def test_a_runner_without_a_digest_refuses(host: Host) -> None:
    envelope = host.run("print('unapproved')", AGENTJOBS_DIGEST="").envelope
    assert (envelope.outcome, envelope.reason, envelope.digest) == ("Refused", "DigestMismatch", "")


def test_one_changed_byte_of_the_revision_is_refused(host: Host) -> None:
    script = "print('approved')"
    root = host.folder(script)
    file = root / "etc/agentjobs/revision/revision.json"
    file.write_bytes(file.read_bytes().replace(b"approved", b"Approved"))
    envelope = host.run(script, root).envelope
    assert (envelope.outcome, envelope.reason, envelope.stdout) == ("Refused", "DigestMismatch", "")


def test_a_missing_revision_is_refused(host: Host) -> None:
    root = host.folder("print(1)")
    (root / "etc/agentjobs/revision/revision.json").unlink()
    envelope = host.run("print(1)", root).envelope
    assert (envelope.outcome, envelope.exit_code, envelope.reason) == (
        "Refused",
        78,
        "RevisionUnreadable",
    )
    assert envelope.message == "the revision could not be read: No such file or directory"


@pytest.mark.parametrize(
    "content",
    slow_but(
        [b"{"],
        [
            b"",
            b"{",
            b"\xff",
            b"[]",
            b'"spec"',
            b'{"spec":{"script":{"inline":1}}}',
            b'{"spec":{"script":"print(1)"}}',
            b'{"spec":{"x\\"script":{"inline":"print(1)"}}}',
            b'{"spec":{"script":{"inline":"\\ud800"}}}',
            b'{"spec":' * 100_000,
        ],
    ),
    ids=lambda content: repr(content[:40]),
)
def test_a_revision_without_a_script_is_refused_even_if_its_digest_fits(
    host: Host, content: bytes
) -> None:
    root = host.folder("")
    (root / "etc/agentjobs/revision/revision.json").write_bytes(content)
    envelope = host.run("", root, AGENTJOBS_DIGEST=hashlib.sha256(content).hexdigest()).envelope
    assert (envelope.outcome, envelope.exit_code, envelope.reason) == (
        "Refused",
        78,
        "RevisionUnreadable",
    )


def test_an_interpreter_that_cannot_start_is_refused(host: Host) -> None:
    envelope = host.run("print(1)", PATH="/nonexistent").envelope
    assert (envelope.outcome, envelope.exit_code, envelope.reason) == ("Refused", 78, "StartFailed")
    assert envelope.message == "python3 could not be started: No such file or directory"
    assert envelope.started_at is None


def test_a_script_that_cannot_be_written_down_is_refused(host: Host) -> None:
    root = host.folder("print(1)")
    (root / "tmp").chmod(0o755)
    envelope = host.run("print(1)", root).envelope
    assert (envelope.outcome, envelope.exit_code, envelope.reason) == ("Refused", 78, "StartFailed")
    assert envelope.message == "the script's file could not be written: Permission denied"


@pytest.mark.parametrize("limit", slow_but(["soon"], ["", "soon", "-1", "1.5", "²", "1" * 20]))
def test_a_limit_that_is_no_number_is_refused(host: Host, limit: str) -> None:
    envelope = host.run("print(1)", AGENTJOBS_TIMEOUT_SECONDS=limit).envelope
    assert (envelope.outcome, envelope.reason) == ("Refused", "StartFailed")
    assert envelope.message == "AGENTJOBS_TIMEOUT_SECONDS is not a whole number of seconds"


def test_a_runner_that_is_not_pid_one_runs_nothing_and_ends_nobody(host: Host) -> None:
    script = "print('ran')"
    root = host.folder(script)
    shell = (
        "sh",
        "-c",
        'sleep 30 & "$@"; code=$?; kill -0 $! && echo neighbour lives; exit $code',
        "sh",
    )
    running = host.start(script, root, prefix=shell)
    ended = running.wait()
    assert (ended.exit_code, ended.stdout) == (70, b"neighbour lives\n")
    assert ended.short_form.reason == "RunnerFailed"
    assert "NotPidOneError" in ended.short_form.message


def test_a_missing_termination_log_does_not_stop_a_run(host: Host) -> None:
    root = host.folder("print(1)")
    (root / "dev/termination-log").unlink()
    running = host.start("print(1)", root)
    (root / "dev/termination-log").touch()
    running.expect_envelope()
    assert running.stdout.startswith(b"1\n")
    assert running.alive or running.stderr == b""


def test_a_script_gets_its_event_on_stdin_and_in_a_file_or_no_input(host: Host) -> None:
    script = (
        "import os, sys; print(sys.stdin.read());"
        " print(open(os.environ['AGENTJOBS_EVENT_FILE']).read(), file=sys.stderr)"
    )
    root = host.folder(script)
    event = root / "etc/agentjobs/event.json"
    event.write_text('{"id":"1"}')
    envelope = host.run(script, root, AGENTJOBS_EVENT_FILE=str(event)).envelope
    assert (envelope.exit_code, envelope.stdout, envelope.stderr) == (
        0,
        '{"id":"1"}\n',
        '{"id":"1"}\n',
    )
    assert host.run("import sys; print(repr(sys.stdin.read()))").envelope.stdout == "''\n"


def test_a_script_that_declares_another_encoding_is_not_started(host: Host) -> None:
    """Its second comment would be code: what people approved is not what Python would run."""
    refused = host.run("# encoding: utf-7\nprint('shown')\n#+AAo-print('hidden')\n").envelope
    assert (refused.outcome, refused.exit_code, refused.reason, refused.stdout) == (
        "Refused",
        78,
        "EncodingRefused",
        "",
    )
    assert refused.message.startswith(
        "line 1 of the script declares the encoding 'utf-7', so Python would run a text other"
    )


def test_what_only_looks_like_a_declaration_changes_nothing_of_a_script(host: Host) -> None:
    script = (
        "import sys\n# coding: utf-7\nprint('+AGE-', __file__ == sys.argv[0],"
        " __file__.rpartition('/')[2])\nraise KeyError('+AGE-')"
    )
    envelope = host.run(script).envelope
    assert envelope.stdout == "+AGE- True script.py\n"
    assert envelope.stderr.endswith(
        "script.py\", line 4, in <module>\n    raise KeyError('+AGE-')\nKeyError: '+AGE-'\n"
    )
