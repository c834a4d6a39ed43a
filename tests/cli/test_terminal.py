"""Nothing that somebody else wrote reaches a terminal unnamed, through whatever command.

That is neither what moves the cursor, hides or turns text, nor what passes for another character.
The check is written again here, without the function that it checks.
"""

from __future__ import annotations

import copy
import itertools
import json
import random
import re
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from agentjobs.cli import options
from agentjobs.cli.commands import (
    cancel,
    cards,
    decide,
    delete,
    diff,
    doctor,
    history,
    list_,
    logs,
    packages,
    pause,
    render,
    run,
)
from agentjobs.cli.contents import content_of
from agentjobs.present.difference import unified
from tests.support.cli.fake_kubectl import FakeKube, Json, ran
from tests.support.cli.jobs import JOBS, RUNS

HOSTILE: Final = [
    *(
        "\x1b[2K",
        "\x1b]0;x\x07",
        "\x1b[35m",
        "\x9b2J",
        "\r",
        "\x08",
        "\x7f",
        "\x00",
        "\u202e",
        "\u2066",
        "\u200b",
        "\ufeff",
    ),
    *(
        "\u2028",
        "\u2029",
        "\u0085",
        "\u00a0",
        "\u3000",
        "\u2215",
        "\u3164",
        "\u2800",
        "\ufe0f",
        "\U000e0041",
        "\U000e0100",
    ),
    *(
        "\uff45val",
        "p\u0430ypal",
        "\u0440oot",
        "\u03bfk",
        "\u037e",
        "x\u2024y",
        "\ue000",
        "\u0378",
        "z" + "\u0301" * 30,
    ),
    *("\U0001d41a", "\ud800"),
]
"""What must not be seen as it is. None is one of our own colours."""
PLAIN: Final = [
    "Approved",
    "x",
    "Schedule   At 08:00",
    "error: all is well",
    "---",
    "{",
    "[",
    ": ",
    "\n",
    "\t",
    " ",
    "'",
    '"',
    "ă",
    "完",
]
COLOURS: Final = re.compile(r"\x1b\[(?:0|1|2|31|32|33|36)m")
HIDING: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
UNSEEN: Final = frozenset("\U000e0100\u3164\u2800\u115f\u1160\uffa0\u034f\ufe0f\u2215\u037e\u2024")


def wrong(shown: str) -> list[str]:
    """What stands on a terminal and should not."""
    text = COLOURS.sub("", shown)
    found = [character for character in set(text) - {"\n", "\t"} if _deceives(character)]
    found += [word for word in re.findall(r"\w+", text) if _mixed(word)]
    return [ascii(one) for one in found] + (["a pile of marks"] if "\u0301" * 5 in text else [])


def _deceives(character: str) -> bool:
    category = unicodedata.category(character)
    if category in HIDING or character in UNSEEN or (category == "Zs" and character != " "):
        return True
    return (
        not character.isascii()
        and category[0] in "LN"
        and unicodedata.normalize("NFKC", character).isascii()
    )


def _mixed(word: str) -> bool:
    scripts = {
        unicodedata.name(letter, "").partition(" ")[0] for letter in word if letter.isalpha()
    }
    return "LATIN" in scripts and bool(scripts & {"CYRILLIC", "GREEK"})


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_the_check_finds_what_it_is_for(text: str) -> None:
    assert wrong(f"a {text}") or text == "\u0301"


SPEC: Final[Json] = {
    "description": "Reads.",
    "env": [{"name": "A", "value": "b"}],
    "script": {"inline": "print(1)\n"},
}
DECISION: Final[Json] = {
    "apiVersion": "agentjobs.dev/v1alpha1",
    "kind": "AgentJobApproval",
    "metadata": {"name": "one", "namespace": "team"},
    "spec": {
        "jobName": "report",
        "digest": "d" * 64,
        "decision": "Denied",
        "approvedBy": "ben",
        "reason": "why",
        "packages": ["six==1.0"],
    },
}
READY: Final = {"type": "Ready", "status": "False", "reason": "NameTaken", "message": "taken"}
STRUCTURE: Final = frozenset(
    {"kind", "apiVersion", "digest", "packages", "type", "decision", "state"}
)
"""Fields that commands choose by: their values stay, so that the others are reached."""


def spoilt(value: Any, draw: Callable[[], str], field: str = "") -> Any:
    """The same object, with other texts in it."""
    if isinstance(value, dict):
        return {
            name: part if name in STRUCTURE else spoilt(part, draw, name)
            for name, part in value.items()
        }
    if isinstance(value, list):
        return [spoilt(part, draw, field) for part in value]
    return draw() if isinstance(value, str) else value


def cluster(draw: Callable[[], str]) -> FakeKube:
    """Where every text of every object is hostile, but for the spec and the names of one job.

    That job has to be valid to be approved.
    """
    report: Json = copy.deepcopy(JOBS[2])
    report["spec"] = {
        **SPEC,
        "description": draw().strip() or "x",
        "env": [{"name": "A", "value": draw()}],
        "script": {"inline": f"#{draw()}\n "},
    }
    report["metadata"] = {"name": "report", "namespace": "team", "generation": 2}
    report["status"] = {
        **spoilt(report["status"], draw),
        "observedGeneration": 1,
        "conditions": [spoilt(READY, draw)],
    }
    others = [spoilt(copy.deepcopy(job), draw) for job in JOBS]
    runs = [spoilt(copy.deepcopy(one), draw) for one in RUNS]
    for record in runs:
        record["spec"]["jobName"] = "report"
        record["status"].update(stdout=draw(), stderr=draw(), message=draw(), logsComplete=False)
    runs[0]["metadata"]["name"], runs[-1]["metadata"]["name"] = "done", "going"
    runs[0]["status"]["phase"], runs[-1]["status"]["phase"] = "Failed", "Running"
    runs[-1]["status"]["podName"] = "pod"
    decision = {
        **spoilt(copy.deepcopy(DECISION), draw),
        "metadata": {"name": "one", "namespace": draw()},
    }
    decision["spec"]["jobName"] = "report"
    objects = {
        "scheduledagentjobs": [report, *others],
        "agentjobruns": runs,
        "agentjobapprovals": [decision],
        "packageapprovals": [decision],
    }
    objects |= _around(draw)
    objects["resources"] = [{"name": "agentjobruns"}]
    return FakeKube(
        objects=objects, log=f"{draw()}\n{draw()}".encode(errors="surrogatepass"), user=draw()
    )


def _around(draw: Callable[[], str]) -> dict[str, list[Json]]:
    """What `doctor` reads besides: leases, policies and rights."""
    lease = {
        "metadata": {"name": "agentjobs-operator", "namespace": draw()},
        "spec": {"renewTime": "2026-11-24T11:58:30Z"},
    }
    names = [{"metadata": {"name": draw()}, "spec": {"policyName": draw()}} for _ in range(2)]
    binding = {
        "metadata": {"name": draw()},
        "roleRef": {"kind": "ClusterRole", "name": "all"},
        "subjects": [{"kind": "User", "name": draw()}],
    }
    everything = {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}
    return {
        "leases": [lease],
        "validatingadmissionpolicies": names,
        "validatingadmissionpolicybindings": names,
        "clusterrolebindings": [binding],
        "rolebindings": [],
        "clusterroles": [{"metadata": {"name": "all"}, "rules": [everything]}],
        "roles": [],
    }


def commands(kube: FakeKube) -> Iterator[tuple[str, tuple[int, bytes, str]]]:
    """Each command that shows what is in the cluster, as on a terminal."""
    table, wide, names = options.Output.TABLE, options.Output.WIDE, options.Output.NAME

    def called(
        what: str, command: Callable[..., None], *given: Any, **more: Any
    ) -> tuple[str, tuple[int, bytes, str]]:
        return what, ran(command, kube, *given, terminal=True, **more)

    for form in (table, wide, names, options.Output.JSON, options.Output.YAML):
        yield called(f"list {form}", list_.run, output=form)
        yield called(f"history {form}", history.run, "report", output=form)
        yield called(f"cards {form}", cards.run, ["report"], output=form)
        yield called(f"packages {form}", packages.list_, output=form)
        yield called(f"doctor {form}", doctor.run, output=form)
    yield called("cards", cards.run)
    for name in ("done", "going"):
        yield called(f"logs {name}", logs.run, name)
    yield called("logs --stderr", logs.run, "done", stderr=True)
    yield called("run", run.run, "report", name="done")
    yield called("run", run.run, "report", name="x")
    yield called("run --wait", run.run, "report", wait=True)
    yield called("pause", pause.pause, ["report"])
    yield called("resume", pause.resume, ["report"])
    yield called("cancel", cancel.run, "report", yes=True)
    yield called("diff", diff.run, "report")
    yield called("deny", decide.deny, ["report"], yes=True, reason="x")
    yield called("approve", decide.approve, ["report"], yes=True)
    yield called("revoke", packages.revoke, ["one"], yes=True)
    yield called("absent", logs.run, f"absent {kube.user}")
    yield called("delete", delete.run, ["report"], approvals=True, yes=True)


@pytest.mark.parametrize("seed", range(4))
def test_no_command_puts_what_deceives_on_a_terminal(seed: int) -> None:
    dice = random.Random(seed)
    kube = cluster(lambda: "".join(dice.choices([*HOSTILE, *PLAIN], k=dice.randrange(6))))
    for name, (_, out, err) in commands(kube):
        assert wrong(out.decode()) == [], (name, out)
        assert wrong(err) == [], (name, err)


def test_each_hostile_text_is_named_where_it_stands() -> None:
    """In turns: with some thirty texts and a hundred fields, each comes to many."""
    turns = itertools.cycle(HOSTILE)
    kube = cluster(lambda: f"b{next(turns)}c")
    for name, (_, out, err) in commands(kube):
        assert wrong(out.decode()) == [], (name, out)
        assert wrong(err) == [], (name, err)


def test_for_programs_bytes_are_exact() -> None:
    text = "a\x1b[2K\u202e\r\nb\u00a0p\u0430y"
    kube = cluster(lambda: text)
    assert ran(logs.run, kube, "done")[1] == text.encode()
    raw = FakeKube(objects=kube.objects, log=b"\xff\xfe\r\x1b[2K\nb")
    assert ran(logs.run, raw, "going")[1] == b"\xff\xfe\r\x1b[2K\nb"
    shown = ran(list_.run, kube, output=options.Output.JSON)[1]
    assert text in json.loads(shown)["items"][1]["spec"]["description"]


def test_on_a_terminal_json_and_yaml_say_the_same_by_escapes() -> None:
    kube = cluster(lambda: "p\u0430y\u202e\x9b")
    for form, read in ((options.Output.JSON, json.loads), (options.Output.YAML, yaml.safe_load)):
        piped, shown = (
            ran(list_.run, kube, output=form, terminal=terminal)[1] for terminal in (False, True)
        )
        assert read(piped) == read(shown)
        assert piped != shown


def test_a_description_cannot_look_like_a_field_of_the_card() -> None:
    """Not by further lines, and not by a line so long that a terminal goes on at its left edge."""
    job = copy.deepcopy(JOBS[1])
    job["status"]["card"]["description"] = (
        "Reads.\n  Schedule   never\n  Secrets    none\n" + " " * 95 + "Digest     " + "0" * 64
    )
    lines = list[str](cards.lines(job, colour=False, width=80))
    labels = [line[2:13].strip() for line in lines[1:] if line[2:13].strip()]
    assert labels == ["Purpose", "Schedule", "Session", "Packages", "Limit", "Digest"]
    assert max(map(len, lines)) <= 80


def test_a_script_is_shown_line_by_line_whatever_stands_at_its_ends() -> None:
    inline = "import os \n\tprint('x')\nos.system('p\u0430y')\n\n"
    kube = FakeKube(
        objects={
            "scheduledagentjobs": [
                {
                    "metadata": {"name": "a"},
                    "spec": {"description": "x", "script": {"inline": inline}},
                }
            ]
        }
    )
    shown = ran(diff.run, kube, "a")[1].decode().splitlines()
    assert shown[-4:] == [
        "+    import os<U+0020 SPACE>",
        "+    \tprint('x')",
        "+    os.system('p<U+0430 CYRILLIC SMALL LETTER A>y')",
        "+",
    ]


def test_a_change_that_only_names_what_was_there_is_a_change() -> None:
    """Text that looks like our name of a character, exchanged for the character."""
    was, now = (
        {"description": "x", "script": {"inline": f"a\n{text}\n"}}
        for text in ("<U+200B ZERO WIDTH SPACE>", "\u200b")
    )
    document = content_of("a", was)
    assert len(unified(document.spec, content_of("a", now).spec, ("a", "b"))) > 3


@pytest.mark.parametrize("name", [text for text in HOSTILE if "\x00" not in text], ids=ascii)
def test_rendering_shows_names_and_paths_as_what_they_are(name: str, tmp_path: Path) -> None:
    body = {
        "apiVersion": "agentjobs.dev/v1alpha1",
        "kind": "ScheduledAgentJob",
        "metadata": {"name": f"b{name}c"},
        "spec": SPEC,
    }
    (tmp_path / "a.yaml").write_text(yaml.safe_dump(body))
    for form in (options.Output.NAME, options.Output.YAML, options.Output.JSON):
        _, out, err = ran(render.run, None, [tmp_path], output=form, terminal=True)
        assert wrong(out.decode() + err) == []
