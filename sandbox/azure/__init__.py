"""The Azure stand-in: Azure Resource Manager and AKS behind the `azure-native` provider protocol.

`provider.py` speaks the protocol, `arm.py` is the resource manager, `aks.py` and the controllers beside it are what
Azure runs for a managed cluster: nodes, autoscaler, disks, load balancer.
"""

from __future__ import annotations

from typing import Protocol


class Clusters(Protocol):
    """What the stand-in needs of the plane: Kubernetes control planes, by key `<resource group>_<cluster name>`."""

    async def start(self, key: str, version: str, service_cidr: str) -> None:
        """Start the control plane (again), return when it answers. Starting one that runs changes nothing.

        `service_cidr` is where the cluster's Services have their addresses.
        """

    async def delete(self, key: str) -> None:
        """Write what is left in the API server to `clusters/<key>.left.json`, stop it, remove its folder."""

    async def discard(self, key: str) -> None:
        """Remove what there is of a control plane that does not run and whose creation was cut off."""

    def admin_kubeconfig(self, key: str) -> str:
        """A kubeconfig in the group system:masters, for the cloud's own controllers."""

    def user_kubeconfig(self, key: str) -> str:
        """What listManagedClusterUserCredentials hands out."""

    def kubelet_port(self, key: str) -> int:
        """The loopback port on which every node's kubelet answers."""
