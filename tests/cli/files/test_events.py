"""Events in files: what is read as one, what is wrong with others, and which run they start."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from agentjobs.actions.answers import if_taken
from agentjobs.actions.runs import start_by_event
from agentjobs.api.run import AgentJobRunSpec
from agentjobs.cli.errors import CliError, Exit
from agentjobs.cli.files.events import event_in
from agentjobs.core.views.event import MAX_EVENT_BYTES
from tests.support.cli.saj import saj

PUBLISHED = {
    "specversion": "1.0",
    "type": "com.example.published",
    "source": "/cms",
    "id": "4711",
    "time": "2026-11-24T12:00:00Z",
    "subject": "product/7",
    "data": {"title": "Bücher & mehr", "on": None, "deep": [{"price": 1.5}]},
}
LEAST = '{"type": "a", "source": "/b", "id": "1"'
WRONG = {
    "no type": ('{"source": "/b", "id": "1"}', ": event.type: is required"),
    "no source": ('{"type": "a", "id": "1"}', ": event.source: is required"),
    "no id": ('{"type": "a", "source": "/b"}', ": event.id: is required"),
    "an id that is a number": (
        '{"type": "a", "source": "/b", "id": 1}',
        ": event.id: should be a string; put it in quotes",
    ),
    "no JSON": ('{"type": "a",\n"source": /b}', ":2: this is not JSON"),
    "an empty file": ("", ":1: this is not JSON"),
    "no number of JSON's": (LEAST + ', "data": NaN}', ": NaN is not JSON"),
    "a list": (f"[{LEAST}}}]", ":1: this is not an event"),
    "another version": (LEAST + ', "specversion": "0.3"}', "specversion is not 1.0"),
    "bytes": (
        LEAST + ', "data_base64": "AA=="}',
        "event.data_base64: binary data is not supported",
    ),
    "an extension": (
        LEAST + ', "traceparent": "00"}',
        "event.traceparent: this attribute is not supported",
    ),
    "extensions": (
        LEAST + ', "traceparent": "00", "partitionkey": 1}',
        "event.traceparent, event.partitionkey: these attributes are not",
    ),
    "many extensions": (
        LEAST + "".join(f', "x{n}": 1' for n in range(9)) + "}",
        "event.x4 and 4 more: these attributes are not supported",
    ),
    "a typing error": (
        '{"typ": "a", "source": "/b", "id": "1"}',
        "event.typ: this attribute is not supported",
    ),
    "no time": (LEAST + ', "time": "today"}', "event.time: must be an RFC 3339 time"),
    "too much": (
        LEAST + f', "data": "{"é" * (MAX_EVENT_BYTES // 2)}"}}',
        f"at most {MAX_EVENT_BYTES} are allowed",
    ),
}


def written(folder: Path, text: str) -> Path:
    file = folder / "event.json"
    file.write_text(text)
    return file


def test_an_event_is_handed_on_as_it_is_in_a_run_of_its_own_name(tmp_path: Path) -> None:
    event = event_in(written(tmp_path, json.dumps(PUBLISHED)))
    write = start_by_event("drafts", event)
    run = dict(write.body or {})
    wanted = hashlib.sha256(b"/cms\n4711").hexdigest()[:9]
    assert run["metadata"] == {"name": f"drafts-e{wanted}"}
    assert {"specversion": "1.0", **run["spec"]["trigger"]["event"]} == PUBLISHED
    assert AgentJobRunSpec.model_validate(run["spec"]).trigger.type == "Event"
    assert if_taken(write, run) is None
    other = event_in(written(tmp_path, json.dumps({**PUBLISHED, "id": "4712"})))
    assert if_taken(start_by_event("drafts", other), run) is not None
    by_hand = {"spec": {"jobName": "drafts", "trigger": {"type": "Manual"}}}
    assert if_taken(write, by_hand) is not None


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_with_an_event_is_told_with_its_file_and_a_remedy(
    what: str, tmp_path: Path
) -> None:
    text, part = WRONG[what]
    file = written(tmp_path, text)
    with pytest.raises(CliError) as told:
        event_in(file)
    assert told.value.message.startswith(f"{file}:")
    assert part in told.value.message
    assert (bool(told.value.remedy), told.value.code) == (True, Exit.USAGE)


@pytest.mark.slow
def test_the_command_says_so_before_it_asks_the_cluster(tmp_path: Path) -> None:
    ran = saj(
        "run",
        "drafts",
        "--event",
        "-",
        "--kubeconfig",
        "absent",
        stdin='{"id": "1"}',
        folder=tmp_path,
    )
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr.startswith(
        "error: standard input: event.source: is required; event.type: is required\n  an event is "
    )
    ran = saj("run", "drafts", "--event", "absent.json", "--kubeconfig", "absent", folder=tmp_path)
    assert (ran.returncode, ran.stderr.splitlines()[0]) == (
        2,
        "error: absent.json: No such file or directory",
    )
    ran = saj(
        "run",
        "drafts",
        "--event",
        "-",
        "--name",
        "mine",
        stdin=json.dumps(PUBLISHED),
        folder=tmp_path,
    )
    assert (ran.returncode, "the event's own name" in ran.stderr) == (2, True)


def test_what_to_do_about_an_extension_is_said(tmp_path: Path) -> None:
    for more in ('"traceparent": "00"', '"data_base64": "AA=="'):
        with pytest.raises(CliError) as told:
            event_in(written(tmp_path, f"{LEAST}, {more}}}"))
        assert "into data" in told.value.remedy
    assert "id, source, type, subject, time, datacontenttype, dataschema, data;" in unsupported(
        tmp_path
    )


def unsupported(folder: Path) -> str:
    with pytest.raises(CliError) as told:
        event_in(written(folder, LEAST + ', "traceparent": "00"}'))
    return told.value.remedy
