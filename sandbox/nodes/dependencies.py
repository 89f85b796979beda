"""What a process waits for before it listens, by the contract's start order (transcription 14.10, control plane 12.9).

Redis → resource manager → inference server → worker-proxy's capacity check. Only at the start: what a running vendor
process does when its Redis goes away is not known, here it carries on.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from sandbox.kube import Json
from sandbox.nodes import images, outside
from sandbox.nodes.images import Image, Need
from sandbox.nodes.volumes import Files
from sandbox.nodes.world import Played, World

REDIS = "docker.io/library/redis"
SENTINEL_PORT = 26379
DOMAIN = ".svc.cluster.local"
READS = {
    Need.REDIS: (
        "REDIS_CONN_URL",
        "REDIS_FAIL_OVER_CLIENT_ENABLED",
        "REDIS_USE_EXTERNAL",
        "REDIS_DB_INDEX",
        "SSL_CERT_DIR",
    ),
    Need.CAPACITY: (
        "SM_CHECK_FOR_CAPACITY_ON_START",
        "SM_CHECK_FOR_CAPACITY_ON_START_OPERATING_POINT",
        "SM_TOKEN_STORE_URL",
        "LANGUAGE_FEATURE",
        "TRANSCRIBER_VERSION",
    ),
}
"""The variables that say what a process waits for: one answer serves all processes that ask the same."""
_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ns|us|µs|ms|s|m|h)")


def duration(text: str) -> float | None:
    """Seconds of a Go duration (`10m`, `1m30s`); None when it is none."""
    if not text or _DURATION.sub("", text):
        return None
    return sum(float(number) * _UNITS[unit] for number, unit in _DURATION.findall(text))


def address(url: str, default_port: int) -> tuple[str, int] | None:
    """Host and port of `host:port` or `scheme://[user:password@]host[:port][/…]`; None when it is neither."""
    try:
        parts = urlsplit(url if "://" in url else f"//{url}")
        return (parts.hostname, parts.port or default_port) if parts.hostname else None
    except ValueError:
        return None


def _service(world: World, namespace: str, host: str) -> tuple[str | None, Json | None]:
    """The pod part of the name, if any, and the Service that a name or cluster address means."""
    for service in world.services.values():
        if service["spec"].get("clusterIP") == host:
            return None, service
    short = host.removesuffix(".").removesuffix(DOMAIN).removesuffix(".svc")
    labels = short.split(".")
    candidates: list[tuple[str | None, str, str]] = []
    if len(labels) == 1:
        candidates = [(None, namespace, labels[0])]
    elif len(labels) == 2:
        candidates = [(None, labels[1], labels[0]), (labels[0], namespace, labels[1])]
    elif len(labels) == 3:
        candidates = [(labels[0], labels[2], labels[1])]
    for pod, in_namespace, name in candidates:
        if (in_namespace, name) in world.services:
            return pod, world.services[in_namespace, name]
    return None, None


def _target_port(pod: Json, target: int | str) -> int | None:
    """The number of a Service's target port at this pod."""
    if isinstance(target, int):
        return target
    sidecars = [c for c in pod["spec"].get("initContainers") or [] if c.get("restartPolicy") == "Always"]
    for container in [*pod["spec"]["containers"], *sidecars]:
        for port in container.get("ports") or []:
            if port.get("name") == target:
                return int(port["containerPort"])
    return None


def _selects(selector: Mapping[str, str], pod: Json) -> bool:
    labels = pod["metadata"].get("labels") or {}
    return all(labels.get(key) == value for key, value in selector.items())


def behind(world: World, namespace: str, host: str, port: int) -> tuple[list[tuple[Played, int]], str]:
    """The ready pods, each with its port, that answer for `host:port` in this namespace; and why there are none."""
    pod_name, service = _service(world, namespace, host)
    where = f"{host}:{port}"
    if service is None:
        return [], f"{where}: lookup {host}: no such host"
    spec = service["spec"]
    headless = spec.get("clusterIP") == "None"
    match = next((p for p in spec.get("ports") or [] if p["port"] == port), None)
    if match is None and not headless:
        return [], f"{where}: the Service {service['metadata']['name']} has no port {port}"
    target: int | str = port if match is None or headless else match.get("targetPort", port)
    found = []
    for played in world.played.values():
        meta = played.pod["metadata"]
        in_reach = played.ready or spec.get("publishNotReadyAddresses")
        if meta["namespace"] != service["metadata"]["namespace"] or "deletionTimestamp" in meta or not in_reach:
            continue
        if pod_name is not None and pod_name != (played.pod["spec"].get("hostname") or meta["name"]):
            continue
        number = _target_port(played.pod, target)
        if spec.get("selector") and _selects(spec["selector"], played.pod) and number is not None:
            found.append((played, number))
    return found, f"{where}: connect: connection refused (no ready pod behind it)"


def _answers(world: World, namespace: str, url: str, default_port: int, repository: str) -> str | None:
    """None when a process of that image answers at the address; else why not."""
    where = address(url, default_port)
    if where is None:
        return f"{url!r} is not an address"
    pods, why = behind(world, namespace, *where)
    for played, port in pods:
        for process in played.processes:
            reference = images.parse(process.spec["image"])
            if process.serving and process.listens(port) and reference and reference.original == repository:
                return None
    return why if not pods else f"{where[0]}:{where[1]}: what listens there is no {repository.rpartition('/')[2]}"


def _redis(world: World, namespace: str, env: Mapping[str, str], files: Files) -> str | None:
    url = env.get("REDIS_CONN_URL")
    if not url:
        return "REDIS_CONN_URL is not set"
    where = address(url, 6379)
    if (
        where is not None
        and env.get("REDIS_USE_EXTERNAL") == "true"
        and _service(world, namespace, where[0])[1] is None
    ):
        asks = env.get("REDIS_FAIL_OVER_CLIENT_ENABLED") == "true"
        database = env.get("REDIS_DB_INDEX", "")
        why = outside.redis(url, asks, world.clock.current.outside, _authorities(env, files), database)
    elif url.startswith("rediss://"):
        why = f"{url.rpartition('@')[2]}: tls: first record does not look like a TLS handshake"
    else:
        why = _answers(world, namespace, url, 6379, REDIS) or _other_kind(world, namespace, where, env)
    return None if why is None else f"cannot reach Redis at {why}"


def _authorities(env: Mapping[str, str], files: Files) -> str:
    """Certificates (PEM) that the process trusts beside its image's: the files of SSL_CERT_DIR, as Go reads it."""
    folders = [folder.rstrip("/") for folder in env.get("SSL_CERT_DIR", "").split(":") if folder]
    there = (content for path, content in files.items() if path.rpartition("/")[0] in folders)
    return "".join(content.decode("ascii", "ignore") for content in there)


def _other_kind(world: World, namespace: str, where: tuple[str, int] | None, env: Mapping[str, str]) -> str | None:
    """A client that asks for a primary needs a sentinel, any other one a Redis; by the ports of the two."""
    asks = env.get("REDIS_FAIL_OVER_CLIENT_ENABLED") == "true"
    if where is None or all((port == SENTINEL_PORT) == asks for _, port in behind(world, namespace, *where)[0]):
        return None
    wanted, command = ("sentinel", "SENTINEL get-master-addr-by-name") if asks else ("server", "SELECT")
    return f"{where[0]}:{where[1]}: ERR unknown command '{command}' (what listens there is no Redis {wanted})"


def _resource_manager(world: World, namespace: str, env: Mapping[str, str]) -> str | None:
    url = env.get("SM_TOKEN_STORE_URL")
    if not url:
        return "SM_TOKEN_STORE_URL is not set"
    why = _answers(world, namespace, url, 80, f"{images.VENDOR}/resource-manager")
    return None if why is None else f"cannot reach the resource manager at {why}"


def serves(features: str, language: str, operating_point: str, version: str) -> bool:
    """Whether an inference server that registers these features serves the language at this version."""
    try:
        registered = json.loads(features)
        costs, registered_version = registered["model_costs"], registered["version"]
    except (ValueError, KeyError, TypeError):
        return False
    return registered_version == version and f"{language}:ensemble_{language}_{operating_point}" in costs


def _capacity(world: World, namespace: str, env: Mapping[str, str]) -> str | None:
    if env.get("SM_CHECK_FOR_CAPACITY_ON_START") != "true":
        return None
    why = _resource_manager(world, namespace, env)
    if why is not None:
        return why
    language = env.get("LANGUAGE_FEATURE", "")
    point = env.get("SM_CHECK_FOR_CAPACITY_ON_START_OPERATING_POINT", "")
    version = env.get("TRANSCRIBER_VERSION", "")
    for played in world.played.values():
        meta = played.pod["metadata"]
        if meta["namespace"] != namespace or not played.ready or "deletionTimestamp" in meta:
            continue
        for process in played.processes:
            reference = images.parse(process.spec["image"])
            if not reference or reference.original != images.INFERENCE_SIDECAR or not process.serving:
                continue
            registers = _resource_manager(world, namespace, process.env) is None
            if registers and serves(process.env.get("REGISTER_FEATURES", ""), language, point, version):
                return None
    return f"no inference server with capacity for {language} ({point}, version {version})"


def unmet(world: World, namespace: str, image: Image, env: Mapping[str, str], files: Files) -> str | None:
    """What a process with these files still waits for, in words for its log; None when it can listen."""
    if image.needs is None:
        return None
    key = (namespace, image.needs, *(env.get(name) for name in READS[image.needs]))
    if key not in world.unmet or env.get("REDIS_USE_EXTERNAL") == "true":
        by_redis = image.needs is Need.REDIS
        why = _redis(world, namespace, env, files) if by_redis else _capacity(world, namespace, env)
        world.unmet[key] = why
    return world.unmet[key]


def look_again_seconds(env: Mapping[str, str]) -> float | None:
    """After how long to look again although nothing in the cluster has changed; None: not at all."""
    return 1.0 if env.get("REDIS_USE_EXTERNAL") == "true" else None


def patience(image: Image, env: Mapping[str, str]) -> float | None:
    """How many seconds the process waits before it exits; None: for ever."""
    if image.needs is not Need.REDIS:
        return image.redis_wait_seconds
    asked = duration(env.get("REDIS_SETUP_TIMEOUT_DURATION", ""))
    own = duration(env.get("SM_RESOURCE_MANAGER_CONN_TIMEOUT_SECS", "") + "s")
    said = [each for each in (asked, own) if each is not None]
    return min(said, default=image.redis_wait_seconds)
