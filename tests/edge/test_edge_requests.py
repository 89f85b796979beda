"""What a client and a pod see of nginx: request ids, paths, certificates, answers of its own."""

from __future__ import annotations

from dataclasses import replace

import aiohttp
import pytest

from components.speech import proxy_ingress
from sandbox.hosted.host import RefusedError
from sandbox.ingress import config_map
from sandbox.ingress.configuration import decide
from sandbox.ingress.routing import NotLoadedError, Server, pick, servers
from tests.edge.conftest import Start
from tests.edge.platform import (
    FLOW_HOST,
    Change,
    as_it_is,
    in_map,
    with_arguments,
    without_annotation,
    without_tls,
)
from tests.edge.world import Edge, Pod

NOT_ALWAYS = in_map(server_snippets="add_header Request-Id $session_id;")


@pytest.mark.parametrize(
    ("change", "client", "pod"),
    [
        (as_it_is, True, True),
        (in_map(server_snippets=None), False, True),
        (in_map(location_snippets=None), True, False),
        (NOT_ALWAYS, False, True),
    ],
    ids=["as-it-is", "no-server-snippets", "no-location-snippets", "not-always"],
)
async def test_the_request_id_reaches_client_and_pod(start: Start, change: Change, client: bool, pod: bool) -> None:
    edge = await start(change)
    async with edge.session() as session:
        shown, seen = session.headers.get("Request-Id"), session.headers.get("Seen-Request-Id")
        assert (shown is not None, seen is not None) == (client, pod)
        assert session.headers.get("Seen-X-Request-ID") == seen
        if client and pod:
            assert shown == seen
        if client:
            assert shown is not None
            assert len(shown) == 32


async def test_without_always_only_the_answer_that_opens_a_websocket_lacks_it(start: Start) -> None:
    edge = await start(NOT_ALWAYS)
    assert "Request-Id" in (await edge.asked()).headers


async def test_a_request_id_of_the_client_is_kept(start: Start) -> None:
    edge = await start()
    async with edge.session(**{"X-Request-ID": "mine"}) as session:
        assert session.headers["Request-Id"] == session.headers["Seen-Request-Id"] == "mine"


async def test_without_the_map_of_ids_nothing_is_loaded(start: Start) -> None:
    with pytest.raises(RefusedError, match='unknown "session_id" variable'):
        await start(in_map(http_snippets=None))


async def test_without_its_annotation_no_websocket_opens(start: Start) -> None:
    edge = await start(without_annotation(proxy_ingress.WEBSOCKET_SERVICES))
    async with edge.client() as client:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await client.ws_connect(edge.url())
    assert refused.value.status == 200, "the pod got a plain request"


async def test_without_path_regex_nothing_of_the_ingress_is_loaded(start: Start) -> None:
    with pytest.raises(NotLoadedError, match="unknown directive"):
        await start(without_annotation(proxy_ingress.PATH_REGEX))


PATHS = ["/", "/v2", "/V2", "/v2/", "/v1/en", "/v1/cmn_en", "/v1/es-bilingual-en", "/v1/flow", "/v12/FLOW/",
         "/v1/flow/x", "/v1/health", "/v", "/x/v2", "/v2?token=a", "/v%32"]  # fmt: skip


@pytest.mark.parametrize("host", ["first", FLOW_HOST])
async def test_paths_lead_where_the_stand_in_says(start: Start, host: str) -> None:
    edge = await start()
    name = edge.platform.host if host == "first" else host
    (made,) = [each for each in _servers(edge) if each.host == name]
    found = {path: (await edge.asked(path, name)).status for path in PATHS}
    wanted = {path: 200 if pick(made.locations, path.partition("?")[0].replace("%32", "2")) else 404 for path in PATHS}
    assert found == wanted
    assert set(wanted.values()) == ({200} if host == "first" else {200, 404})


def _servers(edge: Edge) -> list[Server]:
    config, _ = config_map.read(edge.objects.config_map)
    (accepted,) = decide(edge.objects.ingresses, edge.objects.arguments.ingress_class).accepted
    return list(servers(accepted, config))


async def test_a_websocket_opens_on_the_second_host_too(start: Start) -> None:
    edge = await start()
    async with edge.session("/v1/flow", FLOW_HOST) as session:
        assert await session.lives()
        assert session.headers["Seen-X-Forwarded-Proto"] == "https"


async def test_port_80_sends_to_tls_unless_the_map_says_no(start: Start) -> None:
    edge = await start()
    async with edge.client() as client:
        async with client.get(edge.url("/v2?a=b", scheme="http"), allow_redirects=False) as answer:
            assert (answer.status, answer.headers["Location"]) == (301, edge.url("/v2?a=b"))
        await edge.reload(in_map(ssl_redirect="false"))
        async with client.get(edge.url("/v2", scheme="http"), allow_redirects=False) as answer:
            assert answer.status == 200


async def test_without_an_endpoint_the_answer_is_502_and_a_session_lives_on(start: Start, pods: list[Pod]) -> None:
    edge = await start()
    async with edge.session() as session:
        await edge.reload(lambda objects: replace(objects, slices=()))
        assert (await edge.asked()).status == 502
        assert await session.lives()


@pytest.mark.parametrize(
    ("change", "refused"),
    [
        (as_it_is, False),
        (with_arguments(wildcard_secret=None), True),
        (without_tls, False),
        (with_arguments(wildcard_secret=None, default_secret=None), True),
    ],
    ids=["as-it-is", "no-wildcard", "no-tls-entry", "no-secret"],
)
async def test_the_host_is_served_with_the_wildcard_certificate(start: Start, change: Change, refused: bool) -> None:
    edge = await start(change)
    if refused:
        with pytest.raises(aiohttp.ClientConnectorSSLError):
            await _asked(edge)
    else:
        # without a TLS entry the default server answers: 404
        assert await _asked(edge) == (404 if change is without_tls else 200)


async def _asked(edge: Edge) -> int:
    async with edge.client() as client, client.get(edge.url("/ready"), ssl=False) as answer:
        return answer.status
