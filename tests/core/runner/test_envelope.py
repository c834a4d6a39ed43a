"""The reader alone: a first runner's log as once written, and logs made to deceive or to hurt."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentjobs.core.runner.envelope import Envelope, ShortForm, read_envelope, read_short_form
from agentjobs.core.runner.installer import read_installation
from agentjobs.core.runner.lines import EnvelopeError
from tests.support.envelopes.recorded import CHECKSUM, DIGEST, RECORD, RECORDED_LOG, SHORT, log_of


def test_what_a_runner_of_version_1_printed_is_read_for_ever() -> None:
    envelope = read_envelope(RECORDED_LOG)
    assert envelope == read_envelope(RECORDED_LOG, CHECKSUM) == read_envelope(log_of(RECORD))
    assert envelope == Envelope(
        run_id="run-1",
        digest=DIGEST,
        outcome="Exited",
        exit_code=0,
        reason="Completed",
        message="the script exited with code 0",
        started_at=datetime(2026, 11, 22, 7, 44, 5, 475861, tzinfo=UTC),
        finished_at=datetime(2026, 11, 22, 7, 44, 5, 495212, tzinfo=UTC),
        stdout_dropped_bytes=0,
        stderr_dropped_bytes=0,
        log_dropped_bytes=0,
        stdout="hello\n",
        stderr="",
    )


def test_the_last_words_of_a_version_1_runner_can_always_be_read() -> None:
    short = read_short_form(json.dumps(SHORT))
    assert isinstance(short, ShortForm)
    assert (short.run_id, short.exit_code, short.sha256, short.lines, short.stdout_tail) == (
        "run-1",
        0,
        CHECKSUM,
        1,
        "hello\n",
    )


REFUSED = {"outcome": "Refused", "exitCode": 78, "reason": "DigestMismatch"}


def test_a_run_that_never_started_has_no_start() -> None:
    assert read_envelope(log_of(RECORD | {"startedAt": None, **REFUSED})).started_at is None


WRONG: dict[str, list[object]] = {
    "version": [0, 2, True, 1.0, "1", None],
    "runId": [None, 1, "x" * 254],
    "digest": [None, "a" * 63, "A" * 64, "a" * 64 + "\n"],
    "outcome": [None, "", "exited", "Succeeded", 1],
    "exitCode": [None, True, -1, 256, 1.0, "0", 10**30],
    "reason": [None, "", "with space", "x", "A" * 65, "Ä"],
    "message": [None, "x" * 2001],
    "startedAt": [
        "",
        "now",
        0,
        "2026-01-01T00:00:00Z",
        "2026-02-31T00:00:00.000000Z",
        "2026-01-01T00:00:00.000000+00:00",
    ],
    "finishedAt": [None, "", "0000-01-01T00:00:00.000000Z", "٢٠٢٦-01-01T00:00:00.000000Z"],
    "stdout": [None, 1, ["x"], "x" * 205_001, "é" * 102_501],
    "stderr": [None, 1, {}, "x" * 205_001],
    "stdoutDroppedBytes": [None, -1, 2**63, 0.5, True],
    "stderrDroppedBytes": [None, -1, 2**63],
    "logDroppedBytes": [None, -1, 2**63],
}


@pytest.mark.parametrize(
    ("name", "value"),
    [(name, value) for name, values in WRONG.items() for value in values],
    ids=repr,
)
def test_a_field_that_is_not_what_it_has_to_be_is_named(name: str, value: object) -> None:
    expected = (
        "the version of the runner's report is not 1"
        if name == "version"
        else f"the field {name} of the runner's report is missing or not valid"
    )
    with pytest.raises(EnvelopeError) as caught:
        read_envelope(log_of(RECORD | {name: value}))
    assert str(caught.value) == expected


@pytest.mark.parametrize("name", sorted(WRONG))
def test_a_missing_field_is_named(name: str) -> None:
    fields = {key: value for key, value in RECORD.items() if key != name}
    with pytest.raises(
        EnvelopeError, match="version" if name == "version" else f"field {name} of the"
    ):
        read_envelope(log_of(fields))


def test_a_field_added_by_a_later_runner_is_ignored() -> None:
    assert read_envelope(log_of(RECORD | {"usage": {"inputTokens": 1}})).stdout == "hello\n"


@settings(deadline=None)
@given(st.text(max_size=300))
def test_a_foreign_termination_message_is_no_short_form(message: str) -> None:
    assert read_short_form(message) is None


@pytest.mark.parametrize(
    "change",
    [
        {"sha256": "x"},
        {"lines": 91},
        {"lines": -1},
        {"stdoutTail": "x" * 4000},
        {"stderrTail": None},
        {"exitCode": "0"},
        {"version": 2},
        {"message": "\ud800"},
    ],
    ids=repr,
)
def test_a_short_form_with_a_wrong_field_is_none(change: dict[str, object]) -> None:
    assert read_short_form(json.dumps(SHORT | change)) is None


@pytest.mark.parametrize(
    "message",
    ["", "{", "[" * 4000, "1" * 4096, '{"version":1}', "\ud800", "x" * 10_000_000],
    ids=lambda text: repr(text[:15]),
)
def test_a_hostile_termination_message_is_none(message: str) -> None:
    assert read_short_form(message) is None


LEGITIMATE = {
    ("Exited", 0, "Completed"),
    *(("Exited", code, "ScriptFailed") for code in range(1, 256)),
    ("Terminated", 143, "Terminated"),
    ("TimedOut", 124, "Timeout"),
    ("Refused", 70, "RunnerFailed"),
    ("Refused", 78, "SessionBusy"),
}


@pytest.mark.slow
@given(
    st.sampled_from(["Exited", "TimedOut", "Terminated", "Refused"]),
    st.integers(0, 255) | st.sampled_from([0, 70, 78, 124, 143]),
    st.sampled_from(
        [
            "Completed",
            "ScriptFailed",
            "Timeout",
            "Terminated",
            "RunnerFailed",
            "SessionBusy",
            "OOMKilled",
        ]
    ),
)
@settings(max_examples=400, deadline=None)
def test_outcome_code_and_reason_are_believed_only_as_a_runner_gives_them(
    outcome: str, code: int, reason: str
) -> None:
    log = log_of(RECORD | {"outcome": outcome, "exitCode": code, "reason": reason})
    try:
        read_envelope(log)
    except EnvelopeError:
        assert (outcome, code, reason) not in LEGITIMATE
    else:
        assert (outcome == "Exited" and (code == 0) == (reason == "Completed")) or (
            outcome,
            code,
        ) in {
            ("TimedOut", 124),
            ("Terminated", 143),
            ("Refused", 70),
            ("Refused", 78),
        }


TAMPERED = st.one_of(
    st.tuples(st.just("cut"), st.integers(0, 4000)),
    st.tuples(st.just("flip"), st.integers(0, 4000)),
    st.tuples(st.just("twice"), st.integers(0, 4000)),
    st.tuples(st.just("junk"), st.binary(max_size=200)),
)


@pytest.mark.slow
@given(st.lists(TAMPERED, min_size=1, max_size=4), st.booleans())
@settings(max_examples=400, deadline=None)
def test_a_tampered_log_gives_the_whole_envelope_or_a_sentence(
    steps: list[tuple[str, object]], named: bool
) -> None:
    log = RECORDED_LOG
    for kind, what in steps:
        at = what % (len(log) + 1) if isinstance(what, int) else 0
        if kind == "cut":
            log = log[:at]
        elif kind == "flip" and log:
            log = log[: at % len(log)] + bytes([log[at % len(log)] ^ 1]) + log[at % len(log) + 1 :]
        elif kind == "twice":
            log = log[:at] + log[:at] + log[at:]
        elif isinstance(what, bytes):
            log = what + log
    try:
        found = read_envelope(log, CHECKSUM if named else None)
    except EnvelopeError:
        return
    assert found == read_envelope(RECORDED_LOG)


@given(
    st.text(max_size=300)
    | st.binary(max_size=300).map(lambda data: data.decode("latin-1"))
    | st.sampled_from(["[" * 4096, '{"a":' * 800, "9" * 4096, "\ud800"])
)
@settings(max_examples=400, deadline=None)
def test_any_termination_message_is_read_or_is_nobodys(message: str) -> None:
    assert read_short_form(message) is None
    found = read_installation(message)
    assert found is None or found.reason
