"""What every section of the configuration shares: strict frozen models with the seed's camelCase keys."""

from __future__ import annotations

import json
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError


class Section(BaseModel):
    """A block of the configuration: no unknown key, no conversion between types, no change after loading."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", alias_generator=to_camel)


def only(value: object, reason: str) -> AfterValidator:
    """A value of the seed's that cannot be another one here, and why."""

    def check(given: object) -> object:
        if given != value:
            context = {"only": json.dumps(value), "reason": reason}
            raise PydanticCustomError("not_allowed", "should be {only}: {reason}", context)
        return given

    return AfterValidator(check)


DnsLabel = Annotated[str, StringConstraints(pattern=r"^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$")]
"""A Kubernetes object or namespace name that is also a host name label (RFC 1035: at most 63 characters)."""

GoDuration = Annotated[str, StringConstraints(pattern=r"^([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+$")]
"""A Go duration such as `1m0s` (the pattern of the SessionGroup CRD)."""

ImageTag = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$")]
"""An image tag as registries accept them."""

Registry = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?(:[0-9]+)?(/[a-z0-9._/-]+)?$")]
"""A registry host, with an optional port and path, without a scheme."""

Host = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$", max_length=253),
]
"""A host name in lower case, without a wildcard."""

KubernetesVersion = Annotated[str, StringConstraints(pattern=r"^1\.[0-9]+\.[0-9]+$")]
"""A full Kubernetes version, patch included: AKS rolls a pool whose version is only `major.minor`."""

Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}([_-][a-z]+)*$")]
"""A language code of the vendor, such as `en`, `cmn_en` or `es-bilingual-en`."""

Quantity = Annotated[str, StringConstraints(pattern=r"^[0-9]+(\.[0-9]+)?(m|[kKMGT]i?)?$")]
"""A Kubernetes quantity such as `500m` or `5Gi`."""

HttpUrl = Annotated[str, StringConstraints(pattern=r"^https?://[A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?(:[0-9]+)?$")]
"""The address of a service: scheme, host and an optional port."""
