"""What stands on the local plane: waited for, and shown."""

from __future__ import annotations

import asyncio
import json
import subprocess
import time
from collections import Counter
from collections.abc import Iterable
from typing import Any

from rich.console import Console
from rich.table import Table

from sandbox.home import Home
from sandbox.kube import Kube, KubeError
from sandbox.nodes.world import sessions
from sandbox.plane.errors import PlaneError
from sandbox.plane.record import Record
from sandbox.toolchain import Tools
from sandbox.twin.model import VERSION_LABEL
from sandbox.twin.template import spec_hash

Json = dict[str, Any]

POOL, GENERATION, AZURE_POOL = "sm-realtime/pool", "sm-realtime/generation", "agentpool"
"""Node labels: the role and the generation of one of the program's pools; AKS's own name of any pool."""

SIMULATED = """\
Simulated here: Azure (resources, AKS, load balancer, disks), the nodes, images and containers, the ingress
controller and the sessiongroups-controller. Real: the Pulumi engine, the program, the Kubernetes API server, its
controllers and the scheduler."""

NEXT = """\
Next:
    eval "$(make --silent env)"                 # plain pulumi and kubectl use this plane
    pulumi preview --stack sandbox              # edit stacks/Pulumi.sandbox.yaml and see what would change
    kubectl get sessiongroups,pods -A -o wide"""


def condition(obj: Json, kind: str) -> Json:
    """The object's condition of this type; empty when it has none."""
    conditions: list[Json] = obj.get("status", {}).get("conditions") or []
    return next((entry for entry in conditions if entry["type"] == kind), {})


def is_ready(pod: Json) -> bool:
    return condition(pod, "Ready").get("status") == "True"


def counted(pods: Iterable[Json]) -> list[Json]:
    """The pods that should be Ready: neither on their way out nor finished."""
    return [p for p in pods if "deletionTimestamp" not in p["metadata"] and p["status"].get("phase") != "Succeeded"]


def named(obj: Json) -> str:
    return f"{obj['metadata'].get('namespace', '')}/{obj['metadata']['name']}"


def reason(pod: Json) -> str:
    """Why a pod is not Ready, from its own status."""
    status = pod["status"]
    said = [str(status[key]) for key in ("reason", "message") if status.get(key)]
    for container in [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]:
        state = container.get("state") or {}
        for kind in ("waiting", "terminated"):
            if state.get(kind) and state[kind].get("reason") != "Completed":
                detail = ": ".join(state[kind][key] for key in ("reason", "message") if state[kind].get(key))
                said.append(f"{container['name']} {kind} ({detail})")
    if condition(pod, "PodScheduled").get("status") == "False":
        said.append(f"not scheduled: {condition(pod, 'PodScheduled').get('message', 'no node fits')}")
    return "; ".join(said) or condition(pod, "Ready").get("message") or f"phase {status.get('phase', 'unknown')}"


def short_groups(groups: Iterable[Json]) -> list[str]:
    """The SessionGroups that have fewer pods than they want."""
    return [
        f"SessionGroup {named(group)}: {has} of {wants} pods exist"
        for group in groups
        if (has := group.get("status", {}).get("replicas", 0)) < (wants := group["spec"].get("replicas", 0))
    ]


def rolling(groups: Iterable[Json], pods: Iterable[Json]) -> list[str]:
    """What is still to be rolled: groups whose newest template was not taken up yet, and their idle older pods.

    A pod of an older version that holds sessions is where it should be: it stays until the last of them ends.
    """
    pods, lines = list(pods), []
    for group in groups:
        name, status = group["metadata"]["name"], group.get("status") or {}
        if status.get("specHash") != spec_hash(group["spec"]["template"], name):
            lines.append(f"SessionGroup {named(group)}: its controller has not taken up the newest template")
            continue
        for pod in pods:
            owners = [owner.get("uid") for owner in pod["metadata"].get("ownerReferences") or []]
            version = (pod["metadata"].get("labels") or {}).get(VERSION_LABEL)
            if group["metadata"]["uid"] in owners and version != str(status["specVersion"]) and not sessions(pod):
                lines.append(f"Pod {named(pod)}: idle and of version {version}; {status['specVersion']} replaces it")
    return lines


async def _session_groups(kube: Kube) -> list[Json]:
    """All SessionGroups; none where their kind is not known."""
    try:
        return await kube.list("speechmatics.com/v1", "SessionGroup")
    except KubeError as error:
        if error.code == 404:
            return []
        raise


async def _missing(kube: Kube) -> list[str]:
    """What is not there yet, a line each, with the reason."""
    pods = counted(await kube.list("v1", "Pod"))
    lines = [f"Pod {named(pod)}: {reason(pod)}" for pod in pods if not is_ready(pod)]
    groups = await _session_groups(kube)
    return lines + short_groups(groups) + rolling(groups, pods)


async def _last_events(kube: Kube, limit: int = 8) -> list[str]:
    """The newest warnings of the cluster."""
    events = [event for event in await kube.list("v1", "Event") if event.get("type") == "Warning"]
    events.sort(key=lambda event: str(event.get("lastTimestamp") or event.get("eventTime") or ""))
    return [
        f"{event['involvedObject']['kind']} {event['involvedObject'].get('name')}: {event.get('reason')}: "
        f"{event.get('message')}"
        for event in events[-limit:]
    ]


def _cluster(home: Home) -> Kube:
    if not home.kubeconfig.exists():
        raise PlaneError("There is no cluster: the program has created none. Deploy it: python -m sandbox up")
    return Kube(home.kubeconfig, "sandbox-cli")


def wait_ready(home: Home, timeout: float, console: Console) -> None:
    """Wait until every pod is Ready and every SessionGroup has its pods. Raises `PlaneError` with what is missing."""
    try:
        asyncio.run(_wait_ready(home, timeout, console))
    except KubeError as error:
        raise PlaneError(f"The cluster could not be asked: {error}\nSee: python -m sandbox status") from error


async def _wait_ready(home: Home, timeout: float, console: Console) -> None:
    deadline, said = time.monotonic() + timeout, time.monotonic()
    async with _cluster(home) as kube:
        while missing := await _missing(kube):
            if time.monotonic() > deadline:
                events = await _last_events(kube)
                raise PlaneError(
                    "\n    ".join([f"Not ready after {timeout:.0f} s:", *missing])
                    + "".join(["\nThe newest warnings:", *(f"\n    {event}" for event in events)] if events else [])
                )
            if time.monotonic() - said > 10:
                said = time.monotonic()
                console.print(f"Waiting for {len(missing)} more: {missing[0]}", markup=False)
            await asyncio.sleep(0.5)


def pods(home: Home) -> list[Json]:
    """The pods that should be Ready."""
    return asyncio.run(_pods(home))


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column)
    return table


def show_processes(home: Home, console: Console) -> bool:
    """The plane's processes and the ports of its two providers; whether every process lives."""
    record = Record(home.plane)
    table = _table("process", "pid", "log")
    supervisor = record.supervisor
    everything = ({"supervisor": supervisor} if supervisor else {}) | record.processes()
    for name, running in everything.items():
        alive = str(running.pid) if running.process() is not None else "ended"
        table.add_row(name, alive, str(home.log(name)))
    console.print(table)
    for package, port in record.providers.items():
        console.print(f"provider {package} on 127.0.0.1:{port}")
    return all(running.process() is not None for running in everything.values())


def _ports(home: Home) -> dict[str, dict[str, int]]:
    """The ports of each managed cluster, by its folder's name."""
    found = sorted((home.root / "clusters").glob("*/ports.json"))
    return {path.parent.name: json.loads(path.read_text()) for path in found}


def show_clusters(home: Home, console: Console) -> None:
    """The managed clusters, and the nodes of the newest."""
    clusters = _ports(home)
    if not clusters:
        console.print("No managed cluster: deploy the program with `python -m sandbox up`.")
    for name, ports in clusters.items():
        console.print(f"cluster {name} on https://127.0.0.1:{ports['apiserver']}", markup=False)
        if "ingress" in ports:
            console.print(f"    its load balancer, for clients: wss://127.0.0.1:{ports['ingress']}", markup=False)
    if home.kubeconfig.exists():
        try:
            nodes = asyncio.run(_nodes(home))
        except KubeError as error:
            console.print(f"Its nodes could not be listed: {error}", markup=False)
        else:
            console.print(nodes)


async def _nodes(home: Home) -> Table:
    async with _cluster(home) as kube:
        nodes = await kube.list("v1", "Node")
    return node_table(nodes)


def node_table(nodes: Iterable[Json]) -> Table:
    """Nodes by pool: how many of each generation are Ready."""
    total: Counter[tuple[str, str, str]] = Counter()
    ready: Counter[tuple[str, str, str]] = Counter()
    for node in nodes:
        labels: dict[str, str] = node["metadata"].get("labels") or {}
        pool = labels.get(AZURE_POOL, "")
        size = labels.get("node.kubernetes.io/instance-type", "")
        row = (labels.get(POOL, "system"), labels.get(GENERATION, pool), size)
        total[row] += 1
        ready[row] += condition(node, "Ready").get("status") == "True"
    table = _table("pool", "generation", "VM size", "nodes ready")
    for row, count in sorted(total.items()):
        table.add_row(*row, f"{ready[row]}/{count}")
    return table


def show_summary(home: Home, tools: Tools, endpoint: str, console: Console) -> None:
    """Nodes by pool, SessionGroups, pods, the endpoint, what was simulated, what to do next. Raises `PlaneError`."""
    try:
        nodes, pods = asyncio.run(_nodes(home)), asyncio.run(_pods(home))
    except KubeError as error:
        raise PlaneError(f"The cluster could not be asked: {error}\nSee: python -m sandbox status") from error
    groups = subprocess.run(
        [tools.path("kubectl"), "--kubeconfig", home.kubeconfig, "get", "sessiongroups", "-A"],
        capture_output=True,
        text=True,
        check=False,
    )
    if groups.returncode != 0:
        raise PlaneError(f"kubectl could not list the SessionGroups: {groups.stderr.strip()}")
    console.print()
    console.print(nodes)
    console.print()
    console.print(groups.stdout.rstrip(), markup=False)
    console.print(f"\nPods ready: {sum(map(is_ready, pods))}/{len(pods)}", markup=False)
    if endpoint:
        console.print(f"Endpoint: {endpoint}{_way_there(home)}", markup=False)
    console.print(f"\n{SIMULATED}\n\n{NEXT}\n", markup=False)


def _way_there(home: Home) -> str:
    """Where the load balancer that plays the ingress controller's listens; empty without one."""
    port = next((ports["ingress"] for ports in _ports(home).values() if "ingress" in ports), None)
    return f", from this machine on 127.0.0.1:{port} under the same name" if port else ""


async def _pods(home: Home) -> list[Json]:
    async with _cluster(home) as kube:
        return counted(await kube.list("v1", "Pod"))
