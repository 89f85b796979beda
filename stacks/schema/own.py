"""Sections of ours that are small: Redis, the GPU plugin, sessions, protection, the pull secret."""

from __future__ import annotations

from pydantic import Field

from stacks.schema.base import DiskSize, Section
from stacks.schema.placement import AffinitySettings, NodeSettings


class RedisSettings(Section):
    """The Redis in the cluster (one node, persistent)."""

    storage_class: str = Field("managed-csi", min_length=1, description="Storage class of its disk; immutable.")
    storage_size: DiskSize = Field("8Gi", description="Size of its disk; immutable.")


class GpuPluginSettings(NodeSettings, AffinitySettings):
    """The GPU plugin on the nodes of every GPU pool."""


LONGEST_SECONDS = 48 * 3600
"""The vendor's own service ends a session after 48 hours (docs.speechmatics.com, Realtime limits, read 2026-11-27), and
the chart's deadline of every session is the same. nginx counts a time-out in milliseconds of 32 bits: to 24 days."""


class SessionSettings(Section):
    """What the platform promises its clients."""

    max_duration_seconds: int = Field(
        86400,
        ge=60,
        le=LONGEST_SECONDS,
        description="The longest session in seconds; every clock in its path is at least this: `operations clocks`.",
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
