"""The start order of the contract, and what a GPU needs before it can be given out."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.kube import Kube
from sandbox.nodes.dependencies import address, duration, serves
from sandbox.nodes.images import VENDOR
from sandbox.plane.control_plane import ControlPlane
from tests.redis.nodes import programs, served
from tests.redis.outside import behind_sentinel
from tests.sandbox.nodes_world import (
    Stage,
    container,
    env,
    is_ready,
    staged,
    status_of,
    until,
    vendor,
    waiting,
)

PULL: dict[str, Any] = {"imagePullSecrets": [{"name": "registry"}]}
VERSION = "13.5.0"
PLUGIN = "nvcr.io/nvidia/k8s-device-plugin:v0.17.2"
FOLDER = "/var/lib/kubelet/device-plugins"


@pytest.fixture
async def stage(control_plane: ControlPlane, kube: Kube, namespace: str, tmp_path: Path) -> AsyncIterator[Stage]:
    async with staged(control_plane, kube, namespace, tmp_path) as found:
        await found.pull_secret()
        yield found


def get(port: int | str, path: str, **numbers: int) -> dict[str, Any]:
    return {"httpGet": {"port": port, "path": path}, **numbers}


def redis_url() -> list[dict[str, Any]]:
    reference = {"configMapKeyRef": {"name": "resource-manager-config", "key": "redis_url"}}
    return [{"name": "REDIS_CONN_URL", "valueFrom": reference}]


async def config(stage: Stage, url: str) -> None:
    await stage.create("ConfigMap", "resource-manager-config", data={"redis_url": url})


def resource_manager(**more: Any) -> dict[str, Any]:
    """As the contract has it (control plane 4.1)."""
    return vendor(
        "main",
        "resource-manager",
        env=redis_url(),
        ports=[{"name": "http", "containerPort": 8080}],
        startupProbe=get(8080, "/ready", periodSeconds=15, failureThreshold=50),
        livenessProbe=get(8080, "/live", initialDelaySeconds=15, periodSeconds=15),
        readinessProbe=get(8080, "/ready", initialDelaySeconds=15, periodSeconds=15),
        **more,
    )


async def test_the_resource_manager_waits_for_redis(stage: Stage) -> None:
    await config(stage, "realtime-redis-master:6379")
    await stage.pod("resource-manager", resource_manager(), **PULL)
    refused = await stage.event("resource-manager", "Unhealthy", "Startup probe failed")
    assert "connection refused" in refused["message"]
    await stage.service("realtime-redis-master", 6379, app="redis")
    await stage.pod("redis", container(readinessProbe={"tcpSocket": {"port": 6380}, "periodSeconds": 1}))
    await stage.event("redis", "Unhealthy")
    pod = await stage.get("resource-manager")
    assert pod is not None
    assert not is_ready(pod), "a Redis that is not ready is behind no Service"
    await stage.pod("redis-2", labels={"app": "redis"})
    pod = await stage.ready("resource-manager")
    assert status_of(pod)["restartCount"] == 0


@pytest.mark.parametrize(
    "url", ["elsewhere:6379", "redis:6380", "rediss://default:secret@redis.other.svc.cluster.local:6379/0", ""]
)
async def test_a_wrong_address_of_redis_shows(stage: Stage, url: str) -> None:
    stage.settings(100)
    await stage.service("redis", 6379)
    await stage.pod("redis")
    await stage.ready("redis")
    await config(stage, url)
    await stage.pod("p", {**resource_manager(), "startupProbe": get(8080, "/ready", failureThreshold=3)}, **PULL)
    pod = await stage.until("p", waiting("CrashLoopBackOff"))
    assert not is_ready(pod)


async def test_a_right_address_in_any_form(stage: Stage) -> None:
    await stage.service("redis", 6379)
    await stage.pod("redis")
    host = f"redis.{stage.namespace}"
    forms = [host, f"{host}.svc:6379", f"redis://:secret@{host}.svc.cluster.local:6379/0"]
    for number, url in enumerate(forms):
        await stage.pod(f"p{number}", vendor("main", "resource-manager", env=env(REDIS_CONN_URL=url),
                                             readinessProbe=get(8080, "/ready", periodSeconds=1)), **PULL)  # fmt: skip
    for number, _ in enumerate(forms):
        await stage.ready(f"p{number}")


@pytest.mark.parametrize(("asks", "port"), [("true", 23679), ("false", 6379)])
async def test_a_fail_over_client_needs_a_sentinel_and_any_other_a_redis(stage: Stage, asks: str, port: int) -> None:
    stage.settings(100)
    node = [
        container("redis", ports=[{"name": "redis", "containerPort": 6379}]),
        container("sentinel", command=["redis-sentinel"], ports=[{"name": "redis-sentinel", "containerPort": 26379}]),
    ]
    await stage.pod("redis", *node)
    for name, target in (("redis-6379", 6379), ("redis-23679", 26379)):
        await stage.create(
            "Service", name,
            spec={"selector": {"app": "redis"}, "ports": [{"port": int(name.split("-")[1]), "targetPort": target}]},
        )  # fmt: skip
    await stage.ready("redis")
    for number in (6379, 23679):
        variables = env(REDIS_CONN_URL=f"redis-{number}:{number}", REDIS_FAIL_OVER_CLIENT_ENABLED=asks)
        probe = get(8080, "/ready", failureThreshold=3)
        await stage.pod(f"p{number}", vendor("main", "resource-manager", env=variables, startupProbe=probe), **PULL)
    await stage.ready(f"p{port}")
    other = await stage.until(f"p{23679 if port == 6379 else 6379}", waiting("CrashLoopBackOff"))
    assert not is_ready(other)


async def test_a_redis_outside_the_cluster_is_really_asked(stage: Stage, tmp_path: Path) -> None:
    tools = programs(tmp_path / "programs")
    variables = {"REDIS_USE_EXTERNAL": "true", "REDIS_FAIL_OVER_CLIENT_ENABLED": "false"}

    async def waits(name: str, url: str) -> None:
        await stage.pod(name, vendor("main", "resource-manager", env=env(REDIS_CONN_URL=url, **variables),
                                     readinessProbe=get(8080, "/ready", periodSeconds=1)), **PULL)  # fmt: skip

    with served(tools, tmp_path, password="right") as port:
        stage.settings(100, outside=f"redis.example.org:6379=127.0.0.1:{port}")
        await waits("right", "redis://:right@redis.example.org:6379/0")
        await waits("wrong", "redis://:wrong@redis.example.org:6379/0")
        await waits("elsewhere", "redis://:right@other.example.org:6379/0")
        await stage.ready("right")
        for name in ("wrong", "elsewhere"):
            pod = await stage.get(name)
            assert pod is not None
            assert not is_ready(pod), name


async def test_behind_a_sentinel_with_tls_the_primary_is_asked_and_the_certificate_looked_at(
    stage: Stage, tmp_path: Path
) -> None:
    """Contract: control plane 9.1, mode C; the authority's certificate is mounted as the program does it."""
    trust = {"name": "ca", "secret": {"secretName": "authority"}}
    mount = {"name": "ca", "mountPath": "/etc/redis-ca", "readOnly": True}
    asks = {"REDIS_USE_EXTERNAL": "true", "REDIS_FAIL_OVER_CLIENT_ENABLED": "true", "SSL_CERT_DIR": "/etc/redis-ca"}
    with behind_sentinel(programs(tmp_path / "programs"), tmp_path) as there:
        stage.settings(100, outside=there.setting)
        await stage.create("Secret", "authority", stringData={"ca.crt": there.authority})

        async def waits(name: str, variables: dict[str, str], url: str = there.url) -> None:
            manager = vendor("main", "resource-manager", env=env(REDIS_CONN_URL=url, **variables), volumeMounts=[mount],
                             readinessProbe=get(8080, "/ready", periodSeconds=1))  # fmt: skip
            await stage.pod(name, manager, volumes=[trust], **PULL)

        wrong = {
            "a stranger's certificate": ({**asks, "SSL_CERT_DIR": "/etc/ssl"}, there.url, "certificate verify failed"),
            "in clear": (asks, there.url.replace("rediss", "redis"), "AUTH: no answer"),
            "no sentinel": ({**asks, "REDIS_FAIL_OVER_CLIENT_ENABLED": "false"}, there.url, "no Redis server"),
            "no such database": ({**asks, "REDIS_DB_INDEX": "16"}, there.url, "SELECT: -ERR DB index is out of range"),
            "another password": (asks, there.url.replace("made-up", "other"), "AUTH"),
        }
        for number, (variables, url, _) in enumerate(wrong.values()):
            await waits(f"wrong-{number}", variables, url)
        await waits("right", asks)
        await stage.ready("right")
        for number, (why, (_, _, said)) in enumerate(wrong.items()):
            name = f"wrong-{number}"

            def told(name: str = name, said: str = said) -> bool:
                played = stage.played().get(name)
                life = played.containers[0].log.current if played else None
                return life is not None and any(said in line for _, line in life.lines)

            await until(told)
            pod = await stage.get(name)
            assert pod is not None
            assert not is_ready(pod), why


async def test_a_redis_of_the_cluster_has_no_tls(stage: Stage) -> None:
    await stage.service("redis", 6379)
    await stage.pod("redis")
    await stage.ready("redis")
    for name, scheme in (("plain", "redis"), ("secured", "rediss")):
        variables = env(REDIS_CONN_URL=f"{scheme}://redis:6379")
        probe = get(8080, "/ready", periodSeconds=1)
        await stage.pod(name, vendor("main", "resource-manager", env=variables, readinessProbe=probe), **PULL)
    await stage.ready("plain")
    pod = await stage.get("secured")
    assert pod is not None
    assert not is_ready(pod)


async def test_metrics_and_reconciliation_crash_without_redis(stage: Stage) -> None:
    names = ("resource-manager-metrics", "resource-manager-reconciliation")
    for name in names:
        await stage.pod(name, vendor("main", name, env=env(REDIS_CONN_URL="redis:6379")), **PULL)
    for name in names:
        pod = await stage.until(name, waiting("CrashLoopBackOff"))
        assert status_of(pod)["lastState"]["terminated"]["exitCode"] == 1
    await stage.service("redis", 6379)
    await stage.pod("redis")
    for name in names:
        await stage.ready(name)


# --- inference before pre-warming transcribers


def inference_sidecar(languages: tuple[str, ...], version: str = VERSION) -> dict[str, Any]:
    costs = {f"{language}:ensemble_{language}_enhanced": 20 for language in languages}
    features = json.dumps({"capacity": 480, "model_costs": costs, "version": version}, separators=(",", ":"))
    variables = env(REGISTER_FEATURES=features, SM_TOKEN_STORE_URL="http://resource-manager:8080")
    return vendor("inference-sidecar", "inference-sidecar", env=variables)


async def inference(stage: Stage, name: str, *languages: str, version: str = VERSION) -> None:
    triton = container(
        "triton-server",
        f"{VENDOR}/sm-gpu-inference-server-enhanced-recipe1:{VERSION}",
        env=env(SM_LICENSE_FILE="/etc/secrets/license.json"),
        readinessProbe=get(8000, "/v2/health/ready", periodSeconds=1),
        volumeMounts=[{"name": "license", "mountPath": "/etc/secrets", "readOnly": True}],
    )
    volume = {"name": "license", "secret": {"secretName": "license"}}
    await stage.pod(name, triton, inference_sidecar(languages, version), volumes=[volume], node=stage.gpu_node, **PULL)


async def transcriber(stage: Stage, name: str, language: str = "en") -> None:
    """As the contract has it (transcription 4.2 to 4.4)."""
    proxy = vendor(
        "worker-proxy",
        "worker-proxy",
        restartPolicy="Always",
        startupProbe=get(8024, "/ready", periodSeconds=1, failureThreshold=180),
        readinessProbe=get(8024, "/ready", periodSeconds=15),
        env=env(
            LANGUAGE_FEATURE=language,
            SM_TOKEN_STORE_URL="http://resource-manager:8080",
            TRANSCRIBER_VERSION=VERSION,
            SM_CHECK_FOR_CAPACITY_ON_START="true",
            SM_CHECK_FOR_CAPACITY_ON_START_OPERATING_POINT="enhanced",
        ),
    )
    main = container(
        "rt-asr-transcriber",
        f"{VENDOR}/rt-asr-transcriber-{language}:{VERSION}",
        livenessProbe=get("health-port", "/live", periodSeconds=20),
        ports=[{"name": "ws", "containerPort": 9000}, {"name": "health-port", "containerPort": 8001}],
        volumeMounts=[{"name": "license", "mountPath": "/license.json", "subPath": "license.json"}],
    )
    item = {"key": "license.json", "path": "license.json"}
    volume = {"name": "license", "secret": {"secretName": "license", "items": [item]}}
    await stage.pod(name, main, vendor("readiness-tracker", "readiness-tracker"), initContainers=[proxy],
                    volumes=[volume], **PULL)  # fmt: skip


def said_by_the_proxy(stage: Stage) -> list[str]:
    """The log of the pod `transcriber`'s worker-proxy."""
    worker = stage.played()["transcriber"]
    current = worker.init[0].log.current
    return [text for _, text in current.lines] if current else []


async def platform(stage: Stage) -> None:
    """Redis, the resource manager, the license."""
    await stage.create("Secret", "license", stringData={"license.json": "{}"})
    for name, port in (("redis", 6379), ("resource-manager", 8080)):
        await stage.service(name, port)
    await stage.pod("redis")
    ready = get(8080, "/ready", periodSeconds=1)
    manager = vendor("main", "resource-manager", env=env(REDIS_CONN_URL="redis:6379"), readinessProbe=ready)
    await stage.pod("resource-manager", manager, **PULL)


async def test_a_transcriber_waits_for_an_inference_server_of_its_language_and_version(stage: Stage) -> None:
    await platform(stage)
    await transcriber(stage, "transcriber")
    await inference(stage, "other-language", "es", "de")
    await inference(stage, "other-version", "en", version="13.6.0")
    await stage.ready("other-language")
    await stage.ready("other-version")
    await stage.event("transcriber", "Unhealthy", "Startup probe failed")
    await stage.pod("later")
    await stage.ready("later")
    pod = await stage.get("transcriber")
    assert pod is not None
    assert waiting("PodInitializing", name="rt-asr-transcriber")(pod)
    assert not any("listening" in text for text in said_by_the_proxy(stage))
    await inference(stage, "inference", "en")
    pod = await stage.ready("transcriber")
    assert status_of(pod, "worker-proxy")["restartCount"] == 0


async def test_without_a_resource_manager_no_capacity_is_found(stage: Stage) -> None:
    await platform(stage)
    await inference(stage, "inference", "en")
    await stage.ready("inference")
    await stage.delete("resource-manager", grace=0)
    await transcriber(stage, "transcriber")
    await stage.event("transcriber", "Unhealthy")
    await until(lambda: any("cannot reach the resource manager" in text for text in said_by_the_proxy(stage)))
    assert not any("listening" in text for text in said_by_the_proxy(stage))


async def test_a_license_that_is_not_where_it_is_looked_for(stage: Stage) -> None:
    await stage.create("Secret", "license", stringData={"license.json": "{}"})
    main = container("main", f"{VENDOR}/rt-asr-transcriber-en:{VERSION}")
    mount = {"name": "license", "mountPath": "/license.json", "subPath": "licence.json"}
    volume = {"name": "license", "secret": {"secretName": "license"}}
    await stage.pod("unmounted", main, **PULL)
    await stage.pod("misspelt", {**main, "volumeMounts": [mount]}, volumes=[volume], **PULL)
    for name in ("unmounted", "misspelt"):
        pod = await stage.until(name, waiting("CrashLoopBackOff"))
        assert status_of(pod)["lastState"]["terminated"]["exitCode"] == 1


# --- GPUs


def plugin(mounted: bool = True, **variables: str) -> dict[str, Any]:
    mounts = [{"name": "device-plugin", "mountPath": FOLDER}] if mounted else []
    return container(image=PLUGIN, env=env(**variables), volumeMounts=mounts)


VOLUME = {"name": "device-plugin", "hostPath": {"path": FOLDER}}


async def gpus(stage: Stage, node: str) -> tuple[str | None, str | None]:
    status = (await stage.kube.get("v1", "Node", node))["status"]
    return status["capacity"].get("nvidia.com/gpu"), status["allocatable"].get("nvidia.com/gpu")


async def node_until(stage: Stage, node: str, wanted: tuple[str, str]) -> None:
    async for kind, obj in stage.kube.watch("v1", "Node", fields=f"metadata.name={node}"):
        if kind in ("ADDED", "MODIFIED") and await gpus(stage, obj["metadata"]["name"]) == wanted:
            return


async def test_gpus_can_be_given_out_while_the_plugin_runs(stage: Stage) -> None:
    await stage.pod("blind", plugin(mounted=False), node=stage.gpu_node)
    await stage.ready("blind")
    assert await gpus(stage, stage.gpu_node) == (None, None)
    await stage.pod("plugin", plugin(FAIL_ON_INIT_ERROR="false"), node=stage.gpu_node, volumes=[VOLUME])
    await node_until(stage, stage.gpu_node, ("1", "1"))
    await stage.stop()
    await stage.start()
    await stage.pod("later")
    await stage.ready("later")
    assert await gpus(stage, stage.gpu_node) == ("1", "1")
    await stage.delete("plugin", grace=0)
    await node_until(stage, stage.gpu_node, ("1", "0"))


async def test_a_plugin_without_a_gpu(stage: Stage) -> None:
    await stage.pod("strict", plugin(), volumes=[VOLUME])
    await stage.pod("lenient", plugin(FAIL_ON_INIT_ERROR="false"), volumes=[VOLUME])
    await stage.until("strict", waiting("CrashLoopBackOff"))
    await stage.ready("lenient")
    assert await gpus(stage, stage.node) == (None, None)


# --- pure parts


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("redis:6379", ("redis", 6379)),
        ("redis", ("redis", 6379)),
        ("redis://user:p%40ss@host.example:10000/0", ("host.example", 10000)),
        ("rediss://host", ("host", 6379)),
        ("redis:port", None),
        ("", None),
    ],
)
def test_addresses(url: str, found: tuple[str, int] | None) -> None:
    assert address(url, 6379) == found


@pytest.mark.parametrize(("text", "seconds"), [("10m", 600), ("1m30s", 90), ("500ms", 0.5), ("", None), ("10", None)])
def test_durations(text: str, seconds: float | None) -> None:
    assert duration(text) == seconds


def test_features_that_cannot_be_read_serve_nothing() -> None:
    good = '{"capacity":480,"model_costs":{"en:ensemble_en_enhanced":16},"version":"13.5.0"}'
    assert serves(good, "en", "enhanced", "13.5.0")
    assert not serves(good, "en", "standard", "13.5.0")
    assert not serves(good, "en", "enhanced", "13.6.0")
    assert not serves("{", "en", "enhanced", "13.5.0")
    assert not serves("[]", "en", "enhanced", "13.5.0")


def test_a_server_serves_the_languages_and_points_it_registers() -> None:
    """Standard-all and a custom map with both points (contract: transcription 12)."""
    standard = '{"capacity":2400,"model_costs":{"cmn_en:ensemble_cmn_en_standard":20},"version":"13.5.0"}'
    assert serves(standard, "cmn_en", "standard", "13.5.0")
    assert not serves(standard, "cmn_en", "enhanced", "13.5.0")
    assert not serves(standard, "cmn", "standard", "13.5.0")
    both = json.dumps(
        {"capacity": 9, "model_costs": {f"tl:ensemble_tl_{p}": 1 for p in ("standard", "enhanced")}, "version": "1"}
    )
    assert serves(both, "tl", "standard", "1")
    assert serves(both, "tl", "enhanced", "1")
