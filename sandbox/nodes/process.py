"""The process of a container, as far as it is played: whether it comes up, ends by itself, or waits."""

from __future__ import annotations

import time
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from sandbox.nodes import commands, dependencies, images

if TYPE_CHECKING:
    from sandbox.nodes.container import Container

KILLED, TERMINATED = 137, 143
"""Exit codes of a process ended by SIGKILL and by SIGTERM."""


class Role(Enum):
    """What a container is in its pod."""

    INIT = "init"
    SIDECAR = "sidecar"
    APP = "app"


@dataclass(frozen=True)
class Exit:
    """How one life of a container ended."""

    code: int
    reason: str = "Error"


def one_shot(container: Container) -> bool:
    """Whether the container is to run a command of its own and end, as init containers and Jobs do."""
    if not container.spec.get("command"):
        return False
    if container.role is Role.APP:
        return bool(container.pod.pod["spec"].get("restartPolicy", "Always") != "Always")
    return container.role is Role.INIT


def unable(container: Container) -> str | None:
    """Why the process cannot run with what it was given, in words for its log."""
    known, world = container.known, container.world
    if known.license_file is not None:
        path = container.env.get("SM_LICENSE_FILE", known.license_file)
        if path not in container.files:
            return f"no license: {path} is {'a folder' if path in container.folders else 'not there'}"
    reference = images.parse(container.spec["image"])
    if reference is not None and reference.original == images.DEVICE_PLUGIN:
        fails = container.env.get("FAIL_ON_INIT_ERROR", "true").lower() == "true"
        if fails and not world.gpus(container.pod.node):
            return "failed to initialize NVML: no NVIDIA device on this node, and FAIL_ON_INIT_ERROR is true"
    return None


async def start(container: Container) -> Exit | None:
    """Returns when the process listens (None), or its end when it has ended instead."""
    if one_shot(container):
        return Exit(0)
    if not await _post_start(container):
        return Exit(KILLED)
    why = unable(container)
    if why is not None:
        container.log.say(why)
        return Exit(1)
    return await _needs(container)


async def _post_start(container: Container) -> bool:
    """Whether the container's postStart hook ends well; what is not simulated does not."""
    hook = (container.spec.get("lifecycle") or {}).get("postStart")
    if hook is None:
        return True
    if "sleep" in hook:
        await container.world.clock.sleep(hook["sleep"]["seconds"])
        return True
    command = (hook.get("exec") or {}).get("command") or []
    if "exec" in hook and commands.run(command, container.pod.inside(container)).code == 0:
        return True
    await container.event("Warning", "FailedPostStartHook", "PostStartHook failed")
    return False


async def _needs(container: Container) -> Exit | None:
    world, namespace = container.world, container.pod.pod["metadata"]["namespace"]
    patience = dependencies.patience(container.known, container.env)
    deadline = None if patience is None else time.monotonic() + world.clock.real(patience)
    said = None
    while True:
        why = dependencies.unmet(world, namespace, container.known, container.env, container.files)
        if why is None:
            return None
        if why != said:
            container.log.say(why)
            said = why
        left = None if deadline is None else deadline - time.monotonic()
        if left is not None and left <= 0:
            container.log.say(f"gave up after {patience:g} s")
            return Exit(1)
        again = dependencies.look_again_seconds(container.env)
        await world.changed.wait(again if left is None else left if again is None else min(left, again))
