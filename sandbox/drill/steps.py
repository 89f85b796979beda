"""What each kind of step does."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import assert_never

from sandbox import settings
from sandbox.drill import azure, baseline
from sandbox.drill.engine import EngineError, last
from sandbox.drill.plane import Plane
from sandbox.drill.scenario import Apply, Azure, Destroy, Kill, Kubectl, Refused, Set, Step, Up, Wait
from sandbox.drill.settled import settle
from sandbox.drill.wait import until
from sandbox.kube import Kube
from sandbox.plane.errors import PlaneError
from sandbox.sessions.journal import Began, Finished, Journal, WasCut

IMAGE_WITHIN = 900.0
"""Seconds until the week's node image must have come to every pool."""


async def take(step: Step, plane: Plane, kube: Kube, journal: Journal, within: float) -> None:
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
            await plane.naive.run(*step.kubectl)
        case Azure():
            plane.behind_the_engine = True
            if step.azure.delete_pool:
                await azure.delete_pool(plane.home, step.azure.delete_pool)
            elif step.azure.upgrade_system_pool:
                await azure.upgrade_system_pool(plane.home, await plane.engine.export(), step.azure.upgrade_system_pool)
            else:
                await azure.node_image(plane.home, IMAGE_WITHIN)
        case Wait():
            await _wait(step, plane, kube, journal, within)
        case Set():
            now = settings.read(plane.home).model_dump(by_alias=True)
            settings.write(settings.Settings.model_validate(now | step.set), plane.home)
        case Apply():
            plane.engine.change(step.apply)
            made = baseline.plan(await plane.engine.preview())
            plane.behind_the_engine = True
            await plane.naive.carry_out(made, kube)
        case _:
            assert_never(step)


def _says(said: str, wanted: Sequence[str]) -> None:
    if not any(" ".join(each.split()) in " ".join(said.split()) for each in wanted):
        raise EngineError(f"it was refused, but does not say {' or '.join(map(repr, wanted))}:\n{last(said)}")


async def _wait(step: Wait, plane: Plane, kube: Kube, journal: Journal, within: float) -> None:
    if isinstance(step.wait, float):
        await asyncio.sleep(step.wait / plane.factor)
        return
    if step.wait == "settled":
        if left := await settle(kube, within):
            raise PlaneError(f"not settled within {within:.0f} s: {left[0]}")
        return
    running = alive(journal)
    if not await until(lambda: not running & alive(journal), within):
        raise PlaneError(f"sessions were not over within {within:.0f} s")


def alive(journal: Journal) -> set[int]:
    """The numbers of the sessions that run."""
    found: set[int] = set()
    for event in journal.events:
        match event:
            case Began():
                found.add(event.session.id)
            case Finished():
                found.discard(event.session)
            case WasCut():
                found.discard(event.cut.session.id)
            case _:
                pass
    return found
