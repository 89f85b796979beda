"""The control plane is a real one: verified TLS, RBAC, admission, controllers, and nodes that kwok keeps alive."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from aiohttp import web

from sandbox.kube import Kube, KubeError
from sandbox.plane.control_plane import ControlPlane, same_minor
from sandbox.plane.errors import PlaneError
from sandbox.toolchain import Tools

Json = dict[str, Any]


async def eventually(check: Callable[[], Awaitable[Any]], within: float = 60) -> Any:
    """The first true answer of `check`."""
    deadline = time.monotonic() + within
    while not (answer := await check()):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)
    return answer


def pod(namespace: str, **spec: Any) -> Json:
    containers = [{"name": "main", "image": "example/image:1"}]
    meta = {"name": "probe", "namespace": namespace}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {"containers": containers, **spec}}


def node(name: str, port: int = 1) -> Json:
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": {"test": name}},
        "status": {
            "capacity": {"cpu": "4", "memory": "16Gi", "pods": "30"},
            "allocatable": {"cpu": "3860m", "memory": "13Gi", "pods": "30"},
            "addresses": [
                {"type": "InternalIP", "address": "10.224.0.9"},
                {"type": "Hostname", "address": name},
                {"type": "ExternalDNS", "address": "localhost"},
            ],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": port}},
        },
    }


@asynccontextmanager
async def standing_node(kube: Kube, name: str, port: int = 1) -> AsyncIterator[Json]:
    await kube.create(node(name, port))
    try:
        yield await eventually(lambda: ready(kube, name))
    finally:
        await kube.delete("v1", "Node", name)


async def ready(kube: Kube, name: str) -> Json | None:
    found = await kube.get("v1", "Node", name)
    state = {entry["type"]: entry["status"] for entry in found["status"].get("conditions", [])}
    return found if state.get("Ready") == "True" and not found["spec"].get("taints") else None


# --- TLS

REFUSED = (ssl.SSLError, ConnectionError)
"""How a server that does not take our certificate looks: its alert, or its reset when that is faster."""


async def handshake(server: str, context: ssl.SSLContext) -> bytes:
    """Speak TLS to the server and let it answer one request, so that its verdict on our certificate arrives too."""
    url = urlsplit(server)
    reader, writer = await asyncio.open_connection(url.hostname, url.port, ssl=context, server_hostname="localhost")
    try:
        writer.write(b"GET /version HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        return await reader.read()
    finally:
        writer.transport.abort()


def trusting(plane: ControlPlane, authority: str) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=plane.folder / "pki" / f"{authority}.crt")


async def test_a_client_without_the_authority_is_refused(control_plane: ControlPlane) -> None:
    assert b"v1.35" in await handshake(control_plane.server, trusting(control_plane, "cluster-ca"))
    for context in (ssl.create_default_context(), trusting(control_plane, "etcd-ca")):
        with pytest.raises(ssl.SSLCertVerificationError):
            await handshake(control_plane.server, context)


async def test_etcd_takes_only_its_own_authoritys_clients(control_plane: ControlPlane) -> None:
    server = f"https://127.0.0.1:{control_plane.site.ports['etcd']}"
    context = trusting(control_plane, "etcd-ca")
    with pytest.raises(REFUSED):
        await handshake(server, context)
    admin = control_plane.site.pki.user("sandbox:admin", ["system:masters"])
    context = trusting(control_plane, "etcd-ca")
    context.load_cert_chain(admin.certificate, admin.key)
    with pytest.raises(REFUSED):
        await handshake(server, context)
    context = trusting(control_plane, "etcd-ca")
    servers_own = control_plane.site.pki.pair("apiserver-etcd")
    context.load_cert_chain(servers_own.certificate, servers_own.key)
    assert b"etcdserver" in await handshake(server, context)


# --- who may do what


async def test_a_user_without_rights_is_forbidden(control_plane: ControlPlane) -> None:
    async with Kube(control_plane.kubeconfig("nobody", ["some-group"]), "test") as nobody:
        with pytest.raises(KubeError) as refused:
            await nobody.list("v1", "Secret", "kube-system")
    assert refused.value.code == 403
    assert 'User "nobody"' in refused.value.message


async def test_a_kubeconfig_stays_the_same(control_plane: ControlPlane) -> None:
    assert control_plane.admin_kubeconfig() == control_plane.admin_kubeconfig()
    assert control_plane.kubeconfig("a", []) != control_plane.kubeconfig("a", ["system:masters"])


async def test_a_kubelet_may_only_touch_its_own_node(control_plane: ControlPlane, kube: Kube) -> None:
    own = Kube(control_plane.kubeconfig("system:node:own", ["system:nodes"]), "test")
    async with standing_node(kube, "own"), standing_node(kube, "other"), own as kubelet:
        await kubelet.merge("v1", "Node", "own", {"metadata": {"annotations": {"mine": "yes"}}})
        with pytest.raises(KubeError, match="not allowed to modify node") as refused:
            await kubelet.merge("v1", "Node", "other", {"metadata": {"annotations": {"mine": "no"}}})
    assert refused.value.code == 403


# --- admission


async def test_a_pod_gets_its_service_accounts_token(kube: Kube, namespace: str) -> None:
    await eventually(lambda: kube.find("v1", "ServiceAccount", "default", namespace))
    created = await kube.create(pod(namespace))
    assert created["spec"]["serviceAccountName"] == "default"
    projected = [source for volume in created["spec"]["volumes"] for source in volume["projected"]["sources"]]
    assert any("serviceAccountToken" in source for source in projected)


async def test_a_pod_of_an_unknown_service_account_is_refused(kube: Kube, namespace: str) -> None:
    with pytest.raises(KubeError, match='serviceaccount "absent" not found') as refused:
        await kube.create(pod(namespace, serviceAccountName="absent"))
    assert refused.value.code == 403


async def test_a_service_account_token_opens_the_api(control_plane: ControlPlane, kube: Kube, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/serviceaccounts/default/token"
    await eventually(lambda: kube.find("v1", "ServiceAccount", "default", namespace))
    answer = await kube.request("POST", path, {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest"})
    config = yaml.safe_load(control_plane.admin_kubeconfig())
    config["users"][0]["user"] = {"token": answer["status"]["token"]}
    async with Kube(config, "test") as account:
        with pytest.raises(KubeError) as refused:
            await account.list("v1", "Secret", namespace)
    assert f'User "system:serviceaccount:{namespace}:default"' in refused.value.message


async def test_an_admission_policy_denies(kube: Kube, namespace: str) -> None:
    api, name = "admissionregistration.k8s.io/v1", "no-thing"
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"]}
    constraints = {"resourceRules": [rule], "namespaceSelector": {"matchLabels": {"policed": "yes"}}}
    checks = [{"expression": "object.metadata.name != 'thing'", "message": "no thing here"}]
    policy = {"matchConstraints": constraints, "validations": checks, "failurePolicy": "Fail"}
    binding = {"policyName": name, "validationActions": ["Deny"]}
    await kube.merge("v1", "Namespace", namespace, {"metadata": {"labels": {"policed": "yes"}}})
    for kind, spec in (("ValidatingAdmissionPolicy", policy), ("ValidatingAdmissionPolicyBinding", binding)):
        await kube.create({"apiVersion": api, "kind": kind, "metadata": {"name": name}, "spec": spec})

    async def denied() -> bool:
        thing = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "thing", "namespace": namespace}}
        try:
            await kube.create(thing, dry_run=True)
        except KubeError as error:
            return "no thing here" in error.message
        return False

    try:
        await eventually(denied)
    finally:
        await kube.delete(api, "ValidatingAdmissionPolicyBinding", name)
        await kube.delete(api, "ValidatingAdmissionPolicy", name)


# --- nodes


async def test_a_node_is_kept_ready_and_nothing_else_of_it_is_touched(kube: Kube) -> None:
    wanted = node("kept")
    async with standing_node(kube, "kept") as found:
        for part in ("capacity", "allocatable", "addresses", "daemonEndpoints"):
            assert found["status"][part] == wanted["status"][part]
        conditions = {entry["type"]: entry["status"] for entry in found["status"]["conditions"]}
        pressures = {"MemoryPressure", "DiskPressure", "PIDPressure", "NetworkUnavailable"}
        assert conditions == dict.fromkeys(pressures, "False") | {"Ready": "True"}
        lease = await eventually(lambda: kube.find("coordination.k8s.io/v1", "Lease", "kept", "kube-node-lease"))
        first = lease["spec"]["renewTime"]

        async def renewed() -> bool:
            now = await kube.get("coordination.k8s.io/v1", "Lease", "kept", "kube-node-lease")
            return bool(now["spec"]["renewTime"] > first)

        await eventually(renewed)


async def test_a_pod_is_scheduled_and_left_alone(kube: Kube, namespace: str) -> None:
    await eventually(lambda: kube.find("v1", "ServiceAccount", "default", namespace))
    async with standing_node(kube, "host"):
        await kube.create(pod(namespace, nodeSelector={"test": "host"}))
        bound = await eventually(lambda: bound_pod(kube, namespace))
        assert bound["spec"]["nodeName"] == "host"
        await kube.delete("v1", "Pod", "probe", namespace)
        leaving = await kube.get("v1", "Pod", "probe", namespace)
        assert leaving["metadata"]["deletionGracePeriodSeconds"] == 30  # no kubelet confirms: it stays
        assert leaving["status"]["phase"] == "Pending"
        await kube.delete("v1", "Pod", "probe", namespace, grace_seconds=0)


async def bound_pod(kube: Kube, namespace: str) -> Json | None:
    found = await kube.get("v1", "Pod", "probe", namespace)
    return found if found["spec"].get("nodeName") else None


async def test_logs_are_fetched_from_the_kubelet_port_with_verified_certificates(
    control_plane: ControlPlane, kube: Kube, namespace: str
) -> None:
    """The API server dials loopback though the node's InternalIP is elsewhere; both sides show certificates."""
    seen: list[str] = []

    async def logs(request: web.Request) -> web.Response:
        peer = request.transport.get_extra_info("peercert") if request.transport else None
        seen.append(f"{request.path} by {dict(entry[0] for entry in peer['subject'])['commonName'] if peer else None}")
        return web.Response(text="a line of the pod\n")

    pki = control_plane.site.pki
    serving = pki.kubelet.issue(pki.pair("test-kubelet"), "kubelet", hosts=["localhost"])
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=pki.kubelet.files.certificate)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(serving.certificate, serving.key)
    application = web.Application()
    application.router.add_get("/{anything:.*}", logs)
    runner = web.AppRunner(application)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", control_plane.kubelet_port, ssl_context=context)
        await site.start()
        await eventually(lambda: kube.find("v1", "ServiceAccount", "default", namespace))
        async with standing_node(kube, "talker", control_plane.kubelet_port):
            await kube.create(pod(namespace, nodeSelector={"test": "talker"}))
            await eventually(lambda: bound_pod(kube, namespace))
            answer = await kube.request("GET", f"/api/v1/namespaces/{namespace}/pods/probe/log")
            await kube.delete("v1", "Pod", "probe", namespace, grace_seconds=0)
    finally:
        await runner.cleanup()
    assert answer == {"text": "a line of the pod\n"}
    assert seen == [f"/containerLogs/{namespace}/probe/main by kube-apiserver"]


# --- versions


@pytest.mark.parametrize("asked", ["1.35.4", "1.35", "1.35.9", "v1.35.4"])
def test_patches_of_the_built_minor_are_played(asked: str) -> None:
    assert same_minor(asked, "v1.35.4")


@pytest.mark.parametrize("asked", ["1.36.0", "1.3", "1.350.1", "2.35.4", "1.35.x", ""])
def test_other_versions_are_not(asked: str) -> None:
    assert not same_minor(asked, "v1.35.4")


def test_another_minor_is_refused(control_plane: ControlPlane, tools: Tools) -> None:
    with pytest.raises(PlaneError, match=r"Kubernetes 1\.36\.1 was asked for.*v1\.35\.4"):
        ControlPlane(control_plane.folder.parent / "newer", tools, version="1.36.1")
