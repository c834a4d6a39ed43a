"""Builds the two images where their content changed, and loads them into the local cluster.

Standard output is JSON and a Helm values file at once; progress goes to standard error. An image's
tag is the hash of what goes into it, so an unchanged checkout builds nothing and a changed one
never runs an old image under a new name.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
CLUSTER = ROOT / "hack" / "localcluster" / "cluster.py"
CHOSEN = ROOT / "hack" / "cluster.py"
KEEP = 3
"""So many archives and images of each name stay: the newest, and some to go back to."""
STAGE = "dev.agentjobs.stage"
"""The label by which the images of build stages are found."""


class ImageError(Exception):
    """What went wrong, in a sentence."""


@dataclass(frozen=True)
class Image:
    """What one image is made of.

    `inputs` are globs below the context; everything else in it never reaches the image.
    """

    name: str
    context: Path
    inputs: tuple[str, ...]
    left_out: tuple[str, ...] = ()
    """Folders below the inputs that the image does without."""

    def files(self) -> list[Path]:
        found = {
            path for pattern in self.inputs for path in self.context.glob(pattern) if path.is_file()
        }
        return sorted(
            path
            for path in found
            if not {"__pycache__", *self.left_out} & set(path.relative_to(self.context).parts)
        )


OPERATOR = Image(
    "localhost/agentjobs-operator",
    ROOT,
    (
        *("Dockerfile", ".dockerignore", "LICENSE", "requirements/runtime.txt"),
        "operator/src/agentjobs/**/*",
    ),
    left_out=("actions", "cli", "present", "testing"),
)
RUNNER = Image("localhost/agentjobs-runner", ROOT / "runner-image", ("**/*",))


def stages() -> list[str]:
    """The names that the Dockerfiles give to their stages."""
    written = "".join((image.context / "Dockerfile").read_text() for image in (OPERATOR, RUNNER))
    return re.findall(rf"^LABEL {re.escape(STAGE)}=(\S+)$", written, re.MULTILINE)


def content_hash(files: Iterable[Path], context: Path, *more: str) -> str:
    """12 hex digits over names, executable bits and bytes."""
    digest = hashlib.sha256(json.dumps(more).encode())
    for path in files:
        content = path.read_bytes()
        header = [path.relative_to(context).as_posix(), os.access(path, os.X_OK), len(content)]
        digest.update(json.dumps(header).encode() + content)
    return digest.hexdigest()[:12]


def cache_directory() -> Path:
    """Outside the checkout and shared by all checkouts: archives are named after their content."""
    chosen = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (chosen if chosen.is_absolute() else Path.home() / ".cache") / "agentjobs" / "images"


def say(text: str) -> None:
    print(f"images: {text}", file=sys.stderr, flush=True)


def run(*command: str | Path) -> None:
    """Its output is progress: all of it goes to standard error."""
    result = subprocess.run(
        [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=sys.stderr, check=False
    )
    if result.returncode:
        words = " ".join(map(str, command))
        raise ImageError(
            f"`{words}` failed with exit code {result.returncode}; its output is above."
        )


def ask(*command: str | Path) -> str:
    """The command's standard output."""
    result = subprocess.run(
        [str(word) for word in command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if result.returncode:
        words = " ".join(map(str, command))
        raise ImageError(f"`{words}` failed with exit code {result.returncode}.")
    return result.stdout.strip()


def answers(*command: str) -> bool:
    """Whether the program is there and says yes."""
    if shutil.which(command[0]) is None:
        return False
    asked = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    return asked.returncode == 0


class Buildah:
    """Without a daemon, on a base image made here, since no registry may be reachable."""

    BASE = "localhost/agentjobs-base:bookworm"

    def base(self) -> tuple[str, str]:
        """The base image's name and its id."""
        run(sys.executable, CLUSTER, "base-image")
        return self.BASE, ask(
            "buildah", "inspect", "--type", "image", "--format", "{{.FromImageID}}", self.BASE
        )

    def build(self, image: Image, tag: str, arguments: dict[str, str]) -> None:
        flags = [
            word for key, value in arguments.items() for word in ("--build-arg", f"{key}={value}")
        ]
        # With chroot it works without the rights that containers need. With layers an edited source
        # file reuses the dependencies'.
        how = "--quiet --layers --isolation chroot --network host --format oci".split()
        run("buildah", "build", *how, *flags, "--tag", tag, image.context)

    def export(self, tag: str, archive: Path) -> None:
        """Docker's format is the one without compression, which would take longer than the rest."""
        run("buildah", "push", "--quiet", tag, f"docker-archive:{archive}:{tag}")

    def tags(self, name: str) -> list[str]:
        names = ask("buildah", "images", "--noheading", "--format", "{{.Name}}:{{.Tag}}")
        return [tag for tag in names.splitlines() if tag.startswith(f"{name}:")]

    def remove(self, tags: list[str]) -> None:
        ask("buildah", "rmi", "--force", *tags)

    def forget_stages(self) -> None:
        """The images of build stages have no name.

        The newest of each stay: with them an edited source file costs seconds.
        """
        for stage in stages():
            filters = ("--filter", "dangling=true", "--filter", f"label={STAGE}={stage}")
            shown = ("--noheading", "--format", "{{.CreatedAtRaw}} {{.ID}}")
            images = ask("buildah", "images", *filters, *shown).splitlines()
            old = [line.split()[-1] for line in sorted(images, reverse=True)[KEEP:]]
            if old:
                ask("buildah", "rmi", "--force", *old)


class Docker:
    """Where a daemon answers: on the public base image that the Dockerfiles name."""

    def base(self) -> tuple[str, str]:
        found = re.search(r"^ARG BASE_IMAGE=(\S+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
        if found is None:
            raise ImageError("Dockerfile names no BASE_IMAGE.")
        return found[1], found[1]

    def build(self, image: Image, tag: str, arguments: dict[str, str]) -> None:
        flags = [
            word for key, value in arguments.items() for word in ("--build-arg", f"{key}={value}")
        ]
        run("docker", "build", *flags, "--tag", tag, image.context)

    def export(self, tag: str, archive: Path) -> None:
        run("docker", "save", "--output", archive, tag)

    def tags(self, name: str) -> list[str]:
        return ask("docker", "images", "--format", "{{.Repository}}:{{.Tag}}", name).splitlines()

    def remove(self, tags: list[str]) -> None:
        ask("docker", "image", "rm", "--force", *tags)

    def forget_stages(self) -> None:
        """The daemon keeps its build cache below its own limit."""


Builder = Buildah | Docker


def builder() -> Builder:
    """Docker's client alone says nothing: it is the daemon that has to answer."""
    if answers("docker", "info"):
        return Docker()
    if shutil.which("buildah") is None:
        raise ImageError(
            "neither a docker daemon nor buildah is here: `apt-get install buildah`, or start"
            " docker."
        )
    return Buildah()


@contextlib.contextmanager
def alone(cache: Path) -> Iterator[None]:
    """One build at a time on this machine: they share the builder's store and the cache."""
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another build is going on; waiting for it")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def archive_of(cache: Path, tag: str) -> Path:
    return cache / (tag.removeprefix("localhost/").replace(":", "-") + ".tar")


def tag_of(image: Image, base_id: str) -> str:
    files = image.files()
    if not any(path.name == "Dockerfile" for path in files):
        raise ImageError(f"{image.context} has no Dockerfile.")
    return f"{image.name}:{content_hash(files, image.context, base_id)}"


def make(build: Builder, image: Image, base: tuple[str, str], cache: Path) -> str:
    """Returns the tag, whose archive is in the cache afterwards."""
    tag = tag_of(image, base[1])
    archive = archive_of(cache, tag)
    if archive.exists():
        os.utime(archive)  # used: `prune` goes by age
        return tag
    started = time.monotonic()
    say(f"building {tag}")
    build.build(image, tag, {"BASE_IMAGE": base[0], "VERSION": version()})
    if tag_of(image, base[1]) != tag:
        build.remove([tag])
        raise ImageError(
            f"files of {image.name} changed while it was built, so its tag would lie; run it again."
        )
    partial = archive.with_suffix(".partial")
    partial.unlink(missing_ok=True)
    build.export(tag, partial)
    partial.replace(archive)
    say(f"built {tag} in {time.monotonic() - started:.0f} s, {archive.stat().st_size / 1e6:.0f} MB")
    return tag


def version() -> str:
    text = (ROOT / "operator/src/agentjobs/__init__.py").read_text()
    found = re.search(r'__version__ = "([^"]+)"', text)
    return found[1] if found else "dev"


def prune(build: Builder, image: Image, keep: str, cache: Path) -> None:
    """Old archives and images of ours, and only ours."""
    stem = archive_of(cache, image.name).stem
    archives = list(cache.glob(f"{stem}-*.tar"))
    archives.sort(key=lambda path: path.stat().st_mtime, reverse=True)
    old = [path for path in archives[KEEP:] if path != archive_of(cache, keep)]
    for path in old:
        path.unlink()
    kept = {path.name for path in archives} - {path.name for path in old}
    tags = [tag for tag in build.tags(image.name) if archive_of(cache, tag).name not in kept]
    if tags:
        say(f"removing {len(tags)} old images of {image.name}")
        build.remove(tags)


def values(operator: str, runner: str) -> dict[str, object]:
    """As the chart wants them. Never: where they are not loaded, nobody else has them either."""

    def image(tag: str) -> dict[str, str]:
        repository, _, version_tag = tag.rpartition(":")
        return {"repository": repository, "tag": version_tag, "pullPolicy": "Never"}

    return {"image": image(operator), "runner": {"image": image(runner)}}


def build(load: bool) -> dict[str, object]:
    cache = cache_directory()
    with alone(cache):
        tool = builder()
        base = tool.base()
        tags = []
        for image in (OPERATOR, RUNNER):
            tag = make(tool, image, base, cache)
            prune(tool, image, tag, cache)
            tags.append(tag)
        tool.forget_stages()
        if load:
            run(sys.executable, CHOSEN, "load", *(archive_of(cache, tag) for tag in tags))
    return values(*tags)


def archives(built: dict[str, Any]) -> list[Path]:
    """The archives of the images in what `build` printed, the operator's first."""
    cache, found = cache_directory(), (built["image"], built["runner"]["image"])
    return [archive_of(cache, f"{image['repository']}:{image['tag']}") for image in found]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser(
        "build", help="build what changed, load it into the local cluster, print Helm values"
    )
    command.add_argument("--no-load", action="store_true", help="only build")
    command = commands.add_parser("archives", help="print the paths of the images' archives")
    command.add_argument("values", type=Path, help="what `build` printed")
    arguments = parser.parse_args()
    try:
        if arguments.command == "archives":
            print(*archives(json.loads(arguments.values.read_text())), sep="\n")
        else:
            print(json.dumps(build(load=not arguments.no_load), indent=2))
    except ImageError as error:
        say(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
