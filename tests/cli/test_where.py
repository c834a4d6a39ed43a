"""Options for cluster and namespace stand before a command or after, as kubectl users type them."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from agentjobs.cli.completion import FILES, NO_FILES, candidates, chosen
from agentjobs.cli.errors import CliError, Exit
from agentjobs.cli.main import app, helps
from tests.support.cli.saj import names

JOBS = "get --raw /apis/agentjobs.dev/v1alpha1/{}scheduledagentjobs?limit=50"
TEAM, OTHER, ALL = (
    JOBS.format("namespaces/team/"),
    JOBS.format("namespaces/other/"),
    JOBS.format(""),
)
ASKED = {
    "-n team list": TEAM,
    "--namespace=team list": TEAM,
    "-nteam list": TEAM,
    "list -n team": TEAM,
    "-n other list -n team": TEAM,
    "-A list": ALL,
    "list -A": ALL,
    "-n team list -A": ALL,
    "--context east -n team list": f"--context=east {TEAM}",
    "--context west -n team list --context east": f"--context=east {TEAM}",
    "--kubeconfig a -n other list -n team": f"--kubeconfig=a {TEAM}",
    "-n team cards": TEAM,
    "-n team packages list": TEAM.replace("scheduledagentjobs", "packageapprovals"),
    "packages -n team list": TEAM.replace("scheduledagentjobs", "packageapprovals"),
    "-n other packages -n team list": TEAM.replace("scheduledagentjobs", "packageapprovals"),
    "-n other packages list -n team": TEAM.replace("scheduledagentjobs", "packageapprovals"),
}


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What kubectl was called with, a line for each call."""
    program, told = tmp_path / "kubectl", tmp_path / "asked"
    program.write_text(
        f'#!/bin/sh\necho "$*" >> {shlex.quote(str(told))}\necho \'{{"items": []}}\'\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    return told


@pytest.mark.parametrize("words", ASKED)
def test_what_chooses_the_cluster_stands_before_the_command_or_after_it(
    words: str, asked: Path
) -> None:
    app(shlex.split(words), standalone_mode=False)
    assert asked.read_text().splitlines()[0] == ASKED[words]


def test_the_namespace_before_render_is_written_into_the_manifests(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    script = tmp_path / "report.py"
    script.write_text("# description: x\nprint(1)\n")
    app(["-n", "team", "render", str(script)], standalone_mode=False)
    assert b"namespace: team\n" in capfdbinary.readouterr().out


@pytest.mark.parametrize("command", ["render", "digest"])
def test_what_chooses_a_cluster_has_no_effect_where_none_is_used(
    command: str, asked: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    """As an alias of kubectl gives it to every command; `--help` says so."""
    (script := asked.parent / "report.py").write_text("# description: x\nprint(1)\n")
    shown = []
    for before in ([], ["--context", "nowhere", "--kubeconfig", "absent"]):
        app([*before, command, str(script)], standalone_mode=False)
        shown.append(capfdbinary.readouterr())
    assert shown[0] == shown[1]
    assert (shown[0].out != b"", asked.exists()) == (True, False)
    app(["--help"], standalone_mode=False)
    text = " ".join(capfdbinary.readouterr().out.decode().split())
    assert "use no cluster: --context and --kubeconfig have no effect on them" in text


@pytest.mark.parametrize(
    "words", ["-A cards", "-A approve report", "-A packages list", "-A digest job.yaml"]
)
def test_a_command_of_one_namespace_does_not_pass_for_one_of_all(words: str, asked: Path) -> None:
    with pytest.raises(CliError, match="takes no --all-namespaces") as told:
        app(shlex.split(words), standalone_mode=False)
    assert (told.value.code, asked.exists()) == (Exit.USAGE, False)


@pytest.mark.parametrize("words", ["--help", "packages --help"])
def test_help_shows_them(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    app(shlex.split(words), standalone_mode=False)
    shown = capsys.readouterr().out
    assert [
        option
        for option in ("--namespace", "-n", "--context", "--kubeconfig")
        if option not in shown
    ] == []
    assert ("--all-namespaces" in shown) == (words == "--help")
    assert "List and check packages" in shown


def test_completion_goes_on_behind_them() -> None:
    listed = [f"list\t{helps()['list']}", NO_FILES]
    assert candidates(["-n", "team", "li"], helps(), names) == listed
    assert candidates(["-nteam", "--context=east", "-A", "li"], helps(), names) == listed
    assert candidates(["-n", "team", "pause", ""], helps(), names) == ["links", "mail", NO_FILES]


def test_completion_takes_no_value_for_a_command() -> None:
    assert candidates(["-n", ""], helps(), names) == [NO_FILES]
    assert candidates(["list", "--context", "l"], helps(), names) == [NO_FILES]
    assert candidates(["--kubeconfig", ""], helps(), names) == [FILES]


def test_completion_offers_them() -> None:
    assert candidates(["--con"], helps(), names) == [
        "--context\tContext of the kubeconfig",
        NO_FILES,
    ]
    assert chosen(["-nteam", "logs"]) == ({"chosen": "team"}, ["logs"])
