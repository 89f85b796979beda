"""The page of the pairs, `docs/reference/ladder.md`: made from the rows and from what was seen."""

from __future__ import annotations

import json
from collections.abc import Mapping

from sandbox.drill.ladder.rows import Ladder, Place, Row
from sandbox.drill.ladder.seen import Seen
from sandbox.home import CHECKOUT

FILE = CHECKOUT / "docs" / "reference" / "ladder.md"

HEAD = """\
# Each rung put back

Made by `python -m sandbox.drill.ladder --write` from `sandbox/drill/ladder`; do not edit. Each rung of
[the ladder of clocks](clocks.md), what it is put back to, and the scenario that is red then; what the run is, is in
[drill.md](../explanation/drill.md#the-ladder-of-clocks-rung-by-rung). Every row is run twice: with the rung put back,
and without, the same guards taken away; the second time nobody may be cut.

```bash
make drill LADDER=1                                        # every row
python -m sandbox.drill.ladder "transcriber pod grace"     # one
python -m sandbox.drill.ladder --help                      # seed, time factor, planes side by side, --write
```

| rung | put back to | guards taken away | scenario | also set in both runs | red: the cut reads | seen |
|---|---|---|---|---|---|---|
"""

GUARDS = """
## Guards

| guard | what is taken away |
|---|---|
"""

NOWHERE = """
## Rungs that cannot be put back

| rung | why |
|---|---|
"""

EDGE = """
## On a real nginx

| rung | the test, each with a case in which the protection is gone and the session is cut |
|---|---|
"""


def text(ladder: Ladder, seen: Mapping[str, Seen]) -> str:
    """The file as it should be."""
    rows = [row for row in ladder.rungs if not row.nowhere]
    guards = [_line(name, guard.what) for name, guard in ladder.guards.items()]
    nowhere = [_line(row.rung, row.nowhere) for row in ladder.rungs if row.nowhere]
    edge = [_line(row.rung, "<br>".join(f"`{test}`" for test in row.edge)) for row in rows if row.edge]
    shown = "".join(_row(row, seen.get(row.rung)) for row in rows)
    return HEAD + shown + GUARDS + "".join(guards) + NOWHERE + "".join(nowhere) + EDGE + "".join(edge)


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |\n"


def _row(row: Row, seen: Seen | None) -> str:
    assert row.red is not None
    fields = dict.fromkeys(map(_field, row.places))
    value = "taken away" if row.to is None else f"`{row.to if isinstance(row.to, str) else json.dumps(row.to)}`"
    put = f"{', '.join(fields)}: {value}. {row.because}"
    guards, scenario = ", ".join(row.without), f"`{row.scenario}`"
    return _line(row.rung, put, guards, scenario, _beside(row), row.red.text, _seen(row, seen))


def _beside(row: Row) -> str:
    """Settings of the stand-ins, and a load other than a row's usual one."""
    usual = type(row.load)()
    load = {name: value for name, value in row.load.model_dump().items() if value != getattr(usual, name)}
    told = [
        f"`{name}: {value if isinstance(value, str) else json.dumps(value)}`" for name, value in row.settings.items()
    ]
    return ", ".join([*told, *(f"{name} of a session {value / 60:g} min" for name, value in load.items())])


def _field(place: Place) -> str:
    return f"{place.kind} `{'.'.join(place.field)}`" if place.field else f"the {place.kind}"


def _seen(row: Row, seen: Seen | None) -> str:
    """What the last run showed of it."""
    if seen is None:
        return "not yet"
    assert row.red is not None
    when = f"({seen.day}, factor {seen.factor:g})"
    if row.red.gave_up:
        return f"{', '.join(seen.gave_up)} {when}"
    named, others = seen.cut.get(row.red.cut, 0), sum(seen.cut.values())
    more = f" of {others} cut" if others > named else " cut"
    return f"{named}{more}, {seen.alive} alive at first {when}"
