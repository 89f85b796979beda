"""Keys that can be changed in one run: together they change what each of them changes alone."""

from __future__ import annotations

import itertools
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
    """Parts of a group such that of any two keys each is in one without the other; twice as many as its bits."""
    for bit in range((len(group) - 1).bit_length()):
        for side in (0, 1):
            yield [each for number, each in enumerate(group) if number >> bit & 1 == side]


def told_or_none(group: Sequence[Entry], base: Base) -> Told | None:
    """The same, None where the program stops."""
    try:
        return told(group, base)
    except StoppedError:
        return None


def right(group: list[Entry], base: Base) -> list[list[Entry]]:
    """A group as it is, or split until each part changes what its keys change; one alone is taken at its word."""
    found = told_or_none(group, base)
    if found == union(group) and all(loads(part) for part in apart(group)):
        return [group]
    if len(group) == 1:
        assert found is not None, f"{group[0].knob.key} stops the program"
        assert found[0], f"{group[0].knob.key} reaches nothing any more; run: python -m tests.reach {group[0].knob.key}"
        return [[replace(group[0], fields=found[0], loses=found[1])]]
    odd = suspects(group, pairs(found[0]) ^ pairs(union(group)[0])) if found is not None else []
    one = odd if 0 < len(odd) < len(group) else group[: len(group) // 2]
    return right(one, base) + right([each for each in group if each not in one], base)


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
