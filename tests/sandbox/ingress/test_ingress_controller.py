"""When and as whom the stand-in acts, what it refuses, and to which Ingress it gives the address."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from components.cluster.ingress_rights import LEADER_LEASE, OWN, WATCHED
from sandbox.plane import ports
from tests.sandbox.ingress.world import ADDRESS, HOST, NETWORKING, World
from tests.sandbox.twin.world import eventually

LEASES = "coordination.k8s.io/v1"


async def no_address(world: World, name: str = "proxy") -> None:
    """For a second, several times what it takes to give one."""
    for _ in range(10):
        assert await world.addresses(name) == []
        await asyncio.sleep(0.1)


# --- when, and as whom


async def test_it_acts_only_while_its_pod_is_ready_and_as_its_account(bare: World) -> None:
    await bare.grant()
    await bare.controller()
    await bare.ready("nginx-0", bare.own, False)
    await bare.ingress()
    async with bare.playing():
        await no_address(bare)
        await bare.ready("nginx-0", bare.own)
        await bare.has_address()
        lease = await bare.admin.get(LEASES, "Lease", LEADER_LEASE, bare.own)
        assert lease["spec"]["holderIdentity"].startswith("nginx-0_")


async def test_another_image_is_no_controller(bare: World) -> None:
    await bare.grant()
    await bare.controller(image="registry.k8s.io/ingress-nginx/controller:v1.15.1")
    await bare.ingress()
    async with bare.playing():
        await no_address(bare)


@pytest.mark.parametrize("kind", [kind for _, kinds, verbs in WATCHED for kind in kinds if "watch" in verbs])
async def test_each_right_to_look_is_needed(bare: World, kind: str) -> None:
    fewer = [(group, tuple(k for k in kinds if k != kind), verbs) for group, kinds, verbs in WATCHED]
    await bare.grant(watched=[rule for rule in fewer if rule[1]])
    await bare.controller()
    await bare.ingress()
    async with bare.playing():
        text = await bare.event("nginx-0", "Forbidden", bare.own)
        assert f'cannot list resource "{kind}"' in text
        assert await bare.addresses() == []
        await bare.grant()
        await bare.has_address()


@pytest.mark.parametrize("kind", ["configmaps", "secrets", "leases"])
async def test_each_right_in_its_own_namespace_is_needed(bare: World, kind: str) -> None:
    await bare.grant(own=[rule for rule in OWN if kind not in rule[1]])
    await bare.controller()
    await bare.ingress()
    async with bare.playing():
        assert f'"{kind}"' in await bare.event("nginx-0", "Forbidden", bare.own)
        assert await bare.addresses() == []


async def test_without_the_right_to_the_status_there_is_no_address(bare: World) -> None:
    await bare.grant(watched=[rule for rule in WATCHED if "ingresses/status" not in rule[1]])
    await bare.controller()
    await bare.ingress()
    async with bare.playing():
        assert "ingresses/status" in await bare.event("nginx-0", "Forbidden", bare.own)
        assert await bare.addresses() == []


async def test_without_the_right_to_its_class_it_does_not_start(bare: World) -> None:
    await bare.grant(classes=False)
    await bare.controller()
    async with bare.playing():
        assert "ingressclasses" in await bare.event("nginx-0", "Forbidden", bare.own)


# --- what it exits at


async def test_an_unknown_argument(bare: World) -> None:
    await bare.grant()
    await bare.controller([*bare.args(), "-enable-everything"])
    await bare.ingress()
    async with bare.playing():
        text = await bare.event("nginx-0", "ArgumentsNotKnown", bare.own)
        assert text == "flag provided but not defined: -enable-everything"
        assert await bare.addresses() == []


@pytest.mark.parametrize(
    ("api", "kind", "name", "reason"),
    [
        ("v1", "Secret", "nginx-default-tls", "SecretError"),
        ("v1", "ConfigMap", "nginx-config", "ConfigMapError"),
        (NETWORKING, "IngressClass", "", "IngressClassError"),
    ],
)
async def test_what_it_reads_at_the_start_must_be_there(
    bare: World, api: str, kind: str, name: str, reason: str
) -> None:
    await bare.grant()
    namespace = bare.own if name else None
    taken = await bare.admin.get(api, kind, name or bare.class_name, namespace)
    await bare.admin.delete(api, kind, name or bare.class_name, namespace)
    await bare.controller()
    await bare.ingress()
    async with bare.playing():
        assert "not found" in await bare.event("nginx-0", reason, bare.own)
        assert await bare.addresses() == []
        for key in ("resourceVersion", "uid", "creationTimestamp", "managedFields"):
            taken["metadata"].pop(key)
        await bare.admin.create({"apiVersion": api, "kind": kind, **taken})
        await bare.has_address()


async def test_a_class_of_another_controller(bare: World) -> None:
    await bare.grant()
    await bare.admin.delete(NETWORKING, "IngressClass", bare.class_name)
    await bare.make("IngressClass", bare.class_name, None, NETWORKING, spec={"controller": "k8s.io/ingress-nginx"})
    await bare.controller()
    async with bare.playing():
        assert "invalid controller" in await bare.event("nginx-0", "IngressClassError", bare.own)


async def test_a_map_that_nginx_does_not_load(bare: World) -> None:
    await bare.grant()
    changed = {"data": {"server-snippets": 'more_set_headers "Request-Id: $req_id";'}}
    await bare.admin.merge("v1", "ConfigMap", "nginx-config", changed, bare.own)
    await bare.controller()
    async with bare.playing():
        assert "more_set_headers" in await bare.event("nginx-0", "NginxRejects", bare.own)


async def test_a_bad_change_of_the_map_leaves_what_was_loaded(world: World) -> None:
    await world.ingress()
    await world.answers("/ready", 200)
    changed = {"data": {"server-snippets": "add_header Request-Id $nobody always;"}}
    await world.admin.merge("v1", "ConfigMap", "nginx-config", changed, world.own)
    assert 'unknown "nobody" variable' in await world.event("nginx-config", "UpdatedWithError", world.own)
    assert "Request-Id" in (await world.status("/ready")).headers


async def test_an_unknown_key_of_the_map_is_said(world: World) -> None:
    changed = {"data": {"proxy-read-timeouts": "1s"}}
    await world.admin.merge("v1", "ConfigMap", "nginx-config", changed, world.own)
    assert "'proxy-read-timeouts'" in await world.event("nginx-config", "KeyNotPlayed", world.own)


# --- addresses


@pytest.mark.parametrize("without", ["-report-ingress-status", "-external-service"])
async def test_no_address_without_the_argument(bare: World, without: str) -> None:
    await bare.grant()
    await bare.controller([arg for arg in bare.args() if not arg.startswith(without)])
    await bare.ingress()
    async with bare.playing():
        await bare.event("proxy", "AddedOrUpdated")
        await no_address(bare)


async def test_no_address_when_the_services_namespace_is_not_watched(bare: World) -> None:
    await bare.grant()
    args = [arg.replace(",$(POD_NAMESPACE)", "") if arg.startswith("-watch-namespace") else arg for arg in bare.args()]
    await bare.controller(args)
    await bare.ingress()
    async with bare.playing():
        await bare.event("proxy", "AddedOrUpdated")
        await no_address(bare)


async def test_no_address_while_another_holds_the_lease(bare: World) -> None:
    await bare.grant()
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    spec = {"holderIdentity": "other", "leaseDurationSeconds": 600, "acquireTime": now, "renewTime": now}
    await bare.make("Lease", LEADER_LEASE, bare.own, LEASES, spec=spec)
    await bare.controller()
    await bare.ingress()
    async with bare.playing():
        await bare.event("proxy", "AddedOrUpdated")
        await no_address(bare)


async def test_another_class_is_somebody_elses(world: World) -> None:
    await world.ingress("other", spec={"ingressClassName": "somebody"}, host="other.example")
    await world.ingress()
    await world.has_address()
    assert await world.addresses("other") == []


async def test_the_oldest_ingress_has_the_host(world: World) -> None:
    await world.ingress("first")
    await world.has_address("first")
    await asyncio.sleep(1.1)
    await world.ingress("second", paths=["/v1/health"])
    assert await world.event("second", "Rejected") == "All hosts are taken by other resources"
    assert await world.addresses("second") == []
    await world.admin.delete(NETWORKING, "Ingress", "first", world.speech)
    await world.has_address("second")


async def test_a_rejected_ingress_loses_its_address(world: World) -> None:
    await world.ingress()
    await world.has_address()
    changed = {"metadata": {"annotations": {"nginx.org/websocket-services": "nobody"}}}
    await world.admin.merge(NETWORKING, "Ingress", "proxy", changed, world.speech)
    assert "not found: nobody" in await world.event("proxy", "Rejected")

    async def lost() -> bool:
        return await world.addresses() == []

    await eventually(lost, "it has no address")


async def test_a_master_and_its_minions_all_get_the_address(world: World) -> None:
    kind = "nginx.org/mergeable-ingress-type"
    await world.ingress("master", annotations={kind: "master"}, paths=())
    minion = {kind: "minion", "nginx.org/websocket-services": "proxy", "nginx.org/path-regex": "case_sensitive"}
    await world.ingress("minion", annotations=minion, paths=["/ready"], spec={"tls": None})
    for name in ("master", "minion"):
        await world.has_address(name)
    await world.answers("/ready", 200)
    await world.answers("/live", 404)


async def test_a_minion_without_a_master(world: World) -> None:
    await world.ingress("minion", annotations={"nginx.org/mergeable-ingress-type": "minion"}, spec={"tls": None})
    await world.event("minion", "NoIngressMasterFound")
    await no_address(world, "minion")


async def test_two_equal_locations_are_not_loaded(world: World) -> None:
    await world.ingress(paths=["/a", "/a"])
    assert "duplicate location" in await world.event("proxy", "AddedOrUpdatedWithError")


# --- the process


async def test_the_program_plays_until_told_to_stop(bare: World, tmp_path: Path) -> None:
    await bare.grant()
    await bare.controller()
    await bare.ingress()
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(bare.kubeconfig)
    port = ports.keep(tmp_path / "ports.json", ["ingress"])["ingress"]
    program = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "sandbox.ingress", "--kubeconfig", str(kubeconfig), "--home", str(tmp_path),
        "--port", str(port), stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        await bare.has_address()
    finally:
        program.send_signal(signal.SIGTERM)
        _, log = await asyncio.wait_for(program.communicate(), 60)
    assert program.returncode == 0, log.decode()
    assert "Traceback" not in log.decode()


async def test_started_anew_it_goes_on(world: World) -> None:
    await world.ingress()
    await world.has_address()
    uid = (await world.admin.get(NETWORKING, "Ingress", "proxy", world.speech))["metadata"]["resourceVersion"]
    async with world.playing():
        await world.answers("/ready", 200)
    now = await world.admin.get(NETWORKING, "Ingress", "proxy", world.speech)
    assert now["metadata"]["resourceVersion"] == uid, "nothing was written again"
    assert now["status"]["loadBalancer"]["ingress"] == [{"ip": ADDRESS}]
    assert now["spec"]["rules"][0]["host"] == HOST


def test_a_kubeconfig_that_is_not_there_is_said_plainly(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "sandbox.ingress", "--kubeconfig", str(tmp_path / "none"), "--home", str(tmp_path),
         "--port", "1"],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
