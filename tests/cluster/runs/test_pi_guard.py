"""The extension that guards every call of pi: each of its rules, in the image's own Node.

These tests would miss none of the rules.

Each mutation takes one rule out of guard.ts. It counts as seen when one of the cases ends
otherwise.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

import pytest

from tests.cluster.installed import Installed
from tests.cluster.support import Kubectl, new_namespace
from tests.support.root import ROOT

DRIVER: Final = """\
const [file, cases, turns] = process.argv.slice(2);
const heard = {};
(await import(file)).default({ on: (name, listener) => { heard[name] = listener; } });
const calls = JSON.parse(cases).map(([toolName, input]) => {
  const event = { toolName, input };
  const refused = heard.tool_call(event);
  return refused ? refused.reason : event.input.path ?? "allowed";
});
const aborted = JSON.parse(turns).map(([stopReason, results]) => {
  let stopped = false;
  const turn = { message: { stopReason }, toolResults: Array(results).fill({}) };
  heard.turn_end(turn, { abort: () => { stopped = true; } });
  return stopped;
});
console.log(JSON.stringify([calls, aborted]));
"""
SCRIPT: Final = """\
import json, os, subprocess, sys
sys.path.insert(0, "/opt/agentjobs/lib")
from agentjobs_pi.places import GUARD, NODE
os.chdir("/workspace")
open("file", "w").close()
links = {"out": "/home/agent", "dangling": "/home/agent/new"}
for link, target in (links | {"inner": "file", "one": "two", "two": "one"}).items():
    os.symlink(target, link)
for spelling in SPELLINGS.values():
    os.symlink("/proc/self/environ", spelling)
open("/tmp/log", "w").close()
open("/tmp/driver.mjs", "w").write(DRIVER)
source = open(GUARD).read()

def outcome(name, text):
    path = f"/tmp/{name}.mts"
    open(path, "w").write(text)
    arguments = (path, json.dumps(CALLS), json.dumps(TURNS))
    command = [str(NODE), "--no-warnings", "/tmp/driver.mjs", *arguments]
    variables = {"AGENTJOBS_GUARD_MAX_TURNS": "3", "HOME": "/tmp"}
    done = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=30)
    return json.loads(done.stdout) if done.returncode == 0 else done.stderr[-300:]

texts = {"itself": source}
texts |= {str(number): source.replace(*mutation) for number, mutation in enumerate(MUTATIONS)}
print(json.dumps({name: outcome(f"guard-{name}", text) for name, text in texts.items()}))
"""
SPELLINGS: Final = {
    "it's.md": "it\u2019s.md",
    "caf\u00e9.md": "cafe\u0301.md",
    "Shot 9.41 AM.png": "Shot 9.41\u202fAM.png",
    "l'\u00e9t\u00e9.md": "l\u2019e\u0301te\u0301.md",
}
"""Paths that are not there, and the other spelling that pi tries for each: here a link to where the
run's variables stand."""
PLANTED: Final = tuple(spelling for spelling in SPELLINGS.values() if "\u202f" not in spelling)
CALLS: Final[tuple[tuple[str, dict[str, Any], str], ...]] = (
    ("write", {"path": "new/out.md"}, "/workspace/new/out.md"),
    ("write", {"path": "inner"}, "/workspace/file"),
    ("write", {"path": ""}, "refused: write: write needs a path"),
    ("write", {"path": 7}, "refused: write: write needs a path"),
    ("write", {}, "refused: write: write needs a path"),
    (
        "write",
        {"path": "/home/agent/out.md"},
        "refused: write: /home/agent/out.md is outside /workspace",
    ),
    (
        "edit",
        {"path": "../home/agent/out.md"},
        "refused: edit: ../home/agent/out.md is outside /workspace",
    ),
    ("edit", {"path": "file"}, "/workspace/file"),
    ("write", {"path": "out/new.md"}, "refused: write: out/new.md is outside /workspace"),
    ("write", {"path": "dangling"}, "refused: write: dangling is outside /workspace"),
    ("write", {"path": "one"}, "refused: write: too many links"),
    (
        "write",
        {"path": "/tmp/out.md"},  # noqa: S108  of a pod
        "refused: write: /tmp/out.md is outside /workspace",
    ),
    (
        "write",
        {"path": "/workspaces/out.md"},
        "refused: write: /workspaces/out.md is outside /workspace",
    ),
    (
        "write",
        {"path": "out\u00a0.md"},
        "refused: write: the path contains a space that is not ASCII",
    ),
    ("read", {"path": "@file"}, "/workspace/file"),
    ("read", {"path": "/tmp/log"}, "/tmp/log"),  # noqa: S108  of a pod
    (
        "read",
        {"path": "/proc/self/environ"},
        "refused: read: /proc/self/environ is outside /workspace and /tmp",
    ),
    ("ls", {}, "/workspace"),
    ("read", {}, "refused: read: read needs a path"),
    ("read", {"path": "missing"}, "refused: read: there is no missing"),
    ("edit", {"path": "missing"}, "refused: edit: there is no missing"),
    ("ls", {"path": "missing"}, "refused: ls: there is no missing"),
    ("read", {"path": "inner/missing"}, "refused: read: there is no inner/missing"),
    *(("read", {"path": path}, f"refused: read: there is no {path}") for path in SPELLINGS),
    *(
        ("read", {"path": planted}, f"refused: read: {planted} is outside /workspace and /tmp")
        for planted in PLANTED
    ),
    ("grep", {"path": "file"}, "refused: there is no tool grep in a run"),
    ("bash", {"command": "true"}, "allowed"),
)
TURNS: Final = (
    ("error", 1, False),
    ("toolUse", 1, False),
    ("toolUse", 1, False),
    ("toolUse", 1, True),
    ("stop", 0, False),
)
"""How a turn ended, how many results of tools it had, and whether the call is ended after it: at
the third that was one."""
MUTATIONS: Final = (
    ('if (tool === "bash") return undefined;', ""),
    ("if (!WRITERS.has(tool) && !READERS.has(tool))", "if (false)"),
    ('new Set(["write", "edit"])', 'new Set(["write"])'),
    ('new Set(["read", "ls"])', 'new Set(["read", "ls", "grep"])'),
    ("WRITERS.has(tool) ? [WORKSPACE] : READABLE", "READABLE"),
    ('[WORKSPACE, realpathSync("/tmp")]', "[WORKSPACE]"),
    ("if (UNICODE_SPACES.test(path))", "if (false)"),
    ("if (!inside(path, folders))", "if (false)"),
    ('if (tool !== "write" && !existsSync(path))', "if (false)"),
    ('tool !== "write" && ', ""),
    ('path.startsWith(folder + "/")', "path.startsWith(folder)"),
    ("path === folder || ", ""),
    ('if (links === 0) throw new Refusal("too many links");', ""),
    ("return realpathSync(path);", "return path;"),
    ("return real(resolve(dirname(place), target), links - 1);", "return place;"),
    ("real(folder, links - 1)", "folder"),
    ('text.replace(/^@/, "")', "text"),
    ("event.input.path = allowed(", "allowed("),
    ('given === undefined && tool === "ls" ? "." : given', "given"),
    ('given === undefined && tool === "ls"', "given === undefined"),
    ('typeof text !== "string" || ', ""),
    (' || text === ""', ""),
    ("resolve(WORKSPACE, ", 'resolve("/tmp", '),
    ('if (event.message.stopReason === "error") return;', ""),
    ("turns >= MAX_TURNS", "turns > MAX_TURNS"),
    (" && event.toolResults.length > 0", ""),
    ("context.abort()", "undefined"),
)


@pytest.fixture(scope="module")
def outcomes(agentjobs: Installed, kubectl: Kubectl) -> Iterator[dict[str, Any]]:
    """What the guard itself and each mutant of it said to all cases, from inside one run."""
    names = {
        "DRIVER": DRIVER,
        "SPELLINGS": SPELLINGS,
        "MUTATIONS": MUTATIONS,
        "CALLS": [call[:2] for call in CALLS],
        "TURNS": [turn[:2] for turn in TURNS],
    }
    script = "".join(f"{name} = {value!r}\n" for name, value in names.items()) + SCRIPT
    with new_namespace(kubectl) as namespace:
        record = agentjobs.ran(namespace, "guard", script)
        assert record["reason"] == "Completed", record["stderr"]
        yield json.loads(record["stdout"])


@pytest.mark.parametrize(
    "number",
    range(len(CALLS)),
    ids=lambda number: f"{CALLS[number][0]} {CALLS[number][1].get('path')!r}",
)
def test_a_tool_call_is_refused_or_passed_with_the_path_that_was_checked(
    number: int, outcomes: dict[str, Any]
) -> None:
    assert outcomes["itself"][0][number] == CALLS[number][2]


def test_a_call_of_pi_is_ended_after_as_many_turns_as_it_may_take(outcomes: dict[str, Any]) -> None:
    assert outcomes["itself"][1] == [turn[2] for turn in TURNS]


@pytest.mark.parametrize("number", range(len(MUTATIONS)), ids=lambda number: MUTATIONS[number][0])
def test_a_guard_without_one_of_its_rules_would_be_seen(
    number: int, outcomes: dict[str, Any]
) -> None:
    rule, other = MUTATIONS[number]
    source = (ROOT / "runner-image/src/agentjobs_pi/guard.ts").read_text()
    assert source.count(rule) == 1, "each mutation breaks one place"
    assert isinstance(outcomes[str(number)], list), (
        f"{other!r} is no program: {outcomes[str(number)]}"
    )
    assert outcomes[str(number)] != outcomes["itself"]
