"""Pulling images: the table says what exists, pull secrets say who may have it."""

from __future__ import annotations

import base64
import binascii
import fnmatch
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sandbox.kube import Json
from sandbox.nodes import images

DOCKER_HUB_KEYS = ("docker.io", "index.docker.io")
"""Both names of the public registry are found by either."""


class PullError(Exception):
    """Why an image cannot be had, in the runtime's words."""


@dataclass(frozen=True)
class Login:
    """One account at a registry."""

    user: str
    password: str

    @property
    def digest(self) -> str:
        return hashlib.sha256(f"{self.user}:{self.password}".encode()).hexdigest()


def logins(secret: Json) -> dict[str, Login]:
    """The accounts in a pull Secret by registry; none when it is not of a docker type or cannot be read.

    A kubelet ignores what it cannot read, so that the pull fails for want of credentials.
    """
    kinds = {"kubernetes.io/dockerconfigjson": ".dockerconfigjson", "kubernetes.io/dockercfg": ".dockercfg"}
    key = kinds.get(secret.get("type") or "")
    encoded = (secret.get("data") or {}).get(key or "")
    if encoded is None:
        return {}
    try:
        parsed = json.loads(base64.b64decode(encoded))
        accounts = parsed["auths"] if key == ".dockerconfigjson" else parsed
        return {registry: _login(entry) for registry, entry in accounts.items()}
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error):
        return {}


def _login(entry: Mapping[str, str]) -> Login:
    if entry.get("auth"):
        user, colon, password = base64.b64decode(entry["auth"]).decode().partition(":")
        if not colon:
            raise ValueError("auth is not user:password")
        return Login(user, password.rstrip("\0"))
    return Login(entry["username"], entry["password"])


def _matches(key: str, reference: images.Reference) -> bool:
    """Whether a key of a docker config (`host`, `https://host/v1/`, `*.host`, `host/path`) is for this image."""
    host, _, path = key.removeprefix("https://").removeprefix("http://").partition("/")
    wanted = DOCKER_HUB_KEYS if reference.registry == "docker.io" else (reference.registry,)
    path = path.removesuffix("/")
    if path in ("v1", "v2"):
        path = ""
    found = any(fnmatch.fnmatchcase(name, host) for name in wanted)
    return found and (not path or f"{reference.repository}/".startswith(f"{path}/"))


def check(
    image: str, secrets: Iterable[Json], registries: Mapping[str, images.Registry] = images.REGISTRIES
) -> images.Reference:
    """The reference when the image exists and may be pulled with these Secrets. Raises `PullError`."""
    reference = images.parse(image)
    if reference is None:
        raise PullError(f'failed to parse image reference "{image}": invalid reference format')
    registry = registries.get(reference.registry)
    full = reference.full
    failed = f'failed to pull and unpack image "{full}": failed to resolve reference "{full}"'
    if registry is None:
        raise PullError(
            f'{failed}: failed to do request: Head "https://{reference.registry}/v2/{reference.repository}/manifests/'
            f'{reference.digest or reference.tag}": dial tcp: lookup {reference.registry}: no such host'
        )
    if registry.credentials_sha256 is not None:
        _authorize(reference, registry.credentials_sha256, secrets, failed)
    if images.find(reference) is None:
        raise PullError(f"rpc error: code = NotFound desc = {failed}: {full}: not found")
    return reference


def _authorize(reference: images.Reference, accepted: str, secrets: Iterable[Json], failed: str) -> None:
    matching = [login for secret in secrets for key, login in logins(secret).items() if _matches(key, reference)]
    if any(login.digest == accepted for login in matching):
        return
    token = f"https://{reference.registry}/oauth2/token"
    if not matching:
        scope = f"scope=repository%3A{reference.repository.replace('/', '%2F')}%3Apull&service={reference.registry}"
        raise PullError(
            f"{failed}: failed to authorize: failed to fetch anonymous token: unexpected status from GET request to "
            f"{token}?{scope}: 401 Unauthorized"
        )
    raise PullError(
        f"{failed}: failed to authorize: failed to fetch oauth token: unexpected status from GET request to {token}: "
        "401 Unauthorized"
    )
