"""License and pull Secret."""

from __future__ import annotations

import base64
import json

import pytest

from components.cluster.credentials import docker_config, encoded
from tests.unit.graph import MADE_UP_SECRETS, Graph

SECRET = "kubernetes:core/v1:Secret"


def test_encoded_is_base64() -> None:
    assert encoded("license") == "bGljZW5zZQ=="


def test_docker_config_names_each_registry_once() -> None:
    config = json.loads(docker_config(("b.example", "a.example", "b.example"), "user", "pass"))
    account = {"username": "user", "password": "pass", "auth": "dXNlcjpwYXNz"}
    assert config == {"auths": {"a.example": account, "b.example": account}}


@pytest.mark.parametrize(
    ("name", "kind", "key"),
    [
        ("speechmatics-license", "Opaque", "license.json"),
        ("speechmatics-registry", "kubernetes.io/dockerconfigjson", ".dockerconfigjson"),
    ],
)
def test_secrets(sandbox: Graph, name: str, kind: str, key: str) -> None:
    secret = sandbox.one(SECRET, name)
    assert secret.inputs["type"] == kind
    assert list(secret.inputs["data"]) == [key]


def test_the_license_is_what_was_configured(sandbox: Graph) -> None:
    data = sandbox.one(SECRET, "speechmatics-license").inputs["data"]["license.json"]
    assert base64.b64decode(data).decode() == MADE_UP_SECRETS["licenseJson"]
