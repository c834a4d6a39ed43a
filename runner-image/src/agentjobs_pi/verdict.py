"""Whether the model really answered: pi's exit code does not say, its events do. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Event = dict[str, Any]

COMPLETED = "Completed"
MAX_SENTENCE = 300
_OVERFLOW = re.compile(
    "context[ _](length|window|size)|prompt (is )?too long|too many tokens|token limit"
    "|maximum (prompt|allowed input) length|input is too long|exceeds the maximum"
    "|reduce the length of the messages|request_too_large",
    re.IGNORECASE,
)
_UNREACHABLE = re.compile(
    r"^Connection error\b|^fetch failed\b|\bECONNREFUSED\b|\bENOTFOUND\b|\bEAI_AGAIN\b"
)
_NO_ACCESS = re.compile(r"^(401|403)\b")
"""As both APIs' errors begin."""
_BUSY = re.compile(r"\b429\b|rate.?limit|overloaded", re.IGNORECASE)


@dataclass(frozen=True)
class Verdict:
    """`reason` is one of the record's constants, `message` a sentence."""

    reason: str
    message: str
    needs: bool = False
    """The call lacked a model, an endpoint, or a key that fits it: asking again changes nothing."""

    @property
    def ok(self) -> bool:
        """The model answered."""
        return self.reason == COMPLETED


@dataclass(frozen=True)
class Usage:
    """Of one request. `micro_usd` in millionths of a dollar; None when the price is not known."""

    input_tokens: int
    output_tokens: int
    micro_usd: int | None


class Call:
    """One call of pi, told event by event (`--mode json`)."""

    def __init__(self, max_turns: int, *, priced: bool, hide: Callable[[str], str] = str) -> None:
        """`hide` takes keys out of what is quoted before it is cut: half a key would go unfound."""
        self.refused: list[str] = []
        """Tools whose calls were refused, in order."""
        self.turns = 0
        self._max_turns = max_turns
        self._priced = priced
        self._hide = hide
        self._last: Event | None = None
        self._overflowed = False

    def feed(self, event: Event) -> Usage | None:
        """Takes note of one event, and says what the request cost that it ends.

        Kinds that it does not know say nothing.
        """
        kind = event.get("type")
        if kind == "message_end" and event["message"].get("role") == "assistant":
            self._last = event["message"]
            return self._usage(event["message"])
        if kind == "compaction_end" and event.get("result"):
            return self._usage(event["result"])
        self._note(event)
        return None

    def _note(self, event: Event) -> None:
        kind = event.get("type")
        if kind == "turn_end":
            self.turns += event["message"].get("stopReason") not in ("error", "aborted")
        elif kind == "tool_execution_end":
            if event.get("isError") and is_refusal(result_text(event)):
                self.refused.append(str(event.get("toolName")))
        elif kind == "compaction_start":
            self._overflowed = self._overflowed or event.get("reason") == "overflow"

    def _usage(self, holder: Event) -> Usage:
        """What was read from a cache was sent, too."""
        usage = holder.get("usage") or {}
        sent = sum(int(usage.get(kind) or 0) for kind in ("input", "cacheRead", "cacheWrite"))
        cost = round(1e6 * float((usage.get("cost") or {}).get("total") or 0))
        return Usage(sent, int(usage.get("output") or 0), cost if self._priced else None)

    @property
    def text(self) -> str:
        """The last answer."""
        return message_text(self._last) if self._last else ""

    def verdict(self, exit_code: int, last_words: str) -> Verdict:
        """`last_words`: the end of pi's stderr, for an end before the model could say anything."""
        last_words = self._hide(last_words)
        exited = f"pi exited with code {exit_code}"
        if self._last is None:
            message = sentence(f"{exited} before the model answered", last_words)
            return Verdict("PiFailed", message)
        stop = str(self._last.get("stopReason"))
        if stop == "error":
            error = str(self._last.get("errorMessage") or "no reason given")
            return self._failed(self._hide(error))
        if stop != "stop":
            return self._unfinished(stop, exit_code, last_words)
        if not self.text.strip():
            return Verdict("EmptyAnswer", "the model ended without an answer")
        if exit_code:
            message = sentence(f"{exited} after the model's answer", last_words)
            return Verdict("PiFailed", message)
        return Verdict(COMPLETED, "the model answered" + self._refusals())

    def _unfinished(self, stop: str, exit_code: int, last_words: str) -> Verdict:
        if self.turns >= self._max_turns:
            return Verdict("TurnLimit", f"the model had not finished after {self._max_turns} turns")
        if stop == "length":
            cut = "the model's answer was cut off at its maximum number of tokens"
            message = f"{cut}; ask for less, or raise the model's maxTokens"
            return Verdict("AnswerTruncated", message)
        what = f"pi exited with code {exit_code} before the model had finished ({stop})"
        return Verdict("PiFailed", sentence(what, last_words))

    def _failed(self, error: str) -> Verdict:
        if self._overflowed or (_OVERFLOW.search(error) and not _BUSY.search(error)):
            told = sentence("the conversation is longer than the model's context window", error)
            return Verdict("ContextOverflow", told)
        if _UNREACHABLE.search(error):
            told = sentence("the model's endpoint could not be reached", error)
            return Verdict("ModelError", told, needs=True)
        told = sentence("the model's endpoint answered with an error", error)
        return Verdict("ModelError", told, needs=_NO_ACCESS.match(error) is not None)

    def _refusals(self) -> str:
        tools = ", ".join(dict.fromkeys(self.refused))
        return f"; refused tool calls: {tools}" if tools else ""


def is_refusal(text: str) -> bool:
    """Of the guard, or of pi for a tool that was not offered."""
    return text.startswith("refused: ") or re.fullmatch("Tool .* not found", text) is not None


def message_text(message: Event) -> str:
    """The text of a message without thoughts and calls of tools."""
    content = message.get("content") or []
    if isinstance(content, str):
        return content
    return "".join(str(part.get("text", "")) for part in content if part.get("type") == "text")


def result_text(event: Event) -> str:
    """What a tool returned, as text."""
    return message_text(event.get("result") or {})


def sentence(what: str, detail: str) -> str:
    """On one line, and not longer than a record should be."""
    words = " ".join(detail.split())
    if len(words) > MAX_SENTENCE:
        words = f"{words[: MAX_SENTENCE - 1]}…"
    return f"{what}: {words}" if words else what
