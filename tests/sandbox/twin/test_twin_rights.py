"""As whom and when the twin acts, against a real API server: its service account, its lease, its pod being Ready."""

from __future__ import annotations

import asyncio
import logging
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sandbox.hosted import identity
from sandbox.hosted.identity import TOKEN_SECONDS
from tests.sandbox.twin.objects import NAME, RULES, session_group
from tests.sandbox.twin.world import World, eventually, nothing_happens

LEASES = "coordination.k8s.io/v1"


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
    with caplog.at_level(logging.ERROR, "sandbox"):
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

    with caplog.at_level(logging.ERROR, "sandbox"):
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

    with caplog.at_level(logging.INFO, "sandbox"):
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


async def test_a_controller_with_an_argument_not_known_is_refused(
    bare: World, caplog: pytest.LogCaptureFixture
) -> None:
    await bare.grant()
    await bare.deploy(args=["--leader-elect", "--watch-all"])
    await bare.create(session_group())

    async def refused() -> bool:
        return any("--watch-all" in record.getMessage() for record in caplog.records)

    with caplog.at_level(logging.ERROR, "sandbox"):
        async with bare.twin():
            await eventually(refused, "a refusal in the log")
            assert "--watch-all" in (await bare.event("ArgumentsNotKnown"))["message"]
    assert await bare.names() == []


async def test_a_variable_that_is_not_played_is_said_once_on_the_controllers_pod(bare: World) -> None:
    await bare.grant()
    await bare.deploy(SM_ENABLE_DEFRAG_SCALE_DOWN="true")
    await bare.create(session_group())
    async with bare.kubelet(), bare.twin():
        event = await bare.event("VariableNotPlayed")
        assert (event["type"], event["involvedObject"]["name"]) == ("Warning", "sessiongroups-controller-0")
        assert "SM_ENABLE_DEFRAG_SCALE_DOWN=true is not played" in event["message"]
        await bare.status_is(replicas=1)
        (event,) = await bare.events("VariableNotPlayed")
        assert event["count"] == 1


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


async def test_a_token_is_renewed_before_it_ends(bare: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """With tokens renewed every second the controller works on, and keeps its lease."""
    monkeypatch.setattr(identity, "RENEW_AT", 1 / TOKEN_SECONDS)
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
        _, log = await asyncio.wait_for(program.communicate(), 60)
    assert program.returncode == 0, log.decode()
    assert "Traceback" not in log.decode()
    assert "created pod" in log.decode()
    assert "HTTP" not in log.decode(), "one line for each decision, none for each request"


def test_a_kubeconfig_that_is_not_there_is_said_plainly(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "sandbox.twin", "--kubeconfig", str(tmp_path / "none"), "--home", str(tmp_path)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "python -m sandbox status" in done.stderr
