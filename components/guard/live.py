"""Reads the cluster itself at the moment of a step: credentials from Azure, then SessionGroups, pods and nodes.

Nothing here comes from the state or from the arguments of a hook, and nothing is awaited that depends on a resource of
the program: group and cluster are plain strings. Whatever is not a clear answer is a `problem`, never zero.
"""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import httpx2 as httpx
import pulumi
import yaml
from lightkube import AsyncClient, KubeConfig
from lightkube.generic_resource import create_namespaced_resource
from lightkube.resources.core_v1 import Node, Pod

from components.guard.reading import NOTHING, Reading, group_of, never_ran, pods_of
from components.speech.crd import GROUP, KIND, PLURAL, VERSION
from components.speech.disruption import SAFE_TO_EVICT_LABEL

ANSWER_SECONDS = 20.0
"""For one answer of the API server."""

DEADLINE_SECONDS = 120.0
"""For the whole reading. A hook without one can hang an update past Ctrl-C.

Far more than the answers take: a reading shares its event loop with a program that registers a hundred resources, which
took 20 s of a machine with half a core to spare.
"""

FIRST_STATUS_SECONDS = 30.0
"""For the first status of a group that was made a moment ago: an update may delete one thing and make another."""
LOOK_SECONDS = 1.0
"""Between two looks for it."""

CREDENTIALS = "azure-native:containerservice:listManagedClusterUserCredentials"

SessionGroup = create_namespaced_resource(GROUP, VERSION, KIND, PLURAL)

_ABSENT = re.compile(
    r'Status=404 Code="(ResourceNotFound|ResourceGroupNotFound)"'
    r"|RESPONSE 404.*?ERROR CODE: (ResourceNotFound|ResourceGroupNotFound)\b",
    re.DOTALL,
)

Read = Callable[[], Awaitable[Reading]]
"""How hooks ask for the cluster's state."""

Clock = Callable[[], datetime]
"""What time it is, with its zone."""


def absent(azure_error: str) -> bool:
    """Whether Azure says that the cluster, or its resource group, does not exist.

    Two forms of the same answer: azure-native's own and the Azure SDK's. Any other 404, an unknown subscription for
    example, says nothing about the cluster.
    """
    return _ABSENT.search(azure_error) is not None


def one_line(text: object, most: int = 300) -> str:
    """An error as one short line."""
    return " ".join(str(text).split())[:most]


async def credentials(provider: pulumi.ProviderResource, resource_group: str, cluster: str) -> str:
    """The cluster's kubeconfig, from Azure, now. Raises what Azure answers."""
    answer = await pulumi.runtime.invoke_async(
        CREDENTIALS,
        {"resourceGroupName": resource_group, "resourceName": cluster},
        pulumi.InvokeOptions(provider=provider),
    )
    return base64.b64decode(answer["kubeconfigs"][0]["value"]).decode()


async def read_cluster(kubeconfig: str, clock: Clock) -> Reading:
    """SessionGroups, session pods and nodes. A server without the SessionGroup kind has no group, and may have pods.

    A group that is too young to have a status is looked at again until it has one, or its time is over.
    """
    client = AsyncClient(KubeConfig.from_dict(yaml.safe_load(kubeconfig)), timeout=httpx.Timeout(ANSWER_SECONDS))
    try:
        loop = asyncio.get_running_loop()
        until = loop.time() + FIRST_STATUS_SECONDS
        reading = await _lists(client)
        while any(group.awaited(clock()) for group in reading.groups) and loop.time() < until:
            await asyncio.sleep(LOOK_SECONDS)
            reading = await _lists(client)
        return reading
    except httpx.HTTPStatusError as error:
        return Reading(problem=f"the API server answered {error.response.status_code}: {one_line(error)}")
    except httpx.HTTPError as error:
        return Reading(problem=f"the API server does not answer: {type(error).__name__} {one_line(error)}")
    finally:
        await client.close()


async def _lists(client: AsyncClient) -> Reading:
    try:
        items = [dict(item) async for item in client.list(SessionGroup, namespace="*")]
    except httpx.HTTPStatusError as error:
        if error.response.status_code != 404:
            raise
        items = []
    around: dict[str, list[dict[str, Any]]] = {}
    for namespace in {item["metadata"]["namespace"] for item in items if never_ran(item)}:
        around[namespace] = [pod.to_dict() async for pod in client.list(Pod, namespace=namespace)]
    groups = [group_of(item, around.get(item["metadata"]["namespace"])) for item in items]
    labelled = client.list(Pod, namespace="*", labels={SAFE_TO_EVICT_LABEL: None})
    pods: list[dict[str, Any]] = [pod.to_dict() async for pod in labelled]
    nodes: list[dict[str, Any]] = [node.to_dict() async for node in client.list(Node)]
    return Reading(tuple(groups), pods_of(pods, nodes))


def shared(read: Read) -> Read:
    """The same for many at once: whoever asks gets a reading that began after that, and all who wait get one together.

    An update of every group asks once a group, and a reading is of the whole cluster.
    """
    one_at_a_time = asyncio.Lock()
    following: asyncio.Task[Reading] | None = None

    async def begin() -> Reading:
        nonlocal following
        async with one_at_a_time:
            following = None
            return await read()

    async def ask() -> Reading:
        nonlocal following
        if following is None:
            following = asyncio.create_task(begin())
        # who gives up takes nothing from the others
        return await asyncio.shield(following)

    return ask


def reader(provider: pulumi.ProviderResource, resource_group: str, cluster: str, clock: Clock) -> Read:
    """How hooks read this cluster: within the deadline, and never with an exception."""

    async def read() -> Reading:
        try:
            async with asyncio.timeout(DEADLINE_SECONDS):
                return await read_cluster(await credentials(provider, resource_group, cluster), clock)
        except TimeoutError:
            return Reading(problem=f"no answer within {DEADLINE_SECONDS:.0f} seconds")
        except Exception as error:
            # the SDK raises a plain Exception with the provider's text; whatever else goes wrong is not zero either
            text = str(error)
            if absent(text):
                return NOTHING
            return Reading(problem=f"the cluster's credentials: {type(error).__name__} {one_line(text)}")

    return shared(read)
