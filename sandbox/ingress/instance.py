"""The controller as a role: where it runs, what it does there, how it fails."""

from __future__ import annotations

import logging

from sandbox.hosted.events import Recorder
from sandbox.hosted.host import Json, RefusedError
from sandbox.hosted.instances import Instances
from sandbox.ingress import host as hosts
from sandbox.ingress.controller import NAME, Controller
from sandbox.ingress.front import Front
from sandbox.ingress.host import Host
from sandbox.kube import Kube, KubeError

log = logging.getLogger(__name__)


class IngressRole:
    """What the stand-in plays. What the real one would exit with, or log, is an event on the pod."""

    name = NAME
    labels = ""

    def __init__(self, admin: Kube, front: Front) -> None:
        self._admin, self._front = admin, front
        self._recorder = Recorder(admin, NAME)

    def host(self, pod: Json) -> Host | None:
        return hosts.host(pod)

    async def work(self, kube: Kube, host: Host) -> None:
        await Controller(kube, host, lambda loaded: self._front.load(host.uid, loaded)).run()

    async def refused(self, pod: Json, why: RefusedError) -> None:
        await self._recorder.record({"apiVersion": "v1", "kind": "Pod", **pod}, "Warning", why.reason, why.message)

    async def failed(self, host: Host, error: KubeError) -> None:
        pod = await self._admin.find("v1", "Pod", host.pod, host.namespace)
        reason = "Forbidden" if error.code == 403 else "ApiError"
        if pod is not None:
            await self._recorder.record(pod, "Warning", reason, f"{error.code} {error.message}")

    def stopped(self, uid: str) -> None:
        self._front.remove(uid)


def instances(admin: Kube, kubeconfig: Json, front: Front) -> Instances[Host]:
    """The controllers of one cluster."""
    return Instances(admin, kubeconfig, IngressRole(admin, front))
