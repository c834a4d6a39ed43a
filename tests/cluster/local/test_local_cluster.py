"""What the local test cluster promises, tried on one of its own beside the checkout's."""

from __future__ import annotations

import contextlib
import http.client
import http.server
import itertools
import json
import os
import signal
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from localcluster import base_image, lifecycle, network
from localcluster.layout import preferred_slot, state_key
from tests.cluster.local.second_cluster import (
    COMMAND,
    Cluster,
    Host,
    assert_nothing_left,
    claim,
    descendants,
    eventually,
    gone,
    pod,
    supervisor_pid,
    unique,
)


@pytest.fixture(scope="module")
def base_archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    subprocess.run([sys.executable, str(COMMAND), "base-image"], check=True, timeout=240)
    archive = tmp_path_factory.mktemp("images") / "base.tar"
    subprocess.run(
        ["buildah", "push", "-q", base_image.NAME, f"oci-archive:{archive}:{base_image.NAME}"],
        check=True,
        timeout=60,
    )
    return archive


@pytest.fixture(scope="module")
def stopped() -> Cluster:
    mine = Cluster(f"{state_key(lifecycle.checkout(), {})}-test")
    mine.run("down")
    return mine


@pytest.fixture(scope="module")
def untouched(stopped: Cluster) -> Host:
    """This machine before the first `up`."""
    return Host.seen(stopped.layout)


@pytest.fixture(scope="module")
def cluster(stopped: Cluster, untouched: Host, base_archive: Path) -> Iterator[Cluster]:
    mine = stopped
    assert untouched.links == untouched.mounts == ()
    mine.run("up")
    try:
        mine.run("load", str(base_archive))
        # Evictions take half a minute: this one goes on while the other tests run.
        fill = (
            "import time\nwith open('/tmp/big', 'wb') as file:\n   "
            " file.write(bytes(60_000_000))\ntime.sleep(300)"
        )
        mine.create(
            pod("glutton", fill, container={"resources": {"limits": {"ephemeral-storage": "20Mi"}}})
        )
        yield mine
    finally:
        mine.run("down")


def test_a_pod_runs_to_success(cluster: Cluster) -> None:
    name = unique("hello")
    cluster.create(pod(name, "print('hello from', __import__('os').getuid())"))
    assert cluster.log_of(name) == "hello from 1234\n"


def test_names_of_services_are_found_and_their_addresses_answer(cluster: Cluster) -> None:
    name = unique("dns")
    lookup = (
        "import socket; print(socket.create_connection(('kubernetes.default.svc.cluster.local',"
        " 443), 5).getpeername()[0])"
    )
    cluster.create(pod(name, lookup))
    assert cluster.log_of(name) == "10.96.0.1\n"


def test_a_claim_honours_fs_group_and_comes_back_empty_after_its_deletion(cluster: Cluster) -> None:
    first = unique("claim")
    cluster.create(
        claim(first),
        pod(
            first,
            "open('/data/mine', 'w').write('secret'); print(__import__('os').stat('/data').st_gid)",
            first,
        ),
    )
    assert cluster.log_of(first) == "4321\n"
    volume = cluster.get("pvc", first)["spec"]["volumeName"]
    files = cluster.layout.volumes / volume
    assert [path.name for path in files.iterdir()] == ["mine"]

    cluster.kubectl("delete", f"pod/{first}", f"pvc/{first}")
    eventually(
        lambda: bool(cluster.get("pv", volume)["status"]["phase"] == "Available"),
        f"volume {volume} to be available again",
    )
    assert list(files.iterdir()) == []

    second = unique("claim")
    again = claim(second) | {"spec": claim(second)["spec"] | {"volumeName": volume}}
    cluster.create(
        again, pod(second, "import os; print(os.listdir('/data')); open('/data/x', 'w')", second)
    )
    assert cluster.log_of(second) == "[]\n"


def test_pods_reach_servers_on_this_host(cluster: Cluster) -> None:
    class Hello(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(self.client_address[0].encode())

        def log_message(self, *_: object) -> None:
            """Into the test's output it would only be noise."""

    server = http.server.ThreadingHTTPServer((cluster.layout.host_ip, 0), Hello)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        name = unique("fetch")
        url = f"http://{cluster.layout.host_ip}:{server.server_port}/"
        cluster.create(
            pod(
                name,
                f"import urllib.request; print(urllib.request.urlopen({url!r},"
                " timeout=5).read().decode())",
            )
        )
        address = cluster.log_of(name).strip()
    finally:
        server.shutdown()
        server.server_close()
    assert address == cluster.get("pod", name)["status"]["podIP"]


def test_this_host_does_not_lose_the_node_when_a_pod_joins_its_bridge(cluster: Cluster) -> None:
    def address() -> str:
        return str(
            json.loads(cluster.run("node-exec", "--", "ip", "-json", "link", "show", "cbr0")[0])[0][
                "address"
            ]
        )

    before = address()
    lowest = (
        "ip link add low0 address 00:00:00:00:00:02 type veth peer name low1 && ip link set low0"
        " master cbr0"
    )
    # A bridge without an address of its own would take this one.
    cluster.run("node-exec", "--", "sh", "-c", lowest)
    try:
        assert address() == before
    finally:
        cluster.run("node-exec", "--", "ip", "link", "delete", "low0")


def test_the_audit_log_tells_who_wrote_a_lease_but_not_who_read_one(cluster: Cluster) -> None:
    name = unique("lease")
    cluster.create(
        {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": name},
            "spec": {},
        }
    )
    cluster.kubectl("get", "lease", name)
    cluster.kubectl("delete", "lease", name)
    path = Path(cluster.run("audit-log")[0].strip())
    entries = [json.loads(line) for line in path.read_text().splitlines()]
    mine = [entry for entry in entries if entry.get("objectRef", {}).get("name") == name]
    assert [
        (one["verb"], one["user"]["username"], one["objectRef"]["resource"]) for one in mine
    ] == [
        ("create", "local-admin", "leases"),
        ("delete", "local-admin", "leases"),
    ]


def test_nobody_uses_the_kubelet_without_a_name(cluster: Cluster) -> None:
    trusted = ssl.create_default_context(cafile=str(cluster.layout.pki / "ca.crt"))
    with contextlib.closing(
        http.client.HTTPSConnection(cluster.layout.node_ip, 10250, timeout=10, context=trusted)
    ) as connection:
        connection.request("GET", "/pods")
        assert connection.getresponse().status == 401


def test_admission_policies_that_mutate_are_served(cluster: Cluster) -> None:
    served = cluster.kubectl(
        "api-resources", "--api-group=admissionregistration.k8s.io", "-o", "name"
    )
    assert "mutatingadmissionpolicies.admissionregistration.k8s.io" in served
    assert "validatingadmissionpolicies.admissionregistration.k8s.io" in served


def test_an_image_is_loaded_once(cluster: Cluster, base_archive: Path) -> None:
    assert "is there already" in cluster.run("load", str(base_archive))[1]


def test_a_command_runs_inside_the_node(cluster: Cluster) -> None:
    shown = cluster.run("node-exec", "--", "ip", "-brief", "address", "show", "cbr0")[0]
    assert cluster.layout.node_ip in shown


def test_a_component_that_dies_is_started_again(cluster: Cluster) -> None:
    scheduler = next(
        pid
        for pid in descendants(supervisor_pid(cluster))
        if "kube-scheduler" in Path(f"/proc/{pid}/cmdline").read_text()
    )
    os.kill(scheduler, signal.SIGKILL)

    def back() -> bool:
        one = lifecycle.components(cluster.layout)["scheduler"]
        return bool(one["restarts"] == 1 and one["ready"])

    eventually(back, "the scheduler to be back")


def test_a_second_up_only_says_so(cluster: Cluster) -> None:
    began = time.monotonic()
    assert "already up" in cluster.run("up")[1]
    assert time.monotonic() - began < 3


def test_two_clusters_do_not_meet(cluster: Cluster) -> None:
    names = (f"{cluster.key}-{number}" for number in itertools.count())
    # It would prefer the same network.
    other = Cluster(next(name for name in names if preferred_slot(name) == cluster.layout.slot))
    try:
        other.run("up")
        assert other.layout.subnet != cluster.layout.subnet
        marker = unique("only-here")
        other.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": marker}})
        assert f"namespace/{marker}" not in cluster.kubectl("get", "namespaces", "-o", "name")
        assert cluster.run("status")[0]
    finally:
        other.run("down")
    assert cluster.run("status")[0]


def test_a_pod_over_its_storage_limit_is_evicted(cluster: Cluster) -> None:
    def evicted() -> bool:
        return bool(cluster.get("pod", "glutton")["status"].get("reason") == "Evicted")

    eventually(evicted, "the eviction", 90)


def test_down_leaves_nothing_and_up_starts_afresh_with_images_kept(
    cluster: Cluster, base_archive: Path, untouched: Host
) -> None:
    cluster.create(claim("kept"), pod("busy", "import time; time.sleep(300)", "kept"))
    cluster.kubectl("wait", "pod/busy", "--for=condition=Ready", "--timeout=60s")
    pids = descendants(supervisor_pid(cluster))
    assert len(pids) > 10
    cluster.run("down")
    assert_nothing_left(cluster, pids, untouched)
    assert "not running" in cluster.run("down")[1]

    cluster.run("up")
    assert cluster.get("pods", "--all-namespaces")["items"] == []
    assert (
        cluster.run("node-exec", "--", "ctr", "--namespace", "k8s.io", "containers", "list", "-q")[
            0
        ]
        == ""
    )
    assert "is there already" in cluster.run("load", str(base_archive))[1]
    cluster.create(pod("again", "print('ran')"))
    assert cluster.log_of("again") == "ran\n"


def test_down_and_up_work_after_the_cluster_was_killed(cluster: Cluster, untouched: Host) -> None:
    for remedy in ("up", "down"):
        pids = descendants(supervisor_pid(cluster))
        os.kill(pids[0], signal.SIGKILL)
        eventually(partial(gone, pids), "the processes to go with their PID 1")
        assert "state: down" in cluster.run("status", code=1)[0]
        cluster.run(remedy)
        if remedy == "down":
            assert_nothing_left(cluster, pids, untouched)
        else:
            assert "state: up" in cluster.run("status")[0]


def test_a_half_finished_up_is_taken_down_or_finished(cluster: Cluster, untouched: Host) -> None:
    for finish in ("down", "up"):
        cluster.run("down")
        with cluster.start("up") as starting:
            try:
                eventually((cluster.layout.run / "isolated").exists, "the namespaces")
            finally:
                starting.kill()
        pids = descendants(supervisor_pid(cluster))
        cluster.run(finish)
        if finish == "down":
            assert_nothing_left(cluster, pids, untouched)
        else:
            assert "state: up" in cluster.run("status")[0]


def test_up_finishes_a_network_that_an_earlier_up_attached_by_half(cluster: Cluster) -> None:
    """The earlier one stopped between moving the link and making it a port of the bridge.

    Everything inside is well, and the host cannot reach it.
    """
    inside = [
        "nsenter",
        "-t",
        str(supervisor_pid(cluster)),
        "-n",
        "ip",
        "link",
        "set",
        network.PORT,
    ]
    subprocess.run([*inside, "nomaster", "down"], check=True)
    assert "state: not ready" in cluster.run("status", code=1)[0]
    cluster.run("up")
    assert "state: up" in cluster.run("status")[0]
