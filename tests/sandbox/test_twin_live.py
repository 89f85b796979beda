"""The twin against a real API server: with the controller's rights only, idle-only, through restarts."""

from __future__ import annotations

import asyncio
import itertools
import logging
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sandbox.kube import Kube
from sandbox.twin import instance
from sandbox.twin.identity import TOKEN_SECONDS
from tests.sandbox.twin_world import RULES, World, eventually, session_group

Json = dict[str, Any]
NAMESPACES = itertools.count(1)
NAME = "rt-transcriber-en"
LEASES = "coordination.k8s.io/v1"


@pytest.fixture
async def bare(control_plane: Any) -> AsyncIterator[World]:
    """A namespace in which nobody has given the controller any right."""
    kubeconfig = control_plane.admin_kubeconfig()
    async with Kube(kubeconfig, "test") as admin:
        world = World(admin, kubeconfig, f"twin-{next(NAMESPACES)}")
        await world.install()
        yield world
        await admin.delete("v1", "Namespace", world.namespace)


@pytest.fixture
async def world(bare: World) -> AsyncIterator[World]:
    """The twin playing a controller that is deployed and Ready, pods starting as they should."""
    await bare.grant()
    await bare.deploy()
    async with bare.kubelet(), bare.twin():
        yield bare


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


async def test_it_acts_as_its_service_account_and_nobody_else(world: World) -> None:
    await world.create(session_group())
    await world.status_is(replicas=1)
    managers = {entry["manager"] for pod in await world.pods() for entry in pod["metadata"]["managedFields"]}
    assert "sessiongroups-controller" in managers
    lease = await world.admin.get(LEASES, "Lease", "sessiongroups-controller", world.namespace)
    assert lease["spec"]["holderIdentity"].startswith("sessiongroups-controller-0_")


async def test_without_rights_nothing_works_and_the_log_says_why(bare: World, caplog: pytest.LogCaptureFixture) -> None:
    await bare.deploy()
    await bare.create(session_group())
    with caplog.at_level(logging.ERROR, "sandbox.twin"):
        async with bare.kubelet(), bare.twin():
            user = f"system:serviceaccount:{bare.namespace}:resource-manager-sessiongroups"

            async def refused() -> bool:
                return any("403" in r.getMessage() and user in r.getMessage() for r in caplog.records)

            await eventually(refused, "a 403 in the log")
            assert await bare.names() == []
            assert "status" not in await bare.group()
            await bare.grant()
            await bare.status_is(replicas=1)


async def test_one_missing_right_is_an_event_on_the_group(bare: World) -> None:
    rules = [dict(rule) for rule in RULES]
    rules[3] = {**rules[3], "verbs": ["get", "list", "watch"], "resources": ["pods"]}
    rules.append({"apiGroups": [""], "resources": ["events"], "verbs": ["create", "get", "patch"]})
    await bare.grant(rules)
    await bare.deploy()
    await bare.create(session_group())
    async with bare.twin():
        event = await bare.event("ReconcileFailed")
        assert event["type"] == "Warning"
        assert event["involvedObject"]["name"] == NAME
        assert "403" in event["message"]
        assert await bare.names() == []


async def test_a_missing_right_to_watch_pods_stops_it_too(bare: World, caplog: pytest.LogCaptureFixture) -> None:
    await bare.grant([rule for rule in RULES if "pods" not in rule["resources"]])
    await bare.deploy()
    await bare.create(session_group())

    async def refused() -> bool:
        return any('cannot list resource "pods"' in record.getMessage() for record in caplog.records)

    with caplog.at_level(logging.ERROR, "sandbox.twin"):
        async with bare.kubelet(), bare.twin():
            await eventually(refused, "a 403 in the log")
            assert "status" not in await bare.group()
            await bare.grant()
            await bare.status_is(replicas=1)


async def test_it_acts_only_while_the_controllers_pod_is_ready(bare: World, caplog: pytest.LogCaptureFixture) -> None:
    await bare.grant()
    await bare.deploy(ready=False)
    await bare.create(session_group())

    async def stopped() -> bool:
        return any("stops" in record.getMessage() for record in caplog.records)

    with caplog.at_level(logging.INFO, "sandbox.twin"):
        async with bare.kubelet(), bare.twin():
            await nothing_happens(bare, [])
            await bare.ready("sessiongroups-controller-0")
            await bare.status_is(replicas=1)
            await bare.ready("sessiongroups-controller-0", False)
            await eventually(stopped, "the controller stops")
            (name,) = await bare.names()
            await bare.admin.delete("v1", "Pod", name, bare.namespace, grace_seconds=0)
            await nothing_happens(bare, [])
            await bare.ready("sessiongroups-controller-0")
            await eventually(bare.names, "the pod is made anew")


async def nothing_happens(world: World, names: list[str]) -> None:
    """For a second, more than ten times what a change takes."""
    for _ in range(10):
        assert await world.names() == names
        await asyncio.sleep(0.1)


async def test_a_controller_with_an_argument_not_known_is_refused(
    bare: World, caplog: pytest.LogCaptureFixture
) -> None:
    await bare.grant()
    await bare.deploy(args=["--leader-elect", "--watch-all"])
    await bare.create(session_group())

    async def refused() -> bool:
        return any("--watch-all" in record.getMessage() for record in caplog.records)

    with caplog.at_level(logging.ERROR, "sandbox.twin"):
        async with bare.twin():
            await eventually(refused, "a refusal in the log")
    assert await bare.names() == []


async def test_a_second_controller_waits_for_the_lease(bare: World) -> None:
    await bare.grant()
    now = datetime.now(UTC)
    lease = {
        "holderIdentity": "somebody",
        "leaseDurationSeconds": 4,
        "acquireTime": micro(now),
        "renewTime": micro(now),
    }
    meta = {"name": "sessiongroups-controller", "namespace": bare.namespace}
    await bare.admin.create({"apiVersion": LEASES, "kind": "Lease", "metadata": meta, "spec": lease})
    await bare.deploy()
    await bare.create(session_group())
    async with bare.kubelet(), bare.twin():
        await nothing_happens(bare, [])
        await bare.status_is(replicas=1)
        assert datetime.now(UTC) >= now + timedelta(seconds=4)
        taken = (await bare.admin.get(LEASES, "Lease", "sessiongroups-controller", bare.namespace))["spec"]
        assert taken["leaseTransitions"] == 1


def micro(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


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


async def all_ready(world: World, count: int) -> None:
    async def condition() -> bool:
        pods = [p for p in await world.pods() if "deletionTimestamp" not in p["metadata"]]
        ready = [p for p in pods if any(c["type"] == "Ready" for c in p["status"].get("conditions", []))]
        return len(ready) == len(pods) == count

    await eventually(condition, f"{count} Ready pods")


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


async def test_a_token_is_renewed_before_it_ends(bare: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """With tokens renewed every second the controller works on, and keeps its lease."""
    monkeypatch.setattr(instance, "RENEW_AT", 1 / TOKEN_SECONDS)
    await bare.grant()
    await bare.deploy()
    await bare.create(session_group())
    async with bare.kubelet(), bare.twin():
        for replicas in (1, 2, 3):
            await bare.change(session_group(), replicas=replicas)
            await bare.status_is(replicas=replicas)
            await asyncio.sleep(1.1)
        lease = (await bare.admin.get(LEASES, "Lease", "sessiongroups-controller", bare.namespace))["spec"]
    assert lease["leaseTransitions"] == 0


async def test_a_pod_that_became_busy_unseen_is_not_deleted(bare: World) -> None:
    """The deletion is for the state in which the pod was judged idle, and for no other."""
    await bare.create(session_group())
    async with bare.late_controller():
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
        async with bare.late_controller():
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


async def test_the_program_plays_until_told_to_stop(bare: World, tmp_path: Path) -> None:
    await bare.grant()
    await bare.deploy()
    await bare.create(session_group())
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(bare.kubeconfig)
    program = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "sandbox.twin", "--kubeconfig", str(kubeconfig), "--home", str(tmp_path),
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        await bare.status_is(replicas=1)
    finally:
        program.send_signal(signal.SIGTERM)
        _, log = await asyncio.wait_for(program.communicate(), 20)
    assert program.returncode == 0, log.decode()
    assert "Traceback" not in log.decode()
    assert "created pod" in log.decode()


def test_a_kubeconfig_that_is_not_there_is_said_plainly(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "sandbox.twin", "--kubeconfig", str(tmp_path / "none"), "--home", str(tmp_path)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "python -m sandbox status" in done.stderr


async def test_a_deleted_group_takes_its_pods_with_it(world: World) -> None:
    await world.create(session_group(replicas=2))
    await world.status_is(replicas=2)
    await world.admin.delete("speechmatics.com/v1", "SessionGroup", NAME, world.namespace)

    async def gone() -> bool:
        return await world.pods() == []

    # the garbage collector looks for new kinds every 30 s
    await eventually(gone, "the garbage collector takes the pods", within=90)
    await nothing_happens(world, [])
