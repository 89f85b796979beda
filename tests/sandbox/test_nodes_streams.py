"""exec, logs and port-forward through kubectl, API server and kubelet-server: for the pod, never for the machine."""

from __future__ import annotations

import asyncio
import os
import platform
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from sandbox.kube import Kube
from sandbox.nodes.images import VENDOR
from sandbox.plane import programs
from sandbox.plane.control_plane import ControlPlane
from tests.sandbox.nodes_world import Stage, container, env, staged, vendor


@asynccontextmanager
async def kubelet_server(plane: ControlPlane) -> AsyncIterator[None]:
    """The real kubelet-server, as the control plane starts it."""
    program = programs.kubelet_server(plane.site)
    process = await asyncio.create_subprocess_exec(
        *program.command, cwd=program.folder, env=dict(program.environment), stderr=asyncio.subprocess.PIPE
    )
    try:
        assert process.stderr is not None
        line = (await asyncio.wait_for(process.stderr.readline(), 60)).decode()
        assert "kubelet-server listens on" in line, line
        yield
    finally:
        process.terminate()
        await asyncio.wait_for(process.communicate(), 60)


@pytest.fixture
async def stage(control_plane: ControlPlane, kube: Kube, namespace: str, tmp_path: Path) -> AsyncIterator[Stage]:
    async with staged(control_plane, kube, namespace, tmp_path) as found, kubelet_server(control_plane):
        yield found


async def test_exec_answers_for_the_pod(stage: Stage) -> None:
    await stage.create("ConfigMap", "c", data={"languages": "en,de"})
    await stage.pod(
        "redis",
        container(
            env=env(COLOUR="blue"),
            volumeMounts=[
                {"name": "c", "mountPath": "/etc/config"},
                {"name": "c", "mountPath": "/fixed", "subPath": "languages"},
            ],
        ),
        volumes=[{"name": "c", "configMap": {"name": "c"}}],
    )
    pod = await stage.ready("redis")
    code, out, _ = await stage.kubectl("exec", "redis", "--", "env")
    assert code == 0
    assert "COLOUR=blue" in out.splitlines()
    assert "HOSTNAME=redis" in out.splitlines()
    ours = {f"{name}={value}" for name, value in os.environ.items() if name not in ("PATH", "HOSTNAME")}
    assert not ours & set(out.splitlines()), "nothing of this machine's environment"
    assert (await stage.kubectl("exec", "redis", "--", "cat", "/etc/config/languages"))[:2] == (0, "en,de")
    assert (await stage.kubectl("exec", "redis", "--", "ls", "/etc/config"))[:2] == (0, "languages\n")
    assert (await stage.kubectl("exec", "redis", "--", "redis-cli", "ping"))[:2] == (0, "PONG\n")
    assert (await stage.kubectl("exec", "redis", "--", "hostname", "-i"))[1] == f"{pod['status']['podIP']}\n"
    code, out, _ = await stage.kubectl("exec", "-i", "redis", "--", "cat", stdin=b"through\n")
    assert (code, out) == (0, "through\n")
    await stage.kube.merge("v1", "ConfigMap", "c", {"data": {"languages": "en"}}, stage.namespace)
    async with asyncio.timeout(60):
        while (await stage.kubectl("exec", "redis", "--", "cat", "/etc/config/languages"))[1] != "en":
            continue
    assert (await stage.kubectl("exec", "redis", "--", "cat", "/fixed"))[1] == "en,de"


async def test_exec_never_reaches_the_machine(stage: Stage, tmp_path: Path) -> None:
    await stage.pod("redis")
    await stage.ready("redis")
    mark = tmp_path / "mark"
    mark.write_text("of this machine")
    made = tmp_path / "made"
    tries = [["touch", str(made)]]
    tries += [["sh", "-c", script] for script in (f"echo x > {made}", f"true; touch {made}", f"echo $(touch {made})")]
    for command in tries:
        code, out, error = await stage.kubectl("exec", "redis", "--", *command)
        assert code in (126, 127), (command, out, error)
        assert "simulate" in error
    assert not made.exists()
    code, out, error = await stage.kubectl("exec", "redis", "--", "cat", str(mark))
    assert code == 1
    assert "of this machine" not in out + error
    assert (await stage.kubectl("exec", "redis", "--", "cat", "/etc/hostname"))[1] == "redis\n"
    assert platform.node() not in (await stage.kubectl("exec", "redis", "--", "cat", "/etc/hosts"))[1]


async def test_the_connections_of_a_pod_are_its_sessions(stage: Stage) -> None:
    await stage.pull_secret()
    await stage.pod("proxy", vendor("main", "proxy-service"), sessions=3, imagePullSecrets=[{"name": "registry"}])
    pod = await stage.ready("proxy")
    table = await stage.kubectl("exec", "proxy", "--", "cat", "/proc/net/tcp")
    rows = [line.split() for line in table[1].splitlines()[1:]]
    assert [row[3] for row in rows] == ["0A", "01", "01", "01"]
    port = f"{8080:04X}"
    reversed_ip = "".join(f"{int(part):02X}" for part in reversed(pod["status"]["podIP"].split(".")))
    assert {row[1] for row in rows[1:]} == {f"{reversed_ip}:{port}"}
    await stage.hold("proxy", 1)
    await stage.ready("proxy")
    _, out, _ = await stage.kubectl("exec", "proxy", "--", "cat", "/proc/net/tcp")
    assert len(out.splitlines()) == 1 + 1 + 1


async def test_a_container_that_does_not_run_answers_nothing(stage: Stage) -> None:
    await stage.pod("p", container(env=[{"name": "V", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}]))
    await stage.event("p", "Failed")
    code, _, error = await stage.kubectl("exec", "p", "--", "env")
    assert code == 1
    assert 'container not found ("main")' in error
    code, _, error = await stage.kubectl("logs", "p")
    assert code == 1
    assert "is waiting to start: CreateContainerConfigError" in error


async def test_logs_tell_the_containers_life(stage: Stage) -> None:
    await stage.pod("redis", container(readinessProbe={"tcpSocket": {"port": 6379}, "periodSeconds": 1}))
    await stage.ready("redis")
    code, out, _ = await stage.kubectl("logs", "redis")
    lines = out.splitlines()
    assert code == 0
    assert lines[0] == "container main started from docker.io/library/redis:7.4.1"
    assert lines[1] == "listening on 6379"
    assert lines[2] == "ready"
    assert (await stage.kubectl("logs", "redis", "--tail=1"))[1] == "ready\n"
    _, out, _ = await stage.kubectl("logs", "redis", "--tail=1", "--timestamps")
    assert out.endswith("Z ready\n")
    code, _, error = await stage.kubectl("logs", "redis", "--previous")
    assert code == 1
    assert "previous terminated container" in error
    following = asyncio.create_task(stage.kubectl("logs", "redis", "--follow"))
    await asyncio.sleep(0.5)
    assert not following.done()
    await stage.delete("redis")
    code, out, _ = await asyncio.wait_for(following, 60)
    assert code == 0
    assert out.splitlines()[-1] == "the process ended with exit code 143"


@asynccontextmanager
async def forwarded(stage: Stage, pod: str, port: int) -> AsyncIterator[int]:
    """The local port of a `kubectl port-forward`."""
    config = stage.plane.folder / "kubectl.yaml"
    config.write_text(stage.plane.admin_kubeconfig())
    process = await asyncio.create_subprocess_exec(
        str(stage.plane.tools.path("kubectl")), f"--kubeconfig={config}", "-n", stage.namespace, "port-forward",
        "--address=127.0.0.1", pod, f":{port}", stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        line = (await asyncio.wait_for(process.stdout.readline(), 60)).decode()
        assert line.startswith("Forwarding from 127.0.0.1:"), line
        yield int(line.split("127.0.0.1:")[1].split(" ")[0])
    finally:
        if process.returncode is None:
            process.terminate()
        await asyncio.wait_for(process.communicate(), 60)


async def ask(port: int, text: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(text)
        await writer.drain()
        return await asyncio.wait_for(reader.read(4096), 60)
    finally:
        writer.close()


async def test_port_forward_answers_as_the_image_does(stage: Stage) -> None:
    await stage.pull_secret()
    await stage.pod("redis")
    await stage.pod("proxy", vendor("main", "proxy-service"), imagePullSecrets=[{"name": "registry"}])
    await stage.ready("redis")
    await stage.ready("proxy")
    async with forwarded(stage, "redis", 6379) as port:
        assert await ask(port, b"PING\r\n") == b"+PONG\r\n"
        assert await ask(port, b"*1\r\n$4\r\nPING\r\n") == b"+PONG\r\n"
        assert (await ask(port, b"FLUSHALL\r\n")).startswith(b"-ERR")
    async with forwarded(stage, "proxy", 8080) as port:
        assert (await ask(port, b"GET /live HTTP/1.1\r\nHost: x\r\n\r\n")).startswith(b"HTTP/1.1 200 OK")
        assert (await ask(port, b"GET /other HTTP/1.1\r\nHost: x\r\n\r\n")).startswith(b"HTTP/1.1 404")
    async with forwarded(stage, "redis", 6380) as port:
        assert await ask(port, b"PING\r\n") == b""


async def test_only_the_api_server_is_let_in(stage: Stage) -> None:
    pki = stage.plane.site.pki

    async def healthz(context: ssl.SSLContext) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", stage.plane.kubelet_port, ssl=context)
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        try:
            return await asyncio.wait_for(reader.read(), 60)
        finally:
            writer.close()

    def trusting() -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(pki.kubelet.files.certificate))

    right = trusting()
    pair = pki.pair("apiserver-kubelet")
    right.load_cert_chain(pair.certificate, pair.key)
    assert (await healthz(right)).endswith(b"ok")
    with pytest.raises((ssl.SSLError, ConnectionError)):
        await healthz(trusting())
    wrong = trusting()
    admin = pki.user("sandbox:admin", ["system:masters"])
    wrong.load_cert_chain(admin.certificate, admin.key)
    with pytest.raises((ssl.SSLError, ConnectionError)):
        await healthz(wrong)


async def test_a_pod_nobody_plays_is_not_found(stage: Stage) -> None:
    await stage.pod("redis")
    await stage.ready("redis")
    await stage.stop()
    code, _, error = await stage.kubectl("exec", "redis", "--", "env")
    assert code == 1
    assert "the node stand-in does not answer" in error
    assert VENDOR not in error
