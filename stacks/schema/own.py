"""Sections of ours that are small: Redis, the GPU plugin, sessions, protection, the pull secret."""

from __future__ import annotations

from pydantic import Field

from stacks.schema.base import DiskSize, Section
from stacks.schema.placement import NodeSettings


class RedisSettings(Section):
    """The Redis in the cluster (one node, persistent)."""

    storage_class: str = Field("managed-csi", min_length=1, description="Storage class of its disk; immutable.")
    storage_size: DiskSize = Field("8Gi", description="Size of its disk; immutable.")


class GpuPluginSettings(NodeSettings):
    """The GPU plugin on the nodes of every GPU pool."""


class SessionSettings(Section):
    """What the platform promises its clients."""

    max_duration_seconds: int = Field(
        86400, ge=60, le=86400, description="The longest session in seconds; every clock in its path is at least this."
    )


class ProtectionSettings(Section):
    """Whether what holds sessions may be deleted at all."""

    enabled: bool = Field(
        True, description="Protect cluster, address, pools, namespace, CRD and budgets from deletion and replacement."
    )


class PullSecretSettings(Section):
    """The pull secret named first in `global.imagePullSecrets`, when this program creates it."""

    create_secret: bool = Field(False, description="Create the pull secret, or use one that exists.")
    username: str | None = Field(None, min_length=1, description="User name at the vendor's registry.")
