"""A Secret that the External Secrets Operator fills from a store outside the cluster."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi_kubernetes.apiextensions import CustomResource

from components.outputs import once_made
from stacks.schema.external_secrets import ExternalData, ExternalSecretsSettings


def spec(store: ExternalSecretsSettings, target: str, data: Sequence[ExternalData]) -> dict[str, Any]:
    """`spec` of the object; the Secret has the name of the object and goes with it."""
    return {
        "refreshInterval": store.refresh_interval,
        "secretStoreRef": {"kind": store.secret_store_kind.value, "name": store.secret_store_name},
        "target": {"name": target, "creationPolicy": "Owner"},
        "data": [each.model_dump(by_alias=True, exclude_none=True, mode="json") for each in data],
    }


@dataclass(frozen=True)
class ExternalSecretArgs:
    """What the object says."""

    metadata: kubernetes.meta.v1.ObjectMetaArgs
    secret: str
    """Name of object and Secret."""
    store: ExternalSecretsSettings
    data: tuple[ExternalData, ...]


class ExternalSecret(pulumi.ComponentResource):
    """The object. Not here: the operator and its kinds, which must be in the cluster already."""

    secret: pulumi.Output[str]
    """Name of the Secret; pods that name it wait until the operator has made it."""

    def __init__(self, name: str, args: ExternalSecretArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("sm-realtime:cluster:ExternalSecret", name, {}, opts)
        made = CustomResource(
            f"{name}-object",
            api_version="external-secrets.io/v1",
            kind="ExternalSecret",
            metadata=args.metadata,
            spec=spec(args.store, args.secret, args.data),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.secret = once_made(made, args.secret)
        self.register_outputs({"secret": self.secret})
