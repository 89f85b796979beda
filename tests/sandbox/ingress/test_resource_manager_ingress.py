"""The program's Ingresses straight to the resource manager, as the stand-in serves them."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping

import aiohttp
import pytest

from sandbox.ingress.front import POD, WHY
from tests.sandbox.ingress.world import NETWORKING, Json, World
from tests.sandbox.twin.world import eventually
from tests.unit.graph import run_program

INGRESS = "kubernetes:networking.k8s.io/v1:Ingress"
API, FLOW = "api-resource-manager.example.org", "resource-manager.example.org"
IMAGE = "speechmaticspublic.azurecr.io/resource-manager:1"
UPGRADE = {"Connection": "Upgrade", "Upgrade": "websocket"}


def both(config: Json) -> None:
    ingress = {"zone": "example.org", "api": {"enabled": True}, "flow": {"enabled": True}}
    config["sm-realtime:resourceManager"] = {"ingress": ingress}


@pytest.fixture(scope="module")
def declared() -> list[Json]:
    """Both as the program declares them; it has a loop of its own, so it runs before the test's."""
    return [each.inputs for each in run_program("sandbox", both).of(INGRESS) if "resource" in each.object_name]


async def serve(world: World, declared: list[Json], *, without: str = "") -> None:
    """The resource manager behind its Ingresses, in the world's namespace and class; `without` an annotation."""
    spec: Json = {"selector": {"app": "manager"}, "ports": [{"port": 8080, "targetPort": 8080}]}
    await world.make("Service", "resource-manager", world.speech, spec=spec)
    await world.pod("resource-manager-0", world.speech, {"name": "manager", "image": IMAGE}, "manager")
    for each in declared:
        marks = {key: text for key, text in each["metadata"].get("annotations", {}).items() if key != without}
        spec = each["spec"] | {"ingressClassName": world.class_name}
        name, meta = each["metadata"]["name"], {"annotations": marks}
        await world.make("Ingress", name, world.speech, NETWORKING, metadata=meta, spec=spec)
        await world.has_address(name)


async def reached(world: World, host: str, path: str, **headers: str) -> tuple[int, Mapping[str, str]]:
    """Status and headers of an answer of the resource manager's."""

    async def condition() -> tuple[int, Mapping[str, str]] | None:
        with contextlib.suppress(aiohttp.ClientError):
            async with (
                world.client() as client,
                client.get(world.url(path, host), headers=headers, ssl=False) as answer,
            ):
                return (answer.status, answer.headers) if answer.headers.get(POD) == "resource-manager-0" else None
        return None

    found: tuple[int, Mapping[str, str]] = await eventually(condition, f"{host}{path} reaches the resource manager")
    return found


async def status(world: World, host: str, path: str) -> tuple[int, str | None]:
    async with world.client() as client, client.get(world.url(path, host), ssl=False) as answer:
        return answer.status, answer.headers.get(WHY)


async def test_each_host_leads_to_the_resource_manager_by_its_own_path_alone(
    declared: list[Json], world: World
) -> None:
    await serve(world, declared)
    for host, path, other in ((API, "/v1/transcribers", "/v1/flow"), (FLOW, "/v1/flow", "/v1/transcribers")):
        await reached(world, host, path)
        await reached(world, host, f"{path}/below")
        assert await status(world, host, other) == (404, "no such host or path on port 443")


async def test_a_conversation_arrives_as_a_websocket(declared: list[Json], world: World) -> None:
    """The stand-in's resource manager speaks none itself, and says so: Upgrade came that far."""
    await serve(world, declared)
    code, headers = await reached(world, FLOW, "/v1/flow", **UPGRADE)
    assert (code, headers.get(WHY)) == (400, "the upstream speaks no websocket")


async def test_without_its_annotation_it_does_not(declared: list[Json], world: World) -> None:
    await serve(world, declared, without="nginx.org/websocket-services")
    code, headers = await reached(world, FLOW, "/v1/flow", **UPGRADE)
    assert (code, headers.get(WHY)) == (404, None)
