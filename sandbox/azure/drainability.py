"""What keeps the cluster autoscaler from taking a node away, and how much of the node is used. Pure.

The rules and their order: kubernetes/autoscaler, simulator/drainability/rules (`Default`); utilisation:
simulator/utilization (`Calculate`). One rule is left open: upstream takes pods of custom controllers for pods without
a controller (`--skip-nodes-with-custom-controller-pods`, default true); whether AKS keeps that is not documented, and
here every controller counts, which vetoes less.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from sandbox.azure.budgets import allows, covering
from sandbox.azure.drain import by_daemon_set, is_mirror
from sandbox.azure.quantity import amounts, pod_requests
from sandbox.azure.scaler_profile import GPU_UTILIZATION_THRESHOLD, Profile
from sandbox.kube import Json

SAFE_TO_EVICT = "cluster-autoscaler.kubernetes.io/safe-to-evict"
SAFE_VOLUMES = "cluster-autoscaler.kubernetes.io/safe-to-evict-local-volumes"
SCALE_DOWN_DISABLED = "cluster-autoscaler.kubernetes.io/scale-down-disabled"
GPU, GPU_LABEL = "nvidia.com/gpu", "accelerator"
"""The Azure provider knows a GPU machine by this label (cloudprovider/azure, `GPULabel`)."""


def veto(pod: Json, profile: Profile, budgets: Sequence[Json]) -> str | None:
    """Why a pod keeps its node; None when it does not. `budgets` are all of the cluster."""
    meta = pod["metadata"]
    annotations = meta.get("annotations") or {}
    name = f"{meta['namespace']}/{meta['name']}"
    if is_mirror(pod) or by_daemon_set(pod) or annotations.get(SAFE_TO_EVICT) == "true":
        return None
    if (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed"):
        return None
    over_it = covering(pod, budgets)
    if not any(owner.get("controller") for owner in meta.get("ownerReferences") or []):
        return f"{name} is not replicated"
    if profile.skip_system_pods and meta["namespace"] == "kube-system" and not over_it:
        return f"non-daemonset, non-mirrored, non-pdb-assigned kube-system pod present: {meta['name']}"
    if annotations.get(SAFE_TO_EVICT) == "false":
        return f"pod annotated as not safe to evict present: {meta['name']}"
    if profile.skip_local_storage and _local_volumes(pod) - set(annotations.get(SAFE_VOLUMES, "").split(",")):
        return f"pod with local storage present: {meta['name']}"
    if any(allows(budget) < 1 for budget in over_it):
        return f"not enough pod disruption budget to move {name}"
    return None


def _local_volumes(pod: Json) -> set[str]:
    """Volumes of hostPath and emptyDir, the ones in memory aside."""
    found = set()
    for volume in pod["spec"].get("volumes") or []:
        empty_dir = volume.get("emptyDir")
        if "hostPath" in volume or (empty_dir is not None and empty_dir.get("medium") != "Memory"):
            found.add(volume["name"])
    return found


def occupied(pods: Sequence[Json]) -> bool:
    """Whether a node has pods that would have to be moved."""
    return any(not by_daemon_set(pod) and not is_mirror(pod) for pod in pods)


def underused(node: Json, pods: Sequence[Json], profile: Profile) -> bool:
    """Whether a node's utilisation is below its threshold; a GPU machine is judged by its GPUs alone."""
    if GPU_LABEL in (node["metadata"].get("labels") or {}):
        return utilization(node, pods, profile, (GPU,)) < GPU_UTILIZATION_THRESHOLD
    return utilization(node, pods, profile, ("cpu", "memory")) < profile.utilization_threshold


def utilization(node: Json, pods: Sequence[Json], profile: Profile, resources: Sequence[str]) -> Fraction:
    """The largest share of what is allocatable that pods request. A GPU that no plugin reports is 0."""
    room = amounts((node.get("status") or {}).get("allocatable"))
    highest = Fraction(0)
    for resource in resources:
        used, aside = Fraction(0), Fraction(0)
        for pod in pods:
            asked = pod_requests(pod).get(resource, Fraction(0))
            if profile.ignore_daemonsets and by_daemon_set(pod):
                aside += asked
            else:
                used += asked
        left = room.get(resource, Fraction(0)) - aside
        if left > 0:
            highest = max(highest, used / left)
    return highest
