"""The sessiongroups-controller as a role: where it runs, what it does there, how it fails."""

from __future__ import annotations

import logging
from collections.abc import Callable

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

    def __init__(self, time_factor: Callable[[], float], rows: Callable[[], Rows]) -> None:
        self._time_factor, self._rows = time_factor, rows

    def host(self, pod: Json) -> Host:
        return hosts.host(pod)

    async def work(self, kube: Kube, host: Host) -> None:
        def controller() -> Controller:
            return Controller(kube, host.watched, self._time_factor, self._rows)

        if host.leader_elect:
            await Lease(kube, host, NAME, CONTROLLER_RUNTIME).lead(lambda: controller().run())
        else:
            await controller().run()

    async def refused(self, pod: Json, why: RefusedError) -> None:
        meta = pod["metadata"]
        log.error("pod %s/%s is no controller: %s", meta["namespace"], meta["name"], why.message)

    async def failed(self, host: Host, error: KubeError) -> None:
        log.error("%s", _explain(host, error))

    def stopped(self, uid: str) -> None:
        pass


def instances(
    admin: Kube, kubeconfig: Json, time_factor: Callable[[], float], rows: Callable[[], Rows] = Rows
) -> Instances[Host]:
    """The controllers of one cluster."""
    return Instances(admin, kubeconfig, Twin(time_factor, rows))


def _explain(host: Host, error: KubeError) -> str:
    where = f"controller {host.namespace}/{host.pod} ({host.user})"
    if error.code == 403 and f'User "{host.user}"' in error.message:
        return (
            f"{where}: 403 {error.message}; it works on nothing until its role allows it. "
            f"To see what it may do: kubectl auth can-i --list --as={host.user} -n {host.watched}"
        )
    return f"{where}: {error.code} {error.message}; trying again"
