"""Keys that can be changed in one run: together they change what each of them changes alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from tests.reach.contexts import Place, contexts
from tests.reach.fields import Fields, changed, fields_of, lost, pairs
from tests.reach.record import Entry
from tests.unit.graph import Graph

MOST = 60
"""Fields of one key above which it is changed alone."""

Base = Callable[[str], Graph]


def planned(entries: dict[str, Entry], base: Base) -> dict[str, Entry]:
    """The entries with their groups. A group whose run tells something else is split until it does not."""
    number = 0
    found: dict[str, Entry] = {}
    for group in list(_packed(entries)):
        for part in _right(entries, group, base):
            number += 1
            found |= {key: entries[key].grouped(number) for key in part}
    return found


def union(entries: Sequence[Entry]) -> tuple[Fields, tuple[str, ...]]:
    """What the keys change and lose, together."""
    fields = frozenset(pair for each in entries for pair in pairs(each.fields))
    return fields_of(fields), tuple(sorted({text for each in entries for text in each.loses}))


def told(entries: Sequence[Entry], base: Base) -> tuple[Fields, tuple[str, ...]]:
    """What the program says when they are changed in one run."""
    context = contexts()[entries[0].context]
    before, after = base(context.name), context.changed([each.knob for each in entries]).graph()
    return changed(before, after), lost(before, after)


def _right(entries: dict[str, Entry], group: list[str], base: Base) -> Iterator[list[str]]:
    members = [entries[key] for key in group]
    if len(group) == 1 or told(members, base) == union(members):
        yield group
        return
    half = len(group) // 2
    yield from _right(entries, group[:half], base)
    yield from _right(entries, group[half:], base)


def _packed(entries: dict[str, Entry]) -> Iterator[list[str]]:
    alone = {key for key, each in entries.items() if len(pairs(each.fields)) > MOST}
    groups: list[list[str]] = []
    for key in sorted(entries.keys() - alone, key=lambda key: (entries[key].context, key)):
        for group in groups:
            if _fits(entries, group, key):
                group.append(key)
                break
        else:
            groups.append([key])
    yield from groups
    yield from ([key] for key in sorted(alone))


def _comes(entry: Entry) -> bool:
    """Whether an object comes, goes or is replaced: no other key of the group may touch it then."""
    return bool(entry.loses) or any(not paths for paths in entry.fields.values())


def _fits(entries: dict[str, Entry], group: list[str], key: str) -> bool:
    """Whether a key can join: same context, another place, fields of its own, and all of it loads."""
    new, others = entries[key], [entries[each] for each in group]
    if others[0].context != new.context or any(_overlap(new.knob.place, each.knob.place) for each in others):
        return False
    if pairs(new.fields) & frozenset(pair for each in others for pair in pairs(each.fields)):
        return False
    if any((_comes(new) or _comes(each)) and new.fields.keys() & each.fields.keys() for each in others):
        return False
    knobs = [each.knob for each in [*others, new]]
    return contexts()[new.context].changed(knobs).settings()[0] is not None


def _overlap(one: Place, other: Place) -> bool:
    length = min(len(one), len(other))
    return one[:length] == other[:length]
