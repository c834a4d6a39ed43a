"""Whatever stands in a file, each command that reads it answers in a sentence.

The sentence has the file and, where it is known, the line. The command writes nothing anywhere but
where it was told to.
"""

from __future__ import annotations

import json
import os
import random
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest
import yaml

from agentjobs.cli import options
from agentjobs.cli.commands import apply, digest, new, packages, render, run
from agentjobs.cli.errors import Exit
from tests.support.cli.fake_kubectl import FakeKube, ran
from tests.support.slow import slow_but

DEEP: Final = 5_000
JOB: Final = {
    "apiVersion": "agentjobs.dev/v1alpha1",
    "kind": "ScheduledAgentJob",
    "metadata": {"name": "report"},
    "spec": {"description": "x", "script": {"inline": "print(1)\n"}},
}
MANIFEST: Final = json.dumps(JOB)[:-2]
"""A job that goes on: `, "env": ...}}` for example."""
BOMB: Final = "a: &a [x]\n" + "".join(
    f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]\n"
    for a, b in zip("abcdefghijkl", "bcdefghijklm", strict=True)
)
MERGES: Final = "a: &a {x: 1}\n" + "".join(
    f"{b}: &{b} {{<<: [{', '.join([f'*{a}'] * 9)}]}}\n"
    for a, b in zip("abcdefghijkl", "bcdefghijklm", strict=True)
)
VALUES: Final = {
    "deep list": "[" * DEEP + "]" * DEEP,
    "deep table": '{"a": ' * DEEP + "1" + "}" * DEEP,
    "open list": "[" * DEEP,
    "huge integer": "9" * 5_000,
    "huge hexadecimal": "0x" + "f" * 5_000,
    "huge octal": "0o" + "7" * 5_000,
    "old octal": "0777",
    "sexagesimal": "190:20:30",
    "date": "2026-02-30",
    "time": "2026-01-05T10:00:00Z",
    "NaN": "NaN",
    "a YAML NaN": ".nan",
    "infinity": "1e999",
    "a YAML infinity": "-.inf",
    "a wrong tag": "!!int x",
    "another tag": "!!python/object/apply:os.system [id]",
    "binary": "!!binary aGk=",
    "a set": "!!set {a, b}",
    "a timestamp": "!!timestamp x",
    "an omap": "!!omap [a: 1]",
    "half a pair": '"\\ud800"',
    "a pair": '"\\ud83d\\ude00"',
    "a null": "null",
    "a true": "true",
    "a list": "[1, 2]",
    "a text": '"x"',
    "twice": '{"a": 1, "a": 2}',
    "a list as a key": "{[a]: b}",
    "an endless anchor": "&a [*a]",
    "nothing such": "*nothing",
    "control": '"\x07"',
    "ESC": '"\\u001b[2K"',
    "tab": "\t- a",
    "a long line": '"' + "x" * 300_000 + '"',
    "many blanks": '"' + " " * 300_000 + 'x"',
    "floats": "1.0000000000000000000001",
    "beyond": str(2**63),
}
LARGE: Final = {"deep list", "open list", "a long line", "many blanks"}
"""PyYAML takes a tenth of a second and more for each place that such a value stands in."""
FIELDS: Final = ("env", "packages", "triggers", "schedule", "script")


def manifests_of(value: str) -> Iterator[str]:
    yield value
    yield f"kind: {value}\n"
    yield f"kind: List\nitems: {value}\n"
    for field in FIELDS:
        yield f'{MANIFEST}, "{field}": {value}}}}}'
    yield MANIFEST.replace('"report"', value) + "}}"
    yield MANIFEST.replace('{"name": "report"}', value) + "}}"
    schema = f'[{{"event": {{"type": "a", "source": "b", "dataSchema": {{"const": {value}}}}}}}]'
    yield f'{MANIFEST}, "triggers": {schema}}}}}'


def headers_of(value: str) -> Iterator[str]:
    for key in ("env", "schedule", "timeout-seconds", "name"):
        yield f"# /// script\n# [tool.agentjobs]\n# description = 'x'\n# {key} = {value}\n# ///\n"
        yield f"# description: x\n# {key}: {value}\n"
    yield f"# /// script\n# tool = {value}\n# ///\n"
    yield (
        f"# /// script\n# dependencies = {value}\n# [tool.agentjobs]\n# description = 'x'\n# ///\n"
    )


def agents_of(value: str) -> Iterator[str]:
    yield f"---\n{value}\n---\nDo it.\n"
    for key in ("env", "tools", "name"):
        yield f"---\ndescription: x\n{key}: {value}\n---\nDo it.\n"


def events_of(value: str) -> Iterator[str]:
    yield value
    for key in ("data", "type", "id", "specversion", "time", "data_base64"):
        yield json.dumps({"type": "a", "source": "b", "id": "c"})[:-1] + f', "{key}": {value}}}'


OTHERS: Final = {
    "empty": b"",
    "no UTF-8": b"a: 1\nb: \xff\xfe\n",
    "UTF-16": "a: 1\n".encode("utf-16"),
    "a byte order mark": b"\xef\xbb\xbf" + MANIFEST.encode() + b"}}",
    "NUL": b"a: \x00\n",
    "huge": b"# x\n" * (3 << 20),
    "an alias bomb": BOMB.encode(),
    "a bomb of merges": MERGES.encode(),
    "a bomb in front matter": b"---\n" + BOMB.encode() + b"---\nDo it.\n",
    "two documents in front matter": b"---\na: b\n--- null\n---\nDo it.\n",
    "a dotted key": (
        b"# /// script\n# [tool.agentjobs]\n# " + b".".join([b"a"] * 20_000) + b" = 1\n# ///\n"
    ),
    "a dotted head": (
        b"# /// script\n# [tool.agentjobs." + b".".join([b"a"] * 20_000) + b"]\n# ///\n"
    ),
    "blanks after a key": b"# description: x" + b" " * 200_000 + b"y" + b" \t" * 100_000 + b"z\n",
    "carriage returns": b"# /// script\r\n# [tool.agentjobs]\r\n# description = 'x'\r\n# ///\r\n",
    "a header of data": (
        b"# /// script\n# [tool.agentjobs]\n# description = '" + b"x" * 200_000 + b"'\n# ///\n"
    ),
}
SENTENCE: Final = re.compile(r"error: [^\n]+(?:\n  [^\n]+)*\n")


def commands(file: Path) -> Iterator[tuple[str, Callable[[], tuple[int, bytes, str]]]]:
    """Each command that reads a file."""
    kube = FakeKube(
        objects={
            "scheduledagentjobs": [{**JOB, "metadata": {"name": "report", "namespace": "team"}}]
        }
    )
    yield "render", lambda: ran(render.run, None, [file], output=options.Output.YAML)
    yield "render -o json", lambda: ran(render.run, None, [file], output=options.Output.JSON)
    yield "digest", lambda: ran(digest.run, None, [file])
    yield "apply", lambda: ran(apply.run, kube, [file])
    yield "check", lambda: ran(packages.check, kube, [str(file)])
    yield "check --inventory", lambda: ran(packages.check, kube, ["six==1.0"], inventory=file)
    yield "run --event", lambda: ran(run.run, kube, "report", event=file)
    yield "new", lambda: ran(new.run, None, file, name="report", description="x", schedule="")


def check(folder: Path, suffix: str, text: bytes, only: int | None = None) -> None:
    """Every command answers; what is wrong with the file is said in a sentence that names it.

    `only`: one command of them.
    """
    file = folder / f"file{suffix}"
    for number, (what, command) in enumerate(commands(file)):
        if only is not None and number != only % 8:
            continue
        file.write_bytes(text)
        code, _, err = command()
        assert code in set(Exit), what
        if code == Exit.USAGE:
            assert SENTENCE.fullmatch(err), (what, text[:200], err[:500])
            assert str(file) in err or re.search("(ScheduledAgentJob|job|metadata.name) ", err), (
                what,
                text[:200],
                err[:500],
            )
            assert len(err) < 3_000, (what, err[:300])
    assert {path.name for path in folder.iterdir()} == {file.name}


KINDS: Final[dict[str, Callable[[str], Iterator[str]]]] = {
    ".yaml": manifests_of,
    ".json": manifests_of,
    ".py": headers_of,
    ".md": agents_of,
}


@pytest.mark.timeout(120)
@pytest.mark.parametrize("suffix", slow_but((".yaml", ".py"), list(KINDS)))
@pytest.mark.parametrize("value", slow_but(VALUES.keys() - LARGE, list(VALUES)))
def test_a_value_of_any_kind_in_any_place_is_taken_or_told(
    value: str, suffix: str, tmp_path: Path
) -> None:
    for number, text in enumerate(KINDS[suffix](VALUES[value])):
        for only in (0, number):
            check(tmp_path, suffix, text.encode(), only)


@pytest.mark.parametrize("value", VALUES)
def test_an_event_of_any_kind_is_taken_or_told(value: str, tmp_path: Path) -> None:
    file = tmp_path / "event.json"
    for text in events_of(VALUES[value]):
        file.write_text(text)
        code, _, err = ran(
            run.run, FakeKube(objects={"scheduledagentjobs": [JOB]}), "report", event=file
        )
        assert code in (Exit.OK, Exit.USAGE)
        assert code == Exit.OK or (SENTENCE.fullmatch(err) and str(file) in err), (
            text[:200],
            err[:500],
        )


@pytest.mark.timeout(120)
@pytest.mark.parametrize("suffix", slow_but((".yaml", ".py"), [*KINDS, ""]))
@pytest.mark.parametrize(
    "other", slow_but(OTHERS.keys() - {"blanks after a key", "a header of data"}, list(OTHERS))
)
def test_a_file_of_any_kind_is_taken_or_told(other: str, suffix: str, tmp_path: Path) -> None:
    check(tmp_path, suffix, OTHERS[other])


@pytest.mark.timeout(120)
@pytest.mark.parametrize("seed", range(20))
def test_a_file_that_was_damaged_at_random_is_taken_or_told(seed: int, tmp_path: Path) -> None:
    dice = random.Random(seed)
    suffix = dice.choice(list(KINDS))
    whole = next(iter(KINDS[suffix](dice.choice(["{A: b}", "[a]", '{"A" = 1}', "'x'"])))).encode()
    whole = dice.choice([whole, yaml.safe_dump(JOB).encode(), json.dumps(JOB).encode()])
    for _ in range(20):
        text = bytearray(whole)
        for _ in range(dice.randint(1, 4)):
            at = dice.randrange(len(text))
            text[at : at + dice.randint(0, 3)] = dice.choice(
                [
                    b"",
                    b"\n",
                    b"[",
                    b"{",
                    b"'",
                    b'"',
                    b": ",
                    b"&a ",
                    b"*a",
                    b"\xff",
                    b"\xc2\x85",
                    b"!",
                    b"\t",
                ]
            )
        check(tmp_path, suffix, bytes(text), dice.randrange(8))


LINES: Final = {
    "deep YAML": (".yaml", "a: 1\nb: " + "[" * DEEP, 2),
    "deep JSON": (".json", '{"a":\n' + "[" * DEEP + "]" * DEEP + "}", 2),
    "deep TOML": (
        ".py",
        "# /// script\n# [tool.agentjobs]\n# env = " + "[" * DEEP + "]" * DEEP + "\n# ///\n",
        3,
    ),
    "deep front matter": (".md", "---\na: b\nenv: " + "[" * DEEP + "\n---\n", 3),
    "a huge number in YAML": (".yaml", "a: 1\nb: " + "9" * 5_000, 2),
    "a huge number in JSON": (".json", '{"a":\n1,\n"b":' + "9" * 5_000 + "}", 3),
    "a huge number in TOML": (
        ".py",
        "# /// script\n# [tool.agentjobs]\n# timeout-seconds = " + "9" * 5_000 + "\n# ///\n",
        3,
    ),
    "infinity in YAML": (".yaml", "a: 1\n\nb: .inf", 3),
    "infinity in JSON": (".json", '{"a":\n1e999}', 2),
    "a second key in YAML": (".yaml", "a: 1\na: 2", 2),
    "a second key in JSON": (".json", '{"a": 1,\n"a": 2}', 2),
    "a bomb": (".yaml", "\n" + BOMB, 2),
    "no UTF-8": (".yaml", "a: 1\nb: \udcff", 2),
    "control": (".yaml", "a: 1\nb: \x07", 2),
    "a wrong field": (
        ".yaml",
        (
            f"{yaml.safe_dump({'kind': JOB['kind'], 'metadata': JOB['metadata']})}spec:\n "
            " description: x\n  scrpt: y\n"
        ),
        6,
    ),
    "a wrong part of a list": (
        ".yaml",
        (
            "kind: List\nitems:\n- kind: ScheduledAgentJob\n  metadata: {name: a}\n  spec:\n   "
            " description: x\n    env:\n    - valeu: 1\n"
        ),
        8,
    ),
    "no name": (
        ".yaml",
        "kind: Pod\n---\nkind: ScheduledAgentJob\nmetadata:\n  nam: a\nspec: {}\n",
        4,
    ),
    "a tag": (".yaml", "a: 1\nb: !!binary aGk=", 2),
}


@pytest.mark.parametrize("what", slow_but(LINES.keys() - {"deep YAML"}, list(LINES)))
def test_the_line_is_told(what: str, tmp_path: Path) -> None:
    suffix, text, line = LINES[what]
    file = tmp_path / f"file{suffix}"
    file.write_bytes(text.encode(errors="surrogateescape"))
    code, _, err = ran(digest.run, None, [file])
    assert (code, err.startswith(f"error: {file}:{line}: ")) == (Exit.USAGE, True), err[:300]


def test_a_pair_of_escapes_in_a_manifest_is_one_character(tmp_path: Path) -> None:
    for suffix in (".json", ".yaml"):
        file = tmp_path / f"job{suffix}"
        file.write_text(
            json.dumps({**JOB, "spec": {"description": "\U0001f600", "script": {"inline": "x"}}})
        )
        assert "\U0001f600".encode() in ran(render.run, None, [file])[1]


def test_what_is_no_file_and_has_no_end_is_not_read_to_its_end() -> None:
    assert ran(digest.run, None, [Path("/dev/zero")])[0] == Exit.USAGE
    assert ran(digest.run, None, [Path("/proc/self/mem")])[0] == Exit.USAGE


NAMES: Final = [
    *(
        "../out",
        "../../out",
        "/srv/out",
        "a/b",
        "..",
        ".",
        "",
        "a\\b",
        "A",
        "con",
        "nul",
        "com1",
        "x" * 53,
        "x" * 5_000,
        "a\n",
        "a\x00b",
    ),
    *(
        "~",
        "a.yaml/../../out",
        "\u202ea",
        "\u0430",
        " ",
        "-a",
        "%2e%2e%2fout",
        "c:out",
        "\\\\host\\share",
    ),
]


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_rendering_into_a_folder_writes_nowhere_else(name: str, tmp_path: Path) -> None:
    where, out = tmp_path / "in", tmp_path / "deep" / "out"
    where.mkdir()
    (where / "jobs.json").write_text(
        json.dumps({"kind": "List", "items": [JOB, {**JOB, "metadata": {"name": name}}]})
    )
    before = sorted(tmp_path.rglob("*"))
    code, _, err = ran(render.run, None, [where / "jobs.json"], folder=out)
    assert (code, bool(SENTENCE.fullmatch(err))) == (Exit.USAGE, True), err
    assert sorted(tmp_path.rglob("*")) == before


def test_rendering_follows_no_link(tmp_path: Path) -> None:
    precious, out = tmp_path / "precious", tmp_path / "out"
    precious.write_text("kept")
    out.mkdir()
    (out / "report.yaml").symlink_to(precious)
    (tmp_path / "job.json").write_text(json.dumps(JOB))
    assert ran(render.run, None, [tmp_path / "job.json"], folder=out)[0] == Exit.OK
    assert precious.read_text() == "kept"
    assert not (out / "report.yaml").is_symlink()
    assert yaml.safe_load((out / "report.yaml").read_text()) == JOB
    assert [path.name for path in out.iterdir()] == ["report.yaml"]
    mask = os.umask(0)
    os.umask(mask)
    assert (out / "report.yaml").stat().st_mode & 0o777 == 0o666 & ~mask


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "job.json").write_text(json.dumps(JOB))
    (tmp_path / "out/report.yaml").mkdir(parents=True)
    for folder in (tmp_path / "job.json", tmp_path / "job.json/below", tmp_path / "out"):
        code, _, err = ran(render.run, None, [tmp_path / "job.json"], folder=folder)
        assert (code, bool(SENTENCE.fullmatch(err))) == (Exit.USAGE, True), err
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["report.yaml"]
