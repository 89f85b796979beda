"""The Secrets of the control plane, when this program creates them: addresses with a password (contract: 7)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes

from components.cluster.credentials import encoded
from components.outputs import once_made

CD_CACHE_URL, DATABASE_URL = "cd_cache_url", "conn_string"
"""Keys of the cache of dictionaries and of the database; that of Redis is `redis_url`."""

REDIS_MARK, CD_CACHE_MARK, DATABASE_MARK = (
    "sm-realtime/redis-url",
    "sm-realtime/cd-cache-url",
    "sm-realtime/database-url",
)
"""Annotations of pods that read an address when they start: another address is another version of them."""


def mark(what: str, address: str) -> str:
    """Tells one address of something from another, and next to nothing of it.

    It stands in clear on pods, and an address holds a password, which may be a weak one: a fast hash would let anybody
    try a list of passwords. So each try costs 16 MiB and tens of milliseconds, and of all tries one in 16 million
    fits by chance; so often, too, a change would not be seen.
    """
    domain = f"sm-realtime {what}".encode()
    return hashlib.scrypt(address.encode(), salt=domain, n=2**14, r=8, p=1, dklen=3).hex()


@dataclass(frozen=True)
class ControlPlaneCredentialsArgs:
    """Two Secrets, each with its name and what it holds by key; without content it is not made."""

    namespace: pulumi.Output[str]
    redis_name: str
    redis: Mapping[str, pulumi.Output[str]]
    database_name: str
    database: Mapping[str, pulumi.Output[str]]


class ControlPlaneCredentials(pulumi.ComponentResource):
    """Secrets of Redis, with the cache of dictionaries, and of the database. Not here: those that exist already."""

    redis: pulumi.Output[str]
    """Name of the first, once it is made."""
    database: pulumi.Output[str]
    """Name of the second, once it is made."""

    def __init__(
        self, name: str, args: ControlPlaneCredentialsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("sm-realtime:cluster:ControlPlaneCredentials", name, {}, opts)
        self.redis = self._named(f"{name}-redis", args.namespace, args.redis_name, args.redis)
        self.database = self._named(f"{name}-database", args.namespace, args.database_name, args.database)
        self.register_outputs({"redis": self.redis, "database": self.database})

    def _named(
        self, name: str, namespace: pulumi.Output[str], secret: str, content: Mapping[str, pulumi.Output[str]]
    ) -> pulumi.Output[str]:
        """The Secret's name: once it is made, or at once where somebody else has made it."""
        if not content:
            return pulumi.Output.from_input(secret)
        made = kubernetes.core.v1.Secret(
            name,
            metadata=kubernetes.meta.v1.ObjectMetaArgs(name=secret, namespace=namespace),
            type="Opaque",
            data={key: text.apply(encoded) for key, text in content.items()},
            opts=pulumi.ResourceOptions(parent=self),
        )
        return once_made(made, secret)
