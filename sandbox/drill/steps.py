"""What each kind of step does."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import assert_never

from sandbox import settings
from sandbox.drill import azure
from sandbox.drill.clients import Clients
from sandbox.drill.engine import EngineError, last
from sandbox.drill.kinds import (
    Apply,
    Azure,
    AzureCall,
    Beside,
    Destroy,
    Kill,
    Kubectl,
    Refused,
    Set,
    Shift,
    Step,
    Up,
    Wait,
)
from sandbox.drill.plane import Plane
from sandbox.drill.settled import must_settle
from sandbox.kube import Kube
from sandbox.plane.errors import PlaneError

IMAGE_WITHIN = 900.0
"""Seconds until the week's node image must have come to every pool."""


async def take(step: Step, plane: Plane, clients: Clients, within: float) -> None:
    """Do it. `within` is how many seconds a wait may take. Raises `PlaneError` when it does not go as it should."""
    match step:
        case Up():
            plane.engine.change(step.up)
            await plane.engine.up(*(("--refresh",) if step.refresh else ()))
        case Refused():
            before = plane.engine.change(step.refused)
            _says(await plane.engine.refused(), step.says)
            plane.engine.put_back(before)
        case Destroy():
            _says(await plane.engine.destroy_refused(), step.says)
        case Kill():
            plane.engine.change(step.kill)
            await plane.engine.killed(step.at)
        case Kubectl():
            plane.behind_the_engine = True
            await _kubectl(step, plane)
        case Azure():
            plane.behind_the_engine = True
            await _outside(step.azure, plane, clients)
        case Beside():
            await plane.stand_beside(step.beside)
            # the credentials that are handed out are the newest cluster's
            kube = await clients.exits.enter_async_context(Kube(plane.home.kubeconfig, "drill"))
            await clients.come_to(kube)
        case Shift():
            clients.move(step.clients.within / plane.factor)
        case Wait():
            await _wait(step, plane, clients, within)
        case Set():
            now = settings.read(plane.home).model_dump(by_alias=True)
            settings.write(settings.Settings.model_validate(now | step.set), plane.home)
        case Apply():
            plane.engine.change(step.apply)
            plane.behind_the_engine = True
            await plane.naive.carry_out(plane.naive.planned.popleft(), clients.clusters[0])
        case _:
            assert_never(step)


async def _kubectl(step: Kubectl, plane: Plane) -> None:
    try:
        said = await plane.naive.run(*step.kubectl)
    except PlaneError as refusal:
        if step.says is None:
            raise
        _says(str(refusal), step.says)
    else:
        if step.says is not None:
            raise PlaneError(f"kubectl {' '.join(step.kubectl)} was not refused:\n{said}")


def _says(said: str, wanted: Sequence[str]) -> None:
    if not any(" ".join(each.split()) in " ".join(said.split()) for each in wanted):
        raise EngineError(f"it was refused, but does not say {' or '.join(map(repr, wanted))}:\n{last(said)}")


async def _outside(call: AzureCall, plane: Plane, clients: Clients) -> None:
    if call.delete_pool:
        await azure.delete_pool(plane.home, call.delete_pool)
    elif call.upgrade_system_pool:
        await azure.upgrade_system_pool(plane.home, await plane.engine.export(), call.upgrade_system_pool)
    elif call.delete_cluster:
        # whoever is still there is as good as cut: at what moment of its deletion a cluster lets go, nobody says
        clients.cluster_deleted()
        await plane.delete_cluster()
    else:
        await azure.node_image(plane.home, IMAGE_WITHIN)


async def _wait(step: Wait, plane: Plane, clients: Clients, within: float) -> None:
    if isinstance(step.wait, float):
        await asyncio.sleep(step.wait / plane.factor)
    elif step.wait == "settled":
        await must_settle(clients.clusters, within)
    elif not await clients.sessions_over(within):
        raise PlaneError(f"sessions were not over within {within:.0f} s")
