"""What the stand-in waits for when it creates, reads and deletes, against a real API server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from sandbox.kube import Kube
from sandbox.plane.control_plane import ControlPlane
from tests.sandbox import kubernetes_world as world
from tests.sandbox.kubernetes_world import Engine, Resource, config_map, fresh, init_failure, refusal

Json = dict[str, Any]


def deployment(name: str, **annotations: str) -> Json:
    containers = [{"name": "main", "image": "registry.example/x:1"}]
    template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": containers}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "annotations": {f"pulumi.com/{key}": value for key, value in annotations.items()}},
        "spec": {"selector": {"matchLabels": {"app": name}}, "template": template},
    }


@pytest.fixture
async def engine(control_plane: ControlPlane) -> AsyncIterator[Engine]:
    async with world.engine() as engine:
        await engine.configure(control_plane.admin_kubeconfig())
        yield engine


async def test_a_namespace_made_a_moment_later_is_waited_for(engine: Engine) -> None:
    name = fresh("late")
    inside = config_map(fresh())
    inside["metadata"]["namespace"] = name
    creation = asyncio.create_task(engine.create(inside))
    await asyncio.wait([creation], timeout=0.5)
    assert not creation.done()
    await engine.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    assert (await creation).id == f"{name}/{inside['metadata']['name']}"


async def test_a_deletion_waits_for_finalizers_and_says_which(engine: Engine, kube: Kube) -> None:
    obj = config_map(fresh())
    obj["metadata"]["finalizers"] = ["example.org/hold"]
    resource = await engine.create(obj)
    with refusal("finalizer example.org/hold"):
        await engine.delete(resource, timeout=1)
    deletion = asyncio.create_task(engine.delete(resource, timeout=60))
    await kube.merge("v1", "ConfigMap", obj["metadata"]["name"], {"metadata": {"finalizers": None}}, "default")
    await deletion
    assert await kube.find("v1", "ConfigMap", obj["metadata"]["name"], "default") is None


async def test_a_namespace_is_gone_with_everything_in_it(engine: Engine, kube: Kube) -> None:
    name = fresh("ns")
    namespace = await engine.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    inside = config_map("inside")
    inside["metadata"]["namespace"] = name
    await engine.create(inside)
    await engine.delete(namespace, timeout=60)
    assert await kube.find("v1", "Namespace", name) is None


@pytest.mark.parametrize(("policy", "left"), [("orphan", True), ("background", False), ("foreground", False)])
async def test_what_becomes_of_dependents_is_the_annotations_to_say(
    engine: Engine, kube: Kube, policy: str, left: bool
) -> None:
    name = fresh()
    resource = await engine.create(deployment(name, skipAwait="true"))
    annotated = await engine.update(resource, deployment(name, deletionPropagationPolicy=policy, skipAwait="true"))
    waited = Resource(annotated.urn, annotated.id, annotated.inputs, without_skip(annotated.outputs))
    async for event, _ in kube.watch("apps/v1", "ReplicaSet", "default", labels=f"app={name}"):
        if event == "ADDED":
            break
    await engine.delete(waited, timeout=60)
    if policy == "background":  # the garbage collector takes them some time later
        await until_none(kube, name)
    found = await kube.list("apps/v1", "ReplicaSet", "default", labels=f"app={name}")
    assert bool(found) is left


async def until_none(kube: Kube, name: str) -> None:
    alive: set[str] = set()
    async with asyncio.timeout(60):
        async for event, obj in kube.watch("apps/v1", "ReplicaSet", "default", labels=f"app={name}"):
            if event == "ADDED":
                alive.add(obj["metadata"]["name"])
            elif event == "DELETED":
                alive.discard(obj["metadata"]["name"])
            if event in ("SYNCED", "DELETED") and not alive:
                return


def without_skip(outputs: Json) -> Json:
    inputs = outputs["__inputs"]
    annotations = {k: v for k, v in inputs["metadata"]["annotations"].items() if k != "pulumi.com/skipAwait"}
    return {**outputs, "__inputs": {**inputs, "metadata": {**inputs["metadata"], "annotations": annotations}}}


async def test_what_is_not_ready_is_reported_with_its_state_and_the_reasons(engine: Engine, kube: Kube) -> None:
    name = fresh()
    event = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": fresh(), "namespace": "default"},
        "involvedObject": {"kind": "Deployment", "namespace": "default", "name": name},
        "type": "Warning",
        "reason": "Told",
        "message": "the reason given",
    }
    await kube.create(event)
    with refusal("timed out waiting to be Ready") as caught:
        await engine.create(deployment(name), timeout=2)
    failed = init_failure(caught.value)
    assert failed.id == f"default/{name}"
    assert failed.outputs["metadata"]["name"] == name
    assert any("available: 0 of 1 Pods" in reason for reason in failed.reasons)
    assert any("Told: the reason given" in reason for reason in failed.reasons)


async def test_a_refresh_reports_what_is_not_ready(engine: Engine) -> None:
    resource = await engine.create(deployment(fresh(), skipAwait="true"))
    assert await engine.read(resource) is not None
    awaited = {**resource.inputs, "metadata": {"name": resource.inputs["metadata"]["name"]}}
    with refusal("is not Ready") as caught:
        await engine.read(Resource(resource.urn, resource.id, awaited, resource.outputs))
    assert "selector" in init_failure(caught.value).inputs["spec"]


async def test_a_cancel_ends_the_waiting_and_keeps_the_object(engine: Engine, kube: Kube) -> None:
    name = fresh()
    creation = asyncio.create_task(engine.create(deployment(name)))
    async for event, _ in kube.watch("apps/v1", "Deployment", "default", fields=f"metadata.name={name}"):
        if event == "ADDED":
            break
    await engine.cancel()
    with refusal("cancelled") as caught:
        await asyncio.wait_for(creation, 60)
    assert init_failure(caught.value).id == f"default/{name}"


async def test_a_service_that_selects_no_pod_at_all_is_not_ready(engine: Engine) -> None:
    spec = {"selector": {"app": fresh()}, "ports": [{"port": 80}]}
    with refusal("timed out") as caught:
        await engine.create(
            {"apiVersion": "v1", "kind": "Service", "metadata": {"name": fresh()}, "spec": spec}, timeout=1
        )
    assert any("does not target any Pods" in reason for reason in init_failure(caught.value).reasons)


async def test_a_claim_that_nobody_provides_for_is_not_ready(engine: Engine) -> None:
    requests = {"requests": {"storage": "1Gi"}}
    spec = {"storageClassName": "nobody", "accessModes": ["ReadWriteOnce"], "resources": requests}
    with refusal("timed out"):
        await engine.create(
            {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": fresh()}, "spec": spec},
            timeout=1,
        )
