"""The example does what it says: its script runs here as it runs in a pod, on the same data."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from agentjobs.api.job import ScheduledAgentJobSpec
from agentjobs.core.schedules import next_starts
from agentjobs.core.schedules.description import words
from tests.support import web_logs
from tests.support.web_logs import EXAMPLE, LOGS

DOCUMENTATION = re.compile(r"(192\.0\.2|198\.51\.100|203\.0\.113)\.\d{1,3}|2001:db8:[0-9a-f:]+")
"""RFC 5737 and RFC 3849: nobody has these addresses."""


def run_script(folder: Path) -> subprocess.CompletedProcess[str]:
    """In a pod the script starts with the workspace as its working directory, and so here."""
    command = ["python3", str(EXAMPLE / "report.py")]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=30, check=False
    )


@cache
def shipped() -> subprocess.CompletedProcess[str]:
    return run_script(EXAMPLE)


def manifest(name: str) -> Any:
    return yaml.safe_load((EXAMPLE / name).read_text())


def test_the_report_says_what_grep_and_awk_count() -> None:
    ran = shipped()
    assert ran.returncode == 0, ran.stderr
    assert web_logs.differences(ran.stdout) == []


def test_the_comparison_notices_a_wrong_figure() -> None:
    text = shipped().stdout
    figures = {
        figure.start(): figure.group() for figure in re.finditer(r"(?<=[ ,.])\d+(?=[ \n,%])", text)
    }
    for start, figure in figures.items():
        other = f"{(int(figure) + 1) % 10 ** len(figure):0{len(figure)}}"
        wrong = text[:start] + other + text[start + len(figure) :]
        assert web_logs.differences(wrong), f"{figure} at {start} can be wrong unnoticed"


def test_broken_lines_and_older_requests_are_left_out_and_told_on_stderr() -> None:
    broken, older = web_logs.broken(), web_logs.before_the_week()
    assert broken > 3
    assert older > 0
    first, second = shipped().stderr.splitlines()
    assert re.fullmatch(
        rf"skipped {broken} broken lines: (access-2026-11-\d\d\.log:\d+, ){{3}}\.\.\.", first
    )
    assert second == f"left out {older} requests from before Mon  9 Nov"


def test_a_line_that_is_named_as_broken_is_broken() -> None:
    for name, number in re.findall(r"(access-\S+\.log):(\d+)", shipped().stderr):
        line = (LOGS / name).read_bytes().split(b"\n")[int(number) - 1]
        alone = subprocess.run(
            ["grep", "-aE", web_logs._GOOD],
            input=line,
            capture_output=True,
            env={"LC_ALL": "C"},
            check=False,
        )
        assert alone.stdout == b""


def test_without_logs_the_script_fails_and_says_where_they_belong(tmp_path: Path) -> None:
    ran = run_script(tmp_path)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert (
        ran.stderr
        == f"there are no files in {tmp_path / 'logs'}: put the web server's access logs there\n"
    )


def test_logs_in_another_format_fail_the_run(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "access.log").write_text("hello\nworld\n")
    ran = run_script(tmp_path)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr.endswith(
        f"none of the 2 lines in {tmp_path / 'logs'} is in the Combined Log Format\n"
    )


def test_a_single_request_is_a_report_too(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    line = '192.0.2.1 - - [01/Mar/2027:10:00:00 +0000] "GET / HTTP/1.1" 200 5 "-" "Mozilla/5.0"\n'
    (tmp_path / "logs" / "access.log").write_text(line)
    ran = run_script(tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith("Web report, Tue 23 Feb to Mon  1 Mar 2027\n")


def test_the_job_runs_the_script_that_is_there_to_read() -> None:
    assert manifest("job.yaml")["spec"]["script"] == {"inline": (EXAMPLE / "report.py").read_text()}


def test_the_job_is_one_that_the_operator_takes() -> None:
    job = manifest("job.yaml")
    spec = ScheduledAgentJobSpec.model_validate(job["spec"])
    next_starts.check(spec.schedule)
    assert words(spec.schedule) == "At 08:00, only on Monday (Europe/Bucharest)"
    assert spec.workspace is not None
    assert spec.workspace.claim_name == manifest("claim.yaml")["metadata"]["name"]


def test_the_logs_are_those_of_the_generator(tmp_path: Path) -> None:
    subprocess.run([sys.executable, str(EXAMPLE / "make_logs.py"), str(tmp_path)], check=True)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {
        path.name: path.read_bytes() for path in LOGS.iterdir()
    }


def test_every_address_in_the_logs_is_one_for_documentation() -> None:
    words = re.compile(
        r"(?<![\w.])(?:\d{1,3}(?:\.\d{1,3}){3}(?![\d.])|[0-9a-f]{1,4}(?::[0-9a-f]{0,4}){2,7})(?= -"
        r" - \[)"
    )
    found = [
        address
        for path in LOGS.iterdir()
        for address in words.findall(path.read_text(errors="backslashreplace"))
    ]
    assert len(found) > 2000
    assert [address for address in found if not DOCUMENTATION.fullmatch(address)] == []


@pytest.mark.slow
def test_the_example_needs_nothing_but_its_own_files(tmp_path: Path) -> None:
    shutil.copytree(EXAMPLE, tmp_path / "copy")
    assert run_script(tmp_path / "copy").stdout == shipped().stdout
