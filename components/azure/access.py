"""The way into the cluster: credentials from Azure and the Kubernetes provider made of them."""

from __future__ import annotations

import base64
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi_azure_native import containerservice as aks


def kubeconfig(credentials: aks.ListManagedClusterUserCredentialsResult) -> str:
    """The first kubeconfig of the answer, decoded (Azure sends base64)."""
    return base64.b64decode(credentials.kubeconfigs[0].value).decode()


@dataclass(frozen=True)
class AccessArgs:
    """What access needs. Group and cluster are plain strings: an update of the cluster leaves the answer known."""

    resource_group: str
    cluster_name: str
    cluster_id: str
    """The cluster's ARM id, built from configuration: as long as it stays the same, no object is ever replaced
    because the kubeconfig changed or is not known yet."""
    cluster: pulumi.Resource
    protect: bool


class Access(pulumi.ComponentResource):
    """The Kubernetes provider every object in the cluster is given explicitly."""

    kubeconfig: pulumi.Output[str]
    provider: kubernetes.Provider

    def __init__(self, name: str, args: AccessArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("sm-realtime:azure:Access", name, {}, opts)
        credentials = aks.list_managed_cluster_user_credentials_output(
            resource_group_name=args.resource_group,
            resource_name=args.cluster_name,
            opts=pulumi.InvokeOutputOptions(parent=self, depends_on=[args.cluster]),
        )
        self.kubeconfig = pulumi.Output.secret(credentials.apply(kubeconfig))
        self.provider = kubernetes.Provider(
            f"{name}-kubernetes",
            kubeconfig=self.kubeconfig,
            cluster_identifier=args.cluster_id,
            enable_server_side_apply=True,
            # a changed map is updated in place; the default replaces it, which deletes a named one first
            enable_config_map_mutable=True,
            enable_secret_mutable=True,
            # a replacement under the same name has deleted the new object (pulumi-kubernetes#4522)
            upsert_existing_objects=False,
            # objects of a cluster that does not answer stay in the state
            delete_unreachable=False,
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect),
        )
        self.register_outputs({"kubeconfig": self.kubeconfig})
