"""The program's Ingresses of Flow, as the stand-in serves them with one certificate of the operator's for the zone."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime

import aiohttp
import pytest

from components.cluster.certificate import self_signed
from components.cluster.credentials import encoded
from sandbox.ingress.front import POD, WHY
from tests.sandbox.ingress.world import NETWORKING, Json, World
from tests.sandbox.twin.world import eventually
from tests.unit.graph import run_program

INGRESS = "kubernetes:networking.k8s.io/v1:Ingress"
ZONE = "example.org"
TALK, TURNS = f"flow-flow-service.{ZONE}", f"llm-proxy.{ZONE}"
BEHIND = {"flow-service-api": ("flow-service", 3000), "llm-proxy": ("llm-proxy", 8080)}
"""Ingress → the Service behind it and its port."""


def talking(config: Json) -> None:
    at = {"enabled": True, "zone": ZONE, "tlsSecretName": "zone-certificate"}
    config["sm-realtime:flow"] = {
        "enabled": True,
        "internalApp": {"enabled": True, "proxyURL": "wss://speech.example.org/v1/flow"},
        "ingress": at,
        "llmProxy": {"ingress": at},
    }
    config["sm-realtime:flowMpApiKey"] = "made-up"
    config["sm-realtime:pools"]["inference"][0]["maxCount"] = 8


@pytest.fixture(scope="module")
def declared() -> list[Json]:
    """Both as the program declares them; it has a loop of its own, so it runs before the test's."""
    return [each.inputs for each in run_program("sandbox", talking).of(INGRESS) if each.object_name in BEHIND]


async def serve(world: World, declared: list[Json], *, certificate_of: str = "", without: str = "") -> None:
    """Both behind their Ingresses, in the world's namespace and class.

    `certificate_of` is another host in `tls` than the program's, `without` an annotation that is left out.
    """
    pair = self_signed([f"*.{ZONE}"], datetime.now(UTC))
    data = {"tls.crt": encoded(pair.certificate), "tls.key": encoded(pair.key)}
    await world.make("Secret", "zone-certificate", world.speech, type="kubernetes.io/tls", data=data)
    world.pair = pair
    for each in declared:
        name = each["metadata"]["name"]
        service, port = BEHIND[name]
        behind: Json = {"selector": {"app": service}, "ports": [{"port": port, "targetPort": port}]}
        await world.make("Service", service, world.speech, spec=behind)
        image = f"speechmaticspublic.azurecr.io/{service}:1"
        await world.pod(f"{service}-0", world.speech, {"name": service, "image": image}, service)
        marks = {key: text for key, text in each["metadata"]["annotations"].items() if key != without}
        spec = each["spec"] | {"ingressClassName": world.class_name}
        if certificate_of:
            spec["tls"] = [tls | {"hosts": [certificate_of]} for tls in spec["tls"]]
        await world.make("Ingress", name, world.speech, NETWORKING, metadata={"annotations": marks}, spec=spec)
        await world.has_address(name)


async def reached(world: World, host: str, path: str, pod: str) -> None:
    """Wait until a pod answers to a client that trusts the zone's certificate and checks the host."""

    async def condition() -> bool:
        with contextlib.suppress(aiohttp.ClientError):
            return (await world.status(path, host)).headers.get(POD) == pod
        return False

    await eventually(condition, f"{host}{path} reaches {pod}")


async def test_each_host_is_served_with_the_certificate_and_leads_to_its_own_service(
    declared: list[Json], reading: World
) -> None:
    await serve(reading, declared)
    await reached(reading, TALK, "/", "flow-service-0")
    await reached(reading, TALK, "/api/start", "flow-service-0")
    await reached(reading, TURNS, "/v1/chat/completions", "llm-proxy-0")


async def test_with_the_charts_host_of_the_zone_it_would_not_be_served(declared: list[Json], reading: World) -> None:
    await serve(reading, declared, certificate_of=f"*.{ZONE}")
    async with reading.client() as client, client.get(reading.url("/", TALK), ssl=False) as answer:
        assert (answer.status, answer.headers.get(WHY)) == (404, "no such host or path on port 443")


async def test_a_conversation_goes_through_as_a_websocket(declared: list[Json], reading: World) -> None:
    await serve(reading, declared)
    await reached(reading, TALK, "/", "flow-service-0")
    async with reading.client() as client, client.ws_connect(reading.url("/api", TALK)) as conversation:
        await conversation.send_str("hello")
        assert await conversation.receive_str() == "hello"


async def test_without_its_annotation_it_does_not(declared: list[Json], reading: World) -> None:
    await serve(reading, declared, without="nginx.org/websocket-services")
    await reached(reading, TALK, "/", "flow-service-0")
    async with reading.client() as client:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await client.ws_connect(reading.url("/api", TALK))
    assert refused.value.status == 400
