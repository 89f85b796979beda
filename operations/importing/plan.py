"""What becomes of each value: kept, left out with the reason, or a secret to be set by command.

Pure: values in, a plan out. The schema decides; nothing here repeats which keys there are.
"""

from __future__ import annotations

import copy
import json
import re
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from operations.importing.changed import Renamed, moved
from operations.importing.labels import unknown_labels
from operations.importing.left_out import LEFT, LEFT_OUT, NOW_EFFECTIVE, LeftOut, covers, kept_newer, newer
from operations.importing.reading import Plain
from operations.importing.secrets import Secret, hidden, taken
from operations.importing.tree import GONE, copied, get, leaves, put, remove, settled
from operations.keys import OURS
from stacks.field_errors import causes, problem_of
from stacks.misplaced import slips
from stacks.problem import Problem
from stacks.schema import Settings
from stacks.schema.paths import dotted, exists

Path = tuple[str | int, ...]
NAMESPACE = Settings.model_fields["namespace"].default
AGAIN = "it is left out of the stack file; write it right in the values, and import them again"
"""Where a command would name another item: those after one that is left out move up."""
ITEM = re.compile(r"\[\d+\]")

HELM_TITLES = ("USER-SUPPLIED VALUES", "COMPUTED VALUES")
"""First line of what `helm get values` prints for a person."""


@dataclass
class Plan:
    """The values that are kept, and what is to be said of the rest. Values are in no text of it."""

    kept: dict[str, Any] = field(default_factory=dict)
    refused: list[Problem] = field(default_factory=list)
    notes: list[tuple[str, str]] = field(default_factory=list)
    """Path, and what was understood there."""
    secrets: list[Secret] = field(default_factory=list)
    renamed: list[Renamed] = field(default_factory=list)

    @property
    def mapped(self) -> list[str]:
        """The paths that are kept."""
        return [dotted(path) for path, _ in leaves(self.kept)]


def plan(values: dict[str, Any], base: dict[str, Any], file: str) -> Plan:
    """The plan for the chart's values in a file, over a base with what the chart has no keys for (`azure`, `pools`)."""
    made, values = Plan(), copied(values)
    for title in HELM_TITLES:
        if title in values and values[title] is None:
            del values[title]
    made.secrets, made.refused = taken(values)
    _own_sections(values, made)
    _left_out(values, made)
    made.refused += hidden(values, file, base.get("namespace", NAMESPACE))
    made.refused += unknown_labels(values)
    made.renamed, problems, understood = moved(values)
    made.refused += problems
    made.notes += understood
    raw = settled(values)
    made.refused += [_left(each) for each in slips(raw)]
    _fitted(raw, values, base, made)
    made.kept = raw
    kept = set(made.mapped)
    made.notes += [(path, text) for path, text in NOW_EFFECTIVE.items() if any(covers(path, each) for each in kept)]
    made.notes += kept_newer(kept)
    return made


def _left(problem: Problem) -> Problem:
    """A problem of a stack file, said of a value that does not come that far."""
    mend = LEFT if problem.mend.startswith(("pulumi config rm", "take it out")) else problem.mend
    if mend.startswith("pulumi config set") and ITEM.search(problem.path):
        mend = AGAIN
    return Problem(problem.path, problem.code, problem.reason, mend)


def _own_sections(values: dict[str, Any], made: Plan) -> None:
    for key in [key for key in values if key in OURS]:
        reason = "the chart has no such key, so Helm gave it no effect; here it is a section of this program's own"
        made.refused.append(Problem(key, "unknown-key", reason, "set it in the stack file, if it is meant"))
        del values[key]


def _left_out(values: dict[str, Any], made: Plan) -> None:
    for path, _ in list(leaves(values)):
        name = dotted(path)
        part = next((each for each in LEFT_OUT if each.covers(name)), None)
        if part is not None and not exists(name):
            remove(values, path)
            made.refused.append(_not_made(part, name))
        elif (why := newer(name)) is not None:
            remove(values, path)
            made.refused.append(Problem(name, "newer-chart", why, LEFT))


def _fitted(raw: dict[str, Any], values: dict[str, Any], base: dict[str, Any], made: Plan) -> None:
    """Make the values right one error after another: by another reading where there is one, else by leaving it out."""
    while True:
        error = _first_error(raw, base)
        if error is None:
            return
        path = _place(raw, error["loc"])
        change = None if len(path) < len(error["loc"]) else _other_reading(values, path, raw, error)
        if change is not None:
            value, note = change
            put(raw, path, value)
            if note:
                made.notes.append((dotted(path), note))
            continue
        problem = _on_purpose(_left(problem_of(error)))
        if get(raw, path) is None:
            problem = Problem(dotted(path), "null", "null takes the chart's default away; here there is no such state: "
                              "the part is always given", LEFT)  # fmt: skip
        made.refused.append(problem)
        remove(raw, path)
        if get(values, path) is not GONE:
            remove(values, path)  # so that the places in both stay the same


def _on_purpose(problem: Problem) -> Problem:
    """A key that is there for its default's sake only, of a part that is left out."""
    part = next((each for each in LEFT_OUT if each.covers(problem.path)), None)
    return problem if part is None or problem.code != "not-allowed" else _not_made(part, problem.path)


def _not_made(part: LeftOut, path: str) -> Problem:
    return Problem(path, "left-out", f"{part.name}, not made here: {part.reason}", f"instead: {part.instead}")


def _first_error(raw: dict[str, Any], base: dict[str, Any]) -> ErrorDetails | None:
    try:
        Settings.model_validate_json(json.dumps({**base, **raw}))
    except ValidationError as error:
        found = [each for each in causes(error) if each["loc"][0] in raw]
        # the last item of a list first: one that is taken out does not move the others
        return max(found, key=lambda each: [str(part).rjust(4) for part in each["loc"]], default=None)
    return None


def _place(raw: dict[str, Any], location: tuple[int | str, ...]) -> Path:
    """The part of a location that stands in the values: the item where a key is missing, the entry of a wrong key."""
    found: list[str | int] = []
    here: Any = raw
    for part in location:
        present = (isinstance(here, dict) and part in here) or (
            isinstance(here, list) and isinstance(part, int) and part < len(here)
        )
        if not present:
            break
        here = here[part]
        found.append(part)
    return tuple(found)


def _other_reading(
    values: dict[str, Any], path: Path, raw: dict[str, Any], error: ErrorDetails
) -> tuple[Any, str] | None:
    """Another value for what was written, with what to say of it; None where there is none."""
    written, now, kind = get(values, path), get(raw, path), error["type"]
    if isinstance(written, Plain) and kind == "string_type" and now != written.text:
        return written.text, _kept_text(written)
    if kind == "not_kubernetes" and error["ctx"].get("wanted") is str:
        return _quoted(written, now, error["ctx"]["at"])
    if kind in ("int_type", "float_type") and isinstance(now, str) and now.strip().isdecimal():
        return int(now), "a number in quotes, as the chart would print it too"
    if now is None and kind in ("tuple_type", "list_type"):
        return [], "null takes the chart's default away: nothing is left of the list"
    if now is None and kind == "dict_type":
        return {}, "null takes the chart's default away: nothing is left of the map"
    return None


def _quoted(written: Any, now: Any, at: Path) -> tuple[Any, str] | None:
    """A piece of a pod with the unquoted scalar at a path in it as its text."""
    scalar = get(written, at)
    if not isinstance(scalar, Plain) or get(now, at) == scalar.text:
        return None
    piece = copy.deepcopy(now)
    put(piece, at, scalar.text)
    return piece, _kept_text(scalar)


def _kept_text(written: Plain) -> str:
    if isinstance(written.value, float) and str(written.value) != written.text:
        return f"an unquoted number, kept as it is written; Helm read it as {written.value:g}"
    return ""
