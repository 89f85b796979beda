"""The objects that the components of Flow have around their pods (contract: flow 1, 2.7, 3.3, 4.3, 5.4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes

from components.cluster.credentials import encoded
from components.cluster.external_secret import ExternalSecret, ExternalSecretArgs
from components.flow.common import SECRET_HASH, Face, digest
from components.outputs import once_made
from components.speech.control_plane import patience
from components.speech.pod import Json
from stacks.schema.external_secrets import ExternalData, ExternalSecretsSettings


def service(
    name: str,
    face: Face,
    *,
    object_name: str | None = None,
    kind: str,
    port: kubernetes.core.v1.ServicePortArgs,
    annotations: Mapping[str, str] | None = None,
    parent: pulumi.Resource,
    after: Sequence[pulumi.Resource] = (),
) -> pulumi.Output[str]:
    """The Service in front of the component; its name, usable once it has endpoints."""
    made = kubernetes.core.v1.Service(
        name,
        metadata=face.metadata(object_name, annotations=annotations),
        spec=kubernetes.core.v1.ServiceSpecArgs(type=kind, selector=face.selector, ports=[port]),
        # no value flows: the Service is awaited until its pods are ready
        opts=pulumi.ResourceOptions(parent=parent, depends_on=list(after)),
    )
    return once_made(made, object_name or face.name)


def budget(name: str, face: Face, min_available: int, parent: pulumi.Resource) -> None:
    """The disruption budget."""
    kubernetes.policy.v1.PodDisruptionBudget(
        name,
        metadata=face.metadata(),
        spec=kubernetes.policy.v1.PodDisruptionBudgetSpecArgs(
            min_available=min_available,
            selector=kubernetes.meta.v1.LabelSelectorArgs(match_labels=face.selector),
        ),
        opts=pulumi.ResourceOptions(parent=parent, protect=face.common.protect),
    )


def own_secret(
    name: str,
    face: Face,
    secret: str,
    *,
    data: Mapping[str, pulumi.Output[str]],
    store: ExternalSecretsSettings,
    references: Sequence[ExternalData],
    parent: pulumi.Resource,
) -> tuple[pulumi.Output[str], dict[str, pulumi.Input[str]]]:
    """The component's Secret, of flat secret keys or from a store; its name, and the pods' annotation of its content.

    What a store holds is not known here: a change there is a new version only once something else changes as well.
    """
    if store.enabled:
        args = ExternalSecretArgs(face.metadata(secret), secret, store, tuple(references))
        return ExternalSecret(name, args, pulumi.ResourceOptions(parent=parent)).secret, {}
    made = kubernetes.core.v1.Secret(
        name,
        metadata=face.metadata(secret),
        type="Opaque",
        data={key: value.apply(encoded) for key, value in data.items()},
        opts=pulumi.ResourceOptions(parent=parent),
    )
    hashed: dict[str, pulumi.Input[str]] = {}
    if data:
        content = pulumi.Output.all(**data).apply(lambda found: digest(*(f"{k}={found[k]}" for k in sorted(found))))
        hashed[SECRET_HASH] = pulumi.Output.unsecret(content)
    return once_made(made, secret), hashed


def deployment(
    name: str,
    face: Face,
    *,
    replicas: int,
    template: Json,
    strategy: Json,
    annotations: Mapping[str, str] | None = None,
    seconds: int | None = None,
    parent: pulumi.Resource,
) -> kubernetes.apps.v1.Deployment:
    """A Deployment; `seconds` is how long its pods may take to become ready, None is Kubernetes' 10 minutes."""
    # the one pod builder writes the API's own names, which the SDK passes on as they are
    spec: Any = {
        "replicas": replicas,
        "selector": {"matchLabels": face.selector},
        "strategy": strategy,
        "template": template,
    }
    if seconds is not None:
        spec["progressDeadlineSeconds"] = seconds
    return kubernetes.apps.v1.Deployment(
        name,
        metadata=face.metadata(annotations=annotations),
        spec=spec,
        opts=pulumi.ResourceOptions(parent=parent, custom_timeouts=patience(seconds or 0)),
    )
