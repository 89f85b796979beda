"""What a kubelet refuses is refused, with its status and its event: each shown by breaking it, most by mending it."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.kube import Kube
from sandbox.nodes.recorder import Recorder
from sandbox.plane.control_plane import ControlPlane
from tests.sandbox.nodes_world import (
    FACTOR,
    Stage,
    condition,
    container,
    is_ready,
    staged,
    status_of,
    vendor,
    waiting,
)

PULL: dict[str, Any] = {"imagePullSecrets": [{"name": "registry"}]}


@pytest.fixture
async def stage(control_plane: ControlPlane, kube: Kube, namespace: str, tmp_path: Path) -> AsyncIterator[Stage]:
    async with staged(control_plane, kube, namespace, tmp_path) as found:
        yield found


def encoded(**values: str) -> dict[str, str]:
    return {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}


# --- environment


def variable(kind: str, name: str, key: str = "k", **more: Any) -> dict[str, Any]:
    return {"name": "V", "valueFrom": {f"{kind}KeyRef": {"name": name, "key": key, **more}}}


async def test_a_secret_missing_for_the_environment(stage: Stage) -> None:
    await stage.pod("p", container(env=[variable("secret", "s")]))
    await stage.until("p", waiting("CreateContainerConfigError", 'secret "s" not found'))
    await stage.event("p", "Failed", 'Error: secret "s" not found')
    await stage.create("Secret", "s", data=encoded(other="x"))
    await stage.until("p", waiting("CreateContainerConfigError", f"couldn't find key k in Secret {stage.namespace}/s"))
    await stage.kube.merge("v1", "Secret", "s", {"data": encoded(k="x")}, stage.namespace)
    await stage.ready("p")


async def test_a_config_map_missing_for_the_environment(stage: Stage) -> None:
    await stage.pod("p", container(env=[variable("configMap", "c")]))
    await stage.pod("q", container(envFrom=[{"configMapRef": {"name": "c"}}]))
    for name in ("p", "q"):
        await stage.until(name, waiting("CreateContainerConfigError", 'configmap "c" not found'))
    await stage.create("ConfigMap", "c", data={})
    where = f"couldn't find key k in ConfigMap {stage.namespace}/c"
    await stage.until("p", waiting("CreateContainerConfigError", where))
    await stage.ready("q")


async def test_what_is_optional_may_be_missing(stage: Stage) -> None:
    await stage.create("Secret", "here", data=encoded(other="x"))
    await stage.create("ConfigMap", "here", data={})
    volume = {"name": "v", "secret": {"secretName": "none", "optional": True}}
    await stage.pod(
        "p",
        container(
            env=[variable(k, n, optional=True) for k in ("secret", "configMap") for n in ("none", "here")],
            envFrom=[{"secretRef": {"name": "none", "optional": True}}],
            volumeMounts=[{"name": "v", "mountPath": "/v"}],
        ),
        volumes=[volume],
    )
    await stage.ready("p")


# --- volumes


@pytest.mark.parametrize(
    ("volume", "text"),
    [
        ({"secret": {"secretName": "y"}}, 'secret "y" not found'),
        ({"configMap": {"name": "y"}}, 'configmap "y" not found'),
        ({"projected": {"sources": [{"secret": {"name": "y"}}]}}, 'secret "y" not found'),
        (
            {"secret": {"secretName": "here", "items": [{"key": "license.json", "path": "license.json"}]}},
            "references non-existent secret key: license.json",
        ),
        ({"nfs": {"server": "example", "path": "/"}}, "no volume plugin matched"),
    ],
    ids=["secret", "config map", "projected", "key", "unknown kind"],
)
async def test_a_volume_that_cannot_be_mounted(stage: Stage, volume: dict[str, Any], text: str) -> None:
    await stage.create("Secret", "here", data=encoded(other="x"))
    await stage.pod("p", volumes=[{"name": "x", **volume}])
    await stage.event("p", "FailedMount", f'MountVolume.SetUp failed for volume "x" : {text}')
    pod = await stage.until("p", waiting("ContainerCreating"))
    assert condition(pod, "PodReadyToStartContainers")["status"] == "False"
    assert "podIP" not in pod["status"]


async def test_a_pod_starts_once_its_volume_is_there(stage: Stage) -> None:
    await stage.pod("p", volumes=[{"name": "x", "secret": {"secretName": "y"}}])
    await stage.event("p", "FailedMount")
    await stage.create("Secret", "y", data=encoded(k="x"))
    await stage.ready("p")


async def test_a_claim_that_is_missing_or_not_bound(stage: Stage) -> None:
    stage.settings(200)
    await stage.pod("p", volumes=[{"name": "data", "persistentVolumeClaim": {"claimName": "c"}}])
    about = f"error processing PVC {stage.namespace}/c"
    await stage.event("p", "FailedMount", f'{about}: failed to fetch PVC from API server: persistentvolumeclaims "c"')
    spec = {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": "none",
        "resources": {"requests": {"storage": "1Gi"}},
    }
    await stage.create("PersistentVolumeClaim", "c", spec=spec)
    event = await stage.event("p", "FailedMount", f"{about}: PVC is not bound")
    assert "unmounted volumes=[data]" in event["message"]


async def test_a_disk_that_is_not_attached_to_the_node(stage: Stage) -> None:
    stage.settings(200)
    disk = f"disk-{stage.namespace}"
    spec = {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": "none",
        "resources": {"requests": {"storage": "1Gi"}},
    }
    claim = await stage.create("PersistentVolumeClaim", "c", spec=spec)
    reference = {"kind": "PersistentVolumeClaim", "namespace": stage.namespace, "name": "c"}
    await stage.kube.create(
        {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": disk},
            "spec": {
                "capacity": {"storage": "1Gi"},
                "accessModes": ["ReadWriteOnce"],
                "storageClassName": "none",
                "csi": {"driver": "disk.csi.azure.com", "volumeHandle": disk},
                "claimRef": {**reference, "uid": claim["metadata"]["uid"]},
            },
        }
    )
    try:
        await stage.pod("p", volumes=[{"name": "data", "persistentVolumeClaim": {"claimName": "c"}}])
        await stage.event("p", "FailedMount", "timed out waiting for the condition")
        attachment = {
            "apiVersion": "storage.k8s.io/v1",
            "kind": "VolumeAttachment",
            "metadata": {"name": disk},
            "spec": {
                "attacher": "disk.csi.azure.com",
                "nodeName": stage.node,
                "source": {"persistentVolumeName": disk},
            },
        }
        await stage.kube.create(attachment)
        complaint = await stage.event("p", "FailedMount", "timed out waiting for the condition")
        await stage.counted(complaint, complaint["count"] + 5)
        pod = await stage.get("p")
        assert pod is not None
        assert waiting("ContainerCreating")(pod)
        status = {"status": {"attached": True}}
        await stage.kube.merge("storage.k8s.io/v1", "VolumeAttachment", disk, status, subresource="status")
        await stage.ready("p")
    finally:
        await stage.kube.delete("storage.k8s.io/v1", "VolumeAttachment", disk)
        await stage.kube.delete("v1", "PersistentVolume", disk)


# --- images


@pytest.mark.parametrize(
    ("image", "text"),
    [
        ("redis/redis-stack:7", "not found"),
        ("registry.example/redis:7", "no such host"),
        ("speechmaticspublic.azurecr.io/rt-asr-transcriber-xx:13.5.0", "not found"),
        ("speechmaticspublic.azurecr.io/resource-manager", "not found"),
        ("redis:7@sha256:12", "invalid reference format"),
    ],
    ids=["repository", "registry", "language", "no tag", "digest"],
)
async def test_an_image_that_does_not_exist(stage: Stage, image: str, text: str) -> None:
    await stage.pull_secret()
    await stage.pod("p", container(image=image), **PULL)
    await stage.event("p", "Failed", text)
    await stage.event("p", "Failed", "Error: ErrImagePull")
    pod = await stage.until("p", waiting("ImagePullBackOff", "Back-off pulling image"))
    assert text in status_of(pod)["state"]["waiting"]["message"]
    assert pod["status"]["phase"] == "Pending"


async def test_a_registry_of_somebodys_own_is_there_when_a_setting_names_it(stage: Stage) -> None:
    await stage.pod("p", container(image="registry.example/own/redis:7"))
    await stage.event("p", "Failed", "no such host")
    stage.settings(FACTOR, mirrors="registry.example")
    await stage.ready("p")
    # the vendor's own registry asks for its login all the same
    stage.settings(FACTOR, mirrors="speechmaticspublic.azurecr.io")
    await stage.pod("q", vendor("main", "worker-proxy"))
    await stage.event("q", "Failed", "401 Unauthorized")


async def test_the_vendors_registry_wants_working_credentials(stage: Stage) -> None:
    tracker = vendor("main", "readiness-tracker")
    await stage.pull_secret("wrong", password="not it")
    await stage.pod("without", tracker)
    await stage.pod("absent", tracker, imagePullSecrets=[{"name": "registry"}])
    await stage.pod("wrong", tracker, imagePullSecrets=[{"name": "wrong"}])
    for name in ("without", "absent", "wrong"):
        await stage.until(name, waiting("ErrImagePull", "401 Unauthorized"))
        await stage.until(name, waiting("ImagePullBackOff", "401 Unauthorized"))
    await stage.event("absent", "FailedToRetrieveImagePullSecret", "(registry)")
    await stage.pull_secret()
    await stage.ready("absent")
    await stage.pod("after", tracker, imagePullSecrets=[{"name": "wrong"}, {"name": "registry"}])
    await stage.ready("after")
    await stage.pod("outsider", tracker)
    await stage.until("outsider", waiting("ErrImagePull", "401 Unauthorized"))


async def test_the_service_accounts_pull_secret_counts(stage: Stage) -> None:
    await stage.pull_secret()
    await stage.create("ServiceAccount", "puller", imagePullSecrets=[{"name": "registry"}])
    await stage.pod("p", vendor("main", "readiness-tracker"), serviceAccountName="puller")
    await stage.ready("p")


async def test_never_pulled_images_are_not_there(stage: Stage) -> None:
    await stage.pod("p", container(image="redis:7.0.1", imagePullPolicy="Never"))
    await stage.until("p", waiting("ErrImageNeverPull", "is not present with pull policy of Never"))


# --- sandbox and user


async def test_an_unknown_runtime_handler(stage: Stage) -> None:
    name = f"nvidia-{stage.namespace}"
    await stage.kube.create(
        {
            "apiVersion": "node.k8s.io/v1",
            "kind": "RuntimeClass",
            "metadata": {"name": name},
            "handler": "nvidia-container-runtime",
        }
    )
    try:
        await stage.pod("plain", runtimeClassName=name)
        await stage.pod("gpu", runtimeClassName=name, node=stage.gpu_node)
        await stage.ready("gpu")
        text = 'no runtime for "nvidia-container-runtime" is configured'
        await stage.event("plain", "FailedCreatePodSandBox", text)
        pod = await stage.get("plain")
        assert pod is not None
        assert condition(pod, "PodReadyToStartContainers")["status"] == "False"
    finally:
        await stage.kube.delete("node.k8s.io/v1", "RuntimeClass", name)


async def test_root_where_root_is_forbidden(stage: Stage) -> None:
    await stage.pod("image", securityContext={"runAsNonRoot": True})
    await stage.pod("asked", container(securityContext={"runAsNonRoot": True, "runAsUser": 0}))
    await stage.pod("fine", container(securityContext={"runAsUser": 999}), securityContext={"runAsNonRoot": True})
    await stage.until("image", waiting("CreateContainerConfigError", "image will run as root"))
    await stage.until("asked", waiting("CreateContainerConfigError", "runAsUser breaks non-root policy"))
    await stage.ready("fine")


# --- probes


def http(port: int | str, path: str, **numbers: int) -> dict[str, Any]:
    return {"httpGet": {"port": port, "path": path}, "periodSeconds": 1, **numbers}


async def test_a_probe_on_a_port_name_nobody_declares(stage: Stage) -> None:
    await stage.pull_secret()
    ready = vendor("main", "worker-proxy", readinessProbe=http("wp-repop", "/ready"))
    await stage.pod("p", ready, **PULL)
    text = 'Readiness probe errored and resulted in unknown state: strconv.Atoi: parsing "wp-repop": invalid syntax'
    await stage.event("p", "Unhealthy", text)
    pod = await stage.get("p")
    assert pod is not None
    assert not is_ready(pod)
    await stage.pod("q", {**ready, "ports": [{"name": "wp-repop", "containerPort": 8024}]}, **PULL)
    await stage.ready("q")


async def test_a_port_that_a_pod_declares_is_not_one_where_its_process_listens(stage: Stage) -> None:
    await stage.pull_secret()
    ready = vendor("main", "worker-proxy", readinessProbe={"tcpSocket": {"port": 8025}, "periodSeconds": 1})
    await stage.pod("p", {**ready, "ports": [{"name": "other", "containerPort": 8025}]}, **PULL)
    await stage.event("p", "Unhealthy", "8025: connect: connection refused")
    pod = await stage.get("p")
    assert pod is not None
    assert not is_ready(pod)


async def test_a_probe_on_a_port_where_nothing_listens(stage: Stage) -> None:
    await stage.pull_secret()
    probe = http(8025, "/ready", failureThreshold=3)
    await stage.pod("p", vendor("main", "worker-proxy", startupProbe=probe), **PULL)
    pod = await stage.until("p", lambda p: p["status"].get("podIP"))
    url = f"http://{pod['status']['podIP']}:8025/ready"
    refused = f"dial tcp {pod['status']['podIP']}:8025: connect: connection refused"
    await stage.event("p", "Unhealthy", f'Startup probe failed: Get "{url}": {refused}')
    await stage.event("p", "Killing", "failed startup probe, will be restarted")
    pod = await stage.until("p", waiting("CrashLoopBackOff"))
    assert status_of(pod)["restartCount"] >= 1
    await stage.event("p", "BackOff", "Back-off restarting failed container main")
    # a number needs no declaration where the image is known to listen
    await stage.pod("q", vendor("main", "worker-proxy", startupProbe=http(8024, "/ready")), **PULL)
    await stage.ready("q")


async def test_a_probe_on_a_path_the_image_does_not_serve(stage: Stage) -> None:
    await stage.pull_secret()
    await stage.pod("p", vendor("main", "worker-proxy", readinessProbe=http(8024, "/readyz")), **PULL)
    await stage.event("p", "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 404")
    pod = await stage.get("p")
    assert pod is not None
    assert not is_ready(pod)


async def test_exec_probes_are_answered_by_the_table(stage: Stage) -> None:
    ping = ["sh", "-c", "redis-cli -h 127.0.0.1 -p 6379 ping | grep -q PONG"]
    await stage.pod("p", container(readinessProbe={"exec": {"command": ping}, "periodSeconds": 1}))
    await stage.ready("p")
    other = ["sh", "-c", "redis-cli -p 6380 ping | grep -q PONG"]
    await stage.pod("q", container(readinessProbe={"exec": {"command": other}, "periodSeconds": 1}))
    await stage.event("q", "Unhealthy", "Could not connect to Redis at 127.0.0.1:6380: Connection refused")
    await stage.pod("r", container(readinessProbe={"exec": {"command": ["/healthy"]}, "periodSeconds": 1}))
    await stage.event("r", "Unhealthy", "not found among the programs")


async def test_a_flood_of_events_is_cut_off(stage: Stage) -> None:
    pod = await stage.pod("p")
    recorder = Recorder(stage.kube)
    for _ in range(40):
        await recorder.record(pod, "Warning", "Unhealthy", "again and again")
    event = await stage.event("p", "Unhealthy")
    assert event["count"] == 25, "what a kubelet lets through at once"
