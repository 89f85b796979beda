"""What the live tests ask a standing platform."""

from __future__ import annotations

import json

import aiohttp

from tests.live.conftest import Json, Platform
from tests.live.declared import pruned
from tests.unit.contract.compare import title


def ready(pod: Json) -> bool:
    return any(c["type"] == "Ready" and c["status"] == "True" for c in pod["status"].get("conditions", []))


def live_pods(platform: Platform) -> list[Json]:
    return [p for p in platform.objects("pods") if not p["metadata"].get("deletionTimestamp")]


def group_pods(platform: Platform, group: str) -> list[Json]:
    """The pods of one SessionGroup that are not stopping."""
    pods = live_pods(platform)
    return [p for p in pods if any(o["name"] == group for o in p["metadata"].get("ownerReferences") or [])]


def front(platform: Platform) -> int:
    """The port of the load balancer on this machine."""
    (ports,) = (platform.checkout / ".sandbox" / "clusters").glob("*/ports.json")
    return int(json.loads(ports.read_text())["ingress"])


def pool_of(platform: Platform) -> dict[str, str]:
    """Node name -> role of its pool (`system` for the cluster's own)."""
    nodes = platform.objects("nodes")
    return {n["metadata"]["name"]: n["metadata"]["labels"].get("sm-realtime/pool", "system") for n in nodes}


def type_and_name(urn: str) -> tuple[str, str]:
    *_, kind, name = urn.split("::")
    return kind.split("$")[-1], name


def objects_of(platform: Platform, declared: list[Json], gone: list[Json]) -> dict[str, Json]:
    """The live objects of these kinds and names, at the fields that are declared, by title.

    Those that should be gone are among them if they are not; but for Secrets, which stay for who reads them.
    """
    kinds = {(each["kind"].lower(), each["apiVersion"].rpartition("/")[0]) for each in [*declared, *gone]}
    names = ",".join(sorted(f"{kind}.{group}" if group else kind for kind, group in kinds))
    live = {title(each): each for each in platform.objects(names) if "deletionTimestamp" not in each["metadata"]}
    wanted = [*declared, *(each for each in gone if each["kind"] != "Secret")]
    return {title(each): pruned(live[title(each)], each) for each in wanted if title(each) in live}


async def through(port: int, host: str, path: str) -> tuple[str, dict[str, str]]:
    """What comes back on a websocket through the load balancer, and the headers with which it was opened."""
    async with aiohttp.ClientSession() as client:
        where, headers = f"wss://127.0.0.1:{port}{path}", {"Host": host}
        async with client.ws_connect(where, ssl=False, server_hostname=host, headers=headers) as socket:
            await socket.send_str("hello")
            return await socket.receive_str(), dict(socket._response.headers)


def generations(platform: Platform) -> dict[str, list[Json]]:
    """Nodes of the GPU pool by generation."""
    found: dict[str, list[Json]] = {}
    for node in platform.objects("nodes", "-l", "sm-realtime/pool=inference"):
        found.setdefault(node["metadata"]["labels"]["sm-realtime/generation"], []).append(node)
    return found


def changed(platform: Platform) -> dict[tuple[str, str], str]:
    """What a preview would do to real resources, by type and logical name; components aside."""
    return _real(platform.steps())


def updated(platform: Platform) -> dict[tuple[str, str], str]:
    """What an update did to real resources, in the same words."""
    return _real(platform.update()[0])


def _real(steps: dict[str, str]) -> dict[tuple[str, str], str]:
    named = {type_and_name(urn): op for urn, op in steps.items()}
    return {key: op for key, op in named.items() if not key[0].startswith(("sm-realtime:", "pulumi:"))}
