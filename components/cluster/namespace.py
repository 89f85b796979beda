"""The one namespace of the platform."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes

from components.outputs import once_made


@dataclass(frozen=True)
class NamespaceArgs:
    """What the namespace needs."""

    namespace: str
    pools: tuple[pulumi.Resource, ...]
    """Every node pool of the cluster."""
    protect: bool


class Namespace(pulumi.ComponentResource):
    """The namespace. Deleting it takes everything in it, disks of Redis included."""

    name: pulumi.Output[str]

    def __init__(self, name: str, args: NamespaceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("sm-realtime:cluster:Namespace", name, {}, opts)
        namespace = kubernetes.core.v1.Namespace(
            f"{name}-namespace",
            metadata=kubernetes.meta.v1.ObjectMetaArgs(name=args.namespace),
            opts=pulumi.ResourceOptions(
                parent=self,
                protect=args.protect,
                # no value flows: on the way down the pods are gone, with the namespace, before their nodes are asked to
                depends_on=list(args.pools),
            ),
        )
        self.name = once_made(namespace, args.namespace)
        self.register_outputs({"name": self.name})
