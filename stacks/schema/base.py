"""What every section of the configuration shares: strict frozen models with the seed's camelCase keys."""

from __future__ import annotations

import json
import re
from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args, get_origin

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    StringConstraints,
)
from pydantic.alias_generators import to_camel
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema, PydanticCustomError, core_schema, to_jsonable_python


class UnreadError(Exception):
    """A field was asked for that could not be read."""


class Section(BaseModel):
    """A block of the configuration: no unknown key, no conversion between types, no change after loading.

    Of a configuration that is refused, `stacks.remains` makes sections without the fields that are wrong. Whoever asks
    one for such a field, or for all of it, gets no stand-in.

    Raises:
        UnreadError: what is asked for could not be read. A right configuration never raises it.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", alias_generator=to_camel)

    if not TYPE_CHECKING:  # a type checker would take every name for a field

        def __getattr__(self, name: str) -> Any:
            if name in type(self).model_fields:
                raise UnreadError(name)
            return super().__getattr__(name)

    def __iter__(self) -> Generator[tuple[str, Any], None, None]:
        _whole(self)
        yield from super().__iter__()

    def __eq__(self, other: object) -> bool:
        _whole(self, other)
        return super().__eq__(other)

    def model_dump(self, **how: Any) -> dict[str, Any]:
        _whole(self)
        return super().model_dump(**how)


def _whole(*values: Any) -> None:
    """Every field in it could be read."""
    ahead = list(values)
    while ahead:
        each = ahead.pop()
        if isinstance(each, Section):
            missing = type(each).model_fields.keys() - each.__dict__.keys()
            if missing:
                raise UnreadError(min(missing))
            ahead += each.__dict__.values()
        elif isinstance(each, tuple):
            ahead += each
        elif isinstance(each, dict):
            ahead += each.values()


@dataclass(frozen=True)
class Only:
    """A value of the seed's that is the only one here, and why."""

    value: Any
    reason: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._checked, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {**handler(schema), "const": to_jsonable_python(self.value)}

    def _checked(self, given: Any) -> Any:
        if given != self.value or type(given) is not type(self.value):
            context = {"only": json.dumps(self.value), "reason": self.reason}
            raise PydanticCustomError("not_allowed", "should be {only}: {reason}", context)
        return given


def only(value: Any, reason: str) -> Only:
    """A key of the seed's that has one position here, and why."""
    return Only(value, reason)


def only_value(field: FieldInfo) -> Only | None:
    """The one value a field accepts, if it is so, with the reason."""
    found = next((each for each in field.metadata if isinstance(each, Only)), None)
    if found is None and get_origin(field.annotation) is Literal and len(get_args(field.annotation)) == 1:
        return Only(get_args(field.annotation)[0], field.description or "")
    return found


SHAPES: dict[str, str] = {}
"""Every pattern of the configuration → what it asks for, as an error says it after `should be`."""


def shaped(pattern: str, words: str, **more: Any) -> StringConstraints:
    """Text of a pattern, with the words for it; nobody should have to read a regular expression."""
    SHAPES[pattern] = words
    return StringConstraints(pattern=pattern, **more)


def _flag(given: object) -> object:
    return {"true": True, "false": False}.get(given, given) if isinstance(given, str) else given


Flag = Annotated[bool, BeforeValidator(_flag, json_schema_input_type=bool | Literal["true", "false"])]
"""A switch that the chart passes on as text, and therefore has as text in places."""

DnsLabel = Annotated[
    str,
    shaped(
        r"^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$",
        "a name of at most 63 characters: lower case letters, digits and -, a letter first, no - at the end",
    ),
]
"""A Kubernetes object or namespace name that is also a host name label (RFC 1035: at most 63 characters)."""

GoDuration = Annotated[
    str, shaped(r"^([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+$", "a duration with its unit, such as 30s, 10m or 1h30m")
]
"""A Go duration such as `1m0s` (the pattern of the SessionGroup CRD)."""

_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


def seconds(duration: str) -> float:
    """A Go duration in seconds."""
    return sum(float(number) * _SECONDS[unit] for number, unit in re.findall(r"([0-9.]+)(ns|us|µs|ms|s|m|h)", duration))


ImageTag = Annotated[
    str,
    shaped(
        r"^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$",
        "an image tag: at most 128 letters, digits, _, . and -, beginning with none of the last two",
    ),
]
"""An image tag as registries accept them."""

Registry = Annotated[
    str,
    shaped(
        r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?(:[0-9]+)?(/[a-z0-9._/-]+)?$",
        "a registry's host in lower case, with an optional port and path, without a scheme",
    ),
]
"""A registry host, with an optional port and path, without a scheme."""

Host = Annotated[
    str,
    shaped(
        r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$",
        "a host name in lower case, without scheme, port, path or wildcard",
        max_length=253,
    ),
]
"""A host name in lower case, without a wildcard."""

LOWEST_MINOR = 29
"""From here on an init container may run beside the others, which worker-proxy does (contract: transcription 4.5)."""

NEWER = "1.35.4"
"""The version that is proposed instead of one that is too old."""


def _runs_sidecars(version: str) -> str:
    if int(version.split(".")[1]) < LOWEST_MINOR:
        why = "should be 1.{lowest}.0 or newer: below, worker-proxy cannot be an init container beside its transcriber"
        raise PydanticCustomError("too_old", why, {"lowest": LOWEST_MINOR, "instead": NEWER})
    return version


_FULL_VERSION = f"a full Kubernetes version, patch included, such as {NEWER}"
_FOR_EDITORS = rf"^1\.({LOWEST_MINOR}|[3-9][0-9]|[1-9][0-9]{{2,}})\.[0-9]+$"
SHAPES[_FOR_EDITORS] = _FULL_VERSION

KubernetesVersion = Annotated[
    str,
    shaped(r"^1\.[0-9]+\.[0-9]+$", _FULL_VERSION),
    AfterValidator(_runs_sidecars),
    Field(json_schema_extra={"pattern": _FOR_EDITORS}),
]
"""A full Kubernetes version, patch included: AKS rolls a pool whose version is only `major.minor`."""

Language = Annotated[
    str, shaped(r"^[a-z]{2,3}([_-][a-z]+)*$", "a language code in lower case, such as en, cmn_en or es-bilingual-en")
]
"""A language code of the vendor, such as `en`, `cmn_en` or `es-bilingual-en`."""

Quantity = Annotated[
    str, shaped(r"^[0-9]+(\.[0-9]+)?(m|k|[MGT]|[KMGT]i)?$", "a Kubernetes quantity, such as 2, 500m or 5Gi")
]
"""A Kubernetes quantity such as `500m` or `5Gi`."""

DiskSize = Annotated[str, shaped(r"^[1-9][0-9]*(\.[0-9]+)?(M|G|T|Mi|Gi|Ti)$", "the size of a disk, such as 8Gi; not 0")]
"""The size of a volume."""

HttpUrl = Annotated[
    str,
    shaped(
        r"^https?://[A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?(:[0-9]+)?(/[^\s?#]*[^\s?#/])?$",
        "an address with its scheme, http:// or https://, a host, an optional port and path, and no / at the end",
    ),
]
"""The address of a service: scheme, host, an optional port and path. The services add paths of their own to it."""
