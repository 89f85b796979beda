"""What the External Secrets operator is told; the whole object is compared with the contract in `test_contract`."""

from __future__ import annotations

from components.cluster.external_secret import spec
from stacks.schema.external_secrets import ExternalData, ExternalSecretsSettings


def test_a_reference_says_only_what_it_has() -> None:
    data = ExternalData.model_validate({"secretKey": "a", "remoteRef": {"key": "entry"}})
    full = ExternalData.model_validate({"secretKey": "b", "remoteRef": {"key": "e", "property": "p", "version": "3"}})
    made = spec(ExternalSecretsSettings.model_validate({"secretStoreName": "vault"}), "name", (data, full))
    assert made["data"] == [
        {"secretKey": "a", "remoteRef": {"key": "entry"}},
        {"secretKey": "b", "remoteRef": {"key": "e", "property": "p", "version": "3"}},
    ]
    assert made["secretStoreRef"] == {"kind": "ClusterSecretStore", "name": "vault"}
    assert made["target"] == {"name": "name", "creationPolicy": "Owner"}
