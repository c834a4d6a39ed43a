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
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from localcluster import base_image, build, cgroups, lifecycle, network
from localcluster.layout import STATE_VARIABLE, Layout, cache_root, preferred_slot, state_key

COMMAND = Path(__file__).with_name("local") / "cluster.py"
FIXED_PLACES = (
    "/var/lib/kubelet",
    "/var/lib/cni",
    "/var/log/pods",
    "/var/log/containers",
    "/opt/containerd",
    "/run/containerd",
)
KERNEL_SETTINGS = ("net/ipv4/ip_forward", "vm/overcommit_memory", "kernel/panic", "kernel/panic_on_oops", "kernel/keys/root_maxkeys")


@dataclass(frozen=True)
class Cluster:
    """One cluster by its name, through the same commands that people use."""

    key: str

    @property
    def layout(self) -> Layout:
        cache = cache_root(os.environ, Path.home())
        return lifecycle.recorded(Layout(cache, self.key, preferred_slot(self.key), build.binaries(cache)))

    def start(self, *words: str) -> subprocess.Popen[str]:
        command = [sys.executable, str(COMMAND), *words]
        return subprocess.Popen(
            command,
            env=os.environ | {STATE_VARIABLE: self.key},
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
        )

    def run(self, *words: str, code: int = 0) -> tuple[str, str]:
        """What it printed to stdout and to stderr."""
        child = self.start(*words)
        stdout, stderr = child.communicate(timeout=120)
        assert child.returncode == code, stdout + stderr
        return stdout, stderr

    def kubectl(self, *words: str, stdin: object = None) -> str:
        command = [str(self.layout.binaries / "kubectl"), "--kubeconfig", str(self.layout.kubeconfig), *words]
        done = subprocess.run(command, input=json.dumps(stdin) if stdin else None, capture_output=True, text=True, timeout=90, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def get(self, *words: str) -> Any:
        return json.loads(self.kubectl("get", *words, "-o", "json"))

    def create(self, *manifests: dict[str, Any]) -> None:
        self.kubectl("create", "-f", "-", stdin={"apiVersion": "v1", "kind": "List", "items": list(manifests)})

    def log_of(self, pod: str) -> str:
        """Of a pod that succeeds."""
        eventually(lambda: self._phase(pod) in ("Succeeded", "Failed"), f"pod {pod} to finish", 60)
        log = self.kubectl("logs", pod)
        assert self._phase(pod) == "Succeeded", log
        return log

    def _phase(self, pod: str) -> str:
        return self.kubectl("get", "pod", pod, "-o", "jsonpath={.status.phase}")


@dataclass(frozen=True)
class Host:
    """What a cluster could leave behind on this machine outside its own directory."""

    packet_filter: str
    mounts: tuple[str, ...]
    links: tuple[str, ...]
    network_namespaces: tuple[str, ...]
    fixed_places: tuple[str, ...]
    kernel_settings: tuple[str, ...]

    @classmethod
    def seen(cls, layout: Layout) -> Host:
        """Others work on this machine meanwhile: of mounts and links only those count that could be this cluster's."""
        rules = subprocess.run(["iptables-save"], capture_output=True, text=True, check=True).stdout
        mounts = Path("/proc/mounts").read_text().splitlines()
        return cls(
            packet_filter="\n".join(line.partition(" [")[0] for line in rules.splitlines() if not line.startswith("#")),
            mounts=tuple(line for line in mounts if str(layout.state) in line or "/kubelet/" in line or "/netns/cni" in line),
            links=tuple(name for name, alias in network.links().items() if alias == layout.key or name in ("cbr0", "host0")),
            network_namespaces=tuple(sorted(path.name for path in Path("/run/netns").glob("cni-*"))),
            fixed_places=tuple(place for place in FIXED_PLACES if Path(place).exists()),
            kernel_settings=tuple(Path("/proc/sys", name).read_text() for name in KERNEL_SETTINGS),
        )


def eventually(condition: Callable[[], bool], what: str, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} s in vain for {what}"
        time.sleep(0.1)


def descendants(pid: int) -> list[int]:
    """Process ids as the host sees them: the components, the containers' shims, and what runs in containers."""
    parents: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    found, todo = [], [pid]
    while todo:
        found.append(todo.pop())
        todo += parents.get(found[-1], [])
    return found


def gone(pids: list[int]) -> bool:
    return not any(Path(f"/proc/{pid}").exists() for pid in pids)


def alive(pids: list[int], layout: Layout) -> list[int]:
    """Those that still run, and any other process that names the cluster's directory or sits in its cgroup."""
    left = [pid for pid in pids if (stat := Path(f"/proc/{pid}/stat")).exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"]
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            words, group = (entry / "cmdline").read_text(), (entry / "cgroup").read_text()
        except OSError:
            continue
        if f"{layout.state}/" in words or f"/{layout.cgroup}/" in group:
            left.append(int(entry.name))
    return left


def assert_nothing_left(cluster: Cluster, pids: list[int], before: Host) -> None:
    layout = cluster.layout
    assert alive(pids, layout) == []
    assert Host.seen(layout) == before
    assert cgroups.left(layout.cgroup) == []
    assert not layout.run.exists()


def supervisor_pid(cluster: Cluster) -> int:
    process = lifecycle.supervisor(cluster.layout)
    assert process is not None
    return process.pid


def pod(name: str, program: str, claim: str = "", **spec: Any) -> dict[str, Any]:
    """Runs a Python program once, as uid 1234."""
    container: dict[str, Any] = {
        "name": "main",
        "image": base_image.NAME,
        "imagePullPolicy": "Never",
        "command": ["python3", "-c", program],
    }
    volumes = []
    if claim:
        container["volumeMounts"] = [{"name": "data", "mountPath": "/data"}]
        volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": claim}}]
    container |= spec.pop("container", {})
    security = {"runAsUser": 1234, "runAsGroup": 1234, "fsGroup": 4321}
    return {
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name},
        "spec": {"restartPolicy": "Never", "securityContext": security, "terminationGracePeriodSeconds": 1, "containers": [container],
                 "volumes": volumes} | spec,
    }  # fmt: skip


def claim(name: str) -> dict[str, Any]:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name}, "spec": spec}


def unique(prefix: str) -> str:
    return f"{prefix}-{uuid.uuid4().hex[:6]}"


@pytest.fixture(scope="module")
def base_archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    subprocess.run([sys.executable, str(COMMAND), "base-image"], check=True, timeout=240)
    archive = tmp_path_factory.mktemp("images") / "base.tar"
    subprocess.run(["buildah", "push", "-q", base_image.NAME, f"oci-archive:{archive}:{base_image.NAME}"], check=True, timeout=60)
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
        fill = "import time\nwith open('/tmp/big', 'wb') as file:\n    file.write(bytes(60_000_000))\ntime.sleep(300)"
        mine.create(pod("glutton", fill, container={"resources": {"limits": {"ephemeral-storage": "20Mi"}}}))
        yield mine
    finally:
        mine.run("down")


def test_a_pod_runs_to_success(cluster: Cluster) -> None:
    name = unique("hello")
    cluster.create(pod(name, "print('hello from', __import__('os').getuid())"))
    assert cluster.log_of(name) == "hello from 1234\n"


def test_names_of_services_are_found_and_their_addresses_answer(cluster: Cluster) -> None:
    name = unique("dns")
    lookup = "import socket; print(socket.create_connection(('kubernetes.default.svc.cluster.local', 443), 5).getpeername()[0])"
    cluster.create(pod(name, lookup))
    assert cluster.log_of(name) == "10.96.0.1\n"


def test_a_claim_honours_fs_group_and_comes_back_empty_after_its_deletion(cluster: Cluster) -> None:
    first = unique("claim")
    cluster.create(claim(first), pod(first, "open('/data/mine', 'w').write('secret'); print(__import__('os').stat('/data').st_gid)", first))
    assert cluster.log_of(first) == "4321\n"
    volume = cluster.get("pvc", first)["spec"]["volumeName"]
    files = cluster.layout.volumes / volume
    assert [path.name for path in files.iterdir()] == ["mine"]

    cluster.kubectl("delete", f"pod/{first}", f"pvc/{first}")
    eventually(lambda: bool(cluster.get("pv", volume)["status"]["phase"] == "Available"), f"volume {volume} to be available again")
    assert list(files.iterdir()) == []

    second = unique("claim")
    again = claim(second) | {"spec": claim(second)["spec"] | {"volumeName": volume}}
    cluster.create(again, pod(second, "import os; print(os.listdir('/data')); open('/data/x', 'w')", second))
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
        cluster.create(pod(name, f"import urllib.request; print(urllib.request.urlopen({url!r}, timeout=5).read().decode())"))
        address = cluster.log_of(name).strip()
    finally:
        server.shutdown()
        server.server_close()
    assert address == cluster.get("pod", name)["status"]["podIP"]


def test_this_host_does_not_lose_the_node_when_a_pod_joins_its_bridge(cluster: Cluster) -> None:
    def address() -> str:
        return str(json.loads(cluster.run("node-exec", "--", "ip", "-json", "link", "show", "cbr0")[0])[0]["address"])

    before = address()
    lowest = "ip link add low0 address 00:00:00:00:00:02 type veth peer name low1 && ip link set low0 master cbr0"
    cluster.run("node-exec", "--", "sh", "-c", lowest)  # a bridge without an address of its own would take this one
    try:
        assert address() == before
    finally:
        cluster.run("node-exec", "--", "ip", "link", "delete", "low0")


def test_the_audit_log_tells_who_wrote_a_lease_but_not_who_read_one(cluster: Cluster) -> None:
    name = unique("lease")
    cluster.create({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": name}, "spec": {}})
    cluster.kubectl("get", "lease", name)
    cluster.kubectl("delete", "lease", name)
    path = Path(cluster.run("audit-log")[0].strip())
    entries = [json.loads(line) for line in path.read_text().splitlines()]
    mine = [entry for entry in entries if entry.get("objectRef", {}).get("name") == name]
    assert [(one["verb"], one["user"]["username"], one["objectRef"]["resource"]) for one in mine] == [
        ("create", "local-admin", "leases"),
        ("delete", "local-admin", "leases"),
    ]


def test_nobody_uses_the_kubelet_without_a_name(cluster: Cluster) -> None:
    trusted = ssl.create_default_context(cafile=str(cluster.layout.pki / "ca.crt"))
    with contextlib.closing(http.client.HTTPSConnection(cluster.layout.node_ip, 10250, timeout=10, context=trusted)) as connection:
        connection.request("GET", "/pods")
        assert connection.getresponse().status == 401


def test_admission_policies_that_mutate_are_served(cluster: Cluster) -> None:
    served = cluster.kubectl("api-resources", "--api-group=admissionregistration.k8s.io", "-o", "name")
    assert "mutatingadmissionpolicies.admissionregistration.k8s.io" in served
    assert "validatingadmissionpolicies.admissionregistration.k8s.io" in served


def test_an_image_is_loaded_once(cluster: Cluster, base_archive: Path) -> None:
    assert "is there already" in cluster.run("load", str(base_archive))[1]


def test_a_command_runs_inside_the_node(cluster: Cluster) -> None:
    shown = cluster.run("node-exec", "--", "ip", "-brief", "address", "show", "cbr0")[0]
    assert cluster.layout.node_ip in shown


def test_a_component_that_dies_is_started_again(cluster: Cluster) -> None:
    scheduler = next(pid for pid in descendants(supervisor_pid(cluster)) if "kube-scheduler" in Path(f"/proc/{pid}/cmdline").read_text())
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
    other = Cluster(next(name for name in names if preferred_slot(name) == cluster.layout.slot))  # it would prefer the same network
    other.run("up")
    try:
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


def test_after_down_nothing_is_left_and_up_begins_anew_with_the_images_kept(cluster: Cluster, base_archive: Path, untouched: Host) -> None:
    cluster.create(claim("kept"), pod("busy", "import time; time.sleep(300)", "kept"))
    cluster.kubectl("wait", "pod/busy", "--for=condition=Ready", "--timeout=60s")
    pids = descendants(supervisor_pid(cluster))
    assert len(pids) > 10
    cluster.run("down")
    assert_nothing_left(cluster, pids, untouched)
    assert "not running" in cluster.run("down")[1]

    cluster.run("up")
    assert cluster.get("pods", "--all-namespaces")["items"] == []
    assert cluster.run("node-exec", "--", "ctr", "--namespace", "k8s.io", "containers", "list", "-q")[0] == ""
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
        starting = cluster.start("up")
        eventually((cluster.layout.run / "isolated").exists, "the namespaces")
        starting.kill()
        starting.communicate()
        pids = descendants(supervisor_pid(cluster))
        cluster.run(finish)
        if finish == "down":
            assert_nothing_left(cluster, pids, untouched)
        else:
            assert "state: up" in cluster.run("status")[0]
