"""The command line starts light, and never ends in a traceback."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from agentjobs.cli.completion import candidates, chosen
from agentjobs.cli.contents import content_of
from agentjobs.cli.errors import CliError
from agentjobs.cli.main import helps
from tests.support.cli.saj import names, saj
from tests.support.root import ROOT
from tests.support.slow import slow_but
from tests.support.web_logs import EXAMPLE

HEAVY = (
    "pydantic",
    "yaml",
    "rich",
    "kubernetes",
    "kopf",
    "asyncio",
    "aiohttp",
    "tomllib",
    "agentjobs.core.content.digest",
    "agentjobs.api.base",
)
LISTS = f"""
import sys, agentjobs.cli.completion
from agentjobs.cli.main import main
sys.argv = ["kubectl-saj", "list", "--kubeconfig", "absent"]
try:
    main()
except SystemExit:
    print([name for name in {HEAVY!r} if name in sys.modules])
"""
"""As far as it gets without a cluster: every option is read, and kubectl was asked."""


def test_nothing_heavy_is_imported_before_a_command_needs_it() -> None:
    ran = subprocess.run([sys.executable, "-c", LISTS], capture_output=True, text=True, check=True)
    assert (ran.stdout, "error: " in ran.stderr) == ("[]\n", True)


@pytest.mark.slow
def test_the_digest_is_the_operators_without_a_cluster() -> None:
    ran = saj("digest", str(EXAMPLE / "job.yaml"))
    assert (
        ran.stdout
        == "0a83bb7880b1a5a5b55e5d955afd8a3aa10e1c57fc532b353f314d3f57e6f531  weekly-web-report\n"
    ), ran.stderr
    assert saj("digest", str(EXAMPLE)).stdout == ran.stdout
    assert saj("digest", "-", stdin=(EXAMPLE / "job.yaml").read_text()).stdout == ran.stdout


WRONG = {
    "no such file": (("digest", "absent.yaml"), "", "absent.yaml: No such file", 2),
    "no YAML": (("digest", "-"), "a: [1\nb: 2", "standard input:2: this is not YAML", 2),
    "no job": (("digest", "-"), "kind: Pod\n", "there is no ScheduledAgentJob", 2),
    "no name": (("digest", "-"), "kind: ScheduledAgentJob\nspec: {}\n", "needs metadata.name", 2),
    "a wrong field": (
        ("digest", "-"),
        "{kind: ScheduledAgentJob, metadata: {name: a}, spec: {descriptio: x}}",
        "spec.descriptio: is not a field that this version",
        2,
    ),
    "no such context": (("list", "--context", "nowhere"), "", "nowhere", 3),
    "no such kubeconfig": (("list", "--kubeconfig", "absent"), "", "kubectl cluster-info", 3),
    "no such command": (("lst",), "", "No such command", 2),
    "jobs and --all": (("approve", "a", "--all"), "", "which jobs?", 2),
    "a digest for several": (
        ("approve", "a", "b", "--digest", "0"),
        "",
        "needs exactly one job",
        2,
    ),
}


@pytest.mark.parametrize(
    "what", slow_but(("no such file", "no such context", "no such command"), list(WRONG))
)
def test_a_mistake_is_told_in_a_sentence_with_its_exit_code(what: str, tmp_path: Path) -> None:
    arguments, stdin, part, code = WRONG[what]
    ran = saj(*arguments, stdin=stdin, folder=tmp_path)
    assert (ran.returncode, ran.stdout) == (code, "")
    assert part in ran.stderr
    assert "Traceback" not in ran.stderr


def test_every_command_explains_itself_in_a_sentence() -> None:
    assert [name for name, text in helps().items() if not 10 < len(text) < 130] == []
    assert saj("--help").returncode == 0


COMPLETED = {
    ("li",): [
        "list\tList jobs: how each is, when it ran last and runs next, and what went wrong",
        ":4",
    ],
    ("pause", ""): ["links", "mail", ":4"],
    ("pause", "-n", "team", "links", ""): ["mail", ":4"],
    ("logs", "links"): ["links", "links-xk2v9", ":4"],
    ("list", "-o", "w"): ["wide", ":4"],
    ("digest", ""): [":0"],
    ("list", ""): [":4"],
}


@pytest.mark.parametrize("words", COMPLETED, ids=" ".join)
def test_the_next_word_is_completed(words: tuple[str, ...]) -> None:
    assert candidates(words, helps(), names) == COMPLETED[words]


def test_completion_asks_the_cluster_that_the_line_names() -> None:
    assert chosen(["logs", "-n", "team", "--context=east", "links"]) == (
        {"chosen": "team", "context": "east"},
        ["logs", "links"],
    )


def test_completion_knows_every_command() -> None:
    assert {line.partition("\t")[0] for line in candidates([""], helps(), names)} == {
        *helps(),
        ":4",
    }


def test_an_impossible_schedule_is_refused_where_it_stands() -> None:
    with pytest.raises(CliError, match="jobs.yaml: spec.schedule"):
        content_of(
            "a",
            {"description": "x", "script": {"inline": "1"}, "schedule": {"cron": "61 * * * *"}},
            "jobs.yaml",
        )


@pytest.mark.slow
def test_installing_from_a_checkout_brings_the_plugin_and_its_completion(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--wheel-dir",
        str(tmp_path),
        str(ROOT),
    ]
    subprocess.run(command, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("agentjobs-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        (entries,) = [name for name in archive.namelist() if name.endswith("entry_points.txt")]
        scripts = archive.read(entries).decode()
    assert {line.partition("=")[0].strip() for line in scripts.splitlines() if "=" in line} == {
        "agentjobs",
        "kubectl-saj",
        "kubectl_complete-saj",
    }


@pytest.mark.parametrize("called", slow_but(("agentjobs",), ("kubectl-saj", "agentjobs")))
@pytest.mark.parametrize(
    "words",
    slow_but(
        [["--help"], ["lst"]],
        [["run", "--help"], ["--help"], ["lst"], ["packages", "--nothing"], ["--version"]],
    ),
    ids=" ".join,
)
def test_by_whichever_name_it_is_called_it_says_kubectl_saj(called: str, words: list[str]) -> None:
    code = (
        f"import sys; sys.argv = {[f'/usr/bin/{called}', *words]!r}; from agentjobs.cli.main import"
        " main; main()"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    said = ran.stdout + ran.stderr
    assert ("kubectl saj" in said, called in said) == (True, False)
