"""Azure resource ids: how they are built, compared and read. Ids are case-insensitive; their spelling is kept.

The one place of the local plane's made-up subscription and tenant.
"""

from __future__ import annotations

import hashlib
import re
import uuid

SUBSCRIPTION_ID = "5a6d2d72-6561-4c74-896d-650000000001"
"""The subscription every local plane has; nothing of this id exists in Azure."""

TENANT_ID = "5a6d2d72-6561-4c74-896d-650000000002"

SUBSCRIPTION_SCOPE = f"/subscriptions/{SUBSCRIPTION_ID}"

_GROUP = re.compile(r"^/subscriptions/[^/]+/resourceGroups/([^/]+)", re.IGNORECASE)


def key(resource_id: str) -> str:
    """The form in which two ids of one resource are equal."""
    return "/" + resource_id.strip("/").lower()


def name(resource_id: str) -> str:
    return resource_id.rstrip("/").rsplit("/", 1)[-1]


def group(resource_id: str) -> str | None:
    """The resource group's name in an id, None for an id outside any group."""
    found = _GROUP.match(resource_id)
    return found.group(1) if found else None


def group_id(resource_group: str) -> str:
    return f"{SUBSCRIPTION_SCOPE}/resourceGroups/{resource_group}"


def within(resource_id: str, scope: str) -> bool:
    """Whether the resource is the scope itself or lies under it."""
    inner, outer = key(resource_id), key(scope)
    return inner == outer or inner.startswith(outer + "/")


def arm_type(resource_id: str) -> str:
    """`Microsoft.Network/virtualNetworks/subnets` from an id of that type."""
    tail = resource_id.rsplit("/providers/", 1)
    if len(tail) == 1:
        return "Microsoft.Resources/resourceGroups"
    namespace, *rest = tail[1].split("/")
    return "/".join([namespace, *rest[::2]])


def parent(resource_id: str) -> str | None:
    """The resource a child resource lies in; None for a resource that is no child of another one."""
    tail = resource_id.rsplit("/providers/", 1)
    if len(tail) == 1 or len(tail[1].split("/")) <= 3:
        return None
    return resource_id.rsplit("/", 2)[0]


def made_up_uuid(*parts: str) -> str:
    """A stable identifier for something Azure would draw at random."""
    return str(uuid.UUID(bytes=hashlib.sha256("\0".join(parts).encode()).digest()[:16], version=4))
