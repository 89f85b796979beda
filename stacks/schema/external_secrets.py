"""Secrets that the External Secrets operator fetches from a store, as several sections of the chart describe them."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from stacks.schema.base import DnsLabel, GoDuration, Section, shaped

SecretKey = Annotated[
    str, shaped("^[-._a-zA-Z0-9]{1,253}$", "a key of a Secret: at most 253 letters, digits, -, _ and .")
]
"""A key of a Secret."""


class StoreKind(StrEnum):
    """What kind of store is asked."""

    CLUSTER = "ClusterSecretStore"
    NAMESPACE = "SecretStore"


class SecretProvider(StrEnum):
    """What runs the store."""

    AZURE = "azure"
    VAULT = "vault"


class RemoteRef(Section):
    """Where a value stands in the store."""

    key: str = Field(min_length=1, description="Name of the entry in the store.")
    property: str | None = Field(None, min_length=1, description="One field of the entry; unset is all of it.")
    version: str | None = Field(None, min_length=1, description="Version of the entry; unset is the newest.")


class ExternalData(Section):
    """One key of the Secret and where its value comes from."""

    secret_key: SecretKey = Field(description="Key in the Secret.")
    remote_ref: RemoteRef = Field(description="Where its value stands.")


def _no_map(given: Any) -> Any:
    """A list as it is; the validator's result is strict, hence a tuple."""
    if given == {}:
        return ()
    return tuple(given) if isinstance(given, list) else given


class NoValues(Section):
    """A map without a key."""


ReferencesOrNone = tuple[ExternalData, ...] | NoValues
"""What an editor takes where keys from a store stand."""


ExternalKeys = Annotated[
    tuple[ExternalData, ...],
    BeforeValidator(_no_map, json_schema_input_type=ReferencesOrNone),
]
"""Keys from a store. The chart has a map with the values in the same place, which is a secret: an empty one is none."""


class ExternalSecretsSettings(Section):
    """Whether Secrets come from a store."""

    enabled: bool = Field(False, description="Make ExternalSecrets instead of Secrets; needs the operator's kinds.")
    refresh_interval: GoDuration = Field("1h", description="How often the store is asked.")
    secret_store_name: DnsLabel | None = Field(None, description="The store; required when enabled.")
    secret_store_kind: StoreKind = Field(StoreKind.CLUSTER, description="What kind of store it is.")


class ProviderStore(ExternalSecretsSettings):
    """Whether Secrets come from a store, and what runs it."""

    secret_store_name: DnsLabel = Field("akv-secrets", description="Name of the store.")
    provider: SecretProvider = Field(
        SecretProvider.AZURE, description="What runs the store: in vault a license or a token is a part of its entry."
    )
