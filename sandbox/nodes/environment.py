"""A container's environment, resolved as a kubelet does before it creates the container."""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Iterable, Mapping

from sandbox.kube import Json
from sandbox.kubernetes.quantity import amount
from sandbox.nodes.world import World

_VARIABLE = re.compile(r"\$(?:\$|\(([A-Za-z_][A-Za-z0-9_.-]*)\))")
_SUBSCRIPT = re.compile(r"metadata\.(labels|annotations)\['(.+)'\]\Z")


class ConfigError(Exception):
    """Why a container cannot be created, in a kubelet's words."""


def expand(text: str, known: Mapping[str, str]) -> str:
    """`$(NAME)` replaced where NAME is known, `$$` as `$`; everything else as it stands."""

    def replace(match: re.Match[str]) -> str:
        return "$" if match[1] is None else known.get(match[1], match[0])

    return _VARIABLE.sub(replace, text)


def service_variables(services: Iterable[Json], namespace: str, links: bool) -> dict[str, str]:
    """The variables that name Services: those of the namespace, and `kubernetes` always."""
    found: dict[str, str] = {}
    for service in services:
        meta, spec = service["metadata"], service["spec"]
        master = meta["namespace"] == "default" and meta["name"] == "kubernetes"
        address = spec.get("clusterIP")
        if not (master or (links and meta["namespace"] == namespace)) or not address or address == "None":
            continue
        stem = meta["name"].upper().replace("-", "_")
        first = spec["ports"][0]
        found[f"{stem}_SERVICE_HOST"] = address
        found[f"{stem}_SERVICE_PORT"] = str(first["port"])
        found[f"{stem}_PORT"] = f"{first['protocol'].lower()}://{address}:{first['port']}"
        for port in spec["ports"]:
            if port.get("name"):
                found[f"{stem}_SERVICE_PORT_{port['name'].upper().replace('-', '_')}"] = str(port["port"])
    return found


def field(pod: Json, path: str, pod_ip: str, host_ip: str) -> str:
    """A value of the downward API. Raises `ConfigError` for a path a kubelet does not know."""
    meta, spec = pod["metadata"], pod["spec"]
    subscript = _SUBSCRIPT.match(path)
    if subscript:
        return str((meta.get(subscript[1]) or {}).get(subscript[2], ""))
    known = {
        "metadata.name": meta["name"],
        "metadata.namespace": meta["namespace"],
        "metadata.uid": meta["uid"],
        "spec.nodeName": spec["nodeName"],
        "spec.serviceAccountName": spec.get("serviceAccountName", ""),
        "status.hostIP": host_ip,
        "status.hostIPs": host_ip,
        "status.podIP": pod_ip,
        "status.podIPs": pod_ip,
    }
    if path not in known:
        raise ConfigError(f"unsupported fieldPath: {path}")
    return str(known[path])


def resource(pod: Json, container: Json, reference: Json, allocatable: Mapping[str, str]) -> str:
    """A container's limit or request in units of the divisor, rounded up; a missing limit is the node's allocatable."""
    name = reference.get("containerName") or container["name"]
    everyone = [*pod["spec"]["containers"], *(pod["spec"].get("initContainers") or [])]
    about = next((c for c in everyone if c["name"] == name), None)
    section, _, key = reference["resource"].partition(".")
    if about is None or section not in ("limits", "requests"):
        raise ConfigError(f"unsupported container resource : {reference['resource']}")
    resources = about.get("resources") or {}
    text = (resources.get(section) or {}).get(key)
    if text is None:
        text = allocatable.get(key, "0") if section == "limits" else "0"
    divisor = amount(reference.get("divisor") or "1") or 1
    return str(math.ceil((amount(text) or 0) / (divisor or 1)))


class _Resolver:
    """One container's environment in the making."""

    def __init__(self, world: World, pod: Json, container: Json, pod_ip: str) -> None:
        self._world, self._pod, self._container, self._pod_ip = world, pod, container, pod_ip
        self._namespace: str = pod["metadata"]["namespace"]
        self._cache: dict[tuple[str, str], Json | None] = {}

    async def _source(self, kind: str, name: str, optional: bool) -> Json | None:
        """The data of a Secret (decoded) or ConfigMap; None when it is absent and may be."""
        if (kind, name) not in self._cache:
            read = self._world.secret if kind == "secret" else self._world.config_map
            self._cache[kind, name] = await read(self._namespace, name)
        found = self._cache[kind, name]
        if found is None:
            if optional:
                return None
            raise ConfigError(f'{kind} "{name}" not found')
        data = found.get("data") or {}
        if kind == "secret":
            return {key: base64.b64decode(value).decode(errors="replace") for key, value in data.items()}
        return dict(data)

    async def _key(self, kind: str, reference: Json) -> str | None:
        optional = bool(reference.get("optional"))
        data = await self._source(kind, reference["name"], optional)
        if data is None:
            return None
        if reference["key"] not in data:
            if optional:
                return None
            title = "Secret" if kind == "secret" else "ConfigMap"
            raise ConfigError(f"couldn't find key {reference['key']} in {title} {self._namespace}/{reference['name']}")
        return str(data[reference["key"]])

    async def _value(self, source: Json) -> str | None:
        node = self._pod["spec"]["nodeName"]
        match source:
            case {"fieldRef": reference}:
                return field(self._pod, reference["fieldPath"], self._pod_ip, self._world.host_ip(node))
            case {"resourceFieldRef": reference}:
                allocatable = self._world.nodes.get(node, {}).get("status", {}).get("allocatable") or {}
                return resource(self._pod, self._container, reference, allocatable)
            case {"secretKeyRef": reference}:
                return await self._key("secret", reference)
            case {"configMapKeyRef": reference}:
                return await self._key("configmap", reference)
        raise ConfigError(f"an env source the node stand-in does not know: {', '.join(source)}")

    async def resolve(self) -> dict[str, str]:
        links = self._pod["spec"].get("enableServiceLinks", True)
        services = service_variables(self._world.services.values(), self._namespace, links)
        found: dict[str, str] = {}
        for item in self._container.get("envFrom") or []:
            kind = "secret" if "secretRef" in item else "configmap"
            reference = item.get("secretRef") or item["configMapRef"]
            data = await self._source(kind, reference["name"], bool(reference.get("optional"))) or {}
            found |= {f"{item.get('prefix', '')}{key}": str(value) for key, value in data.items()}
        for item in self._container.get("env") or []:
            if item.get("value"):
                value: str | None = expand(item["value"], services | found)
            elif item.get("valueFrom"):
                value = await self._value(item["valueFrom"])
            else:
                value = ""
            if value is not None:
                found[item["name"]] = value
        return services | found


async def resolve(world: World, pod: Json, container: Json, pod_ip: str) -> dict[str, str]:
    """All variables of the container. Raises `ConfigError`, and `KubeError` when the API server does not answer."""
    return await _Resolver(world, pod, container, pod_ip).resolve()
