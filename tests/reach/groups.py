"""Keys that can be changed in one run: together they change what each of them changes alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

from tests.reach.contexts import Knob, Place, StoppedError, contexts
from tests.reach.fields import Fields, changed, fields_of, lost, pairs
from tests.reach.record import Entry
from tests.unit.graph import Graph

MOST = 60
"""Fields of one key above which it is changed alone."""

Base = Callable[[str], Graph]


def union(entries: Sequence[Entry]) -> tuple[Fields, tuple[str, ...]]:
    """What the keys change and lose, together."""
    fields = frozenset(pair for each in entries for pair in pairs(each.fields))
    return fields_of(fields), tuple(sorted({text for each in entries for text in each.loses}))


def told(entries: Sequence[Entry], base: Base) -> tuple[Fields, tuple[str, ...]]:
    """What the program says when they are changed in one run."""
    context = contexts()[entries[0].context]
    before, after = base(context.name), context.changed([each.knob for each in entries]).graph()
    return changed(before, after), lost(before, after)


def _told(group: Sequence[Entry], base: Base) -> tuple[Fields, tuple[str, ...]] | None:
    try:
        return told(group, base)
    except StoppedError:
        return None


def right(group: list[Entry], base: Base) -> list[list[Entry]]:
    """A group as it is, or split until each part changes what its keys change; one alone is taken at its word."""
    found = _told(group, base)
    if found == union(group):
        return [group]
    if len(group) == 1:
        assert found is not None, f"{group[0].knob.key} stops the program"
        assert found[0], f"{group[0].knob.key} reaches nothing any more; run: python -m tests.reach {group[0].knob.key}"
        return [[replace(group[0], fields=found[0], loses=found[1])]]
    half = len(group) // 2
    return right(group[:half], base) + right(group[half:], base)


def packed(entries: dict[str, Entry]) -> list[list[Entry]]:
    """Groups by the rules of `_fits`."""
    groups: list[list[Entry]] = []
    for each in sorted(entries.values(), key=lambda each: (each.context, each.knob.key)):
        room = (group for group in groups if not _wide(each) and not _wide(group[0]) and _fits(group, each))
        group = next(room, None)
        if group is None:
            groups.append([each])
        else:
            group.append(each)
    return groups


def _wide(entry: Entry) -> bool:
    return len(pairs(entry.fields)) > MOST


def _comes(entry: Entry) -> bool:
    """Whether an object comes, goes or is replaced: no other key of the group may touch it then."""
    return bool(entry.loses) or any(not paths for paths in entry.fields.values())


def _fits(group: list[Entry], new: Entry) -> bool:
    """Whether a key can join: same context, another place, for each a field of its own, and all of it loads."""
    if group[0].context != new.context or any(_overlap(new.knob, each.knob) for each in group):
        return False
    if any((_comes(new) or _comes(each)) and new.fields.keys() & each.fields.keys() for each in group):
        return False
    counted = Counter(pair for each in [*group, new] for pair in pairs(each.fields))
    if not all(any(counted[pair] == 1 for pair in pairs(each.fields)) for each in [*group, new]):
        return False
    knobs = [each.knob for each in [*group, new]]
    return contexts()[new.context].changed(knobs).settings()[0] is not None


def _overlap(one: Knob, other: Knob) -> bool:
    return any(overlap(place, beside) for place, _ in one.puts for beside, _ in other.puts)


def overlap(one: Place, other: Place) -> bool:
    """Whether one place lies in the other."""
    length = min(len(one), len(other))
    return one[:length] == other[:length]
