"""What remains of a configuration with faulty fields, so that the rules between the others can be looked at as well.

A faulty field is left out and nothing stands in for it. Who asks for it gets an error, and a rule ends there
(`stacks.rules.check`): what it said before is so whatever the field should have been.
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterator
from typing import Annotated, Any, TypeVar, get_args, get_origin

from annotated_types import BaseMetadata
from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import to_json

from stacks.schema import Settings
from stacks.schema.base import Section, UnreadError
from stacks.schema.paths import section_of

Location = tuple[int | str, ...]

LEFT_OUT = object()

S = TypeVar("S", bound=BaseModel)


class Contents(Collection[str]):
    """The secret keys that have content, where of some it is not known whether they will.

    Raises:
        UnreadError: one of those was asked for, or all.
    """

    def __init__(self, known: Collection[str], unknown: Collection[str]) -> None:
        self._known, self._unknown = known, unknown

    def _all(self) -> Collection[str]:
        if self._unknown:
            raise UnreadError(min(self._unknown))
        return self._known

    def __contains__(self, key: object) -> bool:
        if key in self._unknown:
            raise UnreadError(str(key))
        return key in self._known

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())


def remains(document: dict[str, Any], faults: Collection[Location]) -> Settings:
    """The settings without the fields at these places; where an item of a list is wrong, without the list."""
    return _section(Settings, document, faults)


def _section(model: type[S], given: dict[str, Any], faults: Collection[Location]) -> S:
    values = {}
    for name, field in model.model_fields.items():
        key = field.alias or name
        value = _value(model, name, given.get(key, LEFT_OUT), [each[1:] for each in faults if each[:1] == (key,)])
        if value is not LEFT_OUT:
            values[name] = value
    said = {name for name, field in model.model_fields.items() if (field.alias or name) in given}
    # with something in every field, no default is made that would be thrown away here
    made = model.model_construct(said, **dict.fromkeys(model.model_fields))
    made.__dict__.clear()
    made.__dict__.update(values)
    return made


@functools.cache
def _default(model: type[BaseModel], name: str) -> Any:
    """What stands in a field of which nothing is said, made once: no rule changes what it looks at."""
    return model.model_fields[name].get_default(call_default_factory=True)


def _value(model: type[BaseModel], name: str, given: Any, faults: Collection[Location]) -> Any:
    """What stands in a field, as far as it is right."""
    field = model.model_fields[name]
    kind: Any = Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation
    if not faults:
        return _read(kind, given) if given is not LEFT_OUT else _default(model, name)
    # what is laid over a default, or looked at as a whole, cannot be taken apart
    if () in faults or not all(isinstance(each, BaseMetadata) for each in field.metadata):
        return LEFT_OUT
    if given is LEFT_OUT:
        given = {} if field.default_factory is field.annotation else LEFT_OUT
    return _part(field.annotation, given, faults)


def _part(kind: Any, given: Any, faults: Collection[Location]) -> Any:
    """What stands at a place, with faults below it."""
    if not faults:
        return _read(kind, given)
    section, below = section_of(kind), get_args(kind)
    if () in faults or section is None or not issubclass(section, Section):
        return LEFT_OUT
    if get_origin(kind) is dict and isinstance(given, dict) and any(each[0] not in given for each in faults):
        return LEFT_OUT
    if get_origin(kind) is tuple and isinstance(given, list):
        items = [_part(below[0], each, _below(faults, at)) for at, each in enumerate(given)]
        return LEFT_OUT if any(each is LEFT_OUT for each in items) else tuple(items)
    if get_origin(kind) is dict and isinstance(given, dict):
        entries = {key: _part(below[1], each, _below(faults, key)) for key, each in given.items()}
        return LEFT_OUT if any(each is LEFT_OUT for each in entries.values()) else entries
    if get_origin(kind) in (tuple, dict) or not isinstance(given, dict):
        return LEFT_OUT
    return _section(section, given, faults)


def _below(faults: Collection[Location], step: int | str) -> list[Location]:
    return [each[1:] for each in faults if each[:1] == (step,)]


def _read(kind: Any, given: Any) -> Any:
    """A value in which nothing is wrong, as its type reads it."""
    try:
        return TypeAdapter(kind).validate_json(to_json(given))
    except ValidationError:
        return LEFT_OUT
