"""Values that say when they may be used."""

from __future__ import annotations

import pulumi


def once_made(resource: pulumi.CustomResource, value: str) -> pulumi.Output[str]:
    """A name known from configuration, usable once the resource exists: order as data flow.

    It hangs on the resource's id alone, which stays known while the resource is updated. A name taken from the
    outputs is unknown in the preview of an update, and an unknown name plans to replace what carries it.
    """
    return resource.id.apply(lambda _: value)
