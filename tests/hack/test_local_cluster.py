"""The local cluster's rules that need no cluster."""

from __future__ import annotations

import dataclasses
import io
import json
import os
import tarfile
from pathlib import Path

import pytest

from localcluster import addons, build, cgroups, images, layout, network, prerequisites, processes
from localcluster.prerequisites import CACHED_BYTES, CGROUPS, FIRST_BUILD_BYTES, Facts

FIT = Facts(
    platform="linux",
    python=(3, 11),
    uid=0,
    free_bytes=FIRST_BUILD_BYTES,
    built=False,
    has_apt=True,
    missing=frozenset(),
    controllers=CGROUPS,
)


def test_a_fit_machine_has_no_problems() -> None:
    assert prerequisites.problems(FIT) == []


def test_packages_that_apt_can_install_are_no_problem() -> None:
    assert prerequisites.problems(dataclasses.replace(FIT, missing=frozenset({"containerd"}))) == []


@pytest.mark.parametrize(
    ("facts", "named", "remedy"),
    [
        (dataclasses.replace(FIT, platform="darwin"), "darwin", "Linux virtual machine"),
        (dataclasses.replace(FIT, python=(3, 10)), "3.10", "newer python3"),
        (dataclasses.replace(FIT, uid=1000), "root", "sudo"),
        (dataclasses.replace(FIT, free_bytes=9_400_000_000), "10 GB", "XDG_CACHE_HOME"),
        (
            dataclasses.replace(FIT, built=True, free_bytes=CACHED_BYTES - 1),
            "2 GB",
            "XDG_CACHE_HOME",
        ),
        (
            dataclasses.replace(FIT, missing=frozenset({"runc", "buildah"}), has_apt=False),
            "buildah, runc",
            "Debian",
        ),
        (
            dataclasses.replace(FIT, controllers=frozenset({"cpu"})),
            "cpuset, memory, pids",
            "mount the cgroup file system",
        ),
    ],
)
def test_a_missing_prerequisite_gives_one_sentence_with_its_remedy(
    facts: Facts, named: str, remedy: str
) -> None:
    (sentence,) = prerequisites.problems(facts)
    assert named in sentence
    assert remedy in sentence
    assert "\n" not in sentence


def test_every_unmet_prerequisite_is_told_at_once() -> None:
    assert len(prerequisites.problems(dataclasses.replace(FIT, platform="darwin", uid=501))) == 2


def test_less_disk_is_needed_once_everything_is_built() -> None:
    assert (
        prerequisites.problems(dataclasses.replace(FIT, built=True, free_bytes=CACHED_BYTES)) == []
    )


def test_controllers_of_both_cgroup_versions_count() -> None:
    first = "cgroup /sys/fs/cgroup/cpu cgroup rw,relatime,cpu,cpuacct 0 0\nproc /proc proc rw 0 0"
    assert {"cpu", "cpuacct"} <= prerequisites.controllers(first, "")
    assert prerequisites.controllers("", "cpuset memory\n") == {"cpuset", "memory"}
    assert cgroups.hierarchies(first) == {Path("/sys/fs/cgroup/cpu"): "cgroup"}


def test_the_cache_follows_the_xdg_directory_specification() -> None:
    home = Path("/home/someone")
    assert layout.cache_root({}, home) == home / ".cache/agentjobs/local-cluster"
    assert (
        layout.cache_root({"XDG_CACHE_HOME": "relative"}, home)
        == home / ".cache/agentjobs/local-cluster"
    )
    assert layout.cache_root({"XDG_CACHE_HOME": "/big"}, home) == Path(
        "/big/agentjobs/local-cluster"
    )


def test_two_checkouts_have_two_clusters_and_one_has_always_the_same() -> None:
    one, other = Path("/src/agentjobs"), Path("/tmp/agentjobs")  # noqa: S108  # only names
    assert layout.state_key(one, {}) == layout.state_key(one, {})
    assert layout.state_key(one, {}) != layout.state_key(other, {})
    assert layout.state_key(one, {layout.STATE_VARIABLE: "My test/1"}) == "my-test-1"


def test_names_of_host_links_fit_the_kernels_limit() -> None:
    assert all(len(f"{_layout(slot).host_link}p") <= 15 for slot in range(layout.SLOTS))


def test_a_subnet_in_use_on_the_host_is_never_chosen() -> None:
    assert network.free_slots(7, [])[0] == 7
    assert network.free_slots(7, ["10.244.7.254/24"])[0] == 8
    assert network.free_slots(layout.SLOTS - 1, [f"10.244.{layout.SLOTS - 1}.0/24"])[0] == 0
    assert network.free_slots(7, ["10.244.0.0/16"]) == []


def test_a_process_is_recalled_only_while_it_is_the_same_one(tmp_path: Path) -> None:
    record = tmp_path / "process.json"
    myself = processes.identify(os.getpid())
    assert myself is not None
    processes.remember(record, myself)
    assert processes.recall(record) == myself
    # The id was given to another process.
    processes.remember(record, dataclasses.replace(myself, started=myself.started - 1))
    assert processes.recall(record) is None
    processes.remember(record, dataclasses.replace(myself, boot="before the machine was restarted"))
    assert processes.recall(record) is None
    record.write_text("{half of a fi")
    assert processes.recall(record) is None
    assert processes.recall(tmp_path / "none") is None


def test_a_wait_that_fails_shows_the_end_of_the_log_to_read(tmp_path: Path) -> None:
    log = tmp_path / "etcd.log"
    log.write_text("first\n" * 50 + "address already in use\n")
    with pytest.raises(processes.Failure, match="etcd was not ready") as caught:
        processes.wait_until(lambda: False, 0, lambda: processes.failed("etcd was not ready", log))
    assert str(log) in str(caught.value)
    assert str(caught.value).endswith("address already in use")
    assert str(caught.value).count("first") < 10


def test_an_emptied_volume_is_as_new_and_nothing_outside_is_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("keep")
    volume = tmp_path / "volume"
    (volume / "deep/er").mkdir(parents=True)
    (volume / "deep/er/file").write_text("left by the last claim")
    (volume / ".hidden").write_text("")
    (volume / "link").symlink_to(tmp_path)
    volume.chmod(0o2775)
    addons.make_empty(volume)
    assert list(volume.iterdir()) == []
    assert volume.stat().st_mode & 0o7777 == 0o755
    assert outside.read_text() == "keep"


def test_only_a_released_volume_is_recycled() -> None:
    assert addons.released({"metadata": {}, "status": {"phase": "Released"}})
    assert not addons.released({"metadata": {}, "status": {"phase": "Bound"}})
    assert not addons.released({"metadata": {}})
    assert not addons.released(
        {"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}, "status": {"phase": "Released"}}
    )


def test_an_archive_tells_its_images_by_containerds_names(tmp_path: Path) -> None:
    tagged = _archive(
        tmp_path / "docker.tar",
        "manifest.json",
        [{"RepoTags": ["busybox:1", "me/tool:2", "localhost/x:3", "ghcr.io/a/b:4"]}],
    )
    assert images.contents(tagged).names == (
        "docker.io/library/busybox:1",
        "docker.io/me/tool:2",
        "localhost/x:3",
        "ghcr.io/a/b:4",
    )
    own = tmp_path / "own.tar"
    own.write_bytes(images.archive_of(b"program", "pause", "localhost/pause:1"))
    assert images.contents(own).names == ("localhost/pause:1",)


def test_an_archive_is_known_again_by_its_contents(tmp_path: Path) -> None:
    first, same, other = tmp_path / "first", tmp_path / "same", tmp_path / "other"
    first.write_bytes(images.archive_of(b"program", "pause", "localhost/pause:1"))
    same.write_bytes(images.archive_of(b"program", "pause", "localhost/pause:1"))
    other.write_bytes(images.archive_of(b"program, changed", "pause", "localhost/pause:1"))
    assert images.contents(first) == images.contents(same)
    assert images.contents(first).fingerprint != images.contents(other).fingerprint


@pytest.mark.parametrize("content", [b"", b"no archive at all" * 100])
def test_a_file_that_is_no_archive_is_refused_in_a_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(processes.Failure, match=str(path)):
        images.contents(path)


def test_an_archive_without_a_name_is_refused_with_the_way_to_name_it(tmp_path: Path) -> None:
    with pytest.raises(processes.Failure, match="buildah push"):
        images.contents(
            _archive(tmp_path / "a.tar", "index.json", {"manifests": [{"digest": "sha256:0"}]})
        )


def test_versions_come_from_the_go_module() -> None:
    assert build.required("k8s.io/kubernetes").startswith("v1.")
    assert build.required("helm.sh/helm/v4").startswith("v4.")
    assert any(
        f"gitVersion={build.required('k8s.io/kubernetes')}" in flag for flag in build.flags()
    )
    with pytest.raises(processes.Failure, match=r"go\.mod"):
        build.required("example.com/nothing")


def _layout(slot: int) -> layout.Layout:
    return layout.Layout(Path("/cache"), "key", slot, Path("/bin"))


def _archive(path: Path, name: str, table: object) -> Path:
    content = json.dumps(table).encode()
    with tarfile.open(path, "w") as archive:
        entry = tarfile.TarInfo(name)
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    return path
