"""What becomes of SessionGroups in a real API server, through rolls, sessions, failures and restarts."""

from __future__ import annotations

import asyncio
import logging

import pytest

from tests.sandbox.twin.objects import NAME, session_group
from tests.sandbox.twin.world import World, all_ready, eventually, nothing_happens


async def image_changed(world: World, tag: str) -> None:
    template = session_group(image=tag)["spec"]["template"]
    await world.change(session_group(), template=template)


async def test_a_group_gets_its_pods_and_its_status(world: World) -> None:
    group = await world.create(session_group(replicas=2))
    status = await world.status_is(replicas=2, capacity=4)
    assert status == {
        "activeSessions": 0, "capacity": 4, "replicas": 2, "specHash": status["specHash"], "specVersion": 1,
        "totalSessions": 4, "usage": 0,
    }  # fmt: skip
    for pod in await world.pods():
        (owner,) = pod["metadata"]["ownerReferences"]
        assert owner == {
            "apiVersion": "speechmatics.com/v1", "kind": "SessionGroup", "name": NAME,
            "uid": group["metadata"]["uid"], "controller": True, "blockOwnerDeletion": True,
        }  # fmt: skip
        assert pod["metadata"]["labels"]["speechmatics.com/spec-version"] == "1"
        assert pod["metadata"]["labels"]["speechmatics.io/safe-to-evict"] == "false"
        for container in [*pod["spec"]["containers"], *pod["spec"]["initContainers"]]:
            last = [entry["name"] for entry in container["env"][-3:]]
            assert last == ["SM_DEPLOYMENT_NAME", "SM_NODE_NAME", "SM_SPEC_VERSION"]
    stored = (await world.group())["spec"]
    assert stored["template"] == group["spec"]["template"]
    assert "created pod" in (await world.event("PodCreated"))["message"]


async def test_usage_follows_the_sessions(world: World) -> None:
    await world.create(session_group(replicas=2))
    await world.status_is(replicas=2, usage=0)
    first, second = await world.names()
    await world.sessions(first, 2)
    await world.sessions(second, 1)
    await world.status_is(usage=3, activeSessions=3, capacity=4)
    await world.sessions(first, 0)
    await world.status_is(usage=1, activeSessions=1)


async def test_a_roll_replaces_idle_pods_new_first_and_leaves_busy_ones(world: World) -> None:
    await world.create(session_group(replicas=2))
    await world.status_is(replicas=2)
    await all_ready(world, 2)
    busy, idle = await world.names()
    await world.sessions(busy, 1)
    await world.status_is(usage=1)
    world.held.add(NAME)
    await image_changed(world, "13.5.1")
    await world.status_is(specVersion=2, replicas=3)
    assert set(await world.names(version=1)) == {busy, idle}, "an old pod went before the new one was Ready"
    world.held.clear()
    (new,) = await world.names(version=2)
    await world.ready(new)

    async def rolled() -> bool:
        return await world.names(version=1) == [busy] and len(await world.names(version=2)) == 2

    await eventually(rolled, "the idle pod is replaced")
    await all_ready(world, 3)
    await nothing_happens(world, await world.names())
    assert busy in await world.names()
    await world.sessions(busy, 0)

    async def done() -> bool:
        return await world.names(version=1) == [] and len(await world.names()) == 2

    await eventually(done, "the old pod goes when it is idle")
    await world.status_is(specVersion=2, replicas=2, usage=0)


async def test_going_back_is_a_new_version_of_the_same_hash(world: World) -> None:
    await world.create(session_group())
    first = await world.status_is(specVersion=1, replicas=1)
    await image_changed(world, "13.5.1")
    second = await world.status_is(specVersion=2, replicas=1)
    await image_changed(world, "13.5.0")
    third = await world.status_is(specVersion=3, replicas=1)
    assert first["specHash"] == third["specHash"] != second["specHash"]
    assert len(first["specHash"]) == 32


async def test_the_buffer_scales_through_spec_replicas_and_owns_them(world: World) -> None:
    scaling = {"enabled": True, "minReplicas": 1, "maxReplicas": 3, "scaleOnCapacityLeft": 2, "scaleDownDelay": "1s"}
    await world.create(session_group(scaling=scaling))
    await world.status_is(replicas=1)
    (first,) = await world.names()
    await world.sessions(first, 2)
    await world.status_is(replicas=2, capacity=4, usage=2)
    group = await world.group()
    assert group["spec"]["replicas"] == 2
    owners = [
        m["manager"] for m in group["metadata"]["managedFields"] if "f:replicas" in m["fieldsV1"].get("f:spec", {})
    ]
    assert "sessiongroups-controller" in owners
    await world.sessions(first, 0)
    await world.status_is(replicas=1, usage=0)
    assert (await world.group())["spec"]["replicas"] == 1


async def test_replicas_are_kept_while_scaling_is_off(world: World) -> None:
    await world.create(session_group(replicas=1, scaling={"enabled": False, "scaleOnCapacityLeft": 5}))
    await world.status_is(replicas=1)
    (name,) = await world.names()
    await world.sessions(name, 2)
    await world.status_is(usage=2)
    await nothing_happens(world, [name])
    await world.admin.merge(
        "speechmatics.com/v1", "SessionGroup", NAME, {"spec": {"replicas": 2}}, world.namespace, "scale"
    )
    await world.status_is(replicas=2)
    await world.change(session_group(), replicas=1)
    await world.status_is(replicas=1, usage=2)
    assert await world.names() == [name], "the busy pod went"


async def test_a_pod_that_went_or_failed_is_made_anew(world: World) -> None:
    await world.create(session_group())
    await world.status_is(replicas=1)
    (first,) = await world.names()
    await world.admin.delete("v1", "Pod", first, world.namespace, grace_seconds=0)

    async def another() -> bool:
        names = await world.names()
        return len(names) == 1 and first not in names

    await eventually(another, "a pod in place of the deleted one")
    await all_ready(world, 1)
    (second,) = await world.names()
    await world.ready(second, False, phase="Failed")

    async def third() -> bool:
        names = await world.names()
        return len(names) == 1 and second not in names

    await eventually(third, "a pod in place of the failed one")


async def test_a_stopping_pod_is_replaced_at_once_and_its_sessions_still_count(world: World) -> None:
    await world.create(session_group())
    await world.status_is(replicas=1)
    (first,) = await world.names()
    await world.sessions(first, 1)
    await world.run_on(first, "a-node")
    await world.admin.delete("v1", "Pod", first, world.namespace, grace_seconds=600)
    await eventually(world.names, "another pod")
    await world.status_is(replicas=1, capacity=2, usage=1, activeSessions=1)
    assert first in [pod["metadata"]["name"] for pod in await world.pods()], "it stops, and is not gone"
    await world.admin.delete("v1", "Pod", first, world.namespace, grace_seconds=0)
    await world.status_is(replicas=1, usage=0)


@pytest.mark.parametrize("answer", ["Unknown", "False", "gone"])
async def test_the_pods_of_a_lost_node_are_replaced_and_a_busy_one_is_not_deleted(world: World, answer: str) -> None:
    node = f"{world.namespace}-node"
    await world.node(node)
    await world.create(session_group(replicas=2))
    await world.status_is(replicas=2)
    busy, idle = await world.names()
    await world.sessions(busy, 1)
    await world.run_on(busy, node)
    await world.run_on(idle, node)
    await world.status_is(replicas=2, usage=1)
    if answer == "gone":
        await world.admin.delete("v1", "Node", node)
    else:
        await world.node_is(node, answer)

    async def replaced() -> bool:
        return idle not in await world.names() and len(await world.names()) == 3

    await eventually(replaced, "the idle one goes, two others come")
    assert busy in await world.names()
    await world.status_is(replicas=2, usage=1, activeSessions=1)
    if answer != "gone":
        await world.node_is_back(node)

        async def two() -> bool:
            return len(await world.names()) == 2

        await eventually(two, "the busy one is a replica again, so an idle one is too many")
        assert busy in await world.names()
        await world.admin.delete("v1", "Node", node)


async def test_recreate_makes_room_first(world: World) -> None:
    await world.create(session_group(replicas=2, strategyRecreate=True))
    await world.status_is(replicas=2)
    busy, idle = await world.names()
    await world.sessions(busy, 1)
    await world.status_is(usage=1)
    await image_changed(world, "13.5.1")

    async def rolled() -> bool:
        return await world.names(version=1) == [busy] and len(await world.names(version=2)) == 1

    await eventually(rolled, "the idle pod is replaced")
    await nothing_happens(world, await world.names())
    assert idle not in await world.names()


async def test_a_group_that_registers_nothing_has_no_capacity_and_says_so(world: World) -> None:
    group = session_group()
    group["spec"]["template"]["spec"]["containers"].pop()
    await world.create(group)
    assert (await world.event("CapacityUnknown"))["type"] == "Warning"
    await world.status_is(replicas=1, capacity=0, totalSessions=0)


async def test_features_no_sidecar_could_read_leave_the_group_as_it_is(world: World) -> None:
    await world.create(session_group())
    await world.status_is(replicas=1)
    (name,) = await world.names()
    template = session_group(image="13.5.1")["spec"]["template"]
    template["spec"]["containers"][1]["env"][0]["value"] = "capacity: 2"
    await world.change(session_group(), template=template)
    assert "REGISTER_FEATURES" in (await world.event("FeaturesUnreadable"))["message"]
    await world.sessions(name, 1)
    await world.status_is(usage=1)
    assert await world.names() == [name]


async def test_a_pod_that_became_busy_unseen_is_not_deleted(bare: World) -> None:
    """The deletion is for the state in which the pod was judged idle, and for no other."""
    await bare.create(session_group())
    async with bare.late_controller("Pod"):
        await bare.status_is(replicas=1)
        (name,) = await bare.names()
        await bare.sessions(name, 1)
        await bare.change(session_group(), replicas=0)
        await bare.status_is(usage=1)
        assert await bare.names() == [name]


async def test_no_pod_is_created_twice_because_news_of_it_is_late(
    bare: World, caplog: pytest.LogCaptureFixture
) -> None:
    await bare.create(session_group(replicas=3, maxPodsCreateAtOnce=9))
    with caplog.at_level(logging.INFO, "sandbox.twin"):
        async with bare.late_controller("Pod", "SessionGroup"):
            await bare.status_is(replicas=3)
            await nothing_happens(bare, await bare.names())
    assert len(await bare.names()) == 3
    assert not [r for r in caplog.records if "looking again" in r.getMessage()], "it wrote from a state it had changed"


async def test_defragmentation_is_refused_in_sight(world: World) -> None:
    await world.create(session_group(defrag={"enabled": True}))
    event = await world.event("DefragNotPlayed")
    assert (event["type"], event["involvedObject"]["name"]) == ("Warning", NAME)
    await world.status_is(replicas=0)
    assert await world.names() == []
    await world.change(session_group(), defrag={"enabled": False})
    await world.status_is(replicas=1)


async def test_a_pod_the_api_server_refuses_is_an_event(world: World) -> None:
    group = session_group()
    group["spec"]["template"]["spec"]["containers"][0]["imagePullPolicy"] = "Sometimes"
    await world.create(group)
    assert "imagePullPolicy" in (await world.event("ReconcileFailed"))["message"]


async def test_a_twin_started_anew_goes_on_where_the_other_stopped(bare: World) -> None:
    await bare.grant()
    await bare.deploy()
    await bare.create(session_group(replicas=5, maxPodsCreateAtOnce=2))
    bare.held.add(NAME)
    async with bare.kubelet():
        async with bare.twin():
            await bare.status_is(replicas=2)
        before = await bare.names()
        async with bare.twin():
            await nothing_happens(bare, before)
            bare.held.clear()
            for name in before:
                await bare.ready(name)
            await bare.status_is(replicas=5, specVersion=1)
        whole = await bare.names()
        async with bare.twin():
            await nothing_happens(bare, whole)
    assert set(before) < set(whole)


async def test_sixty_groups_get_exactly_their_pods(world: World) -> None:
    names = [f"rt-transcriber-{i:02}" for i in range(60)]
    await asyncio.gather(*(world.create(session_group(name, replicas=2)) for name in names))

    async def complete() -> bool:
        groups = await world.admin.list("speechmatics.com/v1", "SessionGroup", world.namespace)
        return all(group.get("status", {}).get("replicas") == 2 for group in groups)

    await eventually(complete, "all groups have their replicas", within=120)
    pods = await world.admin.list("v1", "Pod", world.namespace)
    owners = [p["metadata"]["ownerReferences"][0]["name"] for p in pods if p["metadata"].get("ownerReferences")]
    assert sorted(owners) == sorted(names * 2)
    created = sum(event["count"] for event in await world.events("PodCreated"))
    assert created == 120


async def test_a_deleted_group_takes_its_pods_with_it(world: World) -> None:
    await world.create(session_group(replicas=2))
    await world.status_is(replicas=2)
    await world.admin.delete("speechmatics.com/v1", "SessionGroup", NAME, world.namespace)

    async def gone() -> bool:
        return await world.pods() == []

    # the garbage collector looks for new kinds every 30 s
    await eventually(gone, "the garbage collector takes the pods")
    await nothing_happens(world, [])
