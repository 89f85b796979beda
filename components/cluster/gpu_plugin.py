"""The NVIDIA device plugin: without it a GPU node has no `nvidia.com/gpu` to give."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes

from components.placement import POOL_LABEL, taint
from stacks.schema.own import GpuPluginSettings
from stacks.schema.pools import Role

PLUGIN_FOLDER = "/var/lib/kubelet/device-plugins"
"""Where the kubelet looks for device plugins."""


@dataclass(frozen=True)
class GpuPluginArgs:
    """What the plugin needs."""

    image: str
    settings: GpuPluginSettings
    after: pulumi.Input[object]
    """Known once workloads may be made."""


class GpuPlugin(pulumi.ComponentResource):
    """One pod on every node of every generation of the GPU pool. Not here: the driver, which AKS installs."""

    daemon_set: pulumi.Output[str]

    def __init__(self, name: str, args: GpuPluginArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("sm-realtime:cluster:GpuPlugin", name, {}, opts)
        labels = {"name": "nvidia-device-plugin"}
        namespace = pulumi.Output.from_input(args.after).apply(lambda _: "kube-system")
        tolerations: list[Any] = [
            taint(Role.INFERENCE).toleration,
            {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"},
            *args.settings.tolerations,
        ]
        # in the API's own names, which the SDK passes on as they are
        affinity: Any = copy.deepcopy(args.settings.affinity) or None
        daemon_set = kubernetes.apps.v1.DaemonSet(
            f"{name}-daemonset",
            metadata=kubernetes.meta.v1.ObjectMetaArgs(name="nvidia-device-plugin", namespace=namespace, labels=labels),
            spec=kubernetes.apps.v1.DaemonSetSpecArgs(
                selector=kubernetes.meta.v1.LabelSelectorArgs(match_labels=labels),
                update_strategy=kubernetes.apps.v1.DaemonSetUpdateStrategyArgs(type="RollingUpdate"),
                template=kubernetes.core.v1.PodTemplateSpecArgs(
                    metadata=kubernetes.meta.v1.ObjectMetaArgs(labels=labels),
                    spec=kubernetes.core.v1.PodSpecArgs(
                        priority_class_name="system-node-critical",
                        node_selector={**args.settings.node_selector, POOL_LABEL: Role.INFERENCE.value},
                        tolerations=tolerations,
                        affinity=affinity,
                        containers=[
                            kubernetes.core.v1.ContainerArgs(
                                name="nvidia-device-plugin-ctr",
                                image=args.image,
                                env=[kubernetes.core.v1.EnvVarArgs(name="FAIL_ON_INIT_ERROR", value="false")],
                                security_context=kubernetes.core.v1.SecurityContextArgs(
                                    allow_privilege_escalation=False,
                                    capabilities=kubernetes.core.v1.CapabilitiesArgs(drop=["ALL"]),
                                ),
                                volume_mounts=[
                                    kubernetes.core.v1.VolumeMountArgs(name="device-plugin", mount_path=PLUGIN_FOLDER)
                                ],
                            )
                        ],
                        volumes=[
                            kubernetes.core.v1.VolumeArgs(
                                name="device-plugin",
                                host_path=kubernetes.core.v1.HostPathVolumeSourceArgs(
                                    path=PLUGIN_FOLDER, type="Directory"
                                ),
                            )
                        ],
                    ),
                ),
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.daemon_set = daemon_set.id
        self.register_outputs({"daemonSet": self.daemon_set})
