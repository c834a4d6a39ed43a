"""`kubectl saj new`: questions that take wrong answers back, and options looked at first."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from agentjobs.api.rules import JOB_NAME
from agentjobs.cli import zone
from agentjobs.cli.commands import new
from agentjobs.cli.errors import Exit
from agentjobs.cli.files import scripts
from tests.support.cli.fake_kubectl import ran, typed
from tests.support.cli.saj import saj
from tests.support.cli.scripts import of

ALL: dict[str, str] = {
    "name": "report",
    "description": "Reports.",
    "schedule": "0 8 * * 1",
    "time_zone": "Europe/Bucharest",
}
WRONG = {
    "name": "Plain_X",
    "description": "a\x1bb",
    "schedule": "61 * * * *",
    "time_zone": "Mars/Olympus",
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def header(file: Path) -> dict[str, Any]:
    found = scripts.read(file.read_text())
    assert found is not None
    return found.fields


def test_a_wrong_answer_is_asked_again_with_a_reason_and_others_are_kept(folder: Path) -> None:
    answers = [part for field in ALL for part in (WRONG[field], ALL[field])]
    with typed(*answers) as keyboard:
        code, _, err = ran(new.run, None)
    assert (code, keyboard.read()) == (Exit.OK, ""), err
    wanted = {
        "name": "report",
        "description": "Reports.",
        "schedule": "0 8 * * 1",
        "time-zone": "Europe/Bucharest",
    }
    assert header(folder / "jobs/report.py") == wanted
    reasons = err.splitlines()
    assert len(reasons) == len(WRONG)
    assert reasons[0] == f"the name 'Plain_X' {JOB_NAME.message}; try again"
    for field, reason in zip(
        ("description", "schedule.cron", "schedule.timeZone"), reasons[1:], strict=True
    ):
        assert reason.startswith(f"spec.{field}: ")


def test_a_name_whose_file_is_there_is_asked_again(folder: Path) -> None:
    (folder / "jobs").mkdir()
    (folder / "jobs/report.py").write_text("mine\n")
    with typed("report", "other"):
        code, _, err = ran(new.run, None, description="x", schedule="")
    assert (code, (folder / "jobs/report.py").read_text(), (folder / "jobs/other.py").exists()) == (
        Exit.OK,
        "mine\n",
        True,
    )
    assert "jobs/report.py is there already; try again" in err


def test_only_schedules_ask_for_a_time_zone_and_default_to_the_machines(folder: Path) -> None:
    with typed("a", "x", "0 8 * * 1", ""):
        out = ran(new.run, None)[1]
    assert f"In which time zone [{zone.of_machine()}]".encode() in out
    assert header(folder / "jobs/a.py")["time-zone"] == zone.of_machine()
    with typed("b", "x", ""):
        assert ran(new.run, None)[0] == Exit.OK
    assert "schedule" not in header(folder / "jobs/b.py")


def test_a_pipeline_is_not_asked_for_a_time_zone(folder: Path) -> None:
    assert ran(new.run, None, name="report", description="x", schedule="0 8 * * 1")[0] == Exit.OK
    assert header(folder / "jobs/report.py")["time-zone"] == "Etc/UTC"


@pytest.mark.parametrize("field", WRONG)
def test_a_wrong_option_is_refused_before_anything_is_asked(field: str, folder: Path) -> None:
    with typed("report", "x", "", "") as keyboard:
        given: dict[str, Any] = {field: WRONG[field]}
        code, out, err = ran(new.run, None, **given)
        assert keyboard.read() == "report\nx\n\n\n"
    assert (code, out, list(folder.iterdir())) == (Exit.USAGE, b"", [])
    assert err.endswith(f"choose another --{field.replace('_', '-')}\n")
    assert field != "name" or err.startswith(f"error: the name 'Plain_X' {JOB_NAME.message}\n")


def test_a_name_that_a_file_gives_is_looked_at_first(folder: Path) -> None:
    (folder / "Plain_X.py").write_text("print(1)\n")
    with typed("x", "") as keyboard:
        code, _, err = ran(new.run, None, Path("Plain_X.py"))
        assert keyboard.read() == "x\n\n"
    assert (code, "the name 'Plain-X' must be" in err) == (Exit.USAGE, True)


ZONES = {
    "the link": ("Asia/Tokyo", "Europe/Berlin", "Asia/Tokyo"),
    "a text": ("", "Europe/Berlin\n", "Europe/Berlin"),
    "a text that is none": ("", "../../etc/passwd", "Etc/UTC"),
    "no zone of the API": ("posix/Asia/Tokyo", "", "Etc/UTC"),
    "nothing": ("", "", "Etc/UTC"),
}


@pytest.mark.parametrize("how", ZONES)
def test_the_machines_own_time_zone_is_found_where_it_is_known(how: str, folder: Path) -> None:
    link, text, wanted = ZONES[how]
    localtime, written = folder / "localtime", folder / "timezone"
    if link:
        localtime.symlink_to(f"../usr/share/zoneinfo/{link}")
    if text:
        written.write_text(text)
    assert zone.of_machine(localtime, written) == wanted


@pytest.mark.slow
def test_new_writes_a_job_that_renders_and_leaves_what_is_there(tmp_path: Path) -> None:
    made = saj(
        "new",
        "--name",
        "site-audit",
        "-d",
        "Audits the site.",
        "-s",
        "0 6 * * 1",
        "-p",
        "six==1.17.0",
        folder=tmp_path,
    )
    assert "jobs/site_audit.py is written" in made.stdout, made.stderr
    assert (
        saj("render", "-o", "name", folder=tmp_path).stdout
        == "scheduledagentjob.agentjobs.dev/site-audit\n"
    )
    assert saj("new", "--name", "site-audit", "-d", "x", "-s", "", folder=tmp_path).returncode == 2
    (tmp_path / "mine.py").write_text("#!/usr/bin/python3\nprint('mine')\n")
    assert saj("new", "mine.py", "-d", "Mine.", "-s", "", folder=tmp_path).returncode == 0
    assert (tmp_path / "mine.py").read_text().startswith("#!/usr/bin/python3\n# /// script\n")
    assert (
        "has a header already"
        in saj("new", "mine.py", "-d", "Mine.", "-s", "", folder=tmp_path).stderr
    )
    assert "this question needs a terminal: Name of the job" in saj("new", folder=tmp_path).stderr
    (tmp_path / "mail.md").write_text("Read the mail.\n")
    assert saj("new", "mail.md", "-d", "Reads.", "-s", "0 8 * * 1", folder=tmp_path).returncode == 0
    assert of(tmp_path, (tmp_path / "mail.md").read_text(), "mail.md")["spec"]["agent"] == {
        "instructions": "Read the mail.\n"
    }
