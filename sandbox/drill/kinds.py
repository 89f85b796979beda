"""The kinds of step that a scenario file has, each known by a key of its own. A key that is not known is refused."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, JsonValue, Tag, model_validator

UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}


def _seconds(text: Any) -> Any:
    """`90s`, `20m`, `24h` as seconds; what is written otherwise is left for the type to refuse."""
    found = re.fullmatch(r"([1-9][0-9]*)([smh])", text) if isinstance(text, str) else None
    return float(found[1]) * UNITS[found[2]] if found else f"{text!r}, and not a time such as 90s, 20m, 24h"


Seconds = Annotated[float, BeforeValidator(_seconds)]
"""Written with its unit; seconds before the time factor."""


def _each(texts: Any) -> Any:
    """One text, or a list of them; what is written otherwise is left for the type to refuse."""
    return (texts,) if isinstance(texts, str) else tuple(texts) if isinstance(texts, list) else texts


Says = Annotated[
    tuple[Annotated[str, Field(min_length=1)], ...],
    BeforeValidator(_each),
    Field(min_length=1, description="a part of what it must say; of several, one"),
]

Overlay = dict[str, JsonValue]
"""Configuration by section, laid over what there is: maps merge, lists and plain values replace."""


class Part(BaseModel):
    """A part of a scenario file."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Named(Part):
    """A step."""

    name: str = Field(default="", description="what people are told; none: how it is written")


class Up(Named):
    """`pulumi up`, which must succeed."""

    up: Overlay
    refresh: bool = Field(default=False, description="with `--refresh`: what was changed outside is seen")


class Refused(Named):
    """`pulumi up`, which must be refused; the configuration goes back afterwards."""

    refused: Overlay
    says: Says


class Destroy(Named):
    """`pulumi destroy`, which must be refused."""

    destroy: Literal["refused"]
    says: Says


class Kill(Named):
    """`pulumi up`, whose engine is killed as soon as it has begun the step of a resource."""

    kill: Overlay
    at: str = Field(min_length=1, description="the resource's logical name")


class Kubectl(Named):
    """`kubectl` with these arguments, which must succeed, or be refused with what it must say then."""

    kubectl: tuple[str, ...] = Field(min_length=1)
    says: Says | None = Field(default=None, description="none: it must succeed")


class AzureCall(Part):
    """What happens in Azure outside the program; one of these."""

    delete_pool: str = Field(default="", description="role of the pool whose oldest generation is deleted")
    node_image: Literal["", "comes"] = Field(default="", description="the week's node image comes to every pool")
    upgrade_system_pool: str = Field(default="", description="version to which the system pool is upgraded in place")
    delete_cluster: Literal["old"] | None = Field(default=None, description="the run's first cluster is deleted")

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if len(self.model_fields_set) != 1:
            raise ValueError(f"one of {', '.join(type(self).model_fields)}")
        return self


class Azure(Named):
    """An operation of Azure's, which must succeed."""

    azure: AzureCall


class Beside(Named):
    """`pulumi up` of a second stack: this laid over the configuration that there is makes another cluster."""

    beside: Overlay = Field(min_length=1)


class Name(Part):
    """The name that clients ask for."""

    to: Literal["beside"] = Field(description="the cluster that it leads to")
    within: Seconds = Field(default=0.0, description="how long the old record is kept; none: nobody has kept it")


class Shift(Named):
    """Clients begin their next session elsewhere, each from the moment at which its record has run out."""

    clients: Name


class Wait(Named):
    """Nothing, until everything is settled, every session that runs now is over, or some time has passed."""

    wait: Literal["settled", "sessions"] | Seconds


class Set(Named):
    """Settings of the stand-ins, by name (`python -m sandbox set`)."""

    set: dict[str, JsonValue] = Field(min_length=1)


class Apply(Named):
    """The naive way: what the program makes of this configuration, applied with `kubectl`."""

    apply: Overlay


STEPS: Mapping[str, type[Named]] = {
    "up": Up,
    "refused": Refused,
    "destroy": Destroy,
    "kill": Kill,
    "kubectl": Kubectl,
    "azure": Azure,
    "beside": Beside,
    "clients": Shift,
    "wait": Wait,
    "set": Set,
    "apply": Apply,
}


def _kind(step: Any) -> str | None:
    """By which of its keys a step is known."""
    if isinstance(step, Part):
        return next(kind for kind, each in STEPS.items() if isinstance(step, each))
    return next((kind for kind in STEPS if isinstance(step, dict) and kind in step), None)


Step = Annotated[
    Annotated[Up, Tag("up")]
    | Annotated[Refused, Tag("refused")]
    | Annotated[Destroy, Tag("destroy")]
    | Annotated[Kill, Tag("kill")]
    | Annotated[Kubectl, Tag("kubectl")]
    | Annotated[Azure, Tag("azure")]
    | Annotated[Beside, Tag("beside")]
    | Annotated[Shift, Tag("clients")]
    | Annotated[Wait, Tag("wait")]
    | Annotated[Set, Tag("set")]
    | Annotated[Apply, Tag("apply")],
    Discriminator(
        _kind,
        custom_error_type="no_step",
        custom_error_message=f"a step has one of the keys {', '.join(STEPS)}",
    ),
]


def out_of_place(steps: Iterable[Step]) -> str:
    """What is wrong with the order of these steps; empty: nothing is."""
    beside, gone = False, False
    for step in steps:
        deletes = isinstance(step, Azure) and bool(step.azure.delete_cluster)
        if isinstance(step, Beside) and beside:
            return "beside: there is a second cluster already"
        if not beside and (deletes or isinstance(step, Shift)):
            return f"{_kind(step)}: only after beside"
        if deletes and gone:
            return "azure: the old cluster is deleted already"
        if beside and not deletes and not isinstance(step, (Shift, Wait, Set)):
            return f"{_kind(step)}: not after beside, nobody knows which of the two clusters is meant"
        beside, gone = beside or isinstance(step, Beside), gone or deletes
    return ""


def told(step: Step) -> str:
    """A step for people, on one line: its name, or how it is written in the file, shortened."""
    if step.name:
        return step.name
    written = step.model_dump(mode="json", exclude_defaults=True)
    text = ", ".join(f"{key}: {_short(value)}" for key, value in written.items())
    return text if len(text) <= 100 else text[:99] + "…"


def _short(value: Any) -> str:
    """`{a: {b: 1}}` as `a.b: 1`, a list as its words."""
    if isinstance(value, dict) and len(value) == 1:
        (key, inner), *_ = value.items()
        return f"{key}.{_short(inner)}" if isinstance(inner, dict) and len(inner) == 1 else f"{key}: {_short(inner)}"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_short(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return " ".join(_short(each) for each in value)
    return str(value)
