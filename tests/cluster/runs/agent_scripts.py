"""Scripts that call pi, and what an agent finds in its workspace."""

from __future__ import annotations

from typing import Any

CALLS = """
import json, os, subprocess, sys, time

def pi(*words, **options):
    done = subprocess.run(["pi", *words], capture_output=True, text=True, timeout=60, **options)
    return {"code": done.returncode, "out": done.stdout, "err": done.stderr}

def ours():
    found = []
    for process in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.readlink(f"/proc/{process}/exe").endswith("/node"):
                found.append(process)
        except OSError:
            pass  # the runner, or it has just ended
    return found

def given_up():
    command = ["pi", "--mode", "json", "--model", "test/silent", "-p", "x"]
    pi = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    before = b""
    while b'"tool_execution_end"' not in before:
        before += pi.stdout.readline()
    running = len(ours())
    pi.kill()
    rest = pi.stdout.read()
    ended = time.monotonic() + 10
    while ours() and time.monotonic() < ended:
        time.sleep(0.05)
    whole = [json.loads(line)["type"] for line in before.splitlines()]
    return {"running": running, "left": ours(), "whole lines": whole[-1]}

pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
open_pipe = subprocess.Popen(["pi", "-p", "with an open pipe"], **pipes)
print(json.dumps({
    "open pipe": open_pipe.stdout.read(),
    "plain": pi("-p", "first question"),
    "dash": pi("-p", "- a list\\n- of two"),
    "at": pi("-p", "@/etc/passwd"),
    "piped": pi("-p", input="from a pipe"),
    "own stdin": pi("-p"),
    "empty": pi("--model", "test/empty", "-p", "x"),
    "broken": pi("--model", "test/broken", "-p", "x"),
    "cut": pi("--model", "test/cut", "-p", "x"),
    "overflow": pi("--model", "test/overflow", "-p", "x"),
    "locked": pi("--model", "locked/echo", "-p", "x"),
    "given up": given_up(),
    "bash": pi("--model", "test/shell", "--tools", "bash", "-p", "x"),
    "no bash": pi("--model", "test/naughty", "-p", "x"),
    "version": pi("--version"),
}))
"""
REMEMBERS = """
import os, subprocess

def ask(prompt):
    return subprocess.Popen(["pi", "-p", prompt], stdout=subprocess.PIPE, text=True)

run = os.environ["JOB_RUN_ID"]
calls = [ask(f"{run} one"), ask(f"{run} two")]
print("".join(call.communicate()[0] for call in calls), end="")
raise SystemExit(max(call.returncode for call in calls))
"""
DAMAGE = "open('/workspace/session.jsonl', 'wb').write(bytes(range(256)))"


# pi tries these spellings where it finds no `it's.md` and no `café.md`.
BROUGHT = """import os
open('/workspace/inbox.md', 'w').write('two invoices')
os.symlink('/home/agent', '/workspace/link')
for planted in ('it\\u2019s.md', 'cafe\\u0301.md'):
    os.symlink('/proc/self/environ', f'/workspace/{planted}')
"""
CLAIM = {
    "apiVersion": "v1",
    "kind": "PersistentVolumeClaim",
    "metadata": {"name": "desk"},
    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
}
DESK = {"claimName": "desk"}
AGENTS: dict[str, dict[str, Any]] = {
    "shell": {"tools": ["bash"]},
    "loop": {"tools": ["ls"], "maxTurns": 3},
    "empty": {},
    "broken": {},
}
