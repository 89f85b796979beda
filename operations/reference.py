"""The reference of every key, `docs/reference/values.md`: made from the models and from what the keys reach."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic_core import to_jsonable_python

from operations.keys import Key, Kind, keys
from stacks.misplaced import SEED_SECRETS
from stacks.schema import SECRET_KEYS
from stacks.schema.base import only_value

ROOT = Path(__file__).resolve().parents[1]
FILE = ROOT / "docs" / "reference" / "values.md"
REACHED = ROOT / "operations" / "reached.yaml"
MOST_OBJECTS, MOST_PATHS = 3, 3
MOST_NAMED = 20
CREATE_ONLY = " (create only)"
ITSELF = ""
"""In place of a path: the object comes or goes."""

Fields = Mapping[str, list[str]]
"""Object → paths in it, or `ITSELF`; recorded there is none where the object itself comes or goes."""

Reached = Mapping[str, Fields]
"""By key."""

HEAD = """\
# Every value

Made by `python -m operations reference --write`; do not edit. The chart's own keys stand at the chart's own paths; a
key marked *ours* is this program's. `[]` is an item of a list, `<key>` a key of a map that you choose.

| kind | means |
|---|---|
| effective | it reaches the fields named: seen by running the program with another value (`python -m tests.reach`) |
| create only | effective, but only when the object is made: a later change is not looked at |
| fixed | only its default is accepted, and the description says why: what the chart can do and is refused on purpose |
| inert | nothing reads it, or nothing comes of it; only its default is accepted |
| secret | a flat key of its own, set with `pulumi config set --secret`; never among the other values |
| section | it holds the keys that begin with it, whose rows say what each does |

What a key reaches is what it changes in any of several configurations: the defaults, every server with scaling and
without, one in which everything is set, and, where it has an effect in none of these, one in which it has. Objects go
by the names they have by default, in the cluster or in Azure; `…` stands for the hash in the name of a generation of a
pool. Where a pod's template holds a hash of what is mounted, that hash follows from the content and is not listed.

Where the chart has a secret among its values, that path is a row under *Secrets* as well: it is refused with content
(empty text is the chart's own default), and the row names the flat key.
"""


class StaleError(Exception):
    """What is recorded is not what the keys reach now: an entry without a key, or a key without an entry."""


@functools.cache
def reached() -> Reached:
    """What each key reaches in any context, as recorded; nothing before it was recorded once."""
    if not REACHED.exists():
        return {}
    found = yaml.load(REACHED.read_text(encoding="utf-8"), yaml.CSafeLoader)
    return {key: union([each["fields"] for each in parts], found["objects"]) for key, parts in found["keys"].items()}


def union(seen: Sequence[Fields], objects: Mapping[str, str]) -> dict[str, list[str]]:
    """What is reached in any context, by the objects' names; create only is what is so in each where it is reached."""
    found: dict[str, dict[str, bool]] = {}
    for fields in seen:
        for name, paths in fields.items():
            here = found.setdefault(objects.get(name, name), {})
            for path in paths or [ITSELF]:
                plain = path.removesuffix(CREATE_ONLY)
                here[plain] = here.get(plain, True) and path != plain
    return {
        name: [f"{path}{CREATE_ONLY}" if only else path for path, only in sorted(paths.items())]
        for name, paths in sorted(found.items())
    }


def text(all_keys: list[Key], fields: Reached) -> str:
    """The page. Raises `StaleError` for what is recorded of a key that is not there, and for a key without a record."""
    wanted = {key.path for key in all_keys if key.kind is Kind.EFFECTIVE and not key.section}
    if odd := sorted(fields.keys() ^ wanted):
        rest = f" and {len(odd) - MOST_NAMED} more" if len(odd) > MOST_NAMED else ""
        raise StaleError(", ".join(odd[:MOST_NAMED]) + rest)
    return "\n".join([HEAD, *_sections(all_keys, fields)]) + "\n"


def _sections(all_keys: list[Key], fields: Reached) -> Iterator[str]:
    top = ""
    for key in all_keys:
        here = "Secrets" if key.kind is Kind.SECRET else f"`{key.path.partition('.')[0].partition('[')[0]}`"
        if here != top:
            top = here
            yield f"\n## {here}\n"
            if key.section:
                yield f"{key.description}\n"
            yield "| key | type | default | kind | description | reaches |\n|---|---|---|---|---|---|"
        if not key.section or "." in key.path:
            yield _row(key, fields.get(key.path, {}))
    yield from _in_the_chart()


def _in_the_chart() -> Iterator[str]:
    """Where the chart has its secrets; one of the paths is a key as well, which may hold what is no secret."""
    for path, secret in SEED_SECRETS.items():
        form = "base64" if secret.encoded else "plain text"
        said = f"{code(secret.key)} instead; the chart has it here, in {form}: {SECRET_KEYS[secret.key]}."
        yield f"| {code(path)} | text | {code(json.dumps(''))} | secret | {_cell(said)} |  |"


def _row(key: Key, fields: Fields) -> str:
    kind = "create only" if fields and all(map(_create_only, fields.values())) else key.kind.value
    kind = "section" if key.section else kind
    default = "**required**" if key.required else "" if key.default is None else code(json.dumps(key.default))
    ours = ", ours" if key.ours else ""
    cells = (code(key.path), _cell(key.type), default, f"{kind}{ours}", _cell(_said(key)), reaches(fields))
    return f"| {' | '.join(cells)} |"


def _said(key: Key) -> str:
    """The description, with the reason where there is only one value."""
    one = only_value(key.field) if key.field is not None else None
    if one is None or one.reason in key.description:
        return key.description
    return f"{key.description} Only {json.dumps(to_jsonable_python(one.value))}: {one.reason}."


def _create_only(paths: list[str]) -> bool:
    return all(path.endswith(CREATE_ONLY) for path in paths)


def reaches(fields: Fields) -> str:
    """The fields of a key as one cell: objects with the same fields together, the first few of each."""
    alike: dict[tuple[str, ...], list[str]] = {}
    for name, paths in fields.items():
        alike.setdefault(tuple(paths), []).append(name)
    shown = [_object(names, paths) for paths, names in alike.items()]
    return _more(shown, MOST_OBJECTS, "<br>", "more")


def _object(names: list[str], paths: tuple[str, ...]) -> str:
    objects = _more([code(name) for name in names], MOST_OBJECTS, ", ", "more")
    return f"{objects}: {_more([_path(path) for path in paths], MOST_PATHS, ', ', 'more')}"


def _path(path: str) -> str:
    plain = path.removesuffix(CREATE_ONLY)
    return "the object itself" if plain == ITSELF else f"{code(plain)}{path[len(plain) :]}"


def _more(items: list[str], most: int, separator: str, word: str) -> str:
    rest = len(items) - most
    return separator.join([*items[:most], *([f"{rest} {word}"] if rest > 0 else [])])


def code(value: Any) -> str:
    """Code in a cell of a table."""
    return f"`{_cell(str(value))}`"


def _cell(value: str) -> str:
    return " ".join(value.split()).replace("|", "\\|")


@functools.cache
def page() -> str:
    """The file as it should be."""
    return text(keys(), reached())
