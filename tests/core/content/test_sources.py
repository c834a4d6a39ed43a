"""Texts from ConfigMaps: what a reference means, when it is read; a job hears of each change."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from agentjobs.api.job import ScheduledAgentJobSpec
from agentjobs.cluster.client import Json
from agentjobs.core.content.digest import content
from agentjobs.core.content.sources import Reference, references, resolved, text_of
from agentjobs.core.errors import UserError
from agentjobs.operator.caches.sources import SourceCache, read
from agentjobs.testing.server import Server
from tests.support import manifests

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
SCRIPT = Reference("scripts", "report.py")
JOB = ("ns", "report")
ROW = ("ns", "scripts")


def spec(**script: Any) -> ScheduledAgentJobSpec:
    return ScheduledAgentJobSpec.model_validate(
        manifests.job(script=script or {"configMapKeyRef": SCRIPT._asdict()})["spec"]
    )


def config_map(*, label: str | None = "true", name: str = "scripts", **parts: Any) -> Json:
    labels = {"agentjobs.dev/source": label} if label else {}
    return {
        "metadata": {"name": name, "labels": labels},
        "data": {"report.py": "print('hello')\n"},
        **parts,
    }


# What a reference stands for


def test_a_text_in_a_config_map_is_the_same_content_as_inline() -> None:
    inline = content("report", spec(inline="print('hello')\n"))
    referred = content("report", spec(), {SCRIPT: "print('hello')\n"})
    assert referred == inline
    assert b"configMapKeyRef" not in referred.document
    assert content("report", spec(), {SCRIPT: "print('hullo')\n"}).digest != inline.digest


def test_a_spec_tells_what_it_refers_to() -> None:
    assert references(spec()) == {SCRIPT}
    assert references(spec(inline="pass")) == frozenset()
    assert resolved(spec(inline="pass"), {}) == spec(inline="pass")


@pytest.mark.parametrize(
    ("body", "reason", "told"),
    [
        (
            None,
            "SourceMissing",
            "there is no ConfigMap named scripts in this namespace; create it, or correct the name",
        ),
        (
            config_map(label=None),
            "SourceNotLabelled",
            "the ConfigMap scripts is not labelled agentjobs.dev/source=true",
        ),
        (config_map(label="yes"), "SourceNotLabelled", "label it if jobs may use it"),
        (
            config_map(data={"other": "x"}),
            "SourceMissing",
            "the ConfigMap scripts has no key report.py; add it, or correct the key",
        ),
        (config_map(data=None), "SourceMissing", "has no key report.py"),
        (
            config_map(data=None, binaryData={"report.py": "/w=="}),
            "SourceInvalid",
            "is not UTF-8 text; save it as UTF-8",
        ),
        (
            config_map(data={"report.py": ""}),
            "SourceInvalid",
            "the key report.py of the ConfigMap scripts is empty",
        ),
        (
            config_map(data={"report.py": "é" * 131_073}),
            "SourceInvalid",
            "may have at most 262144 bytes (256 KiB) of UTF-8",
        ),
        (
            config_map(data={"report.py": "ok = 1 #\u202e x"}),
            "SourceInvalid",
            "text direction characters, which hide text",
        ),
        (
            config_map(data={"report.py": "evil()\rnice()"}),
            "SourceInvalid",
            "write them as escapes such as \\x1b",
        ),
    ],
)
def test_a_text_that_cannot_be_used_is_told_with_its_field_and_what_to_do(
    body: Json | None, reason: str, told: str
) -> None:
    with pytest.raises(UserError) as refused:
        content("report", spec(), {SCRIPT: text_of(body, SCRIPT)})
    assert refused.value.reason == reason
    assert str(refused.value).startswith("spec.script.configMapKeyRef: ")
    assert told in str(refused.value)


def test_the_longest_text_is_usable() -> None:
    found = content(
        "report", spec(), {SCRIPT: text_of(config_map(data={"report.py": "é" * 131_072}), SCRIPT)}
    )
    assert len(found.document) > 262_144


def test_without_the_text_there_is_no_digest() -> None:
    with pytest.raises(UserError, match="the key .+ of the ConfigMap .+ has not been read"):
        content("report", spec())


# When it is read


class Counting(Server):
    """Counts what is read."""

    reads = 0

    async def get(
        self, kind: str, namespace: str, name: str, *, accept: str = "application/json"
    ) -> Json:
        self.reads += 1
        return await super().get(kind, namespace, name, accept=accept)


def read_now(server: Server, cache: SourceCache, *, reread: bool = False) -> Any:
    return asyncio.run(read(server, cache, "ns", [SCRIPT], reread=reread))[SCRIPT]


def version(body: Json) -> int:
    return int(body["metadata"]["resourceVersion"])


def test_a_text_is_read_once_for_each_version_and_anew_when_asked() -> None:
    server, cache = Counting(NOW), SourceCache()
    server.create("source", "ns", config_map())
    assert [read_now(server, cache) for _ in range(3)] == ["print('hello')\n"] * 3
    assert server.reads == 1
    changed = server.patch(("source", *ROW), data={"report.py": "print('new')\n"})
    assert read_now(server, cache) == "print('hello')\n", "the watch has not told it"
    assert read_now(server, cache, reread=True) == "print('new')\n"
    assert (read_now(server, cache), server.reads) == ("print('new')\n", 2)
    cache.saw(ROW, version(changed) + 1)
    assert (read_now(server, cache), server.reads) == ("print('new')\n", 3)


def test_what_is_missing_or_not_labelled_is_not_remembered() -> None:
    server, cache = Server(NOW), SourceCache()
    assert read_now(server, cache).reason == "SourceMissing"
    server.create("source", "ns", config_map(label=None))
    assert read_now(server, cache).reason == "SourceNotLabelled"
    server.patch(("source", *ROW), metadata={"labels": {"agentjobs.dev/source": "true"}})
    assert read_now(server, cache) == "print('hello')\n"
    cache.saw(ROW, server.version + 1, deleted=True)
    server.forget(("source", *ROW))
    assert read_now(server, cache).reason == "SourceMissing"


def test_memory_for_texts_is_bounded_and_what_was_used_last_stays() -> None:
    cache = SourceCache(remembered_bytes=20)
    texts = {Reference(name, "k"): name * 8 for name in "abc"}
    for reference in texts:
        cache.saw(("ns", reference.name), 1)
    for reference in list(texts)[:2]:
        cache.remember("ns", reference, 1, texts[reference])
    assert cache.remembered("ns", Reference("a", "k")) == "aaaaaaaa"
    cache.remember("ns", Reference("c", "k"), 1, texts[Reference("c", "k")])
    assert [cache.remembered("ns", reference) for reference in texts] == [
        "aaaaaaaa",
        None,
        "cccccccc",
    ]
    cache.remember("ns", Reference("a", "k"), 1, "é" * 11)
    assert [cache.remembered("ns", reference) for reference in texts] == [None, None, None]


# Who hears of a change


def test_every_job_that_uses_a_config_map_hears_of_a_change_and_no_other() -> None:
    cache = SourceCache()
    cache.uses(JOB, ["scripts"])
    cache.uses(("ns", "other"), ["scripts", "more"])
    cache.uses(("elsewhere", "report"), ["scripts"])
    assert cache.saw(ROW, 5) == {JOB, ("ns", "other")}
    assert cache.saw(ROW, 5) == frozenset(), "it is known"
    assert cache.saw(ROW, 4, deleted=True) == frozenset(), (
        "another object of that name, which is gone"
    )
    cache.uses(JOB, [])
    assert cache.saw(ROW, 6, deleted=True) == {("ns", "other")}
    assert cache.saw(("ns", "stranger"), 7) == frozenset()
