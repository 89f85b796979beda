"""Where nginx sends requests: the ready endpoints of the Services an Ingress names. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sandbox.hosted.host import Json
from sandbox.ingress.routing import Location, Server

SERVICE_LABEL = "kubernetes.io/service-name"


def upstream_name(server: Server, location: Location) -> str:
    """Its Ingress, host, Service and port."""
    return f"{location.namespace}-{location.ingress}-{server.host}-{location.service}-{location.port}"


def upstreams(
    made: Iterable[Server], services: Sequence[Json], slices: Sequence[Json]
) -> list[tuple[str, tuple[str, ...]]]:
    """Every upstream with its addresses and ports, in the order of their names."""
    found = {
        upstream_name(server, location): endpoints(location, services, slices)
        for server in made
        for location in server.locations
    }
    return sorted(found.items())


def endpoints(location: Location, services: Sequence[Json], slices: Sequence[Json]) -> tuple[str, ...]:
    """Address and port of each ready endpoint of a location's Service."""
    name = _port_name(location, services)
    found: set[str] = set()
    for each in slices if name is not None else ():
        meta = each["metadata"]
        of = (meta["namespace"], (meta.get("labels") or {}).get(SERVICE_LABEL))
        if of != (location.namespace, location.service):
            continue
        ports = [port["port"] for port in each.get("ports") or [] if (port.get("name") or "") == name]
        for endpoint in each.get("endpoints") or []:
            if (endpoint.get("conditions") or {}).get("ready"):
                found |= {f"{address}:{port}" for address in endpoint["addresses"] for port in ports}
    return tuple(sorted(found))


def _port_name(location: Location, services: Sequence[Json]) -> str | None:
    """What the Service calls the port, often nothing; None where it has no such port."""
    for service in services:
        meta = service["metadata"]
        if (meta["namespace"], meta["name"]) == (location.namespace, location.service):
            for port in service["spec"].get("ports") or []:
                if location.port in (port["port"], port.get("name")):
                    return str(port.get("name") or "")
    return None
