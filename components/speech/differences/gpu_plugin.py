"""Differences of the NVIDIA device plugin."""

from __future__ import annotations

from components.speech.differences.difference import NOTHING, Added, Difference, Instead, Like

PLUGIN = "DaemonSet/nvidia-gpu-drivers"
NAME = "nvidia-device-plugin"

_ONCE = (
    "The chart makes it once for each inference server that asks for it, all under one name: two servers collide. "
    "Ours belongs to the cluster, stands once, and has the name of what it is: it installs no driver."
)

GPU_PLUGIN: tuple[Difference, ...] = (
    Difference(PLUGIN, "", Instead(f"DaemonSet/{NAME}"), _ONCE),
    Difference(PLUGIN, "metadata.labels.name", NAME, _ONCE),
    Difference(PLUGIN, "spec.selector.matchLabels.name", NAME, _ONCE),
    Difference(PLUGIN, "spec.template.metadata.labels.name", NAME, _ONCE),
    Difference(
        PLUGIN,
        "metadata.namespace",
        Added("kube-system"),
        "Pods of the priority class `system-node-critical` belong there; the contract names no namespace.",
    ),
    Difference(
        PLUGIN,
        "spec.template.spec.nodeSelector.gpu",
        NOTHING,
        "Nobody puts the vendor's label on AKS nodes; the GPU pool's own label is chosen instead.",
    ),
    Difference(
        PLUGIN,
        "spec.template.spec.nodeSelector.sm-realtime/pool",
        Added("inference"),
        "Every generation of the GPU pool has it, old and new: each needs the plugin while pods run on it.",
    ),
    Difference(
        PLUGIN,
        "spec.template.spec.tolerations[*]",
        Added({"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}),
        "The other taint that GPU nodes are known to have, as in NVIDIA's own manifest.",
    ),
    Difference(
        PLUGIN,
        "spec.template.spec.containers[*].image",
        Like(r"nvcr\.io/nvidia/k8s-device-plugin:v0\.[0-9]+\.[0-9]+"),
        "A newer release of the same image; its number is in `stacks/versions.py`.",
    ),
    Difference(
        PLUGIN,
        "spec.template.spec.volumes[device-plugin].hostPath.type",
        Added("Directory"),
        "The kubelet's folder is there or the pod fails; none is made in its place.",
    ),
)
"""The differences."""
