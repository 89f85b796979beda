"""The controller in a pod: its image, its environment, its arguments."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.hosted import host as hosted
from sandbox.hosted.host import Json, RefusedError
from sandbox.ingress import arguments
from sandbox.ingress.arguments import Arguments
from sandbox.nodes.environment import expand
from sandbox.nodes.images import parse

IMAGES = ("docker.io/nginx/nginx-ingress", "quay.io/nginx/nginx-ingress", "ghcr.io/nginx/kubernetes-ingress")


@dataclass(frozen=True)
class Host(hosted.Host):
    """One running controller."""

    arguments: Arguments


def host(pod: Json) -> Host | None:
    """The controller in this pod; None where there is none. Raises `RefusedError`."""
    meta, spec = pod["metadata"], pod["spec"]
    found = [c for c in spec["containers"] if (image := parse(c["image"])) and image.original in IMAGES]
    if not found:
        return None
    if len(found) > 1 or found[0].get("command"):
        raise RefusedError("NotTheController", "several controllers in one pod, or a command in place of the image's")
    known = _environment(found[0], meta["namespace"], meta["name"])
    if (known.get("POD_NAMESPACE"), known.get("POD_NAME")) != (meta["namespace"], meta["name"]):
        raise RefusedError("PodNotFound", "Failed to get pod: POD_NAMESPACE and POD_NAME must name the pod itself")
    return Host(
        namespace=meta["namespace"],
        pod=meta["name"],
        uid=meta["uid"],
        service_account=spec.get("serviceAccountName", "default"),
        arguments=arguments.parse([expand(word, known) for word in found[0].get("args") or []]),
    )


def _environment(container: Json, namespace: str, name: str) -> dict[str, str]:
    fields = {"metadata.namespace": namespace, "metadata.name": name}
    known: dict[str, str] = {}
    for env in container.get("env") or []:
        path = ((env.get("valueFrom") or {}).get("fieldRef") or {}).get("fieldPath", "")
        value = env.get("value") or fields.get(path)
        if value is not None:
            known[env["name"]] = value
    return known
