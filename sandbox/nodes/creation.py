"""Creating a container, refusals and all: its image is pulled, its environment resolved, its user checked."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from sandbox.kube import Json, KubeError
from sandbox.nodes import environment, images, pulls
from sandbox.nodes.clock import Backoff, spoken
from sandbox.nodes.environment import ConfigError
from sandbox.nodes.pulls import PullError

if TYPE_CHECKING:
    from sandbox.nodes.container import Container

PULL_BACKOFF = (10.0, 300.0)
"""Seconds between two pulls that fail: doubled up to the longest."""
PULL_ERROR_SHOWN = 2.0
"""Seconds for which a failed pull shows as ErrImagePull before it shows as ImagePullBackOff (own number)."""
SYNC_SECONDS = 10.0
"""A kubelet looks again at a pod it could not sync after 10 to 15 s."""
API_RETRY_SECONDS = 1.0
"""Before a question that the API server did not answer is asked again. Real seconds."""


class _RefusalError(Exception):
    """The container cannot be created now: what its status shows, and what the event says."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason, self.message = reason, message


def non_root_refusal(pod: Json, container: Json, image_user: int) -> str | None:
    """Why `runAsNonRoot` forbids the container (kubernetes: verifyRunAsNonRoot); None when it does not."""
    outer, inner = pod["spec"].get("securityContext") or {}, container.get("securityContext") or {}
    both = {**{k: v for k, v in outer.items() if v is not None}, **{k: v for k, v in inner.items() if v is not None}}
    if not both.get("runAsNonRoot"):
        return None
    meta = pod["metadata"]
    who = f'(pod: "{meta["name"]}_{meta["namespace"]}({meta["uid"]})", container: {container["name"]})'
    if both.get("runAsUser") == 0:
        return f"container's runAsUser breaks non-root policy {who}"
    if "runAsUser" not in both and image_user == 0:
        return f"container has runAsNonRoot and image will run as root {who}"
    return None


async def create(container: Container) -> images.Reference:
    """Returns the image when the container can be created; refusals show in its status and events meanwhile."""
    failed_pulls = Backoff(*PULL_BACKOFF)
    while True:
        try:
            reference = await _pull(container)
            await _configure(container)
            return reference
        except PullError as error:
            await _pull_failed(container, str(error), failed_pulls.next())
        except _RefusalError as refused:
            container.wait_as(refused.reason, refused.message)
            await container.event("Warning", "Failed", f"Error: {refused.message}")
            await container.world.clock.sleep(SYNC_SECONDS)
        except KubeError as error:
            container.log.say(f"the API server does not answer: {error.message}")
            await asyncio.sleep(API_RETRY_SECONDS)


async def _pull(container: Container) -> images.Reference:
    """Raises `PullError`, `_RefusalError`."""
    image, policy = container.spec["image"], container.spec.get("imagePullPolicy", "IfNotPresent")
    node, namespace = container.pod.node, container.pod.pod["metadata"]["namespace"]
    here = (node, image) in container.world.pulled
    if policy == "Never" and not here:
        message = f'Container image "{image}" is not present with pull policy of Never'
        await container.event("Warning", "ErrImageNeverPull", message)
        raise _RefusalError("ErrImageNeverPull", message)
    names = [str(s["name"]) for s in container.pod.pod["spec"].get("imagePullSecrets") or [] if s.get("name")]
    secrets = [await container.world.secret(namespace, name) for name in names]
    absent = [name for name, secret in zip(names, secrets, strict=True) if secret is None]
    if absent:
        await container.world.recorder.record(
            container.pod.pod, "Warning", "FailedToRetrieveImagePullSecret",
            f"Unable to retrieve some image pull secrets ({', '.join(absent)}); "
            "attempting to pull the image may not succeed.",
        )  # fmt: skip
    reference = pulls.check(image, [s for s in secrets if s is not None], container.world.registries)
    if not here:
        await container.event("Normal", "Pulling", f'Pulling image "{image}"')
        await container.world.clock.sleep(images.PULL_SECONDS)
        container.world.pulled.add((node, image))
        seconds = spoken(images.PULL_SECONDS)
        await container.event("Normal", "Pulled", f'Successfully pulled image "{image}" in {seconds}')
    return reference


async def _pull_failed(container: Container, why: str, seconds: float) -> None:
    image = container.spec["image"]
    container.wait_as("ErrImagePull", why)
    await container.event("Warning", "Failed", f'Failed to pull image "{image}": {why}')
    await container.event("Warning", "Failed", "Error: ErrImagePull")
    await container.world.clock.sleep(PULL_ERROR_SHOWN)
    container.wait_as("ImagePullBackOff", f'Back-off pulling image "{image}": ErrImagePull: {why}')
    await container.event("Normal", "BackOff", f'Back-off pulling image "{image}"')
    await container.event("Warning", "Failed", "Error: ImagePullBackOff")
    await container.world.clock.sleep(max(0.0, seconds - PULL_ERROR_SHOWN))


async def _configure(container: Container) -> None:
    """Environment, user and mounts of the container to be. Raises `_RefusalError`."""
    try:
        container.env = await environment.resolve(
            container.world, container.pod.pod, container.spec, container.pod.address
        )
    except ConfigError as error:
        raise _RefusalError("CreateContainerConfigError", str(error)) from error
    why = non_root_refusal(container.pod.pod, container.spec, container.known.user)
    if why is not None:
        raise _RefusalError("CreateContainerConfigError", why)
    container.look_into_volumes()
