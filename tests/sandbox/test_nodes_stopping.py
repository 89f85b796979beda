"""How pods end: when their sessions and processes have, or their grace is over; and who is told."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sandbox import settings
from sandbox.kube import Kube
from sandbox.nodes.images import VENDOR
from sandbox.nodes.kubelet import asked_to_stop
from sandbox.plane.control_plane import ControlPlane
from sandbox.sessions.rows import BusySigterm
from tests.sandbox.nodes_world import FACTOR, Stage, container, env, is_ready, staged

TRITON = f"{VENDOR}/sm-gpu-inference-server-enhanced-recipe1:13.5.0"


@pytest.fixture
async def stage(control_plane: ControlPlane, kube: Kube, namespace: str, tmp_path: Path) -> AsyncIterator[Stage]:
    async with staged(control_plane, kube, namespace, tmp_path) as found:
        yield found


async def no_event(stage: Stage, name: str, reason: str) -> None:
    found = await stage.kube.list("v1", "Event", stage.namespace, fields=f"involvedObject.name={name},reason={reason}")
    assert not found, [event["message"] for event in found]


async def test_an_idle_pod_goes_when_its_process_has_ended(stage: Stage) -> None:
    await stage.pod("redis", terminationGracePeriodSeconds=80000)
    await stage.ready("redis")
    stage.settings(0.5)
    await stage.delete("redis")
    pod = await stage.get("redis")
    assert pod is not None, "not at once"
    assert pod["status"]["phase"] == "Running"
    assert await stage.gone("redis") > 1, "a second at half the speed, and not its grace"
    await stage.event("redis", "Killing", "Stopping container main")
    await no_event(stage, "redis", "SessionsCut")


async def test_a_pod_that_waits_for_something_goes_at_once(stage: Stage) -> None:
    await stage.pod("p", volumes=[{"name": "x", "secret": {"secretName": "y"}}], terminationGracePeriodSeconds=80000)
    await stage.event("p", "FailedMount")
    await stage.delete("p")
    await stage.gone("p")


async def test_a_pod_with_sessions_waits_for_them(stage: Stage) -> None:
    await stage.pod("busy", sessions=2, terminationGracePeriodSeconds=80000)
    await stage.ready("busy")
    await stage.delete("busy")
    await stage.event("busy", "Killing")
    await stage.hold("busy", 1)
    began = time.monotonic()
    while time.monotonic() - began < 1.0:
        # the process alone would have been gone after 1 s / 20
        pod = await stage.until("busy", lambda p: "deletionTimestamp" in p["metadata"])
    assert is_ready(pod), "its probes say so still; it is the endpoints that leave it out"
    assert pod["status"]["phase"] == "Running"
    await stage.hold("busy", 0)
    await stage.gone("busy")
    await no_event(stage, "busy", "SessionsCut")


async def test_the_grace_cuts_sessions_and_says_so(stage: Stage) -> None:
    await stage.pod("busy", sessions=3, terminationGracePeriodSeconds=40)
    await stage.ready("busy")
    await stage.delete("busy")
    took = await stage.gone("busy")
    assert took > 40 / 20 * 0.8, "the grace is 40 s, twenty times as fast"
    cut = await stage.event("busy", "SessionsCut", "3 sessions were cut")
    assert cut["type"] == "Warning"


async def test_row_busy_sigterm_in_the_node_stand_in(stage: Stage) -> None:
    """Hostile: the processes of a busy pod end at SIGTERM as an idle one's do, unless a preStop hook waits."""
    hook = {"preStop": {"exec": {"command": ["/bin/bash", "-c", "true"]}}}
    license_key = {"name": "license", "mountPath": "/etc/secrets"}
    await stage.pull_secret()
    await stage.create("Secret", "license", data={"license.json": "e30="})
    volume = {"name": "license", "secret": {"secretName": "license"}}
    for name, lifecycle in (("plain", {}), ("hooked", hook)):
        main = container(image=TRITON, volumeMounts=[license_key], lifecycle=lifecycle)
        await stage.pod(
            name, main, sessions=1, terminationGracePeriodSeconds=80000, volumes=[volume],
            imagePullSecrets=[{"name": "registry"}],
        )  # fmt: skip
        await stage.ready(name)
    settings.write(settings.Settings(time_factor=FACTOR, busy_sigterm=BusySigterm.ENDS), stage.home)
    for name in ("plain", "hooked"):
        await stage.delete(name)
    await stage.gone("plain")
    await stage.event("plain", "SessionsCut", "1 sessions were cut: its busy processes ended at SIGTERM")
    assert await stage.get("hooked") is not None
    await stage.hold("hooked", 0)
    await stage.gone("hooked")
    await no_event(stage, "hooked", "SessionsCut")


async def test_a_shorter_grace_is_obeyed(stage: Stage) -> None:
    await stage.pod("busy", sessions=1, terminationGracePeriodSeconds=80000)
    await stage.ready("busy")
    await stage.delete("busy")
    await stage.event("busy", "Killing")
    await stage.delete("busy", grace=20)
    await stage.gone("busy")
    await stage.event("busy", "SessionsCut")


async def test_sessions_cut_by_force_or_with_their_node_are_told(stage: Stage) -> None:
    for name, node in (("forced", stage.node), ("with-node", stage.gpu_node)):
        await stage.pod(name, sessions=1, node=node)
        await stage.ready(name)
    await stage.delete("forced", grace=0)
    await stage.event("forced", "SessionsCut", "deleted without grace")
    await stage.kube.delete("v1", "Node", stage.gpu_node)
    await stage.event("with-node", "SessionsCut", f"its node {stage.gpu_node} is gone")


async def test_a_new_stand_in_keeps_to_the_old_deadline(stage: Stage) -> None:
    await stage.pod("busy", sessions=1, terminationGracePeriodSeconds=120)
    await stage.pod("idle", terminationGracePeriodSeconds=80000)
    await stage.ready("busy")
    await stage.ready("idle")
    await stage.delete("busy")
    told = time.time()
    await stage.event("busy", "Killing")
    await stage.stop()
    await stage.delete("idle")
    await stage.start()
    await stage.gone("idle")
    await stage.gone("busy")
    assert time.time() - told > 120 / FACTOR - 1
    await stage.event("busy", "SessionsCut")


def test_the_moment_of_the_request_is_read_from_the_object() -> None:
    deleted = {"metadata": {"deletionTimestamp": "2026-11-23T12:01:00Z", "deletionGracePeriodSeconds": 60}}
    noon = datetime(2026, 11, 23, 12, tzinfo=UTC).timestamp()
    assert noon <= asked_to_stop(deleted) <= noon + 1


async def test_an_idle_inference_server_takes_its_pre_stop_hook(stage: Stage) -> None:
    await stage.pull_secret()
    await stage.create("Secret", "license", stringData={"license.json": "{}"})
    hook = {"preStop": {"exec": {"command": ["/bin/bash", "-c", "drain"]}}}
    triton = container(
        image=TRITON,
        env=env(SM_LICENSE_FILE="/l/license.json"),
        volumeMounts=[{"name": "l", "mountPath": "/l"}],
    )
    volume = {"name": "l", "secret": {"secretName": "license"}}
    for name, body in (("with", {**triton, "lifecycle": hook}), ("without", triton)):
        await stage.pod(name, body, volumes=[volume], imagePullSecrets=[{"name": "registry"}],
                        terminationGracePeriodSeconds=600)  # fmt: skip
    for name in ("with", "without"):
        await stage.ready(name)
    began = time.monotonic()
    for name in ("with", "without"):
        await stage.delete(name)
    await stage.gone("without")
    without = time.monotonic() - began
    await stage.gone("with")
    took = time.monotonic() - began
    assert took >= 21 / 20, "a little over 20 s without a connection"
    assert without < took
