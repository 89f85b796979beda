"""Mounting the volumes of one pod, again and again until all are there, with a kubelet's events."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from sandbox.kube import Json, KubeError
from sandbox.nodes.clock import Backoff
from sandbox.nodes.volumes import Files, Mounter, MountError, NotAttachedError

if TYPE_CHECKING:
    from sandbox.nodes.kubelet import PodWorker

MOUNT_BACKOFF = (0.5, 122.0)
"""Seconds between two tries to set a volume up (kubernetes: exponentialbackoff, 500 ms to 2 min 2 s)."""
ATTACH_POLL = (0.5, 2.0)
ATTACH_COMPLAINT = 123.0
"""Seconds after which a kubelet complains that volumes are still not there (volumemanager, 2 min 3 s)."""
RETRY_SECONDS = 1.0
"""Before a question that the API server did not answer is asked again. Real seconds."""


class Mounting:
    """The volumes of one pod."""

    def __init__(self, pod: PodWorker) -> None:
        self._pod = pod
        self.volumes: dict[str, Files] = {v["name"]: {} for v in pod.pod["spec"].get("volumes") or []}

    async def mount(self) -> None:
        """Returns when every volume is mounted; what is missing shows in events meanwhile."""
        missing: dict[str, str] = {}
        mounter = Mounter(self._pod.world, self._pod.pod, self._pod.address)
        declared: list[Json] = self._pod.pod["spec"].get("volumes") or []
        async with asyncio.TaskGroup() as tasks:
            complaining = tasks.create_task(self._complain(missing))
            await asyncio.gather(*(self._mount_one(mounter, volume, missing) for volume in declared))
            complaining.cancel()

    async def _mount_one(self, mounter: Mounter, volume: Json, missing: dict[str, str]) -> None:
        failures, polls, name = Backoff(*MOUNT_BACKOFF), Backoff(*ATTACH_POLL), volume["name"]
        while True:
            missing[name] = ""
            try:
                self.volumes[name] = await mounter.mount(volume)
                del missing[name]
                return
            except MountError as error:
                await self._pod.warn("FailedMount", f'MountVolume.SetUp failed for volume "{name}" : {error}')
                await self._pod.world.clock.sleep(failures.next())
            except NotAttachedError as error:
                missing[name] = str(error)
                await asyncio.sleep(polls.next())
            except KubeError:
                await asyncio.sleep(RETRY_SECONDS)

    async def _complain(self, missing: dict[str, str]) -> None:
        while True:
            await self._pod.world.clock.sleep(ATTACH_COMPLAINT)
            failed = {name: why for name, why in missing.items() if why and "timed out" not in why}
            why = next(iter(failed.values()), "timed out waiting for the condition")
            await self._pod.warn(
                "FailedMount",
                f"Unable to attach or mount volumes: unmounted volumes=[{' '.join(missing)}], unattached volumes=[], "
                f"failed to process volumes=[{' '.join(failed)}]: {why}",
            )

    async def refresh(self) -> None:
        """Read the mounted Secrets and ConfigMaps anew, as a kubelet does all the time; what is gone stays mounted."""
        mounter = Mounter(self._pod.world, self._pod.pod, self._pod.address)
        for volume in self._pod.pod["spec"].get("volumes") or []:
            if "persistentVolumeClaim" in volume:
                continue
            try:
                self.volumes[volume["name"]] = await mounter.mount(volume)
            except (MountError, KubeError) as error:
                self._pod.apps[0].log.say(f"volume {volume['name']} stays as it was: {error}")
