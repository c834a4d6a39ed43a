"""What the runner does about agents: starts them in a script's place, holds their session, and takes over what calls of models left."""

from __future__ import annotations

import fcntl
import json

from tests.runner.container import Host

NOTES = "import json, os; path = os.environ['AGENTJOBS_ROOT'] + '/tmp/agentjobs/notes.jsonl'\n"
SESSION = "/session"


def noting(*notes: object) -> str:
    """A script that leaves these notes; text is written as it is."""
    lines = [note if isinstance(note, str) else json.dumps(note) for note in notes]
    return f"{NOTES}with open(path, 'w') as file:\n    file.write({chr(10).join(lines)!r})"


def test_an_agent_without_a_model_fails_with_a_reason_and_a_sentence(host: Host) -> None:
    ended = host.run({"instructions": "Summarise."})
    assert (ended.envelope.outcome, ended.exit_code, ended.envelope.reason) == ("Exited", 1, "NoModel")
    assert ended.envelope.message == "this installation has no default model; name one, or set the chart's value models.default"
    assert ended.envelope.stdout == f"[NoModel] {ended.envelope.message}\n"


def test_an_agents_own_model_counts_and_not_the_default(host: Host) -> None:
    providers = {"house": {"api": "openai-completions", "baseUrl": "http://x/v1", "models": [{"id": "m"}]}}
    agent = {"instructions": "Summarise.", "model": "house/x"}
    envelope = host.run(agent, AGENTJOBS_MODELS=json.dumps(providers), AGENTJOBS_MODEL="house/m").envelope
    assert (envelope.reason, envelope.message.partition(";")[0]) == ("UnknownModel", "this installation has no model house/x")


def test_tokens_and_costs_of_all_calls_are_in_the_record(host: Host) -> None:
    first, second = {"input": 100, "output": 5, "microUSD": 1_500_000}, {"input": 10, "output": 1, "microUSD": 7}
    envelope = host.run(noting(first, second)).envelope
    assert (envelope.input_tokens, envelope.output_tokens, envelope.cost_micro_usd) == (110, 6, 1_500_007)
    assert (envelope.reason, envelope.message) == ("Completed", "the script exited with code 0")


def test_one_call_without_a_price_makes_the_cost_unknown(host: Host) -> None:
    short = host.run(noting({"input": 1, "output": 1, "microUSD": 2}, {"input": 1, "output": 1, "microUSD": None})).short_form
    assert (short.input_tokens, short.output_tokens, short.cost_micro_usd) == (2, 2, None)


def test_a_run_that_called_no_model_has_no_usage(host: Host) -> None:
    envelope = host.run("pass").envelope
    assert (envelope.input_tokens, envelope.output_tokens, envelope.cost_micro_usd) == (None, None, None)


def test_a_remark_is_told_however_the_run_ends(host: Host) -> None:
    envelope = host.run(noting({"remark": "the session file was damaged"}) + "\nraise SystemExit(3)").envelope
    assert (envelope.exit_code, envelope.message) == (3, "the script exited with code 3; the session file was damaged")


def test_a_script_cannot_name_the_reason_of_its_end(host: Host) -> None:
    envelope = host.run(noting({"reason": "ModelError", "message": "not me"}) + "\nraise SystemExit(1)").envelope
    assert (envelope.reason, envelope.message) == ("ScriptFailed", "the script exited with code 1")


def test_notes_that_are_none_do_no_harm(host: Host) -> None:
    spoilt = [
        "{",
        "[]",
        '"x"',
        {"input": -5, "output": "7", "microUSD": 1.5},
        {"input": True, "output": 2**70, "microUSD": 0},
        {"remark": 7},
    ]
    envelope = host.run(noting(*spoilt)).envelope
    assert (envelope.input_tokens, envelope.output_tokens, envelope.cost_micro_usd, envelope.reason) == (0, 2**53, 0, "Completed")


def test_a_pipe_in_the_place_of_the_notes_hangs_nothing(host: Host) -> None:
    assert host.run(NOTES + "os.mkfifo(path)").envelope.reason == "Completed"


def test_a_session_that_another_run_has_starts_nothing(host: Host) -> None:
    root = host.folder("print('started')")
    with (root / "session" / "run.lock").open("w") as lock:
        (root / "session" / "run.lock").chmod(0o666)
        fcntl.flock(lock, fcntl.LOCK_EX)
        refused = host.run("print('started')", root, AGENTJOBS_SESSION=SESSION)
    assert (refused.envelope.outcome, refused.exit_code, refused.envelope.reason, refused.envelope.stdout) == (
        "Refused",
        78,
        "SessionBusy",
        "",
    )
    assert host.run("print('started')", root, AGENTJOBS_SESSION=SESSION).envelope.stdout == "started\n"


def test_a_run_holds_its_session_until_its_end(host: Host) -> None:
    script = "import time; print('started', flush=True); time.sleep(30)"
    root = host.folder(script)
    first = host.start(script, root, AGENTJOBS_SESSION=SESSION)
    first.expect(b"started")
    assert host.run(script, root, AGENTJOBS_SESSION=SESSION).envelope.reason == "SessionBusy"


def test_a_session_without_its_volume_starts_nothing(host: Host) -> None:
    refused = host.run("print('started')", AGENTJOBS_SESSION="/nowhere").envelope
    assert (refused.outcome, refused.reason, refused.stdout) == ("Refused", "SessionUnusable", "")
    assert refused.message == "the session's volume cannot be used: No such file or directory"
