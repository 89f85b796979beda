"""The object that the External Secrets Operator reads."""

from __future__ import annotations

from components.cluster.external_secret import spec
from stacks.schema.external_secrets import ExternalData, ExternalSecretsSettings


def test_what_is_not_said_of_an_entry_is_left_to_the_store() -> None:
    store = ExternalSecretsSettings.model_validate_json('{"secretStoreName": "vault", "refreshInterval": "5m"}')
    whole = ExternalData.model_validate_json('{"secretKey": "a", "remoteRef": {"key": "one"}}')
    part = ExternalData.model_validate_json(
        '{"secretKey": "b", "remoteRef": {"key": "two", "property": "p", "version": "3"}}'
    )
    assert spec(store, "target", (whole, part)) == {
        "refreshInterval": "5m",
        "secretStoreRef": {"kind": "ClusterSecretStore", "name": "vault"},
        "target": {"name": "target", "creationPolicy": "Owner"},
        "data": [
            {"secretKey": "a", "remoteRef": {"key": "one"}},
            {"secretKey": "b", "remoteRef": {"key": "two", "property": "p", "version": "3"}},
        ],
    }
