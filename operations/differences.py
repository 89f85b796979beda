"""The page of the deliberate differences, `docs/reference/differences.md`: from the rows and the contract's files."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from typing import Any

from components.speech.differences import DIFFERENCES, REFUSED, Added, Difference, Instead, Like, Made, Ours, Which
from components.speech.differences.difference import NOTHING, at
from components.speech.differences.refused import Refused
from components.speech.differences.sections import sections
from operations.contract import FILES, contract, nodes, parts, title, values
from operations.importing.left_out import LEFT_OUT
from operations.reference import ROOT, code
from stacks.newer import NEWER

FILE = ROOT / "docs" / "reference" / "differences.md"
LONGEST = 110
"""Characters of a value that are shown."""
MOST_VALUES = 3

HEAD = """\
# Where the objects differ from the vendor's on purpose

Made by `python -m operations reference --write` from `components/speech/differences`; do not edit. These are the only
exceptions: `tests/unit/test_contract.py` compares every object with the contract field by field and accepts no value
but the one under *ours*, and no object of the contract is absent without a row. `*` is anything; an empty field is the
whole object. *with* is the configuration a row is about, always if empty. Where that is *refused*, nothing can set it
(`<server>` is each of the six blocks of inference servers); every key of which only the default is
accepted is in [values.md](values.md), kind `fixed`. *chart* is what the contract's files have there; empty where the
contract gives no text. The sections are the contract's.

| object | field | with | chart | ours | why | contract |
|---|---|---|---|---|---|---|
"""

LEFT = """
Kubernetes below 1.29 is refused, for the cluster and for every generation of a pool. There the chart writes
worker-proxy as a third container and switches pre-warming off; here it is always an init container that stays
(transcription 4.5).

## Parts of the chart that are not made, and what to do instead

`python -m operations import-values` names each of these keys when a values file sets one.

| part of the chart | keys | why | instead |
|---|---|---|---|
"""

NEWER_HEAD = """
## Keys of newer charts

The images and the resource definition of 0.6.0 do not know these; the importer names each of them when a values file
sets one. It keeps those that are this program's as well and leaves the others out.

| key | what there is to say |
|---|---|
"""


@functools.cache
def text() -> str:
    """The file as it should be."""
    newer = "".join(f"| {code(key.replace('*', '<any part>'))} | {why} |\n" for key, why in NEWER.items())
    return (
        HEAD
        + "".join(f"{row}\n" for row in _rows())
        + LEFT
        + "".join(f"{row}\n" for row in _left())
        + NEWER_HEAD
        + newer
    )


def _rows() -> Iterator[str]:
    for each in DIFFERENCES:
        where = ", ".join(_where(pair) for pair in each.where.items())
        ours = _whole(each.ours) if not each.path else _value(each.ours)
        yield _row(each, where, _chart(each), ours, sections(each.objects, each.path))
    for refused in REFUSED:
        there = "the object" if not refused.path else "it" if refused.ours is NOTHING else _value(refused.where[1])
        yield _row(refused, f"{_where(refused.where)}, refused", there, _value(refused.ours), [refused.contract])


def _row(of: Difference | Refused, where: str, chart: str, ours: str, about: list[str]) -> str:
    objects = ", ".join(code(each) for each in of.objects.split(" "))
    cells = (objects, code(of.path) if of.path else "", where, chart, ours, of.reason.replace("|", "\\|"))
    return f"| {' | '.join((*cells, ', '.join(about)))} |"


def _where(where: tuple[str, object]) -> str:
    key, value = where
    return f"{code(key)} unset" if value is NOTHING else code(f"{key}: {json.dumps(value)}")


def _whole(ours: object) -> str:
    if isinstance(ours, Instead):
        return code(ours.name)
    if isinstance(ours, Ours):
        return f"the object, with {_value(ours.fields)}" if ours.fields else "the object"
    return _value(ours)


def _value(value: object) -> str:
    """A value, or what it must be, as a cell."""
    if value is NOTHING:
        return "nothing"
    if isinstance(value, Added):
        return _value(value.value)
    if isinstance(value, Like):
        return f"text like {code(value.pattern)}"
    if isinstance(value, Which | Made):
        return value.name
    shown = json.dumps(value, ensure_ascii=False, default=_inner)
    return code(shown if len(shown) <= LONGEST else f"{shown[:LONGEST]}…")


def _inner(value: object) -> str:
    """What stands within a value for what it must be."""
    return value.pattern if isinstance(value, Like) else getattr(value, "name", repr(value))


@functools.cache
def _objects() -> tuple[tuple[str, str, dict[str, Any]], ...]:
    """Every object of the contract's files: file, title, values by path."""
    return tuple((file, title(each), dict(nodes(each))) for file in FILES for each in [*contract(file), *parts(file)])


def _chart(row: Difference) -> str:
    """What the contract's files have there, where they do."""
    if not row.path:
        return "nothing" if isinstance(row.ours, Ours) else "the object"
    if isinstance(row.ours, Added):
        return "nothing"
    holding = {file for file in FILES if all(at(values(file), key) == value for key, value in row.where.items())}
    found = [
        _value(value)
        for file, name, fields in _objects()
        if row.is_about(name) and file in holding
        for path, value in fields.items()
        if row.is_at(path) and value is not None
    ]
    different = list(dict.fromkeys(found))
    rest = len(different) - MOST_VALUES
    return " or ".join([*different[:MOST_VALUES], *([f"{rest} more"] if rest > 0 else [])])


def _left() -> Iterator[str]:
    for part in LEFT_OUT:
        keys = ", ".join(code(key) for key in part.keys)
        yield f"| {part.name} | {keys} | {part.reason} | {part.instead} |"
