"""The list of rungs: what is put back, and what is red then. A key that is not known is refused."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import yaml
from pydantic import Field, JsonValue, ValidationError, model_validator

from sandbox.drill.kinds import Part, Seconds
from sandbox.drill.scenario import chosen
from sandbox.plane.errors import PlaneError

FILE = Path(__file__).parent / "rungs.yaml"


class Place(Part):
    """A field of objects of the cluster or of resources in Azure."""

    kind: str = Field(min_length=1, description="of the objects")
    name: str = Field(default="*", description="of the objects; `*` stands for anything")
    field: tuple[str, ...] = Field(default=(), description="the way to it, an item of a list by its `name`; none: all")


class Change(Place):
    """A field that is written; one without a value is taken away."""

    to: JsonValue = None


class Guard(Part):
    """Something that covers rungs, and how it is taken away."""

    what: str = Field(min_length=1, description="for people")
    changes: tuple[Change, ...] = Field(min_length=1)


class Red(Part):
    """What is seen of a rung that is put back; one of these."""

    cut: str = Field(default="", description="role and reason of the cuts")
    gave_up: str = Field(default="", description="the container whose process ended by itself")

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if bool(self.cut) == bool(self.gave_up):
            raise ValueError("one of cut and gave_up")
        return self

    @property
    def text(self) -> str:
        return self.cut or f"the process of {self.gave_up} gives up"


class Load(Part):
    """What is other than in the scenario's load."""

    mean: Seconds | None = None
    longest: Seconds | None = None


class Row(Part):
    """One rung."""

    rung: str = Field(min_length=1, description="its name in the ladder")
    nowhere: str = Field(default="", description="why it cannot be put back; then there is nothing else")
    places: tuple[Place, ...] = Field(default=(), description="the rung's fields")
    to: JsonValue = Field(default=None, description="what is written there; none: they are taken away")
    because: str = Field(default="", description="whose default that is, or why it is too little")
    without: tuple[str, ...] = Field(default=(), description="guards that are taken away as well")
    scenario: str = ""
    settings: dict[str, JsonValue] = Field(default_factory=dict, description="of the stand-ins")
    load: Load = Load()
    red: Red | None = None
    edge: tuple[str, ...] = Field(default=(), description="tests that show the same on a real nginx")

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        needed = [self.places, self.because, self.scenario, self.red]
        if self.nowhere and any(needed):
            raise ValueError("a rung that cannot be put back has no places, no scenario and no red")
        if not self.nowhere and not all(needed):
            raise ValueError("places, because, scenario and red are needed, or nowhere")
        return self

    @property
    def put(self) -> tuple[Change, ...]:
        """What puts it back."""
        return tuple(Change(kind=each.kind, name=each.name, field=each.field, to=self.to) for each in self.places)


class Ladder(Part):
    """The file."""

    guards: dict[str, Guard] = Field(default_factory=dict)
    rungs: tuple[Row, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _names_what_exists(self) -> Self:
        for row in self.rungs:
            if unknown := [name for name in row.without if name not in self.guards]:
                raise ValueError(f"{row.rung}: there is no guard {', '.join(unknown)}")
            if row.scenario:
                chosen([row.scenario])
        names = [row.rung for row in self.rungs]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"listed twice: {', '.join(twice)}")
        return self

    def taken_away(self, row: Row) -> tuple[Change, ...]:
        """What takes the row's guards away."""
        return tuple(change for name in row.without for change in self.guards[name].changes)

    def put_back(self, row: Row) -> tuple[Change, ...]:
        """What takes the row's guards away and puts its rung back."""
        return (*self.taken_away(row), *row.put)


def read(path: Path = FILE) -> Ladder:
    """The list. Raises `PlaneError` with every key that is wrong."""
    try:
        return Ladder.model_validate_json(json.dumps(yaml.safe_load(path.read_text())))
    except ValidationError as error:
        found = "".join(f"\n    {'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
        raise PlaneError(f"{path} is no list of rungs:{found}") from error


def of(ladder: Ladder, names: Sequence[str]) -> list[Row]:
    """The rows of these rungs, all that can be put back when there is none. Raises `PlaneError` for other names."""
    rows: Mapping[str, Row] = {row.rung: row for row in ladder.rungs if not row.nowhere}
    if unknown := [name for name in names if name not in rows]:
        raise PlaneError(f"No rung that can be put back is called {', '.join(unknown)}. These are: {', '.join(rows)}")
    return [rows[name] for name in names or rows]


def key(row: Row) -> str:
    """What two rows must have in common to share the run in which nothing is put back."""
    shared: dict[str, Any] = row.model_dump(include={"scenario", "without", "settings", "load"}, mode="json")
    return json.dumps(shared, sort_keys=True)
