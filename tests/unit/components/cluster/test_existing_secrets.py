"""Secrets named as existing: what counts as missing, what an API server may answer, and who waits for it."""

from __future__ import annotations

import asyncio
import base64
import dataclasses
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from components.cluster import existing_secrets as module
from components.cluster.existing_secrets import (
    Cluster,
    ExistingSecret,
    Found,
    UnreadableError,
    lacks,
    read_pair,
    read_secrets,
)
from components.cluster.license import fingerprint
from tests.unit.graph import CHECKOUT
from tests.unit.secrets_api import CERTIFICATE, LICENSE, LOGIN, NOT_FOUND, kubeconfig_for

LICENSE_SECRET = ExistingSecret(
    "lic", ("license.json",), None, "global.licensing.secretName", "the license", "make lic", "drop lic"
)
PULL_SECRET = ExistingSecret(
    "pull",
    (),
    "kubernetes.io/dockerconfigjson",
    "global.imagePullSecrets[0].name",
    "the login",
    "make pull",
    "drop pull",
)
BOTH = (LICENSE_SECRET, PULL_SECRET)
RIGHT = {
    "lic": Found("Opaque", frozenset({"license.json", "other"})),
    "pull": Found("kubernetes.io/dockerconfigjson", frozenset({".dockerconfigjson"})),
}


def test_what_is_there_as_it_must_be_lacks_nothing() -> None:
    assert lacks(BOTH, RIGHT) == []


def test_all_that_is_missing_is_told_at_once_with_its_command() -> None:
    found = lacks(BOTH, {})
    assert [(lack.secret, lack.code, lack.mend) for lack in found] == [
        (LICENSE_SECRET, "secret-not-found", "make lic"),
        (PULL_SECRET, "secret-not-found", "make pull"),
    ]
    assert "the license is to be read from the Secret lic" in found[0].reason


@pytest.mark.parametrize(
    ("name", "instead", "code", "says"),
    [
        ("pull", Found("Opaque", frozenset({".dockerconfigjson"})), "secret-of-wrong-type", "is of type Opaque"),
        ("pull", Found("kubernetes.io/dockercfg", frozenset()), "secret-of-wrong-type", "kubernetes.io/dockercfg"),
        ("lic", Found("Opaque", frozenset({"license"})), "secret-without-key", "no key license.json"),
        ("lic", Found("Opaque", frozenset()), "secret-without-key", "no key license.json"),
    ],
)
def test_one_of_the_wrong_kind_is_made_again(name: str, instead: Found, code: str, says: str) -> None:
    (lack,) = lacks(BOTH, RIGHT | {name: instead})
    assert (lack.secret.name, lack.code, lack.mend) == (name, code, f"drop {name} && make {name}")
    assert says in lack.reason


def test_a_certificate_is_for_the_host_or_another_is_needed() -> None:
    secret = dataclasses.replace(LICENSE_SECRET, name="tls", keys=(), hosts=("a.example.org",))
    for held in ({"a.example.org", "other"}, {"*.example.org"}):
        assert lacks([secret], {"tls": Found("kubernetes.io/tls", frozenset(), hosts=frozenset(held))}) == []
    for held in ({"example.org"}, {"*.a.example.org"}, {"*.org"}, set()):
        (lack,) = lacks([secret], {"tls": Found("kubernetes.io/tls", frozenset(), hosts=frozenset(held))})
        assert (lack.code, lack.mend) == ("secret-for-another-host", "drop lic && make lic")
        assert "not for a.example.org" in lack.reason


class Api:
    """Answers from `secrets`, or everything with `broken`."""

    def __init__(self) -> None:
        self.secrets: dict[str, dict[str, Any]] = {"lic": LICENSE, "pull": LOGIN}
        self.broken: web.Response | None = None

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if self.broken is not None:
            return self.broken
        name = request.path.removeprefix("/api/v1/namespaces/ns/secrets/")
        if name not in self.secrets:
            return web.json_response(NOT_FOUND, status=404)
        return web.json_response({"kind": "Secret", "metadata": {"name": name}, **self.secrets[name]})


@pytest.fixture
async def server() -> AsyncIterator[tuple[Api, str]]:
    api, app = Api(), web.Application()
    app.router.add_get("/{path:.*}", api.answer)
    async with TestServer(app, host="127.0.0.1") as running:
        yield api, kubeconfig_for(str(running.make_url("")).rstrip("/"))


async def test_types_and_keys_are_read_and_no_value_is_kept(server: tuple[Api, str]) -> None:
    api, config = server
    api.secrets["lic"] = {"type": "Opaque", "data": {"license.json": "dGhlIGJ5dGVz"}}
    found = await read_secrets(config, "ns", ["lic", "pull", "lic"])
    assert found["lic"] == Found("Opaque", frozenset({"license.json"}), fingerprint("lic", "the bytes"))
    assert found["pull"] == Found("kubernetes.io/dockerconfigjson", frozenset({".dockerconfigjson"}))
    assert "dGhlIGJ5dGVz" not in repr(found)


async def test_one_without_data_is_there_and_has_no_key(server: tuple[Api, str]) -> None:
    api, config = server
    api.secrets = {"lic": {"type": "Opaque"}}
    assert await read_secrets(config, "ns", ["lic", "pull"]) == {"lic": Found("Opaque", frozenset())}


async def test_the_hosts_of_a_certificate_and_the_end_of_a_license_are_read(server: tuple[Api, str]) -> None:
    api, config = server
    text = '{"metadata": {"request": {"notValidAfter": "2027-01-31"}}}\n'
    api.secrets = {
        "lic": {"type": "Opaque", "data": {"license.json": base64.b64encode(text.encode()).decode()}},
        "tls": CERTIFICATE,
        "broken": {"type": "kubernetes.io/tls", "data": {"tls.crt": "e30=", "tls.key": "!"}},
    }
    found = await read_secrets(config, "ns", ["lic", "tls", "broken"])
    assert found["lic"].license_ends == datetime(2027, 1, 31, tzinfo=UTC)
    assert found["lic"].license == fingerprint("lic", text.strip()), "the end of a file's last line is no other license"
    assert found["tls"].hosts == {"*.example.org", "*.example.orgx", "speechmatics.example.com"}
    assert found["broken"].hosts == frozenset()
    pair = await read_pair(config, "ns", "tls")
    assert pair is not None
    assert pair.certificate.startswith("-----BEGIN CERTIFICATE")
    assert [await read_pair(config, "ns", name) for name in ("broken", "absent")] == [None, None]


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch, server: tuple[Api, str]) -> tuple[Api, module.Read, list[str]]:
    """The API, a reader whose Azure hands out its kubeconfig, and what Azure hands out instead when not empty."""
    api, config = server
    instead: list[str] = []

    async def credentials(_: Any, group: str, name: str) -> str:
        assert (group, name) == ("rg", "cluster")
        if instead and instead[0] == "error":
            raise Exception('Status=403 Code="AuthorizationFailed" Message="no"')
        return instead[0] if instead else config

    monkeypatch.setattr(module, "credentials", credentials)
    provider: Any = object()
    return api, Cluster(provider, "rg", "cluster").secrets, instead


@pytest.mark.parametrize("status", [401, 403, 500, 503])
@pytest.mark.parametrize("structured", [True, False])
async def test_a_refusal_is_not_absence(
    cluster: tuple[Api, module.Read, list[str]], status: int, structured: bool
) -> None:
    api, read, _ = cluster
    if structured:
        api.broken = web.json_response({"kind": "Status", "message": "no", "code": status}, status=status)
    else:
        api.broken = web.Response(status=status, text="no")
    with pytest.raises(UnreadableError, match=str(status)):
        await read("ns", ["lic"])


@pytest.mark.parametrize("body", ["404 page not found", "null", '{"error": "no such host"}'])
async def test_a_404_that_is_not_the_api_servers_own_is_not_absence(
    cluster: tuple[Api, module.Read, list[str]], body: str
) -> None:
    api, read, _ = cluster
    api.broken = web.Response(status=404, text=body)
    with pytest.raises(UnreadableError, match="404"):
        await read("ns", ["lic"])


@pytest.mark.parametrize(
    ("instead", "says"),
    [
        ("error", "AuthorizationFailed"),
        ("", "credentials"),
        ("kind: Config", "credentials"),
        (kubeconfig_for("http://127.0.0.1:9"), "does not answer"),
    ],
)
async def test_a_cluster_that_cannot_be_reached_is_not_one_without_secrets(
    cluster: tuple[Api, module.Read, list[str]], instead: str, says: str
) -> None:
    _, read, handed_out = cluster
    handed_out.append(instead)
    with pytest.raises(UnreadableError, match=says):
        await read("ns", ["lic"])


async def test_a_server_that_hangs_is_unreadable_when_the_deadline_is_over(
    cluster: tuple[Api, module.Read, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, read, _ = cluster

    async def never(*_: Any) -> dict[str, Found]:
        await asyncio.sleep(60)
        return {}

    monkeypatch.setattr(module, "read_secrets", never)
    monkeypatch.setattr(module, "DEADLINE_SECONDS", 0.1)
    with pytest.raises(UnreadableError, match="no answer within"):
        await read("ns", ["lic"])


REFUSED = """
import json, os, sys
import pulumi
from tests.unit import secrets_api
from tests.unit.graph import Graph, run_program

secrets_api.MISSING |= {"speechmatics-license", "speechmatics-registry"}
said, graph = [], Graph()
pulumi.log.error = said.append
try:
    run_program("staging", into=graph)
except SystemExit as ended:
    found = [[each.type.rpartition(":")[2], each.inputs["metadata"].get("namespace")] for each in graph.kubernetes]
    print(json.dumps({"code": ended.code, "said": said, "found": found}), flush=True)
os._exit(0)  # what waits for the namespace waits for ever, here as in a real run
"""


def test_nothing_in_the_namespace_is_made_while_a_secret_is_missing() -> None:
    """The program ends with one text for both; what has pods waits for the namespace that is handed on.

    In a process of its own, as every real run is: a program that ends in the middle leaves the SDK as it is.
    """
    done = subprocess.run([sys.executable, "-c", REFUSED], cwd=CHECKOUT, stdout=subprocess.PIPE, text=True, check=True)
    ended = json.loads(done.stdout)
    assert ended["code"] == 32
    kinds = {kind for kind, _ in ended["found"]}
    assert "Namespace" in kinds
    assert not {"DaemonSet", "Deployment", "StatefulSet", "SessionGroup"} & kinds
    assert "speechmatics" not in {namespace for _, namespace in ended["found"]}
    (text,) = ended["said"]
    assert text.startswith("2 Secrets must be made first; no workload was made or changed.")
    assert "sm-realtime:global.imagePullSecrets[0].name  [secret-not-found]" in text
    assert "sm-realtime:global.licensing.secretName  [secret-not-found]" in text
    assert (
        "kubectl create secret generic speechmatics-license --namespace speechmatics --from-file=license.json" in text
    )
    assert (
        "kubectl create secret docker-registry speechmatics-registry --namespace speechmatics --docker-server=" in text
    )
