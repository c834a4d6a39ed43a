"""pi's events as text that a person reads in the run's record. Pure."""

from __future__ import annotations

import json

from agentjobs_pi.verdict import Event, message_text, result_text

MAX_ARGUMENT = 500
MAX_RESULT = 1000


def lines(event: Event) -> list[str]:
    """What an event adds to the transcript: answers whole, tool calls and results in short."""
    kind = event.get("type")
    if kind == "message_end":
        return _message(event["message"])
    if kind == "tool_execution_start":
        arguments = json.dumps(event.get("args") or {}, ensure_ascii=False)
        return [f"[{event['toolName']}] {shortened(arguments, MAX_ARGUMENT)}"]
    if kind == "tool_execution_end":
        outcome = "failed" if event.get("isError") else "done"
        result = shortened(result_text(event).strip(), MAX_RESULT)
        return [f"[{event['toolName']} {outcome}] {result}".rstrip()]
    if kind == "auto_retry_start":
        return [f"[retry] {shortened(str(event.get('errorMessage') or ''), MAX_ARGUMENT)}".rstrip()]
    if kind == "compaction_start":
        return ["[compaction] earlier parts of the conversation are summarised"]
    return []


def _message(message: Event) -> list[str]:
    role, text = message.get("role"), message_text(message).strip()
    if role == "user":
        return [f"[user] {shortened(text, MAX_RESULT)}"]
    if role != "assistant":
        return []
    said = [f"[assistant] {text}"] if text else []
    error = message.get("errorMessage")
    return [*said, f"[error] {shortened(str(error), MAX_RESULT)}"] if error else said


def shortened(text: str, limit: int) -> str:
    """Its first `limit` characters, and how many were left out."""
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text) - limit} more characters)"
