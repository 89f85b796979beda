"""The secrets of the stack: what is wrong with their text, and how the program gets them."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import pulumi

from components.cluster.license import LicenseError, ends, license_text, warning
from stacks.problem import PROJECT, Problem, set_secret
from stacks.redis_url import RedisUrlError, redis_url
from stacks.schema import FLOW_SECRETS, SECRET_KEYS
from stacks.schema.proxy_secrets import PROXY_SECRET_KEYS
from stacks.schema.redis import CONTROL_PLANE_SECRET_KEYS

LICENSE = "licenseJson"

REDIS_ADDRESSES = ("redisUrl", "cdCacheUrl")

DATABASE = "databaseUrl"

DATABASE_FORM = re.compile(r"(?=.*(://|@|\w *= *[^=\s]))[^\x00-\x1f\x7f\ufffd]+")
"""What every connection string has and no base64: `scheme://`, `user@host` or `key=value`, in one line."""


@dataclass(frozen=True)
class Secrets:
    """The secrets of the stack, never in clear."""

    license_json: pulumi.Output[str] | None
    registry_password: pulumi.Output[str] | None
    proxy: Mapping[str, pulumi.Output[str]] = field(default_factory=dict)
    """What the proxy reads from Secrets, by flat key."""
    control_plane: Mapping[str, pulumi.Output[str]] = field(default_factory=dict)
    """What the control plane reads from Secrets, by flat key."""
    hugging_face_token: pulumi.Output[str] | None = None
    flow: Mapping[str, pulumi.Output[str]] = field(default_factory=dict)
    """Key of Flow's Secret → its content, those that are set."""


def unreadable(key: str, text: str) -> list[Problem]:
    """What is wrong with the text of a secret; none of it is repeated."""
    try:
        if key == LICENSE:
            license_text(text)
        elif key in REDIS_ADDRESSES:
            redis_url(text)
        elif key == DATABASE and not DATABASE_FORM.fullmatch(text.strip()):
            reason = f"{SECRET_KEYS[key]}: one line such as `scheme://user@host/name`, and not in base64"
            return [Problem(key, "address-unreadable", reason, set_secret(key, "database-url.txt"))]
    except LicenseError as error:
        reason = f"{SECRET_KEYS[key]}, or the same in base64: {error}"
        return [Problem(key, "license-unreadable", reason, set_secret(key, "license.json"))]
    except RedisUrlError as error:
        return [Problem(key, "address-unreadable", f"{SECRET_KEYS[key]}: {error}", set_secret(key, "redis-url.txt"))]
    return []


def secrets_of(config: pulumi.Config) -> Secrets:
    """Those there are; their texts are right already (`unreadable`)."""
    given = config.get_secret(LICENSE)
    text = given.apply(license_text) if given is not None else None
    flow = _given(config, [key for key, _ in FLOW_SECRETS.values()])
    return Secrets(
        license_json=text,
        registry_password=config.get_secret("registryPassword"),
        proxy=_given(config, PROXY_SECRET_KEYS),
        control_plane=_control_plane(config),
        hugging_face_token=config.get_secret("huggingFaceToken"),
        flow={name: flow[key] for name, (key, _) in FLOW_SECRETS.items() if key in flow},
    )


def _given(config: pulumi.Config, keys: Collection[str]) -> dict[str, pulumi.Output[str]]:
    """The contents there are, by flat key."""
    contents = {key: config.get_secret(key) for key in keys}
    return {key: secret for key, secret in contents.items() if secret is not None}


def _control_plane(config: pulumi.Config) -> dict[str, pulumi.Output[str]]:
    return {
        key: secret.apply(redis_url) if key in REDIS_ADDRESSES else secret
        for key, secret in _given(config, CONTROL_PLANE_SECRET_KEYS).items()
    }


def expiry_warning(config: Mapping[str, str], now: datetime) -> str | None:
    """What is said of the license's end. It stops nothing: the license that mends it comes by the same way."""
    given = config.get(f"{PROJECT}:{LICENSE}")
    said = warning(ends(license_text(given)), now) if given else None
    return (
        f"{PROJECT}:{LICENSE}  [license-ends]  {said}. New one: {set_secret(LICENSE, 'license.json')}" if said else None
    )
