"""Keys that can be changed in one run: together they change what each of them changes alone."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from tests.reach.contexts import Knob, Place, StoppedError, contexts
from tests.reach.fields import Fields, changed, fields_of, lost, pairs
from tests.reach.record import Entry
from tests.unit.graph import Graph

Base = Callable[[str], Graph]
Told = tuple[Fields, tuple[str, ...]]
"""What is changed and what is lost."""

Pairs = frozenset[tuple[str, str]]


def union(entries: Sequence[Entry]) -> Told:
    """What the keys change and lose together: of an object that comes or goes with one, the fields are no change."""
    all_pairs = frozenset(pair for each in entries for pair in pairs(each.fields))
    texts = {text for each in entries for text in each.loses}
    whole = {name for name, path in all_pairs if not path}
    kept = {text for text in texts if not any(text.startswith(f"{name} replaced ") for name in whole)}
    return fields_of(_seen(all_pairs, whole)), tuple(sorted(kept))


def _seen(found: Pairs, whole: set[str]) -> Pairs:
    return frozenset((name, path) for name, path in found if not path or name not in whole)


def told(entries: Sequence[Entry], base: Base) -> Told:
    """What the program says when they are changed in one run."""
    context = contexts()[entries[0].context]
    before, after = base(context.name), context.changed([each.knob for each in entries]).graph()
    return changed(before, after), lost(before, after)


def loads(group: Sequence[Entry]) -> bool:
    """Whether a configuration with all of them is accepted."""
    context = contexts()[group[0].context]
    return context.changed([each.knob for each in group]).settings()[0] is not None


def apart(group: Sequence[Entry]) -> Iterator[list[Entry]]:
    """Parts of a group such that of any two keys each is in one without the other: as few as there can be.

    Each key is in half of the parts, no two keys in the same ones (Sperner's theorem says that it takes no fewer).
    """
    parts = next(number for number in itertools.count() if math.comb(number, number // 2) >= len(group))
    places = list(zip(group, itertools.combinations(range(parts), parts // 2), strict=False))
    for part in range(parts):
        yield [each for each, inside in places if part in inside]


def told_or_none(group: Sequence[Entry], base: Base) -> Told | None:
    """The same, None where the program stops."""
    try:
        return told(group, base)
    except StoppedError:
        return None


def right(group: Sequence[Entry], base: Base) -> bool:
    """Whether the keys change together what each is recorded to change, and none needs another one to be accepted."""
    return _as_recorded(group, told_or_none(group, base))


def _as_recorded(group: Sequence[Entry], found: Told | None) -> bool:
    return found == union(group) and all(loads(part) for part in apart(group))


def grouped(kept: Sequence[list[Entry]], loose: Sequence[Entry], base: Base) -> list[list[Entry]]:
    """Groups of one context that are right: those that are kept take in what they can, the rest makes further ones.

    A key that is not even right by itself is taken at its word.
    """
    found = []
    left = sorted(loose, key=lambda each: (-len(pairs(each.fields)), each.knob.key))
    for group in sorted(kept, key=len, reverse=True):
        grown, left = _grown(group, left, base)
        found.append(grown)
    while left:
        grown, left = _grown([], left, base)
        if not grown:
            grown, left = [_at_its_word(left[0], base)], left[1:]
        found.append(grown)
    return found


def _grown(group: list[Entry], more: list[Entry], base: Base) -> tuple[list[Entry], list[Entry]]:
    """A group with those it stays right with, found by halves, and the others."""
    new: list[Entry] = []
    for each in more:
        if _fits([*group, *new], each):
            new.append(each)
    rest = [each for each in more if each not in new]
    if not new:
        return group, rest
    whole = [*group, *new]
    found = told_or_none(whole, base)
    if _as_recorded(whole, found):
        return whole, rest
    if len(new) == 1:
        return group, more
    odd = suspects(new, pairs(found[0]) ^ pairs(union(whole)[0])) if found is not None else []
    last = odd if 0 < len(odd) < len(new) else new[len(new) // 2 :]
    for part in ([each for each in new if each not in last], last):
        group, left = _grown(group, part, base)
        rest += left
    return group, rest


def _at_its_word(entry: Entry, base: Base) -> Entry:
    """What a key reaches by itself, whatever was recorded of it."""
    found = told_or_none([entry], base)
    assert found is not None, f"{entry.knob.key} stops the program"
    assert found[0], f"{entry.knob.key} reaches nothing any more; run: python -m tests.reach {entry.knob.key}"
    return replace(entry, fields=found[0], loses=found[1])


def suspects(group: Sequence[Entry], odd: Pairs) -> list[Entry]:
    """The keys with a path, of whatever object, that is changed without being recorded or the other way round."""
    paths = {path for _, path in odd}
    return [each for each in group if any(path in paths for _, path in pairs(each.fields))]


def packed(entries: Sequence[Entry], right: Callable[[list[Entry]], bool] = loads) -> list[list[Entry]]:
    """Groups by the rules of `_fits`, those that change most first, each right by itself."""
    groups: dict[str, list[list[Entry]]] = {}
    for each in sorted(entries, key=lambda each: (each.context, -len(pairs(each.fields)), each.knob.key)):
        here = groups.setdefault(each.context, [])
        group = next((group for group in here if _fits(group, each) and right([*group, each])), None)
        if group is None:
            here.append([each])
        else:
            group.append(each)
    return [group for here in groups.values() for group in here]


def _fits(group: list[Entry], new: Entry) -> bool:
    """Whether a key can join: another place, and for each a field that only it changes."""
    if overlap_any(group, new):
        return False
    together = [*group, new]
    counted = Counter(pair for each in together for pair in pairs(each.fields))
    seen = {pair for pair in _seen(frozenset(counted), {n for n, path in counted if not path}) if counted[pair] == 1}
    return all(not seen.isdisjoint(pairs(each.fields)) for each in together)


def overlap_any(group: Sequence[Entry], new: Entry) -> bool:
    """Whether a key is changed at a place in which, or around which, another one is."""
    return any(overlap(*places) for each in group for places in itertools.product(_at(new.knob), _at(each.knob)))


def _at(knob: Knob) -> list[Place]:
    return [place for place, _ in knob.puts]


def overlap(one: Place, other: Place) -> bool:
    """Whether one place lies in the other."""
    length = min(len(one), len(other))
    return one[:length] == other[:length]
