"""The way in as the program registers it, and what a cluster adds to it: names and times, endpoints."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from components.cluster.ingress_controller import CONFIG_MAP
from components.cluster.ingress_rights import NAME as ENTRY
from sandbox.ingress import host
from sandbox.ingress.rendering import Objects
from sandbox.ingress.upstreams import SERVICE_LABEL
from stacks.clocks.silence import PING, VARIABLE
from tests.unit.graph import Graph, run_program

Json = dict[str, Any]

PROMISED = 600
"""Seconds of the longest session in these tests: above the longest silence, 300 s, and above nginx's own minute."""

FLOW_HOST = "flow.speech.example"
"""A second host, which has Flow's paths alone."""

ADDED_BY_THE_CLUSTER = {"uid": "0a4e5f61-0000-4000-8000-000000000001", "creationTimestamp": "2026-11-28T00:00:00Z"}


def _settings(config: Json) -> None:
    config["sm-realtime:sessions"] = {"maxDurationSeconds": PROMISED}
    config["sm-realtime:proxy"] = {"ingress": {"flow": {"additionalHost": {"enabled": True, "url": FLOW_HOST}}}}


@dataclass(frozen=True)
class Platform:
    """What the tests need of the program's objects."""

    objects: Objects
    """Without endpoints."""
    deployment: Json
    """The controller's."""
    service: Json
    """The one the Ingress sends to."""
    host: str
    silence: float
    """Seconds after which a transcriber pings a silent client."""

    def slice(self, addresses: Sequence[str]) -> Json:
        """The endpoints of that Service: pods at these addresses, all ready."""
        meta = self.service["metadata"]
        (port,) = self.service["spec"]["ports"]
        return {
            "metadata": {"namespace": meta["namespace"], "labels": {SERVICE_LABEL: meta["name"]}},
            "ports": [{"name": port.get("name", ""), "port": port["targetPort"]}],
            "endpoints": [{"addresses": [each], "conditions": {"ready": True}} for each in addresses],
        }

    @property
    def port(self) -> int:
        """Where the pods listen."""
        return int(self.service["spec"]["ports"][0]["targetPort"])


def platform() -> Platform:
    """Of the sandbox's stack with a short session and a second host."""
    graph = run_program("sandbox", _settings)
    controller = graph.one("kubernetes:apps/v1:Deployment", ENTRY).inputs
    namespace = controller["metadata"]["namespace"]
    meta = {"namespace": namespace, "name": f"{ENTRY}-0", "uid": "1"}
    found = host.host({"metadata": meta, "spec": controller["spec"]["template"]["spec"]})
    assert found is not None
    ingresses = [_stored(each.inputs) for each in graph.of("kubernetes:networking.k8s.io/v1:Ingress")]
    (entry,) = ingresses
    (first, _) = entry["spec"]["rules"]
    backend = first["http"]["paths"][0]["backend"]["service"]["name"]
    objects = Objects(
        found.arguments,
        graph.one("kubernetes:core/v1:ConfigMap", CONFIG_MAP).inputs["data"],
        ingresses,
        [each.inputs for each in graph.of("kubernetes:core/v1:Service")],
        (),
        [each.inputs for each in graph.of("kubernetes:core/v1:Secret")],
    )
    service = graph.one("kubernetes:core/v1:Service", backend).inputs
    return Platform(objects, controller, service, first["host"], _silence(graph))


def _stored(ingress: Json) -> Json:
    return {**ingress, "metadata": {**ingress["metadata"], **ADDED_BY_THE_CLUSTER}}


def _silence(graph: Graph) -> float:
    pings = [
        json.loads(variable["value"])[PING]
        for group in graph.of("kubernetes:speechmatics.com/v1:SessionGroup")
        for container in group.inputs["spec"]["template"]["spec"]["containers"]
        for variable in container.get("env", [])
        if variable["name"] == VARIABLE
    ]
    return float(max(pings))


# --- what a test takes out of the objects, or puts in

Change = Callable[[Objects], Objects]


def in_map(**values: str | None) -> Change:
    """Keys of the controller's map, with underscores for dashes; None takes one out."""

    def change(objects: Objects) -> Objects:
        data = {**objects.config_map, **{key.replace("_", "-"): value for key, value in values.items()}}
        return replace(objects, config_map={key: value for key, value in data.items() if value is not None})

    return change


def without_annotation(*names: str) -> Change:
    """The Ingress without some annotations."""

    def change(objects: Objects) -> Objects:
        changed = copy.deepcopy(list(objects.ingresses))
        for ingress in changed:
            for name in names:
                del ingress["metadata"]["annotations"][name]
        return replace(objects, ingresses=changed)

    return change


def without_tls(objects: Objects) -> Objects:
    """The Ingress without a TLS entry."""
    changed = copy.deepcopy(list(objects.ingresses))
    for ingress in changed:
        del ingress["spec"]["tls"]
    return replace(objects, ingresses=changed)


def with_arguments(**values: object) -> Change:
    """Another command line."""

    def change(objects: Objects) -> Objects:
        return replace(objects, arguments=replace(objects.arguments, **values))  # type: ignore[arg-type] # by name

    return change


def all_of(*changes: Change) -> Change:
    def change(objects: Objects) -> Objects:
        for each in changes:
            objects = each(objects)
        return objects

    return change


def as_it_is(objects: Objects) -> Objects:
    return objects


def replaced(files: Mapping[str, str], old: str, new: str) -> dict[str, str]:
    """Files with another text, for what the stand-in would refuse before nginx sees it."""
    assert any(old in text for text in files.values()), old
    return {path: text.replace(old, new) for path, text in files.items()}
