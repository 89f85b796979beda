"""Writing a pod's status: changes that come together are one write, and what stands already is not written again."""

from __future__ import annotations

import asyncio
import copy
import json
from typing import TYPE_CHECKING, Any

from sandbox.kube import Json, KubeError
from sandbox.nodes import status

if TYPE_CHECKING:
    from sandbox.nodes.kubelet import PodWorker

COALESCE_SECONDS = 0.05
"""Changes of a pod within this time are written together. Real seconds."""
STRATEGIC = "application/strategic-merge-patch+json"
"""Conditions are merged by their type: those of others stay."""
RETRY_SECONDS = 1.0
"""Before a write that the API server did not answer is sent again. Real seconds."""


class Publisher:
    """Brings the status of one pod to the API server."""

    def __init__(self, pod: PodWorker) -> None:
        self._pod = pod
        self.dirty = asyncio.Event()
        """Set: something has changed."""
        self._written: Json = {}

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self.dirty.wait()
            await asyncio.sleep(COALESCE_SECONDS)
            self.dirty.clear()
            if not await self.write():
                await asyncio.sleep(RETRY_SECONDS)
                self.dirty.set()

    async def write(self) -> bool:
        """Write the status unless it stands already; False when it has to be tried again."""
        wanted = status.build(self._pod.seen())
        ready = any(c["type"] == "Ready" and c["status"] == "True" for c in wanted["conditions"])
        if wanted == self._written or _stands(wanted, self._pod.pod.get("status") or {}):
            self._pod.now_ready(ready)
            return True
        kept = copy.deepcopy(wanted)
        meta = self._pod.pod["metadata"]
        path = f"/api/v1/namespaces/{meta['namespace']}/pods/{meta['name']}/status"
        patch = {"metadata": {"uid": meta["uid"]}, "status": wanted}
        try:
            answer = await self._pod.world.kube.request(
                "PATCH", path, patch, {"fieldManager": self._pod.world.kube.field_manager}, STRATEGIC
            )
        except KubeError as error:
            return error.code in (404, 409)
        self._written = kept
        self._pod.see(answer)
        self._pod.now_ready(ready)
        return True


def _stands(wanted: Any, have: Any) -> bool:
    """Whether everything of the patch is in the status already."""
    if isinstance(wanted, dict):
        return isinstance(have, dict) and all(_stands(value, have.get(key)) for key, value in wanted.items())
    if isinstance(wanted, list) and wanted and isinstance(wanted[0], dict) and "type" in wanted[0]:
        by_type = {item["type"]: item for item in have or []}
        return all(_stands(item, by_type.get(item["type"])) for item in wanted)
    return json.dumps(wanted, sort_keys=True) == json.dumps(have, sort_keys=True)
