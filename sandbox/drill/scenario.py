"""Scenario files: what is changed under which load, and what may be cut by it. A key that is not known is refused."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    JsonValue,
    Tag,
    ValidationError,
    model_validator,
)

from sandbox.plane.errors import PlaneError

FOLDER = Path(__file__).parent / "scenarios"

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


class Kind(StrEnum):
    """The three runs of a scenario."""

    FRIENDLY = "friendly"
    HOSTILE = "hostile"
    BASELINE = "baseline"


class Part(BaseModel):
    """A part of a scenario file."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Load(Part):
    """The clients."""

    sessions: int = Field(gt=0, description="so many are held all the time")
    mean: Seconds = Field(description="the mean length of a session")
    longest: Seconds = Field(description="the longest; the stack's `sessions.maxDurationSeconds` too")
    languages: tuple[str, ...] = Field(default=("en",), min_length=1, description="asked for with equal chances")
    flow: float = Field(default=0.0, ge=0, le=1, description="share of conversations with an agent")


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
    """`kubectl` with these arguments, which must succeed."""

    kubectl: tuple[str, ...] = Field(min_length=1)


class AzureCall(Part):
    """What happens in Azure outside the program; one of these."""

    delete_pool: str = Field(default="", description="role of the pool whose oldest generation is deleted")
    node_image: Literal["", "comes"] = Field(default="", description="the week's node image comes to every pool")
    upgrade_system_pool: str = Field(default="", description="version to which the system pool is upgraded in place")

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if len(self.model_fields_set) != 1:
            raise ValueError(f"one of {', '.join(type(self).model_fields)}")
        return self


class Azure(Named):
    """An operation of Azure's, which must succeed."""

    azure: AzureCall


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
    | Annotated[Wait, Tag("wait")]
    | Annotated[Set, Tag("set")]
    | Annotated[Apply, Tag("apply")],
    Discriminator(
        _kind,
        custom_error_type="no_step",
        custom_error_message=f"a step has one of the keys {', '.join(STEPS)}",
    ),
]


class Cut(Part):
    """How many sessions a run cuts: none, or some, and why that is so."""

    cut: Literal[0, "some"]
    done: Literal["under load", "without load"] = Field(
        default="under load", description="whether a friendly run is done while clients come"
    )
    because: str = Field(default="", description="why some; of a baseline why none; why not under load")


class End(Part):
    """What is so when a run by the program's way is over: what `kubectl get` prints of something."""

    get: str = Field(min_length=1, description="a kind, or kind/name")
    namespace: str = "speechmatics"
    labels: str = Field(default="", description="a selector of labels")
    path: str = Field(min_length=1, description="JSONPath without its braces")
    prints: str = Field(default="", description="all of it, in order")
    holds: str = Field(default="", description="a part of it")

    def amiss(self, printed: str) -> str:
        """What is other than this says; empty: nothing is."""
        printed = " ".join(printed.split())
        if self.holds in printed if self.holds else printed == self.prints:
            return ""
        return f"{self.get} {self.path} is {printed!r} in the end, and should {self._wanted}"

    @property
    def _wanted(self) -> str:
        return f"hold {self.holds!r}" if self.holds else f"be {self.prints!r}"

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if len(self.model_fields_set & {"prints", "holds"}) != 1:
            raise ValueError("one of prints, holds")
        return self


class Expect(Part):
    """What each run shows; a run that shows anything else is red."""

    friendly: Cut = Cut(cut=0)
    hostile: Cut = Cut(cut=0)
    baseline: Cut = Cut(cut="some")
    missing: str = Field(default="", description="what the program cannot do yet here, and the steps leave out")

    @model_validator(mode="after")
    def _has_reasons(self) -> Self:
        unusual = {"friendly": "some", "hostile": "some", "baseline": 0}
        for name, cut in unusual.items():
            each: Cut = getattr(self, name)
            if each.cut == cut and not each.because:
                raise ValueError(f"{name}: cut: {cut} needs its reason (because: ...)")
        if self.friendly.done == "without load" and not self.friendly.because:
            raise ValueError("friendly: done: without load needs its reason (because: ...)")
        if "without load" in (self.hostile.done, self.baseline.done):
            raise ValueError("only of the friendly run it is asked whether it is done under load")
        return self


class Scenario(Part):
    """One file. Its name is the file's."""

    title: str = Field(min_length=1)
    start: Overlay = Field(default_factory=dict, description="laid over the stack of every scenario")
    settings: dict[str, JsonValue] = Field(default_factory=dict, description="of the stand-ins, in every run")
    load: Load
    steps: tuple[Step, ...] = Field(min_length=1)
    end: tuple[End, ...] = Field(min_length=1, description="of a friendly and of a hostile run")
    baseline: tuple[Step, ...] = Field(default=(), description="none: there is no naive way to do it")
    expect: Expect = Expect()

    @property
    def kinds(self) -> Sequence[Kind]:
        """The runs it has."""
        return [kind for kind in Kind if kind is not Kind.BASELINE or self.baseline]


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


def read(path: Path) -> Scenario:
    """The scenario of a file. Raises `PlaneError` with every key that is wrong."""
    try:
        return Scenario.model_validate_json(json.dumps(yaml.safe_load(path.read_text())))
    except ValidationError as error:
        found = "".join(f"\n    {'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
        raise PlaneError(f"{path} is no scenario:{found}") from error


def everything(folder: Path = FOLDER) -> dict[str, Path]:
    """The scenario files, by name."""
    return {path.stem: path for path in sorted(folder.glob("*.yaml"))}


def chosen(names: Sequence[str], folder: Path = FOLDER) -> dict[str, Scenario]:
    """The scenarios of these names, all of them when there is none. Raises `PlaneError`."""
    files = everything(folder)
    unknown = [name for name in names if name not in files]
    if unknown:
        raise PlaneError(f"There is no scenario {', '.join(unknown)}. These exist: {', '.join(files)}")
    return {name: read(files[name]) for name in names or files}
