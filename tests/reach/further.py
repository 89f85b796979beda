"""What keys reach in further contexts: guessed from the context they were found in, and looked at where that is wrong.

Most reach the same fields of the objects that are there as well, so that many are seen in one run; the runs of a key by
itself are for the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tests.reach.contexts import contexts
from tests.reach.fields import object_of, pairs
from tests.reach.groups import Base, overlap_any, packed, suspects, told_or_none, union
from tests.reach.knobs import alone, candidates, wanted
from tests.reach.look import looked_at
from tests.reach.record import Entry

MOST = 40
"""Keys in one run of which none is to change anything."""


def further(name: str, firsts: Sequence[Entry], base: Base) -> list[Entry]:
    """Entries of a context for the keys that reach something there."""
    guesses = [guess for first in firsts if (guess := _guess(name, first, base)) is not None]
    alone = [guess for guess in guesses if guess.knob.together]
    silent = [guess for guess in guesses if not guess.fields and guess not in alone]
    spoken = [guess for guess in guesses if guess.fields and guess not in alone]
    groups = [*([each] for each in alone), *_apart(silent), *packed(spoken, lambda _: True)]
    return [entry for group in groups for entry in _seen(group, base)]


def _guess(name: str, first: Entry, base: Base) -> Entry | None:
    """The same knob where it loads and sets the key alone, else the likeliest; with the fields of what is there."""
    tried = candidates(wanted()[first.knob.key], [contexts()[name]], first.knob)
    found = next((knob for context, knob in tried if alone(context, knob)), None)
    if found is None:
        return None
    here = {object_of(each) for each in base(name).resources}
    fields = {each: paths for each, paths in first.fields.items() if each in here}
    loses = tuple(text for text in first.loses if text.partition(" ")[0] in fields)
    return Entry(found, name, fields, loses)


def _apart(entries: Sequence[Entry]) -> Iterator[list[Entry]]:
    """Groups of a few, none at a place in another's."""
    left = list(entries)
    while left:
        group: list[Entry] = []
        for each in left:
            if len(group) < MOST and not overlap_any(group, each):
                group.append(each)
        left = [each for each in left if each not in group]
        yield group


def _seen(group: list[Entry], base: Base) -> list[Entry]:
    """A group with what its keys reach, those that the guess is wrong about by themselves; without the silent ones."""
    if not group:
        return []
    if len(group) == 1:
        entry = looked_at(contexts()[group[0].context], group[0].knob, base)
        return [entry] if entry is not None else []
    found, guessed = told_or_none(group, base), union(group)
    if found == guessed:
        return [each for each in group if each.fields]
    odd = [] if found is None else suspects(group, pairs(found[0]) ^ pairs(guessed[0]))
    if 0 < len(odd) < len(group):
        rest = [each for each in group if each not in odd]
        return [entry for each in odd for entry in _seen([each], base)] + _seen(rest, base)
    half = len(group) // 2
    return _seen(group[:half], base) + _seen(group[half:], base)
