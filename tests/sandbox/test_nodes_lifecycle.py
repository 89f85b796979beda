"""The life of a pod as its status shows it, played by the node stand-in on the real API server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.kube import Kube
from sandbox.nodes import commands
from sandbox.plane.control_plane import ControlPlane
from tests.sandbox.nodes_world import REDIS, Stage, condition, container, staged, status_of, until, vendor, waiting


@pytest.fixture
async def stage(control_plane: ControlPlane, kube: Kube, namespace: str, tmp_path: Path) -> AsyncIterator[Stage]:
    async with staged(control_plane, kube, namespace, tmp_path) as found:
        yield found


def probe(port: int | str, **numbers: int) -> dict[str, Any]:
    return {"tcpSocket": {"port": port}, "periodSeconds": 1, **numbers}


async def test_a_pod_becomes_ready_with_everything_a_kubelet_reports(stage: Stage) -> None:
    await stage.pod("redis")
    pod = await stage.ready("redis")
    status = pod["status"]
    assert status["phase"] == "Running"
    for kind in ("PodReadyToStartContainers", "Initialized", "ContainersReady", "Ready"):
        assert condition(pod, kind)["status"] == "True", kind
    main = status_of(pod)
    assert main["started"] is True
    assert main["ready"] is True
    assert main["restartCount"] == 0
    assert "running" in main["state"]
    assert main["containerID"].startswith("containerd://")
    assert main["imageID"].startswith("docker.io/library/redis@sha256:")
    assert status["hostIP"] == "10.224.0.4"
    assert status["qosClass"] == "BestEffort"
    assert condition(pod, "Ready")["observedGeneration"] == pod["metadata"]["generation"]
    started = await stage.event("redis", "Started")
    assert started["involvedObject"]["fieldPath"] == "spec.containers{main}"


async def test_every_pod_has_an_address_of_its_own_by_node(stage: Stage) -> None:
    names = [f"redis-{i}" for i in range(6)]
    for i, name in enumerate(names):
        await stage.pod(name, node=stage.node if i % 2 else stage.gpu_node)
    addresses = [str((await stage.ready(name))["status"]["podIP"]) for name in names]
    assert len(set(addresses)) == len(names)
    assert all(address.startswith("10.244.") for address in addresses)
    by_node = [{address.rsplit(".", 1)[0] for address in addresses[start::2]} for start in (0, 1)]
    assert [len(nets) for nets in by_node] == [1, 1]
    assert by_node[0] != by_node[1]


async def test_init_containers_run_one_after_the_other_before_the_rest(stage: Stage) -> None:
    first = container("first", command=["true"])
    sidecar = container("sidecar", restartPolicy="Always", startupProbe=probe(6379), readinessProbe=probe(6379))
    # without a command of its own a server never ends
    await stage.pod("stuck", initContainers=[first, container("server")])
    await stage.pod("flows", initContainers=[first, sidecar])
    pod = await stage.ready("flows")
    assert status_of(pod, "first")["state"]["terminated"]["reason"] == "Completed"
    assert status_of(pod, "first")["ready"] is True
    assert status_of(pod, "sidecar")["started"] is True
    finished = status_of(pod, "first")["state"]["terminated"]["finishedAt"]
    began = status_of(pod, "sidecar")["state"]["running"]["startedAt"]
    assert finished <= began <= status_of(pod)["state"]["running"]["startedAt"]

    stuck = await stage.until("stuck", lambda p: "running" in status_of(p, "server").get("state", {}))
    assert stuck["status"]["phase"] == "Pending"
    assert waiting("PodInitializing")(stuck)
    assert condition(stuck, "Initialized")["reason"] == "ContainersNotInitialized"
    assert "[server]" in condition(stuck, "Initialized")["message"]


async def test_a_sidecar_that_does_not_start_holds_the_pod_back(stage: Stage) -> None:
    sidecar = container("sidecar", restartPolicy="Always", startupProbe=probe(9999, failureThreshold=3))
    await stage.pod("held", initContainers=[sidecar])
    pod = await stage.until("held", lambda p: status_of(p, "sidecar").get("restartCount", 0) >= 1)
    assert waiting("PodInitializing")(pod)
    assert pod["status"]["phase"] == "Pending"
    killing = await stage.event("held", "Killing")
    assert "failed startup probe, will be restarted" in killing["message"]


async def test_a_command_that_ends_completes_its_pod(stage: Stage) -> None:
    await stage.pod("job", container(command=["true"]), restartPolicy="Never")
    pod = await stage.until("job", lambda p: p["status"]["phase"] == "Succeeded")
    assert status_of(pod)["state"]["terminated"]["reason"] == "Completed"
    assert condition(pod, "Ready")["reason"] == "PodCompleted"


async def test_a_new_stand_in_finds_running_pods_running(stage: Stage) -> None:
    await stage.pod("redis", container(readinessProbe=probe(6379, initialDelaySeconds=20)))
    before = await stage.ready("redis")
    await stage.stop()
    await stage.start()
    await stage.pod("later")
    later = await stage.ready("later")
    after = await stage.get("redis")
    assert after is not None
    assert after["metadata"]["resourceVersion"] == before["metadata"]["resourceVersion"]
    assert later["status"]["podIP"] != before["status"]["podIP"]
    code, out, _ = _exec_hostname(stage)
    assert (code, out) == (0, b"redis\n")


def _exec_hostname(stage: Stage) -> tuple[int, bytes, bytes]:
    worker = stage.played()["redis"]
    done = commands.run(["hostname"], worker.inside(worker.apps[0]))
    return done.code, done.out, done.error


async def test_a_stand_in_that_comes_back_goes_on_where_it_was(stage: Stage) -> None:
    stage.settings(1)
    await stage.pod("slow", container(startupProbe=probe(6379, initialDelaySeconds=3)))
    before = await stage.until("slow", lambda p: "running" in status_of(p).get("state", {}))
    await stage.stop()
    await stage.start()
    after = await stage.ready("slow")
    assert status_of(after)["containerID"] == status_of(before)["containerID"]
    assert status_of(after)["restartCount"] == 0


async def test_a_stand_in_that_comes_back_reports_what_happens_then(stage: Stage) -> None:
    stage.settings(1)
    liveness = probe(1234, initialDelaySeconds=3, failureThreshold=1)
    await stage.pod("frail", container(readinessProbe=probe(1234), livenessProbe=liveness))
    await stage.until("frail", lambda p: "running" in status_of(p).get("state", {}))
    await stage.stop()
    await stage.start()
    pod = await stage.until("frail", lambda p: status_of(p)["restartCount"] == 1)
    assert condition(pod, "Ready")["status"] == "False"


async def test_the_pods_of_a_node_that_is_gone_are_not_played(stage: Stage) -> None:
    await stage.pod("redis")
    await stage.ready("redis")
    await stage.kube.delete("v1", "Node", stage.node)
    await until(lambda: not stage.played())
    pod = await stage.get("redis")
    assert pod is not None, "it is the pod garbage collector that takes it"
    await stage.hold("redis", 1)
    await stage.add_node(stage.node)
    await until(lambda: "redis" in stage.played())


async def test_readiness_gates_count(stage: Stage) -> None:
    await stage.pod("gated", readinessGates=[{"conditionType": "example.com/open"}])
    pod = await stage.until("gated", lambda p: status_of(p).get("ready"))
    assert condition(pod, "Ready")["reason"] == "ReadinessGatesNotReady"
    gate = {"type": "example.com/open", "status": "True"}
    path = f"/api/v1/namespaces/{stage.namespace}/pods/gated/status"
    await stage.kube.request(
        "PATCH", path, {"status": {"conditions": [gate]}}, content_type="application/strategic-merge-patch+json"
    )
    pod = await stage.ready("gated")
    assert condition(pod, "example.com/open")["status"] == "True"


async def test_a_liveness_probe_that_fails_restarts_its_container(stage: Stage) -> None:
    await stage.pod("frail", vendor("main", "readiness-tracker", livenessProbe=probe(1234, failureThreshold=1)),
                    imagePullSecrets=[{"name": "registry"}])  # fmt: skip
    await stage.pull_secret()
    pod = await stage.until("frail", lambda p: status_of(p).get("restartCount", 0) >= 1)
    ended = status_of(pod)["lastState"]["terminated"]
    assert ended["exitCode"] == 143
    assert ended["reason"] == "Error"
    await stage.until("frail", waiting("CrashLoopBackOff", "back-off 10s restarting failed container=main"))
    assert REDIS not in str(pod["spec"])
