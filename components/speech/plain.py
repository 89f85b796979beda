"""A plain Deployment of pods that hold sessions, where there is no session group (contract: transcription 11.7, 13.1).

Nothing knows of the sessions in its pods: Kubernetes replaces them one after another, busy or not. What is left to do
is done: a new pod is ready before an old one is told to go, and the old one may live as long as the longest session.
"""

from __future__ import annotations

from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes

from components.speech.control_plane import patience
from components.speech.disruption import one_at_most, surge_first
from components.speech.pod import Json, env, env_field

MODEL_SECONDS = 1800
"""How long pods may take that load models, or wait for servers that do: 15 minutes for the models (contract:
transcription 11.4), and as much again for a node and images of many GB (estimate)."""


def plain_env(name: str) -> list[Json]:
    """Which Deployment a pod is of, and on which node it runs."""
    return [env("SM_DEPLOYMENT_NAME", name), env_field("SM_NODE_NAME", "spec.nodeName")]


PLAIN_VERSION: Json = env("SM_SPEC_VERSION", "1")
"""In place of the label that the sessiongroups-controller would set."""


def plain_strategy(*, recreate: bool) -> Json:
    """How pods are replaced."""
    return one_at_most() if recreate else surge_first()


def plain_deployment(
    name: str,
    metadata: kubernetes.meta.v1.ObjectMetaArgs,
    *,
    replicas: int,
    selector: dict[str, str],
    template: Json,
    recreate: bool = False,
    parent: pulumi.Resource,
) -> None:
    """The Deployment of a language or an inference server."""
    # the one pod builder writes the API's own names, which the SDK passes on as they are
    spec: Any = {
        "replicas": replicas,
        "selector": {"matchLabels": selector},
        "strategy": plain_strategy(recreate=recreate),
        "progressDeadlineSeconds": MODEL_SECONDS,
        "template": template,
    }
    opts = pulumi.ResourceOptions(parent=parent, custom_timeouts=patience(MODEL_SECONDS, max(replicas, 1)))
    kubernetes.apps.v1.Deployment(name, metadata=metadata, spec=spec, opts=opts)
