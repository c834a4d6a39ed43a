"""pi's events as text that a person reads in the run's record. Pure."""

from __future__ import annotations

import json

from agentjobs_pi.verdict import Event, message_text, result_text

MAX_ARGUMENT = 500
MAX_RESULT = 1000


def lines(event: Event) -> list[str]:
    """What this event adds to the transcript: answers whole, calls of tools and what they returned in short."""
    kind = event.get("type")
    if kind == "message_end":
        return _message(event["message"])
    if kind == "tool_execution_start":
        return [f"[{event['toolName']}] {shortened(json.dumps(event.get('args') or {}, ensure_ascii=False), MAX_ARGUMENT)}"]
    if kind == "tool_execution_end":
        outcome = "failed" if event.get("isError") else "done"
        return [f"[{event['toolName']} {outcome}] {shortened(result_text(event).strip(), MAX_RESULT)}".rstrip()]
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
