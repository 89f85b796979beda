"""The sessiongroups-controller as a role: where it runs, what it does there, how it fails."""

from __future__ import annotations

import logging
from collections.abc import Callable

from sandbox.hosted.events import Recorder
from sandbox.hosted.host import Json, RefusedError
from sandbox.hosted.instances import Instances
from sandbox.hosted.lease import CONTROLLER_RUNTIME, Lease
from sandbox.kube import Kube, KubeError
from sandbox.sessions.rows import Rows
from sandbox.twin import host as hosts
from sandbox.twin.controller import NAME, Controller
from sandbox.twin.host import Host

log = logging.getLogger(__name__)


class Twin:
    """What the twin plays."""

    name = NAME
    labels = hosts.LABELS

    def __init__(self, admin: Kube, time_factor: Callable[[], float], rows: Callable[[], Rows]) -> None:
        """`admin` writes the events on the controllers' pods: what is not played is no doing of theirs."""
        self._time_factor, self._rows = time_factor, rows
        self._recorder = Recorder(admin, NAME)
        self._told: set[str] = set()

    def host(self, pod: Json) -> Host:
        return hosts.host(pod)

    async def work(self, kube: Kube, host: Host) -> None:
        def controller() -> Controller:
            return Controller(kube, host.watched, self._time_factor, self._rows)

        await self._tell(host)
        if host.leader_elect:
            await Lease(kube, host, NAME, CONTROLLER_RUNTIME).lead(lambda: controller().run())
        else:
            await controller().run()

    async def refused(self, pod: Json, why: RefusedError) -> None:
        meta = pod["metadata"]
        log.error("pod %s/%s is no controller: %s", meta["namespace"], meta["name"], why.message)
        await self._recorder.record({**pod, "apiVersion": "v1", "kind": "Pod"}, "Warning", why.reason, why.message)

    async def _tell(self, host: Host) -> None:
        """Say once of each pod what of its environment is passed over."""
        meta = {"name": host.pod, "namespace": host.namespace, "uid": host.uid, "resourceVersion": ""}
        obj = {"apiVersion": "v1", "kind": "Pod", "metadata": meta}
        for text in host.unplayed if host.uid not in self._told else ():
            await self._recorder.record(obj, "Warning", "VariableNotPlayed", text)
        self._told.add(host.uid)

    async def failed(self, host: Host, error: KubeError) -> None:
        log.error("%s", _explain(host, error))

    def stopped(self, uid: str) -> None:
        self._told.discard(uid)


def instances(
    admin: Kube, kubeconfig: Json, time_factor: Callable[[], float], rows: Callable[[], Rows] = Rows
) -> Instances[Host]:
    """The controllers of one cluster."""
    return Instances(admin, kubeconfig, Twin(admin, time_factor, rows))


def _explain(host: Host, error: KubeError) -> str:
    where = f"controller {host.namespace}/{host.pod} ({host.user})"
    if error.code == 403 and f'User "{host.user}"' in error.message:
        return (
            f"{where}: 403 {error.message}; it works on nothing until its role allows it. "
            f"To see what it may do: kubectl auth can-i --list --as={host.user} -n {host.watched}"
        )
    return f"{where}: {error.code} {error.message}; trying again"
