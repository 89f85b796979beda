"""Rules of vLLM: its GPUs can do what it asks of them, and its volume is where its pods are."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from stacks.capacity import SIZES, bfloat16
from stacks.problem import Problem, remove_command, set_command
from stacks.schema import Settings
from stacks.schema.flow.vllm import Cache
from stacks.schema.pools import Role


def gpus(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    """GPUs asked for are those the server is shown, and one node has them all."""
    vllm, path = settings.flow.vllm, "flow.vllm.config.numGPUs"
    if not vllm.enabled:
        return
    wanted = str(vllm.config.num_gpus)
    given = {
        amounts["nvidia.com/gpu"]
        for amounts in (vllm.resources.get("limits", {}), vllm.resources.get("requests", {}))
        if "nvidia.com/gpu" in amounts
    }
    if given - {wanted}:
        reason = f"flow.vllm.resources asks for {', '.join(sorted(given))} GPUs, the server is shown {wanted}"
        yield Problem(path, "contradiction", reason, set_command(path, sorted(given - {wanted})[0]))
    pools = [each for each in settings.pools.all if each.role is Role.INFERENCE and each.name == vllm.pool]
    sizes = [SIZES[each.vm_size].gpus for pool in pools for each in pool.generations if each.vm_size in SIZES]
    if sizes and vllm.config.num_gpus > max(sizes):
        reason = f"no VM size of {pools[0].path} has more than {max(sizes)} GPUs, so the pod would wait for ever"
        yield Problem(path, "out-of-range", reason, set_command(path, max(sizes)))


def dtypes(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    """The weights are of a type with which the GPUs of the pool compute."""
    vllm = settings.flow.vllm
    pools = settings.pools.actives(Role.INFERENCE, vllm.pool)
    if not vllm.enabled or not pools or bfloat16(settings, vllm.pool):
        return
    why = f"the GPUs of {pools[0].vm_size} have no bfloat16, so the server would end at its start"
    path = "flow.vllm.config.dtype"
    if vllm.config.dtype == "bfloat16":
        yield Problem(path, "dtype-without-gpu", why, set_command(path, "half"))
    # the server takes the last of two, so one among the further arguments counts
    further = vllm.config.additional_args.get("dtype")
    if further in ("auto", "bfloat16"):
        path = "flow.vllm.config.additionalArgs.dtype"
        reason = why if further == "bfloat16" else f"auto is the model's own type, and {why}"
        yield Problem(path, "dtype-without-gpu", reason, remove_command(path))


DISKS = re.compile(r"default|managed|managed-premium|managed-csi(-.*)?")
"""The classes of Azure disks that AKS makes, of today and of old."""


def volumes(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    """The volume is of a class that several nodes may have at once."""
    vllm, path = settings.flow.vllm, "flow.vllm.persistence.storageClassName"
    name = vllm.persistence.storage_class_name
    if not vllm.enabled or (name and not DISKS.fullmatch(name)):
        return
    disk = f"{name} is a class of Azure disks"
    if not name:
        disk = "without a name it is the cluster's default class, which AKS makes of Azure disks"
    reason = f"{disk}: no claim for several nodes (ReadWriteMany) is ever bound there"
    yield Problem(path, "volume-on-one-node", reason, set_command(path, Cache().storage_class_name))


VLLM = (gpus, dtypes, volumes)
"""All of them."""
