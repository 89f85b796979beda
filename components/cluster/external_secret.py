"""A Secret that the External Secrets operator fetches from a store and keeps fresh."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi_kubernetes.apiextensions import CustomResource

from components.outputs import once_made
from stacks.schema.external_secrets import ExternalData, ExternalSecretsSettings

API_VERSION, KIND = "external-secrets.io/v1", "ExternalSecret"


@dataclass(frozen=True)
class ExternalSecretArgs:
    """What the operator is told."""

    namespace: pulumi.Output[str]
    secret: str
    """Name of the Secret, and of the object that asks for it."""
    settings: ExternalSecretsSettings
    data: tuple[ExternalData, ...]


class ExternalSecret(pulumi.ComponentResource):
    """The object that asks for the Secret. Not here: operator, store and kind, which the cluster must have."""

    secret: pulumi.Output[str]
    """Name of the Secret; it appears when the operator has read the store, and pods wait for it."""

    def __init__(self, name: str, args: ExternalSecretArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("sm-realtime:cluster:ExternalSecret", name, {}, opts)
        made = CustomResource(
            f"{name}-request",
            api_version=API_VERSION,
            kind=KIND,
            metadata=kubernetes.meta.v1.ObjectMetaArgs(name=args.secret, namespace=args.namespace),
            spec={
                "refreshInterval": args.settings.refresh_interval,
                "secretStoreRef": {
                    "name": args.settings.secret_store_name,
                    "kind": args.settings.secret_store_kind.value,
                },
                "target": {"name": args.secret, "creationPolicy": "Owner"},
                "data": [each.model_dump(by_alias=True, exclude_none=True) for each in args.data],
            },
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.secret = once_made(made, args.secret)
        self.register_outputs({"secret": self.secret})
