"""What counts as a model's answer, what a transcript shows and a call costs, from pi's events."""

from __future__ import annotations

from typing import Any

import pytest

from agentjobs_pi import transcript
from agentjobs_pi.verdict import Call, Event, Usage, Verdict

COST = {"total": 0.0012}


def said(text: str = "done", stop: str = "stop", **message: Any) -> list[Event]:
    """The events of one turn without calls of tools."""
    content = (
        [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": text}] if text else []
    )
    usage = {"input": 100, "output": 10, "cacheRead": 20, "cacheWrite": 3, "cost": COST}
    whole = {"role": "assistant", "content": content, "stopReason": stop, "usage": usage, **message}
    return [
        {"type": "turn_start"},
        {"type": "message_end", "message": whole},
        {"type": "turn_end", "message": whole, "toolResults": []},
    ]


def used(
    tool: str = "read", result: str = "ok", error: bool = False, **arguments: Any
) -> list[Event]:
    """The events of one turn that calls a tool."""
    start = {"type": "tool_execution_start", "toolName": tool, "args": arguments}
    end = {
        "type": "tool_execution_end",
        "toolName": tool,
        "result": {"content": [{"type": "text", "text": result}]},
        "isError": error,
    }
    asked, spoken, over = said("", "toolUse")
    return [asked, spoken, start, end, over]


def judged(*events: Event, code: int = 0, words: str = "", turns: int = 5) -> tuple[str, str]:
    call = Call(turns, priced=True)
    begin: list[Event] = [{"type": "session", "version": 3}, {"type": "agent_start"}]
    for event in [*begin, *events, {"type": "agent_settled"}]:
        call.feed(event)
    found: Verdict = call.verdict(code, words)
    return found.reason, found.message


ENDS = {
    "an answer": (said(), "Completed", "the model answered"),
    "an answer after tools": ([*used(), *said()], "Completed", "the model answered"),
    "nothing": (said(""), "EmptyAnswer", "the model ended without an answer"),
    "only spaces": (said(" \n"), "EmptyAnswer", "the model ended without an answer"),
    "nothing in the end": (
        [*said("first"), *said("")],
        "EmptyAnswer",
        "the model ended without an answer",
    ),
    "a cut answer": (
        said("and so", "length"),
        "AnswerTruncated",
        "the model's answer was cut off",
    ),
    "an error": (
        said("", "error", errorMessage="401: no\n  such key"),
        "ModelError",
        "the model's endpoint answered with an error: 401: no such key",
    ),
    "an error after an answer": (
        [*said(), *said("", "error", errorMessage="500")],
        "ModelError",
        "answered with an error: 500",
    ),
    "an error that a retry overcame": (
        [*said("", "error", errorMessage="529"), *said()],
        "Completed",
        "the model answered",
    ),
    "too long": (
        said("", "error", errorMessage="400: maximum context length is 9 tokens"),
        "ContextOverflow",
        "longer than the model's context window",
    ),
    "too busy": (
        said("", "error", errorMessage="429: too many tokens per minute"),
        "ModelError",
        "429: too many tokens per minute",
    ),
    "too long, as pi saw it": (
        [
            {"type": "compaction_start", "reason": "overflow"},
            *said("", "error", errorMessage="413"),
        ],
        "ContextOverflow",
        "413",
    ),
    "too many turns": (
        [*used() * 5, *said("", "aborted")],
        "TurnLimit",
        "the model had not finished after 5 turns",
    ),
    "requests that failed are no turns": (
        [*said("", "error", errorMessage="529") * 3, *used() * 4, *said("", "aborted")],
        "PiFailed",
        "before the model had finished (aborted)",
    ),
    "the last turn allowed": ([*used() * 4, *said()], "Completed", "the model answered"),
    "an end amid its work": (used(), "PiFailed", "before the model had finished (toolUse)"),
}


@pytest.mark.parametrize(("events", "reason", "message"), ENDS.values(), ids=ENDS.keys())
def test_only_an_answer_is_one(events: list[Event], reason: str, message: str) -> None:
    found, sentence = judged(*events)
    assert found == reason
    assert message in sentence


def test_pis_exit_code_counts_only_against_it() -> None:
    assert judged(*said(), code=143) == (
        "PiFailed",
        "pi exited with code 143 after the model's answer",
    )
    assert judged(code=1, words="Error: no\nsuch thing\n") == (
        "PiFailed",
        "pi exited with code 1 before the model answered: Error: no such thing",
    )


def test_a_refused_call_of_a_tool_is_told_with_the_success() -> None:
    events = [
        *used("bash", "Tool bash not found", error=True),
        *used("write", "refused: write: /etc/x is outside /workspace", error=True),
        *used("bash", "Tool bash not found", error=True),
        *used("read", "no such file", error=True),
        *said("I could not"),
    ]
    assert judged(*events) == (
        "Completed",
        "the model answered; refused tool calls: bash, write",
    )


def costs(*events: Event, priced: bool = True) -> list[Usage]:
    call = Call(5, priced=priced)
    return [used for event in events if (used := call.feed(event))]


def test_each_request_costs_what_it_sent_and_received_summaries_included() -> None:
    summary = {
        "type": "compaction_end",
        "result": {"usage": {"input": 1000, "output": 50, "cost": {"total": 0.01}}},
    }
    assert costs(*used(), summary, *said()) == [
        Usage(123, 10, 1200),
        Usage(1000, 50, 10_000),
        Usage(123, 10, 1200),
    ]


def test_without_a_price_the_cost_is_not_known() -> None:
    assert costs(*said(), priced=False) == [Usage(123, 10, None)]


def test_a_transcript_reads_like_a_conversation() -> None:
    prompt = {
        "type": "message_end",
        "message": {"role": "user", "content": [{"type": "text", "text": "go"}]},
    }
    system = {"type": "message_end", "message": {"role": "system", "content": "You are"}}
    events = [
        system,
        prompt,
        *used("read", "the inbox\n", path="inbox.md"),
        *used("bash", "Tool bash not found", error=True),
        *said("Done.\nAll of it."),
    ]
    assert [line for event in events for line in transcript.lines(event)] == [
        "[user] go",
        '[read] {"path": "inbox.md"}',
        "[read done] the inbox",
        "[bash] {}",
        "[bash failed] Tool bash not found",
        "[assistant] Done.\nAll of it.",
    ]


def test_a_transcript_shortens_tool_results_but_never_the_models_words() -> None:
    (_, result) = [line for event in used("read", "x" * 5000) for line in transcript.lines(event)]
    assert result == f"[read done] {'x' * 1000}… (4000 more characters)"
    assert [line for event in said("y" * 5000) for line in transcript.lines(event)] == [
        f"[assistant] {'y' * 5000}"
    ]


def test_events_of_a_later_pi_are_passed_over() -> None:
    assert judged({"type": "brand_new"}, *said()) == ("Completed", "the model answered")
    assert transcript.lines({"type": "brand_new"}) == []
