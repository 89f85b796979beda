"""The stand-in against a real API server, for what an engine does not show or the real plugin may do otherwise."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import grpc.aio
import pytest
from pulumi.runtime.proto import provider_pb2

from sandbox import rpc
from sandbox.kube import Kube
from sandbox.kubernetes import sessions
from sandbox.kubernetes.provider import Provider
from sandbox.plane.control_plane import ControlPlane
from tests.sandbox import kubernetes_world as world
from tests.sandbox.kubernetes_world import Engine, Resource, config_map, fresh, refusal

Json = dict[str, Any]
NOWHERE = """
current-context: x
clusters: [{name: x, cluster: {server: "https://127.0.0.1:9"}}]
users: [{name: x, user: {token: x}}]
contexts: [{name: x, context: {cluster: x, user: x}}]
"""


@pytest.fixture
async def cut_off() -> AsyncIterator[Engine]:
    """A provider whose cluster does not answer."""
    async with world.engine() as engine:
        await engine.configure(NOWHERE)
        yield engine


@pytest.fixture
async def engine(control_plane: ControlPlane) -> AsyncIterator[Engine]:
    async with world.engine() as engine:
        await engine.configure(control_plane.admin_kubeconfig())
        yield engine


async def test_fields_the_api_server_does_not_know_are_refused(engine: Engine) -> None:
    obj = {**config_map(fresh()), "dat": {"a": "1"}}
    with refusal('unknown field "dat"'):
        await engine.create(obj)
    with refusal('unknown field "dat"'):
        await engine.create(obj, preview=True)
    resource = await engine.create(config_map(fresh()))
    with refusal("field not declared in schema"):
        await engine.update(resource, {**resource.inputs, "dat": {"a": "1"}})


async def test_generated_names_are_refused(engine: Engine) -> None:
    with refusal("generateName"):
        await engine.check({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"generateName": "a-"}})


async def test_an_unnamed_object_is_named_and_keeps_its_name(engine: Engine) -> None:
    unnamed: Json = {"apiVersion": "v1", "kind": "ConfigMap"}
    inputs = await engine.check(unnamed, name="map")
    assert inputs["metadata"]["name"].startswith("map-")
    assert inputs["metadata"]["annotations"] == {"pulumi.com/autonamed": "true"}
    assert inputs["metadata"]["namespace"] == "default"
    kept = await engine.check(unnamed, name="renamed", old=inputs)
    assert kept["metadata"] == inputs["metadata"]


async def test_only_namespaced_kinds_get_a_namespace(engine: Engine) -> None:
    inputs = await engine.check({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "n"}})
    assert "namespace" not in inputs["metadata"]


async def test_functions_are_refused(engine: Engine) -> None:
    with refusal("kubernetes:helm:template"):
        await engine.stub.Invoke(provider_pb2.InvokeRequest(tok="kubernetes:helm:template"))


async def test_a_field_no_longer_declared_is_removed_and_one_of_others_is_not(engine: Engine, kube: Kube) -> None:
    name = fresh()
    resource = await engine.create(config_map(name, ours="1", ours_too="1"))
    await kube.merge("v1", "ConfigMap", name, {"data": {"theirs": "1"}}, "default")
    updated = await engine.update(resource, config_map(name, ours="2"))
    assert updated.outputs["data"] == {"ours": "2", "theirs": "1"}
    assert updated.outputs["__inputs"]["data"] == {"ours": "2"}


async def test_the_field_manager_stays_the_same(engine: Engine, kube: Kube) -> None:
    name = fresh()
    resource = await engine.create(config_map(name, a="1"))
    updated = await engine.update(resource, config_map(name, a="2"))
    assert updated.outputs["__fieldManager"] == resource.outputs["__fieldManager"]
    live = await kube.get("v1", "ConfigMap", name, "default")
    assert [(e["manager"], e["operation"]) for e in live["metadata"]["managedFields"]] == [
        (resource.outputs["__fieldManager"], "Apply")
    ]


async def test_a_conflict_is_overcome_by_force_only_where_it_is_annotated(engine: Engine, kube: Kube) -> None:
    name = fresh()
    resource = await engine.create(config_map(name, a="1"))
    await kube.merge("v1", "ConfigMap", name, {"data": {"a": "theirs"}}, "default")
    obj = config_map(name, a="2")
    with refusal('conflict with "test"'):
        await engine.update(resource, obj)
    obj["metadata"]["annotations"] = {"pulumi.com/patchForce": "true"}
    assert (await engine.update(resource, obj)).outputs["data"] == {"a": "2"}


async def test_an_object_that_is_gone_is_gone_for_the_engine(engine: Engine, kube: Kube) -> None:
    resource = await engine.create(config_map(fresh()))
    await kube.delete("v1", "ConfigMap", resource.inputs["metadata"]["name"], "default")
    assert await engine.read(resource) is None
    await engine.delete(resource)


async def test_an_object_can_be_imported_by_its_id(engine: Engine, kube: Kube) -> None:
    obj = config_map(fresh(), a="1")
    await kube.create({**obj, "metadata": {**obj["metadata"], "namespace": "default"}})
    found = await engine.read(Resource(world.urn(obj), f"default/{obj['metadata']['name']}", {}, {}))
    assert found is not None
    assert found.inputs == {**obj, "metadata": {**obj["metadata"], "namespace": "default"}}
    diff = await engine.diff(found, obj)
    assert not diff.detailedDiff


async def test_a_custom_resource_definition_is_updated_in_place(engine: Engine, kube: Kube) -> None:
    group = f"{fresh('g')}.example"

    def definition(**fields: Json) -> Json:
        schema = {"type": "object", "properties": {"spec": {"type": "object", "properties": fields}}}
        version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
        names = {"kind": "Thing", "plural": "things", "singular": "thing"}
        return {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": f"things.{group}"},
            "spec": {"group": group, "scope": "Namespaced", "names": names, "versions": [version]},
        }

    number: Json = {"x_kubernetes_int_or_string": True}
    crd = await engine.create(definition(a=number))
    thing = await engine.create(
        {"apiVersion": f"{group}/v1", "kind": "Thing", "metadata": {"name": "t"}, "spec": {"a": 1}}
    )
    changed = definition(a=number, b={"type": "string"})
    assert not (await engine.diff(crd, changed)).replaces
    updated = await engine.update(crd, changed)
    assert not (await engine.diff(updated, changed)).detailedDiff
    live = await kube.get(f"{group}/v1", "Thing", "t", "default")
    assert live["metadata"]["uid"] == thing.outputs["metadata"]["uid"]


async def test_without_a_cluster_nothing_is_changed_and_nothing_forgotten(cut_off: Engine) -> None:
    obj = config_map(fresh())
    previewed = await cut_off.create(obj, preview=True)
    assert previewed.outputs == previewed.inputs
    resource = Resource(world.urn(obj), f"default/{obj['metadata']['name']}", previewed.inputs, previewed.outputs)
    with refusal("unreachable"):
        await cut_off.create(obj)
    with refusal("unreachable"):
        await cut_off.read(resource)
    with refusal("unreachable"):
        await cut_off.delete(resource)


@pytest.fixture
async def pair() -> AsyncIterator[tuple[Engine, Engine]]:
    """Two provider resources of one process: two connections."""
    provider = Provider()
    server, port = await rpc.serve(provider)
    address, options = f"127.0.0.1:{port}", [("grpc.use_local_subchannel_pool", 1)]
    async with (
        grpc.aio.insecure_channel(address, options=options) as one,
        grpc.aio.insecure_channel(address, options=options) as two,
    ):
        yield Engine(one), Engine(two)
    await server.stop(None)
    await provider.close()


async def test_provider_resources_of_one_process_are_told_apart(
    pair: tuple[Engine, Engine], control_plane: ControlPlane
) -> None:
    mutable, immutable = pair
    kubeconfig, name = control_plane.admin_kubeconfig(), fresh()
    await mutable.configure(kubeconfig, enableConfigMapMutable="true", namespace="kube-system")
    await immutable.configure(kubeconfig)
    obj, changed = config_map(name, a="1"), config_map(name, a="2")
    first, second = await mutable.create(obj), await immutable.create(obj)
    assert [first.id, second.id] == [f"kube-system/{name}", f"default/{name}"]
    assert not (await mutable.diff(first, changed)).replaces
    assert (await immutable.diff(second, changed)).replaces == ["data.a"]


async def test_a_connection_that_was_idle_works_again(
    pair: tuple[Engine, Engine], control_plane: ControlPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[Kube] = []
    close = Kube.close

    async def recorded(kube: Kube) -> None:
        closed.append(kube)
        await close(kube)

    monkeypatch.setattr(Kube, "close", recorded)
    monkeypatch.setattr(sessions, "IDLE_SECONDS", 0.0)
    first, second = pair
    await first.configure(control_plane.admin_kubeconfig())
    await second.configure(control_plane.admin_kubeconfig())
    assert len(closed) == 1
    assert (await first.create(config_map(fresh()))).id
