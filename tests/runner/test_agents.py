"""What the runner does about agents.

It starts them in a script's place, holds their session, and takes over what calls of models left.
"""

from __future__ import annotations

import fcntl
import json

import pytest

from tests.runner.container import NOTES, Host

SESSION = "/session"


def noting(*notes: object) -> str:
    """A script that leaves these notes; text is written as it is."""
    lines = [note if isinstance(note, str) else json.dumps(note) for note in notes]
    return f"{NOTES}with open(path, 'w') as file:\n    file.write({chr(10).join(lines)!r})"


def test_an_agent_without_a_model_fails_with_a_reason_and_a_sentence(host: Host) -> None:
    ended = host.run({"instructions": "Summarise."})
    assert (ended.envelope.outcome, ended.exit_code, ended.envelope.reason) == (
        "Exited",
        1,
        "NoModel",
    )
    assert (
        ended.envelope.message
        == "this installation has no default model; name a model, or set the chart's value"
        " models.default"
    )
    assert ended.envelope.stdout == f"[NoModel] {ended.envelope.message}\n"


def test_an_agents_own_model_counts_and_not_the_default(host: Host) -> None:
    providers = {
        "house": {"api": "openai-completions", "baseUrl": "http://x/v1", "models": [{"id": "m"}]}
    }
    agent = {"instructions": "Summarise.", "model": "house/x"}
    envelope = host.run(
        agent, AGENTJOBS_MODELS=json.dumps(providers), AGENTJOBS_MODEL="house/m"
    ).envelope
    assert (envelope.reason, envelope.message.partition(";")[0]) == (
        "UnknownModel",
        "this installation has no model house/x",
    )


def test_tokens_and_costs_of_all_calls_are_in_the_record(host: Host) -> None:
    first, second = (
        {"input": 100, "output": 5, "microUSD": 1_500_000},
        {"input": 10, "output": 1, "microUSD": 7},
    )
    envelope = host.run(noting(first, second)).envelope
    assert (envelope.input_tokens, envelope.output_tokens, envelope.cost_micro_usd) == (
        110,
        6,
        1_500_007,
    )
    assert (envelope.reason, envelope.message) == ("Completed", "the script exited with code 0")


def test_one_call_without_a_price_makes_the_cost_unknown(host: Host) -> None:
    short = host.run(
        noting(
            {"input": 1, "output": 1, "microUSD": 2}, {"input": 1, "output": 1, "microUSD": None}
        )
    ).short_form
    assert (short.input_tokens, short.output_tokens, short.cost_micro_usd) == (2, 2, None)


def test_a_run_that_called_no_model_has_no_usage(host: Host) -> None:
    envelope = host.run("pass").envelope
    assert (envelope.input_tokens, envelope.output_tokens, envelope.cost_micro_usd) == (
        None,
        None,
        None,
    )


def test_a_remark_is_told_however_the_run_ends(host: Host) -> None:
    envelope = host.run(
        noting({"remark": "the session file was damaged"}) + "\nraise SystemExit(3)"
    ).envelope
    assert (envelope.exit_code, envelope.message) == (
        3,
        "the script exited with code 3; the session file was damaged",
    )


def test_a_script_cannot_name_the_reason_of_its_end(host: Host) -> None:
    envelope = host.run(
        noting({"reason": "ModelError", "message": "not me"}) + "\nraise SystemExit(1)"
    ).envelope
    assert (envelope.reason, envelope.message) == ("ScriptFailed", "the script exited with code 1")


SNIPPET = """
import subprocess
command = ["pi", "-p", "Summarise the news."]
done = subprocess.run(command, capture_output=True, text=True, timeout=600)
print(done.stdout)
"""
NO_MODEL = (
    "this installation has no default model; name a model, or set the chart's value models.default"
)


def test_a_script_whose_call_had_no_model_has_failed_regardless(host: Host) -> None:
    ended = host.run(SNIPPET)
    assert (ended.envelope.outcome, ended.exit_code, ended.envelope.reason) == (
        "Exited",
        69,
        "NoModel",
    )
    assert (
        ended.envelope.message == f"a call of pi failed: {NO_MODEL}; the script exited with code 0"
    )
    assert (ended.envelope.failed_calls, ended.short_form.failed_calls) == (1, 1)


def test_a_call_without_its_key_or_its_endpoint_is_one(host: Host) -> None:
    model = {"api": "openai-completions", "baseUrl": "http://x/v1", "models": [{"id": "m"}]}
    given = {
        "AGENTJOBS_MODELS": json.dumps({"house": {**model, "env": "HOUSE_KEY"}}),
        "AGENTJOBS_MODEL": "house/m",
    }
    assert host.run(SNIPPET, None, **given).envelope.reason == "ModelKeyMissing"
    unreachable = {
        "failed": "ModelError",
        "message": "the model's endpoint could not be reached",
        "needs": True,
    }
    envelope = host.run(noting(unreachable)).envelope
    assert (envelope.exit_code, envelope.reason) == (69, "ModelError")


def test_a_script_failing_with_its_call_has_its_code_and_the_calls_reason(host: Host) -> None:
    envelope = host.run(SNIPPET + "done.check_returncode()").envelope
    assert (envelope.exit_code, envelope.reason) == (1, "NoModel")
    assert envelope.message == f"a call of pi failed: {NO_MODEL}; the script exited with code 1"


def test_other_failed_calls_are_counted_and_told(host: Host) -> None:
    first = {
        "failed": "EmptyAnswer",
        "message": "the model ended without an answer",
        "needs": False,
    }
    last = {"failed": "ModelError", "message": "500", "needs": False}
    envelope = host.run(noting(first, last)).envelope
    assert (envelope.exit_code, envelope.reason, envelope.failed_calls) == (0, "Completed", 2)
    assert (
        envelope.message
        == "the script exited with code 0; 2 calls of pi failed, the last with ModelError: 500"
    )
    wrong = host.run("import subprocess; subprocess.run(['pi', '--resume', '-p', 'x'])").envelope
    assert (wrong.reason, wrong.failed_calls) == ("Completed", 1)
    assert wrong.message.startswith(
        "the script exited with code 0; 1 call of pi failed, with PiFailed: --resume is not"
        " available"
    )


def test_a_run_without_failed_calls_counts_none(host: Host) -> None:
    assert host.run("pass").envelope.failed_calls is None


@pytest.mark.slow
def test_a_run_that_was_ended_keeps_its_own_reason(host: Host) -> None:
    needed = {"failed": "NoModel", "message": "no model", "needs": True}
    envelope = host.run(
        noting(needed) + "\nimport time; time.sleep(30)", AGENTJOBS_TIMEOUT_SECONDS="1"
    ).envelope
    assert (envelope.outcome, envelope.reason, envelope.failed_calls) == ("TimedOut", "Timeout", 1)


def test_what_notes_say_is_masked_and_printable(host: Host) -> None:
    hostile = "the token is swordfish\x1b[2K\u202e\x00\nsword\u200bfish"
    notes = (
        {"remark": hostile},
        {"failed": "ModelError", "message": f"key {hostile}", "needs": False},
    )
    ended = host.run(noting(*notes), TOKEN="swordfish", AGENTJOBS_SECRET_VARIABLES="TOKEN")
    assert (
        ended.envelope.message == "the script exited with code 0; the token is *** [2K sword fish; "
        "1 call of pi failed, with ModelError: key the token is *** [2K sword fish"
    )
    assert "swordfish" not in ended.termination


def test_an_agents_last_words_are_masked_and_printable(host: Host) -> None:
    """An agent with bash writes where it likes; its program has said its verdict before."""
    program = {"instructions": "x", "model": "house/\x1bswordfish"}
    ended = host.run(program, TOKEN="swordfish", AGENTJOBS_SECRET_VARIABLES="TOKEN")
    assert (
        ended.envelope.message
        == "this installation has no model house/ ***; its models are: none (see the chart's value"
        " models)"
    )


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
    assert (
        envelope.input_tokens,
        envelope.output_tokens,
        envelope.cost_micro_usd,
        envelope.reason,
    ) == (0, 2**53, 0, "Completed")


def test_a_pipe_in_the_place_of_the_notes_hangs_nothing(host: Host) -> None:
    assert host.run(NOTES + "os.mkfifo(path)").envelope.reason == "Completed"


def test_a_session_that_another_run_has_starts_nothing(host: Host) -> None:
    root = host.folder("print('started')")
    with (root / "session" / "run.lock").open("w") as lock:
        (root / "session" / "run.lock").chmod(0o666)
        fcntl.flock(lock, fcntl.LOCK_EX)
        refused = host.run("print('started')", root, AGENTJOBS_SESSION=SESSION)
    assert (
        refused.envelope.outcome,
        refused.exit_code,
        refused.envelope.reason,
        refused.envelope.stdout,
    ) == (
        "Refused",
        78,
        "SessionBusy",
        "",
    )
    assert (
        host.run("print('started')", root, AGENTJOBS_SESSION=SESSION).envelope.stdout == "started\n"
    )


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
