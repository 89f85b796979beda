"""What the proxy reads from Secrets: event hub, storage, database, LiveKit (seed: `proxy.*`; contract: proxy 9).

The contents are flat keys of the configuration. Without them the Secret is one that exists already.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from stacks.schema.base import DnsLabel, Section, only
from stacks.schema.external_secrets import ExternalKeys

KEYS = "Keys fetched from a store; read only with `proxy.externalSecrets.enabled`."

PROXY_SECRET_KEYS = {
    "proxyEventsEndpoint": "the event hub's address",
    "proxyEventsConnString": "the event hub's connection string",
    "proxyStorageAccountName": "the name of the storage account for custom dictionaries",
    "proxyStorageAccountKey": "the storage account's key",
    "proxyDatabaseConnString": "the connection string of the proxy's database",
    "proxyRedisConnString": "the connection string of the Redis outside the proxy's cache",
    "livekitUrl": "LiveKit's address",
    "livekitApiKey": "LiveKit's key",
    "livekitApiSecret": "LiveKit's secret",
    "agentApiPassword": "the password of the service that has Flow's agents",
}
"""Flat keys of the configuration with the contents."""


class Events(Section):
    """Events to an event hub."""

    enabled: bool = Field(False, description="Enable sending events to eventhub.")
    secret_name: DnsLabel | None = Field(
        None, description="Secret with the keys `endpoint` and `conn-string`; unset is `<name>-events`."
    )
    data: ExternalKeys = Field((), description=KEYS)


class Storage(Section):
    """Storage of custom dictionaries."""

    enabled: bool = Field(False, description="Enable storage of custom dictionary.")
    secret_name: DnsLabel | None = Field(
        None, description="Secret with `storageaccountname` and `storageaccountkey`; unset is `<name>-storage`."
    )
    data: ExternalKeys = Field((), description=KEYS)


class Database(Section):
    """The database of the proxy's cache."""

    enabled: Annotated[bool, only(True, "no template of the chart reads it; the cache decides")] = Field(
        True, description="Read by nothing; only its default is accepted."
    )
    create_secret: bool = Field(False, description="Create the Secret, or read an existing one.")
    secret_name: DnsLabel | None = Field(
        None, description="Secret with the key `conn_string`; unset is `<name>-database`."
    )
    data: ExternalKeys = Field((), description=KEYS)


class LiveKit(Section):
    """Conversations through LiveKit."""

    enabled: bool = Field(False, description="Let the proxy open LiveKit rooms; its Ingress has a switch of its own.")
    data: ExternalKeys = Field((), description=KEYS)
