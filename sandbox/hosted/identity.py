"""A pod's identity towards the API server: its service account's token, bound to the pod, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.hosted.host import Host, Json
from sandbox.hosted.times import timestamp
from sandbox.kube import Kube

TOKEN_SECONDS = 3607
"""What a kubelet asks for when it projects a service account's token (the volume's default in kube-apiserver)."""
RENEW_AT = 0.8
"""A kubelet renews a token when this share of its life is over (kubelet, `token_manager.go`)."""


async def request_token(admin: Kube, host: Host) -> tuple[str, float]:
    """A token of the pod's service account, as its kubelet would get it, and when it expires (epoch seconds).

    Raises `KubeError` when the service account or the pod is not there.
    """
    request: Json = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "spec": {
            "expirationSeconds": TOKEN_SECONDS,
            "boundObjectRef": {"apiVersion": "v1", "kind": "Pod", "name": host.pod, "uid": host.uid},
        },
    }
    path = f"/api/v1/namespaces/{host.namespace}/serviceaccounts/{host.service_account}/token"
    answer = (await admin.request("POST", path, request))["status"]
    return str(answer["token"]), timestamp(answer["expirationTimestamp"])


def with_token(kubeconfig: Mapping[str, Any], token: str) -> Json:
    """The kubeconfig's current cluster with this token as the only credential."""
    current = next(c for c in kubeconfig["contexts"] if c["name"] == kubeconfig["current-context"])
    cluster = next(c for c in kubeconfig["clusters"] if c["name"] == current["context"]["cluster"])
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [cluster],
        "users": [{"name": "controller", "user": {"token": token}}],
        "contexts": [{"name": "controller", "context": {"cluster": cluster["name"], "user": "controller"}}],
        "current-context": "controller",
    }
