"""Scripts that ask a model, agents in a script's place, and sessions that remember.

With the real pi, in real pods.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.cluster import many
from tests.cluster.installed import NAMESPACE, Installed, Manifest
from tests.cluster.model_pod import ModelPod
from tests.cluster.runs.agent_scripts import AGENTS, BROUGHT, CALLS, CLAIM, DAMAGE, DESK, REMEMBERS
from tests.cluster.support import Kubectl, new_namespace
from tests.support import manifests
from tests.support.servers.model_server import ANSWER_TOKENS, KEY, PROMPT_TOKENS, said


@pytest.fixture(scope="module")
def model(kubectl: Kubectl, agentjobs: Installed) -> Iterator[ModelPod]:
    """An installation whose models are the test's own."""
    with new_namespace(kubectl) as namespace:
        pod = ModelPod(agentjobs, namespace)
        pod.start()
        with agentjobs.values_set(**pod.values()):
            yield pod


def agent(
    name: str, model: str, workspace: dict[str, str] | None = None, **fields: Any
) -> Manifest:
    return manifests.agent_job(
        name, {"model": model, "instructions": f"# You are {name}\n", **fields}, workspace=workspace
    )


@pytest.fixture(scope="module")
def runs(model: ModelPod) -> dict[str, Manifest]:
    """One run of each job, side by side; the status of each by job.

    The agent `files` finds what `brings` left.
    """
    agentjobs, namespace = model.agentjobs, model.namespace
    agentjobs.kubectl.create(namespace, CLAIM)
    jobs = [agent(name, f"test/{name}", **fields) for name, fields in AGENTS.items()]
    jobs += [agent("locked", "locked/echo"), agent("files", "test/files", DESK)]
    jobs += [
        agent("anthropic", "claude/files", DESK),
        agent("anthropic-cut", "claude/cut"),
        agent("anthropic-broken", "claude/broken"),
    ]
    jobs += [manifests.agent_job("silent", {"model": "test/silent"}, timeoutSeconds=40)]
    jobs += [agent("naughty", "test/naughty", DESK, tools=["read", "write", "edit"])]
    jobs += [
        many.job("asks", CALLS),
        many.job("remembers", REMEMBERS, session="Continuous"),
        many.job("brings", BROUGHT, workspace=DESK),
    ]
    jobs += [many.job("looks", "print(open('/workspace/summary.md').read())", workspace=DESK)]
    many.in_force(agentjobs, namespace, jobs)
    found: dict[str, Manifest] = {}
    later = ["files", "naughty", "looks", "anthropic"]
    first = [job["metadata"]["name"] for job in jobs if job["metadata"]["name"] not in later]
    started = many.started(agentjobs, namespace, first)
    brought = {"brings": started.pop("brings")}
    found |= many.finished(agentjobs, namespace, brought)
    found |= many.finished(
        agentjobs, namespace, many.started(agentjobs, namespace, ["files", "naughty"])
    )
    found |= many.finished(agentjobs, namespace, many.started(agentjobs, namespace, ["looks"]))
    found |= many.finished(agentjobs, namespace, many.started(agentjobs, namespace, ["anthropic"]))
    found |= many.finished(agentjobs, namespace, started)
    return {name: run["status"] for name, run in found.items()}


@pytest.fixture(scope="module")
def calls(runs: dict[str, Manifest]) -> dict[str, Any]:
    """What the script `asks` got for each of its calls."""
    assert runs["asks"]["message"].endswith(
        "the script exited with code 0; 6 calls of pi failed"
    ), runs["asks"]
    answers: dict[str, Any] = json.loads(runs["asks"]["stdout"])
    return answers


def test_a_script_that_calls_pi_gets_the_models_answer(calls: dict[str, Any]) -> None:
    assert calls["plain"] == {"code": 0, "out": "answer 1 to: first question\n", "err": ""}
    assert calls["piped"]["out"] == "answer 1 to: from a pipe\n"
    assert calls["version"]["code"] == 0


def test_a_prompt_is_the_prompt_whatever_it_begins_with(calls: dict[str, Any]) -> None:
    assert calls["dash"]["out"] == "answer 1 to: - a list\n- of two\n"
    assert calls["at"]["out"] == "answer 1 to: @/etc/passwd\n"


def test_pi_neither_hangs_on_an_open_pipe_nor_takes_the_scripts_own_input(
    calls: dict[str, Any],
) -> None:
    assert calls["open pipe"] == "answer 1 to: with an open pipe\n"
    assert (calls["own stdin"]["code"], "there is no prompt" in calls["own stdin"]["err"]) == (
        2,
        True,
    )


def test_a_script_learns_by_the_exit_code_that_the_model_did_not_answer(
    calls: dict[str, Any],
) -> None:
    assert (calls["empty"]["code"], calls["empty"]["err"]) == (
        1,
        "pi: EmptyAnswer: the model ended without an answer\n",
    )
    assert calls["broken"]["code"] == 1
    assert (
        "pi: ModelError: the model's endpoint answered with an error: 401" in calls["broken"]["err"]
    )
    assert (calls["cut"]["code"], calls["cut"]["err"].startswith("pi: AnswerTruncated: ")) == (
        1,
        True,
    )
    assert (
        calls["overflow"]["code"],
        calls["overflow"]["err"].startswith("pi: ContextOverflow: "),
    ) == (1, True)
    assert (
        calls["locked"]["code"],
        "a job gets only the key for the provider of its own model" in calls["locked"]["err"],
    ) == (1, True)


def test_a_call_without_access_fails_the_run_and_the_others_count(
    runs: dict[str, Manifest],
) -> None:
    """The script took no notice of either, and exited with 0."""
    record = runs["asks"]
    assert (record["phase"], record["reason"], record["exitCode"], record["failedCalls"]) == (
        "Failed",
        "ModelError",
        69,
        6,
    )
    assert record["message"].startswith(
        "a call of pi failed: the model's endpoint answered with an error: 401"
    )
    assert KEY not in json.dumps(record)


def test_killing_a_call_ends_the_real_pi_and_keeps_what_it_said(calls: dict[str, Any]) -> None:
    """The script's patience ends while the model is silent: SIGKILL for the `pi` that it called."""
    assert calls["given up"] == {"running": 1, "left": [], "whole lines": "tool_execution_end"}


def test_a_scripts_model_runs_commands_only_where_the_script_says_so(
    calls: dict[str, Any], model: ModelPod
) -> None:
    assert calls["bash"] == {"code": 0, "out": "the answer is in the file\n", "err": ""}
    assert any(
        "42" in text
        for conversation in model.received("shell")
        for text in said(conversation, "tool")
    )
    assert calls["no bash"]["out"] == "none of it was possible\n"


def test_tokens_and_cost_of_a_scripts_calls_are_in_its_record(runs: dict[str, Manifest]) -> None:
    """Two calls, both of the model with a price."""
    cost = 2 * (2 * PROMPT_TOKENS + 30 * ANSWER_TOKENS) / 1e6
    assert runs["remembers"]["usage"] == {
        "inputTokens": 2 * PROMPT_TOKENS,
        "outputTokens": 2 * ANSWER_TOKENS,
        "costUSD": cost,
    }
    assert "costUSD" not in runs["asks"]["usage"]


def test_an_agent_reads_and_writes_files_of_its_workspace(
    runs: dict[str, Manifest], model: ModelPod
) -> None:
    assert (runs["files"]["phase"], runs["files"]["message"]) == ("Succeeded", "the model answered")
    assert runs["files"]["stdout"].splitlines() == [
        "[user] go",
        '[read] {"path": "inbox.md"}',
        "[read done] two invoices",
        '[write] {"path": "summary.md", "content": "summary of two invoices\\n"}',
        "[write done] Successfully wrote to /workspace/summary.md",
        "[assistant] summary.md is written",
    ]
    assert runs["looks"]["stdout"] == "summary of two invoices\n\n"
    (system,) = said(model.received("files")[0], "system")
    assert "# You are files" in system
    assert "nobody can be asked" in system


def test_an_agent_works_with_a_model_behind_anthropics_api(
    runs: dict[str, Manifest], model: ModelPod
) -> None:
    record = runs["anthropic"]
    assert (record["phase"], record["message"], record["stdout"]) == (
        "Succeeded",
        "the model answered",
        runs["files"]["stdout"],
    ), record
    assert record["usage"] == {"inputTokens": 3 * PROMPT_TOKENS, "outputTokens": 3 * ANSWER_TOKENS}
    first, second, third = model.received("files", "/v1/messages")
    assert [len(first), len(second), len(third)] == [
        1,
        3,
        5,
    ], "each request carries what was said and done before"


@pytest.mark.parametrize(
    ("name", "end"),
    [
        ("anthropic-cut", ("AnswerTruncated", "the model's answer was cut off at")),
        ("anthropic-broken", ("ModelError", "401")),
    ],
)
def test_an_invalid_anthropic_answer_fails_with_its_own_reason(
    runs: dict[str, Manifest], name: str, end: tuple[str, str]
) -> None:
    record = runs[name]
    assert (record["phase"], record["reason"]) == ("Failed", end[0]), record
    assert end[1] in record["message"]


def test_an_agent_that_asks_too_much_is_refused_and_it_is_recorded(
    runs: dict[str, Manifest], model: ModelPod
) -> None:
    record = runs["naughty"]
    assert (record["phase"], record["message"]) == (
        "Succeeded",
        "the model answered; refused tool calls: bash, write, edit, read",
    )
    for line in (
        "[bash failed] Tool bash not found",
        "[write failed] refused: write: /home/agent/out.md is outside /workspace",
        "[write failed] refused: write: ../workspace/../home/agent/out.md is outside /workspace",
        "[write failed] refused: write: link/out.md is outside /workspace",
        "[edit failed] refused: edit: link/notes.md is outside /workspace",
        "[read failed] refused: read: /proc/self/environ is outside /workspace and /tmp",
        "[read failed] refused: read: there is no it's.md",
        "[read failed] refused: read: there is no caf\u00e9.md",
    ):
        assert line in record["stdout"].splitlines()
    assert "AGENTJOBS_" not in record["stdout"]
    offered = {len(conversation) for conversation in model.received("naughty")}
    assert len(offered) > 1


def test_an_agent_has_bash_where_the_approved_spec_names_it(runs: dict[str, Manifest]) -> None:
    assert "[bash done] 42" in runs["shell"]["stdout"]


ENDS = {
    "loop": ("TurnLimit", "the model had not finished after 3 turns"),
    "empty": ("EmptyAnswer", "the model ended without an answer"),
    "broken": ("ModelError", "the model's endpoint answered with an error: 401"),
    "locked": (
        "ModelKeyMissing",
        "the Secret agentjobs-no-such-secret in the job's namespace must hold it under key",
    ),
}


@pytest.mark.parametrize(("name", "end"), ENDS.items(), ids=ENDS.keys())
def test_what_is_no_answer_is_a_failure_with_its_own_reason(
    runs: dict[str, Manifest], name: str, end: tuple[str, str]
) -> None:
    record = runs[name]
    assert (record["phase"], record["reason"], record["exitCode"]) == ("Failed", end[0], 1)
    assert end[1] in record["message"]


def test_a_looping_model_is_asked_no_more_than_it_may_answer(
    runs: dict[str, Manifest], model: ModelPod
) -> None:
    assert runs["loop"]["usage"]["inputTokens"] == 3 * PROMPT_TOKENS
    assert len(model.received("loop")) == 3


def test_a_silent_model_times_out_with_its_words_and_usage_kept(runs: dict[str, Manifest]) -> None:
    record = runs["silent"]
    assert (record["phase"], record["reason"], record["logsComplete"]) == (
        "TimedOut",
        "Timeout",
        True,
    )
    assert record["stdout"].splitlines()[:2] == ["[user] go", '[ls] {"path": "."}']
    assert record["usage"]["inputTokens"] == PROMPT_TOKENS


def test_a_card_shows_tools_model_and_the_secret_with_its_key(
    runs: dict[str, Manifest], model: ModelPod
) -> None:
    card = model.agentjobs.job(model.namespace, "shell")["status"]["card"]
    assert (card["tools"], card["model"], card["secrets"]) == (
        ["bash"],
        "test/shell",
        ["agentjobs-models/test"],
    )
    assert "looks" in runs
    script = model.agentjobs.job(model.namespace, "remembers")["status"]["card"]
    assert script["model"] == "test/echo (the installation's default, if the script calls pi)"
    assert script["claims"] == ["remembers-session"]


def asked(model: ModelPod, run: str) -> list[list[str]]:
    """What each request of this run's calls held of what people said."""
    return [
        texts
        for texts in (said(messages, "user") for messages in model.received("echo"))
        if texts[-1].startswith(run)
    ]


def again(model: ModelPod, run: str) -> Manifest:
    """Another run of the job that remembers."""
    model.agentjobs.start(model.namespace, "remembers", run)
    return model.agentjobs.finished(model.namespace, run, 60)


def test_a_job_remembers_until_its_session_is_damaged_or_deleted(
    runs: dict[str, Manifest], model: ModelPod
) -> None:
    first, agentjobs, namespace = "remembers-run", model.agentjobs, model.namespace
    assert runs["remembers"]["reason"] == "Completed", runs["remembers"]
    assert sorted(len(texts) for texts in asked(model, first)) == [
        1,
        2,
    ], "calls of one run share the session, one after the other"

    assert again(model, "second")["reason"] == "Completed"
    for texts in asked(model, "second"):
        assert {f"{first} one", f"{first} two"} < set(texts)
    assert sorted(len(texts) for texts in asked(model, "second")) == [3, 4]

    damaged = many.ran(
        agentjobs,
        namespace,
        [many.job("damages", DAMAGE, workspace={"claimName": "remembers-session"})],
    )
    assert damaged["damages"]["status"]["phase"] == "Succeeded"
    third = again(model, "third")
    assert (third["phase"], third["reason"]) == ("Succeeded", "Completed")
    assert "the session file was damaged" in third["message"]
    assert sorted(len(texts) for texts in asked(model, "third")) == [1, 2]

    agentjobs.kubectl("delete", "pvc", "-n", namespace, "remembers-session", "--timeout=60s")
    fourth = again(model, "fourth")
    assert (fourth["phase"], fourth["message"]) == ("Succeeded", "the script exited with code 0")
    assert sorted(len(texts) for texts in asked(model, "fourth")) == [1, 2]


def test_a_continuous_job_without_its_own_claim_says_so(model: ModelPod) -> None:
    agentjobs, namespace = model.agentjobs, model.namespace
    agentjobs.kubectl.create(namespace, CLAIM | {"metadata": {"name": "squatted-session"}})
    agentjobs.kubectl.apply(namespace, many.job("squatted", "pass", session="Continuous"))
    agentjobs.approve(namespace, "squatted")
    assert "squatted-session exists and does not belong to this job" in many.told(
        agentjobs, namespace, "squatted", "Ready", "NameTaken"
    )


def test_the_key_is_in_no_record_spec_or_log(runs: dict[str, Manifest], model: ModelPod) -> None:
    """But in the source of the model server, which asks for it."""
    kubectl, namespace = model.agentjobs.kubectl, model.namespace
    assert "Incorrect API key provided: ***" in runs["broken"]["message"]
    written = kubectl(
        "get", "saj,ajr,configmaps,cronjobs,jobs,pods,events", "-n", namespace, "-o", "json"
    )
    assert (
        written.count(KEY)
        == kubectl("get", "configmap", "-n", namespace, "model", "-o", "json").count(KEY)
        > 0
    )
    assert KEY not in kubectl("logs", "-n", NAMESPACE, "deploy/agentjobs", "--tail=-1")
