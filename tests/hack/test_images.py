"""hack/images.py: a tag stands for a content, and the cache stays small."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from hack import images

BASE = "base-id"


@pytest.fixture
def context(tmp_path: Path) -> Path:
    folder = tmp_path / "context"
    folder.mkdir()
    (folder / "Dockerfile").write_text("FROM scratch\n")
    (folder / "program.py").write_text("print()\n")
    return folder


def tag(context: Path, base: str = BASE) -> str:
    return images.tag_of(images.Image("localhost/x", context, ("**/*",)), base)


CHANGES: dict[str, Callable[[Path], object]] = {
    "content": lambda folder: (folder / "program.py").write_text("print(1)\n"),
    "a name": lambda folder: (folder / "program.py").rename(folder / "other.py"),
    "a new file": lambda folder: (folder / "more.py").touch(),
    "the executable bit": lambda folder: (folder / "program.py").chmod(0o755),
    "where one file ends": lambda folder: [
        (folder / "Dockerfile").write_text("FROM"),
        (folder / "program.py").write_text(" scratch\nprint()\n"),
    ],
}


@pytest.mark.parametrize("change", CHANGES)
def test_tag_changes_with(context: Path, change: str) -> None:
    before = tag(context)
    CHANGES[change](context)
    assert tag(context) != before


def test_tag_changes_with_the_base_image(context: Path) -> None:
    assert tag(context, "other-base") != tag(context)


def test_tag_does_not_change_with_bytecode_or_times(context: Path) -> None:
    before = tag(context)
    (context / "__pycache__").mkdir()
    (context / "__pycache__" / "program.cpython-311.pyc").write_bytes(b"x")
    os.utime(context / "program.py", (1, 1))
    assert tag(context) == before


def test_everything_that_reaches_the_operators_build_is_in_its_tag() -> None:
    ignored = (images.ROOT / ".dockerignore").read_text().splitlines()
    let_through = {line[1:] for line in ignored if line.startswith("!")}
    assert {f"operator/src/agentjobs/{folder}" for folder in images.OPERATOR.left_out} <= set(
        ignored
    )
    assert images.ROOT / "Dockerfile" in images.OPERATOR.files()
    hashed = {pattern.removesuffix("/**/*") for pattern in images.OPERATOR.inputs}
    assert hashed == let_through | {"Dockerfile", ".dockerignore"}


def test_the_operators_image_has_no_command_line_and_no_test_code() -> None:
    parts = {
        path.relative_to(images.ROOT / "operator/src/agentjobs").parts[0]
        for path in images.OPERATOR.files()
        if path.suffix == ".py"
    }
    assert {"api", "core", "operator"} <= parts
    assert not {"cli", "testing"} & parts


def test_a_context_without_a_dockerfile_is_refused_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(images.ImageError, match="has no Dockerfile"):
        tag(tmp_path)


class Store(images.Buildah):
    """A builder that only remembers."""

    def __init__(self, *tags: str) -> None:
        self.stored = list(tags)

    def build(self, image: images.Image, tag: str, arguments: dict[str, str]) -> None:
        self.stored.append(tag)

    def export(self, tag: str, archive: Path) -> None:
        archive.write_text(tag)

    def tags(self, name: str) -> list[str]:
        return [tag for tag in self.stored if tag.startswith(f"{name}:")]

    def remove(self, tags: list[str]) -> None:
        self.stored = [tag for tag in self.stored if tag not in tags]


def test_an_unchanged_image_is_not_built_again(context: Path, tmp_path: Path) -> None:
    image, first, second = images.Image("localhost/x", context, ("**/*",)), Store(), Store()
    built = images.make(first, image, ("base", BASE), tmp_path)
    assert images.make(second, image, ("base", BASE), tmp_path) == built
    assert (first.stored, second.stored) == ([built], [])


def test_an_image_whose_files_change_during_its_build_is_refused(
    context: Path, tmp_path: Path
) -> None:
    class Editor(Store):
        def build(self, image: images.Image, tag: str, arguments: dict[str, str]) -> None:
            super().build(image, tag, arguments)
            (context / "program.py").write_text("edited meanwhile\n")

    store = Editor()
    with pytest.raises(images.ImageError, match="run it again"):
        images.make(
            store, images.Image("localhost/x", context, ("**/*",)), ("base", BASE), tmp_path
        )
    assert store.stored == []
    assert list(tmp_path.glob("*.tar")) == []


def test_only_the_newest_archives_and_images_of_ours_stay(context: Path, tmp_path: Path) -> None:
    tags = [f"localhost/x:{number}" for number in range(6)]
    for age, name in enumerate(tags):
        path = images.archive_of(tmp_path, name)
        path.touch()
        os.utime(path, (1000 - age, 1000 - age))
    store = Store(*tags, "localhost/x:never-exported", "localhost/x-other:1")
    images.prune(store, images.Image("localhost/x", context, ("**/*",)), tags[5], tmp_path)
    kept = {tags[0], tags[1], tags[2], tags[5]}
    assert {path.name for path in tmp_path.glob("*.tar")} == {
        images.archive_of(tmp_path, name).name for name in kept
    }
    assert set(store.stored) == kept | {"localhost/x-other:1"}


def test_output_is_a_values_file_of_the_chart() -> None:
    values = images.values("localhost/agentjobs-operator:abc", "localhost/agentjobs-runner:def")
    assert json.loads(json.dumps(values)) == {
        "image": {
            "repository": "localhost/agentjobs-operator",
            "tag": "abc",
            "pullPolicy": "Never",
        },
        "runner": {
            "image": {
                "repository": "localhost/agentjobs-runner",
                "tag": "def",
                "pullPolicy": "Never",
            }
        },
    }


def test_archives_are_found_by_the_values_that_a_build_printed(tmp_path: Path) -> None:
    values = images.values("localhost/agentjobs-operator:abc", "localhost/agentjobs-runner:def")
    built = tmp_path / "images.json"
    built.write_text(json.dumps(values))
    shown = subprocess.run(
        [sys.executable, str(images.ROOT / "hack/images.py"), "archives", str(built)],
        env={"PATH": os.environ["PATH"], "XDG_CACHE_HOME": str(tmp_path)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    folder = tmp_path / "agentjobs" / "images"
    assert shown.stdout.splitlines() == [
        str(folder / "agentjobs-operator-abc.tar"),
        str(folder / "agentjobs-runner-def.tar"),
    ]
