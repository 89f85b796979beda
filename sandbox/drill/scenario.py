"""Scenario files: what is changed under which load, and what may be cut by it. A key that is not known is refused."""

from __future__ import annotations

import json
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Literal, Self

import yaml
from pydantic import Field, JsonValue, ValidationError, model_validator

from sandbox.drill.kinds import Apply, Overlay, Part, Seconds, Step, out_of_place
from sandbox.plane.errors import PlaneError

FOLDER = Path(__file__).parent / "scenarios"


class Kind(StrEnum):
    """The three runs of a scenario."""

    FRIENDLY = "friendly"
    HOSTILE = "hostile"
    BASELINE = "baseline"


class Load(Part):
    """The clients."""

    sessions: int = Field(gt=0, description="so many are held all the time")
    mean: Seconds = Field(description="the mean length of a session")
    longest: Seconds = Field(description="the longest; the stack's `sessions.maxDurationSeconds` too")
    languages: tuple[str, ...] = Field(default=("en",), min_length=1, description="asked for with equal chances")
    flow: float = Field(default=0.0, ge=0, le=1, description="share of conversations with an agent")


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
    baseline: tuple[Step, ...] = Field(default=(), description="none, and nothing put back: there is no naive way")
    put_back: str = Field(
        default="",
        description="a rung of the ladder: a baseline has it put back before its clients come, and else the same steps",
    )
    expect: Expect = Expect()

    @model_validator(mode="after")
    def _is_in_order(self) -> Self:
        if any(isinstance(step, Apply) for step in self.steps):
            raise ValueError("steps: apply: the naive way is a baseline's")
        for name, steps in (("steps", self.steps), ("baseline", self.baseline)):
            if wrong := out_of_place(steps):
                raise ValueError(f"{name}: {wrong}")
        return self

    @property
    def kinds(self) -> Sequence[Kind]:
        """The runs it has."""
        return [kind for kind in Kind if kind is not Kind.BASELINE or self.baseline or self.put_back]

    def steps_of(self, kind: Kind) -> Sequence[Step]:
        """What such a run does."""
        return self.baseline if kind is Kind.BASELINE and self.baseline else self.steps


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
