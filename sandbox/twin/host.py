"""Where the twin lives: the pods in which the vendor's controller would be running now."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.twin.model import Json, RefusedError

LABELS = "control-plane=sessiongroups-controller"
IMAGE = "sessiongroups-controller"
"""The last part of the controller's image repository (contract §3.3)."""


@dataclass(frozen=True)
class Host:
    """One running controller, as its pod describes it."""

    namespace: str
    pod: str
    uid: str
    service_account: str
    watched: str
    """The namespace it looks at (`TRANSCRIBER_NAMESPACE`)."""
    leader_elect: bool

    @property
    def user(self) -> str:
        """The name its service account has towards the API server."""
        return f"system:serviceaccount:{self.namespace}:{self.service_account}"


def runs(pod: Json) -> bool:
    """Whether the controller in this pod is up: the pod is Ready and nobody asked it to stop."""
    conditions = (pod.get("status") or {}).get("conditions") or []
    ready = any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)
    return ready and "deletionTimestamp" not in pod["metadata"]


def host(pod: Json) -> Host:
    """What the controller in this pod is told. Raises `RefusedError` for what the twin cannot read or play."""
    meta, spec = pod["metadata"], pod["spec"]
    containers = [c for c in spec["containers"] if _repository(c["image"]) == IMAGE]
    if len(containers) != 1:
        raise RefusedError(
            "NotTheController",
            f"{len(containers)} containers have the image {IMAGE}, one is the controller (contract §3.3)",
        )
    (container,) = containers
    unknown = [argument for argument in container.get("args") or [] if argument != "--leader-elect"]
    if unknown or container.get("command"):
        raise RefusedError(
            "ArgumentsNotKnown", f"command or arguments not known: {container.get('command') or unknown}"
        )
    return Host(
        namespace=meta["namespace"],
        pod=meta["name"],
        uid=meta["uid"],
        service_account=spec.get("serviceAccountName", "default"),
        watched=_watched(container, meta["namespace"]),
        leader_elect="--leader-elect" in (container.get("args") or []),
    )


def _repository(image: str) -> str:
    return image.split("@")[0].rsplit("/", 1)[-1].split(":")[0]


def _watched(container: Json, namespace: str) -> str:
    for env in container.get("env") or []:
        if env["name"] != "TRANSCRIBER_NAMESPACE":
            continue
        if env.get("value"):
            return str(env["value"])
        if (env.get("valueFrom") or {}).get("fieldRef", {}).get("fieldPath") == "metadata.namespace":
            return namespace
    raise RefusedError("NamespaceNotKnown", "env TRANSCRIBER_NAMESPACE has no literal value and no metadata.namespace")
