"""`pi` as scripts call it: which words are the prompt, which options are taken, which are not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import IO

import pytest

from agentjobs_pi.arguments import UsageError, parse
from agentjobs_pi.call import SAFE_TOOLS
from tests.support.root import ROOT

PI = ROOT / "runner-image" / "src" / "agentjobs_pi" / "pi"


@pytest.mark.parametrize(
    ("words", "prompt"),
    [
        (["-p", "do X"], "do X"),
        (["do X"], "do X"),
        (["--print", "- first\n- second"], "- first\n- second"),
        (["-p", "@notes.md"], "@notes.md"),
        (["-p", "--dashes--"], "--dashes--"),
        (["-p", "-x"], "-x"),
        (["--model", "a/b", "-p", "do X", "--no-session"], "do X"),
        (["-p", "--", "--model"], "--model"),
        (["- a list, said first", "-p"], "- a list, said first"),
        (["-p"], None),
        ([], None),
        (["-p", ""], ""),
    ],
)
def test_what_is_no_option_is_the_prompt(words: list[str], prompt: str | None) -> None:
    assert parse(words).prompt == prompt


def test_a_plain_call_has_the_jobs_model_its_session_and_no_bash() -> None:
    question = parse(["-p", "do X"]).question
    assert (question.model, question.tools, question.remember, question.options) == (
        "",
        SAFE_TOOLS,
        True,
        (),
    )
    assert "bash" not in SAFE_TOOLS


def test_options_are_taken() -> None:
    request = parse(
        [
            "-t",
            "read, bash",
            "--model",
            "a/b",
            "--thinking",
            "low",
            "--append-system-prompt",
            "Be brief.",
            "--mode",
            "json",
            "-p",
            "X",
        ]
    )
    assert request.question.tools == ("read", "bash")
    assert request.question.model == "a/b"
    assert request.question.options == ("--append-system-prompt", "Be brief.", "--thinking", "low")
    assert request.events


def test_no_tools_and_no_session_are_taken() -> None:
    question = parse(["-nt", "--no-session", "-p", "X"]).question
    assert (question.tools, question.remember) == ((), False)


@pytest.mark.parametrize("words", [["--version"], ["-p", "--help"], ["--list-models", "gpt"]])
def test_questions_about_pi_itself_are_no_prompts(words: list[str]) -> None:
    assert parse(words).information


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            ["--resume", "-p", "X"],
            "--resume is not available in a run; available options are: --append-system-prompt, ",
        ),
        (["--session", "/session/x", "-p", "X"], "--session is not available"),
        (["-e", "evil.ts", "X"], "-e is not available"),
        (["-p", "one", "two"], "a call takes one prompt, and here are 2"),
        (["-p", "X", "--model"], "--model needs a value"),
        (["--mode", "rpc", "X"], "--mode rpc is not available in a run; text and json are"),
    ],
)
def test_what_makes_no_sense_in_a_run_is_refused_with_a_sentence(
    words: list[str], sentence: str
) -> None:
    with pytest.raises(UsageError, match=sentence):
        parse(words)


def called(
    stdin: IO[bytes] | int, *words: str, **variables: str
) -> subprocess.CompletedProcess[str]:
    """`pi` as a process, in an installation without models: it gets as far as asking for one."""
    command = [sys.executable, "-I", "-S", str(PI), *words]
    return subprocess.run(
        command, stdin=stdin, capture_output=True, text=True, env=variables, timeout=30, check=False
    )


def test_the_runs_own_input_is_never_taken_for_a_prompt(tmp_path: Path) -> None:
    event = tmp_path / "event.json"
    event.write_text('{"type": "com.example.published"}')
    nothing = called(subprocess.DEVNULL, "-p")
    with event.open("rb") as file:
        the_event = called(file, "-p", AGENTJOBS_EVENT_FILE=str(event))
        assert file.tell() == 0
    for refused in (nothing, the_event):
        assert (refused.returncode, refused.stdout) == (2, "")
        assert "the run's own stdin is not read" in refused.stderr


def test_an_input_that_was_given_to_the_call_is_its_prompt(tmp_path: Path) -> None:
    (tmp_path / "prompt.md").write_text("do X")
    with (tmp_path / "prompt.md").open("rb") as file:
        asked = called(file, "-p", AGENTJOBS_EVENT_FILE=str(tmp_path / "event.json"))
    assert (asked.returncode, asked.stderr.partition(";")[0]) == (
        1,
        "pi: this installation has no default model",
    )


def test_an_empty_prompt_is_none() -> None:
    assert (
        called(subprocess.DEVNULL, "-p", " \n").stderr,
        called(subprocess.DEVNULL, "-p", "").returncode,
    ) == (
        "pi: the prompt is empty\n",
        2,
    )
