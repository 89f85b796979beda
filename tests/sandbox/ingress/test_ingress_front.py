"""What a client gets through the stand-in, on a real API server with the program's own objects and rights."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC, datetime

import aiohttp
import pytest

from components.cluster.certificate import self_signed
from components.cluster.credentials import encoded
from sandbox.ingress.front import POD, UPSTREAM_ID, WHY
from tests.sandbox.ingress.world import HOST, NETWORKING, Json, World
from tests.sandbox.twin.world import eventually


async def refused(world: World, host: str = HOST) -> bool:
    """Whether the handshake is refused, or cut."""
    try:
        await world.status("/ready", host)
    except aiohttp.ClientConnectorCertificateError:
        return False
    except aiohttp.ClientConnectorError:
        return True
    return False


async def default_server_answers(world: World) -> bool:
    with contextlib.suppress(aiohttp.ClientError):
        async with world.client() as client, client.get(world.url("/", "other.example"), ssl=False) as answer:
            return answer.status == 404
    return False


async def test_a_websocket_works_with_the_programs_objects(world: World) -> None:
    """wss with the program's self-signed certificate, its rights, its arguments and its map; the Ingress gets its
    address."""
    await world.ingress()
    await world.has_address()
    await world.answers("/ready", 200)
    async with world.client() as client, client.ws_connect(world.url("/V2/en")) as socket:
        await socket.send_str("hello")
        assert await socket.receive_str() == "hello"
        await socket.send_bytes(b"\x00\x01")
        assert await socket.receive_bytes() == b"\x00\x01"
        headers = socket._response.headers
        assert len(headers["Request-Id"]) == 32
        assert headers[UPSTREAM_ID] == headers["Request-Id"]
        assert headers[POD] == "proxy-0"


async def test_a_request_id_of_the_client_is_kept(world: World) -> None:
    await world.ingress()
    await world.answers("/ready", 200)
    answer = await world.status("/ready", **{"X-Request-ID": "mine"})
    assert answer.headers["Request-Id"] == answer.headers[UPSTREAM_ID] == "mine"


async def test_the_header_lacks_on_a_websocket_without_always(world: World) -> None:
    changed = {"data": {"server-snippets": "add_header Request-Id $session_id;"}}
    await world.admin.merge("v1", "ConfigMap", "nginx-config", changed, world.own)
    await world.ingress()
    answer = await world.answers("/ready", 200)
    assert "Request-Id" in answer.headers
    async with world.client() as client, client.ws_connect(world.url("/v2")) as socket:
        assert "Request-Id" not in socket._response.headers


async def test_no_upgrade_without_the_websocket_annotation(world: World) -> None:
    await world.ingress(annotations={"nginx.org/path-regex": "case_insensitive"})
    await world.answers("/ready", 200)
    async with world.client() as client:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await client.ws_connect(world.url("/v2"))
    assert refused.value.status == 400


async def test_the_annotations_of_another_controller_have_no_effect(world: World) -> None:
    prefix = "nginx.ingress.kubernetes.io"
    await world.ingress(annotations={f"{prefix}/use-regex": "true"}, paths=["/v[0-9]*/?$"])
    await world.has_address()
    assert (await world.answers("/v2", 404)).headers[WHY]


async def test_a_host_without_a_tls_entry_is_not_there_on_443(world: World) -> None:
    await world.ingress(spec={"tls": None})
    await world.has_address()
    await world.answers("/ready", 404)


async def test_a_named_secret_that_is_missing_refuses_the_handshake(world: World) -> None:
    await world.ingress()
    await world.answers("/ready", 200)
    tls = {"spec": {"tls": [{"hosts": [HOST], "secretName": "none"}]}}
    await world.admin.merge(NETWORKING, "Ingress", "proxy", tls, world.speech)
    await eventually(lambda: refused(world), "the handshake is refused")
    assert await default_server_answers(world)
    assert "TLS secret none is invalid" in await world.event("proxy", "AddedOrUpdatedWithWarning")


def bad(world: World) -> dict[str, Json]:
    right = {"tls.crt": encoded(world.pair.certificate), "tls.key": encoded(world.pair.key)}
    other = encoded(self_signed([HOST], datetime.now(UTC)).key)
    return {
        "type": {"type": "Opaque", "data": right},
        "key": {"type": "kubernetes.io/tls", "data": {**right, "tls.key": other}},
        "text": {"type": "kubernetes.io/tls", "data": {**right, "tls.crt": encoded("no certificate")}},
    }


@pytest.mark.parametrize(
    ("what", "says"), [("type", "must be of the type kubernetes.io/tls"), ("key", "failed"), ("text", "failed")]
)
async def test_a_named_secret_that_is_no_certificate_refuses_the_handshake_until_it_is_mended(
    reading: World, what: str, says: str
) -> None:
    await reading.make("Secret", "named", reading.speech, **bad(reading)[what])
    tls = {"spec": {"tls": [{"hosts": [HOST], "secretName": "named"}]}}
    await reading.ingress()
    await reading.answers("/ready", 200)
    await reading.admin.merge(NETWORKING, "Ingress", "proxy", tls, reading.speech)
    await eventually(lambda: refused(reading), "the handshake is refused")
    assert says in await reading.event("proxy", "AddedOrUpdatedWithWarning")
    await reading.admin.delete("v1", "Secret", "named", reading.speech)
    right = {"tls.crt": encoded(reading.pair.certificate), "tls.key": encoded(reading.pair.key)}
    await reading.make("Secret", "named", reading.speech, type="kubernetes.io/tls", data=right)
    await reading.answers("/ready", 200)


async def test_a_certificate_for_another_host_is_shown_and_the_client_refuses_it(reading: World) -> None:
    other = self_signed(["other.example"], datetime.now(UTC))
    data = {"tls.crt": encoded(other.certificate), "tls.key": encoded(other.key)}
    await reading.make("Secret", "named", reading.speech, type="kubernetes.io/tls", data=data)
    await reading.ingress()
    await reading.answers("/ready", 200)
    tls = {"spec": {"tls": [{"hosts": [HOST], "secretName": "named"}]}}
    await reading.admin.merge(NETWORKING, "Ingress", "proxy", tls, reading.speech)
    reading.pair = other

    async def mismatched() -> bool:
        try:
            await reading.status("/ready")
        except aiohttp.ClientConnectorCertificateError as error:
            return "Hostname mismatch" in str(error)
        except aiohttp.ClientError:
            return False
        return False

    await eventually(mismatched, "the client sees a certificate for another host")


async def test_a_renewed_certificate_is_shown_to_new_clients_and_cuts_nobody(world: World) -> None:
    await world.ingress()
    await world.answers("/ready", 200)
    async with world.client() as client, client.ws_connect(world.url("/v2")) as session:
        renewed = self_signed([HOST], datetime.now(UTC))
        data = {"tls.crt": encoded(renewed.certificate), "tls.key": encoded(renewed.key)}
        await world.admin.merge("v1", "Secret", "nginx-default-tls", {"data": data}, world.own)
        world.pair = renewed

        async def shown() -> bool:
            try:
                return (await world.status("/ready")).status == 200
            except aiohttp.ClientError:
                return False

        await eventually(shown, "the new certificate is shown")
        await session.send_str("still here")
        assert await session.receive_str(timeout=60) == "still here"


async def test_without_the_wildcard_secret_a_host_without_a_secret_is_refused(bare: World) -> None:
    await bare.grant()
    await bare.controller([arg for arg in bare.args() if "wildcard" not in arg])
    await bare.proxy()
    await bare.ingress()
    async with bare.playing():
        await eventually(lambda: default_server_answers(bare), "the default server answers")
        assert await refused(bare)


async def test_without_the_default_secret_the_default_server_refuses(bare: World) -> None:
    await bare.grant()
    await bare.controller([arg for arg in bare.args() if "default-server" not in arg])
    await bare.proxy()
    await bare.ingress()
    async with bare.playing():
        await bare.answers("/ready", 200)
        assert await refused(bare, "other.example")


async def test_an_unknown_host_gets_the_default_servers_certificate_and_404(world: World) -> None:
    await world.ingress()
    await world.answers("/ready", 200)
    async with world.client() as client:
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await client.get(world.url("/ready", "other.example"))
        async with client.get(world.url("/ready", "other.example"), ssl=False) as answer:
            assert answer.status == 404


async def test_no_endpoint_no_upstream(world: World) -> None:
    await world.ingress()
    await world.answers("/ready", 200)
    await world.ready("proxy-0", world.speech, False)
    await world.answers("/ready", 502)
    await world.ready("proxy-0", world.speech)
    await world.answers("/ready", 200)


async def test_a_pod_that_does_not_listen_there_is_no_upstream(bare: World) -> None:
    await bare.grant()
    await bare.controller()
    await bare.proxy(image="docker.io/library/redis:7")
    await bare.ingress()
    async with bare.playing():
        await bare.answers("/ready", 502)


async def test_no_way_in_without_the_load_balancers_address(world: World) -> None:
    await world.ingress()
    await world.answers("/ready", 200)
    await world.balance([])
    await eventually(lambda: refused(world), "nobody gets in")


async def test_only_a_controller_behind_the_service_gets_connections(world: World) -> None:
    await world.ingress()
    await world.answers("/ready", 200)
    patch = {"spec": {"selector": {"app": "somebody-else"}}}
    await world.admin.merge("v1", "Service", "nginx-ingress", patch, world.own)
    await eventually(lambda: refused(world), "nobody gets in")


async def test_silence_longer_than_the_read_timeout_cuts(world: World) -> None:
    changed = {"data": {"proxy-read-timeout": "1s"}}
    await world.admin.merge("v1", "ConfigMap", "nginx-config", changed, world.own)
    await world.ingress()
    await world.answers("/ready", 200)
    await asyncio.sleep(0.3)
    async with world.client() as client, client.ws_connect(world.url("/v2")) as socket:
        for _ in range(3):
            await asyncio.sleep(0.5)
            await socket.send_str("still here")
            assert await socket.receive_str() == "still here"
        message = await socket.receive(timeout=60)
        assert message.type in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR)
        assert socket.close_code in (None, 1006)


@pytest.mark.parametrize("which", ["controller", "proxy"])
async def test_a_session_lives_while_its_pods_stop_and_ends_with_either(world: World, which: str) -> None:
    await world.ingress()
    await world.answers("/ready", 200)
    name, namespace = ("nginx-0", world.own) if which == "controller" else ("proxy-0", world.speech)
    await world.admin.merge("v1", "Pod", name, {"metadata": {"finalizers": ["test.example/held"]}}, namespace)
    async with world.client() as client, client.ws_connect(world.url("/v2")) as socket:
        await world.admin.delete("v1", "Pod", name, namespace, grace_seconds=0)

        async def closed_to_others() -> bool:
            with contextlib.suppress(aiohttp.ClientConnectorError):
                return (await world.status("/ready")).status in (502, 503)
            return True

        await eventually(closed_to_others, "new requests are not answered")
        await socket.send_str("on")
        assert await socket.receive_str() == "on"
        await world.admin.merge("v1", "Pod", name, {"metadata": {"finalizers": None}}, namespace)
        message = await socket.receive(timeout=60)
        assert message.type in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR)


async def test_two_controllers_share_the_connections(world: World) -> None:
    await world.controller(name="nginx-1")
    await world.ingress()
    seen: set[str] = set()

    async def both() -> bool:
        with contextlib.suppress(aiohttp.ClientError):
            seen.add((await world.status("/ready")).headers.get("X-Sandbox-Controller", ""))
        return len(seen - {""}) == 2

    await eventually(both, "both controllers answer")
