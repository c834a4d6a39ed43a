"""A model that tests can rely on, and that keeps what it was asked.

It speaks OpenAI's streaming chat completions and Anthropic's messages.

The model's id says how it behaves (`MODELS`). Standard library only and one file, so that a cluster
test can run it in a pod: `python3 model_server.py PORT`. GET /requests returns everything received,
as JSON, but for the keys.
"""

from __future__ import annotations

import json
import re
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar, Final

Message = dict[str, Any]
KEY: Final = "sk-test-0123456789abcdef"
STEP: Final = r"^\d\. (List|Read|Write) `([^`]+)`"
"""What the model `obeys` understands of instructions."""
PROMPT_TOKENS: Final = 1000
ANSWER_TOKENS: Final = 10


@dataclass(frozen=True)
class Reply:
    """One answer: text, calls of tools as (name, arguments), or an error of this HTTP status."""

    text: str = ""
    calls: tuple[tuple[str, dict[str, Any]], ...] = ()
    stop: str = "stop"
    status: int = 200
    never: bool = False
    """The connection stays open and nothing comes."""


def said(messages: list[Message], role: str) -> list[str]:
    """The texts of this role, in order."""
    return [_text(message) for message in messages if message["role"] == role]


def _text(message: Message) -> str:
    content = message.get("content") or ""
    return (
        content if isinstance(content, str) else "".join(part.get("text", "") for part in content)
    )


def _script(*steps: Reply) -> Callable[[list[Message]], Reply]:
    """Answers in order: the conversation's answers so far determine which one is next."""
    return lambda messages: steps[min(len(said(messages, "tool")), len(steps) - 1)]


def _call(tool: str, **arguments: object) -> Reply:
    return Reply(calls=((tool, arguments),), stop="tool_calls")


def _echo(messages: list[Message]) -> Reply:
    prompts = said(messages, "user")
    return Reply(f"answer {len(prompts)} to: {prompts[-1]}")


def _files(messages: list[Message]) -> Reply:
    results = said(messages, "tool")
    if not results:
        return _call("read", path="inbox.md")
    return (
        _call("write", path="summary.md", content=f"summary of {results[0].strip()}\n")
        if len(results) == 1
        else Reply("summary.md is written")
    )


def _obeys(messages: list[Message]) -> Reply:
    """Does what numbered instructions about files say.

    It lists a folder and reads all in it, reads a file, writes all that it has read to another.
    """
    results, steps_named = (
        said(messages, "tool"),
        re.findall(STEP, "\n".join(said(messages, "system")), re.MULTILINE),
    )
    if not steps_named:
        return _echo(messages)
    calls: list[Reply] = []
    read: list[str] = []
    for verb, path in steps_named:
        steps = [_call("read", path=path)] if verb == "Read" else [_call("ls", path=path)]
        if verb == "List" and len(results) > len(calls):
            steps += [_call("read", path=path + name) for name in results[len(calls)].split()]
        if verb == "Write":
            steps = [_call("write", path=path, content="\n".join(read))]
        read += [
            text
            for step, text in zip(steps, results[len(calls) :], strict=False)
            if step.calls[0][0] == "read"
        ]
        calls += steps
        if len(results) < len(calls):
            return calls[len(results)]
    return Reply("I have read: " + "; ".join(read))


MODELS: Final[dict[str, Callable[[list[Message]], Reply]]] = {
    "echo": _echo,
    "files": _files,
    "obeys": _obeys,
    "naughty": _script(
        _call("bash", command="echo pwned > /workspace/pwned"),
        _call("write", path="/home/agent/out.md", content="x"),
        _call("write", path="../workspace/../home/agent/out.md", content="x"),
        _call("write", path="link/out.md", content="x"),
        _call("edit", path="link/notes.md", edits=[{"oldText": "x", "newText": "y"}]),
        _call("read", path="/proc/self/environ"),
        _call("read", path="it's.md"),
        _call("read", path="caf\u00e9.md"),
        Reply("none of it was possible"),
    ),
    "shell": _script(
        _call("bash", command="echo $((6 * 7)) > answer; cat answer"),
        Reply("the answer is in the file"),
    ),
    "loop": lambda _: _call("ls", path="."),
    "silent": _script(_call("ls", path="."), Reply(never=True)),
    "empty": lambda _: Reply(""),
    "cut": lambda _: Reply("this answer is not", stop="length"),
    "broken": lambda _: Reply(f"Incorrect API key provided: {KEY}", status=401),
    "overflow": lambda _: Reply(
        "This model's maximum context length is 128000 tokens. Your messages resulted in 130000"
        " tokens.",
        status=400,
    ),
}


@dataclass
class Received:
    """A request as it came: its body, and the key that it carried."""

    path: str
    body: dict[str, Any]
    key: str

    @property
    def messages(self) -> list[Message]:
        return list(self.body["messages"])


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    received: ClassVar[list[Received]]

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class names it so
        pass

    def do_GET(self) -> None:
        seen = [
            {"path": one.path, "body": one.body, "authorized": one.key == KEY}
            for one in self.received
        ]
        self._send(200, "application/json", json.dumps(seen).encode())

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        key = self.headers.get("x-api-key") or self.headers.get("Authorization", "").removeprefix(
            "Bearer "
        )
        self.received.append(Received(self.path, body, key))
        anthropic = "/v1/messages" in self.path
        reply = MODELS[body["model"]](
            _as_openai(body["messages"]) if anthropic else body["messages"]
        )
        if reply.never:
            threading.Event().wait()
        if reply.status != 200:
            self._send(
                reply.status,
                "application/json",
                json.dumps(
                    {"error": {"message": reply.text, "type": "invalid_request_error"}}
                ).encode(),
            )
            return
        stream = _anthropic(body["model"], reply) if anthropic else _openai(body["model"], reply)
        self._send(200, "text/event-stream", "".join(stream).encode())

    def _send(self, status: int, kind: str, data: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def _openai(model: str, reply: Reply) -> Iterator[str]:
    def chunk(**fields: object) -> str:
        same = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": model}
        return f"data: {json.dumps(same | fields)}\n\n"

    def delta(finish: str | None = None, **parts: object) -> str:
        return chunk(choices=[{"index": 0, "delta": parts, "finish_reason": finish}])

    yield delta(role="assistant", content="")
    for start in range(0, len(reply.text), 16):
        yield delta(content=reply.text[start : start + 16])
    for number, (name, arguments) in enumerate(reply.calls):
        call = {
            "index": number,
            "id": f"call_{number}",
            "type": "function",
            "function": {"name": name, "arguments": json.dumps(arguments)},
        }
        yield delta(tool_calls=[call])
    yield delta(reply.stop)
    usage = {
        "prompt_tokens": PROMPT_TOKENS,
        "completion_tokens": ANSWER_TOKENS,
        "total_tokens": PROMPT_TOKENS + ANSWER_TOKENS,
    }
    yield chunk(choices=[], usage=usage)
    yield "data: [DONE]\n\n"


def _as_openai(messages: list[Message]) -> list[Message]:
    """Results of tools are a message of their own there, and parts of the user's with Anthropic."""
    found: list[Message] = []
    for message in messages:
        parts = message["content"]
        results = (
            [part for part in parts if part["type"] == "tool_result"]
            if isinstance(parts, list)
            else []
        )
        found += [{"role": "tool", "content": result["content"]} for result in results] or [message]
    return found


STOPS: Final = {"stop": "end_turn", "tool_calls": "tool_use", "length": "max_tokens"}


def _anthropic(model: str, reply: Reply) -> Iterator[str]:
    def event(kind: str, **fields: object) -> str:
        return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n"

    def block(index: int, empty: Message, delta: Message) -> Iterator[str]:
        yield event("content_block_start", index=index, content_block=empty)
        yield event("content_block_delta", index=index, delta=delta)
        yield event("content_block_stop", index=index)

    usage = {"input_tokens": PROMPT_TOKENS, "output_tokens": 1}
    message: Message = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "content": [],
        "model": model,
        "stop_reason": None,
    }
    yield event("message_start", message=message | {"usage": usage})
    if reply.text:
        yield from block(
            0, {"type": "text", "text": ""}, {"type": "text_delta", "text": reply.text}
        )
    for number, (name, arguments) in enumerate(reply.calls):
        call = {"type": "tool_use", "id": f"toolu_{number}", "name": name, "input": {}}
        yield from block(
            number, call, {"type": "input_json_delta", "partial_json": json.dumps(arguments)}
        )
    yield event(
        "message_delta",
        delta={"stop_reason": STOPS[reply.stop], "stop_sequence": None},
        usage={"output_tokens": ANSWER_TOKENS},
    )
    yield event("message_stop")


def _server(address: str, port: int, received: list[Received]) -> ThreadingHTTPServer:
    server = ThreadingHTTPServer(
        (address, port), type("Handler", (_Handler,), {"received": received})
    )
    server.daemon_threads = True
    return server


@dataclass(frozen=True)
class ModelServer:
    """A running server. `received` grows with every request."""

    url: str
    received: list[Received]


@contextmanager
def serving(address: str = "127.0.0.1") -> Iterator[ModelServer]:
    """A server on a free port of this address, until the end of the block."""
    received: list[Received] = []
    server = _server(address, 0, received)
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
    )
    thread.start()
    try:
        yield ModelServer(f"http://{address}:{server.server_address[1]}", received)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


if __name__ == "__main__":
    _server("", int(sys.argv[1]), []).serve_forever()
