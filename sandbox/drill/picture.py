"""Sessions on each pod over time, drawn from journals: one column a run, one row a role. Pure; the result is SVG."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

from sandbox.sessions.journal import Began, Event, Finished, Left, Step, TurnedAway, WasCut
from sandbox.sessions.model import Role, Session

WIDTH, HEIGHT, GAP, TOP, LEFT = 460, 90, 34, 46, 56
"""Of one panel and around it, in pixels."""
LINE = 14
"""Height of a line of text."""
LETTERS = 74
"""Of a step's text that fit into a column."""
APART = 12
"""Pixels between two steps' numbers; one that is closer to the last goes without, its time is in the list below."""
COLOURS = ("#1f6fb4", "#d9730d", "#2f8f46", "#8a4fb0", "#8c5a3c", "#c23b8a", "#5f6b76", "#a19a14", "#1496a8")
RED = "#c62828"


@dataclass
class Trace:
    """The sessions on one pod: seconds since the beginning, and how many from then on."""

    pod: str
    points: list[tuple[float, int]] = field(default_factory=list)

    def change(self, at: float, by: int) -> None:
        self.points.append((at, (self.points[-1][1] if self.points else 0) + by))


@dataclass
class Course:
    """One run over time."""

    traces: dict[Role, dict[str, Trace]] = field(default_factory=dict)
    steps: list[tuple[float, str]] = field(default_factory=list)
    cuts: list[tuple[float, Role]] = field(default_factory=list)
    seconds: float = 0.0


def course(events: Sequence[Event]) -> Course:
    """What the events of a run say, over time."""
    made, alive = Course(), dict[int, Session]()
    if not events:
        return made
    began = _at(events[0])
    made.seconds = max(1.0, _at(events[-1]) - began)

    def change(session: Session, at: float, by: int) -> None:
        for hop in session.path:
            pods = made.traces.setdefault(hop.role, {})
            pods.setdefault(hop.uid, Trace(hop.pod)).change(at, by)

    for event in events:
        at = _at(event) - began
        match event:
            case Began():
                alive[event.session.id] = event.session
                change(event.session, at, 1)
            case Finished():
                change(alive.pop(event.session), at, -1)
            case WasCut():
                change(alive.pop(event.cut.session.id), at, -1)
                made.cuts.append((at, event.cut.hop.role))
            case Step():
                made.steps.append((at, event.step))
            case TurnedAway() | Left():
                pass
    return made


def _at(event: Event) -> float:
    return event.session.began if isinstance(event, Began) else event.at


def picture(title: str, runs: Mapping[str, Sequence[Event]]) -> str:
    """The SVG of a scenario's runs."""
    courses = {name: course(events) for name, events in runs.items()}
    roles = [role for role in Role if any(role in each.traces for each in courses.values())]
    steps = max((len(each.steps) for each in courses.values()), default=0)
    under = TOP + len(roles) * (HEIGHT + GAP)
    width = LEFT + len(courses) * (WIDTH + LEFT)
    height = under + (steps + 1) * LINE
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="sans-serif" '
        'font-size="11">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
        _text(LEFT, 18, title, 'font-size="14" font-weight="bold"'),
    ]
    for column, (name, each) in enumerate(courses.items()):
        left = LEFT + column * (WIDTH + LEFT)
        lines.append(_text(left, 36, f"{name}: {len(each.cuts)} cut", f'fill="{RED if each.cuts else "black"}"'))
        for index, role in enumerate(roles):
            lines += _panel(each, role, left, TOP + index * (HEIGHT + GAP))
        for number, (at, step) in enumerate(each.steps, 1):
            lines.append(_text(left, under + number * LINE, _shortened(f"{number}  {at:.0f} s  {step}")))
    return "\n".join([*lines, "</svg>"]) + "\n"


def _panel(each: Course, role: Role, left: int, top: int) -> Iterator[str]:
    traces = list(each.traces.get(role, {}).values())
    most = max((count for trace in traces for _, count in trace.points), default=0) or 1
    scale = WIDTH / each.seconds if each.seconds else 0.0
    yield f'<rect x="{left}" y="{top}" width="{WIDTH}" height="{HEIGHT}" fill="none" stroke="#c8ccd0"/>'
    yield _text(left - 6, top + 10, str(most), 'text-anchor="end"')
    yield _text(left - 6, top + HEIGHT, "0", 'text-anchor="end"')
    told = left - APART
    for number, (at, _) in enumerate(each.steps, 1):
        x = left + at * scale
        yield f'<path d="M{x:.1f} {top}V{top + HEIGHT}" stroke="#777" stroke-dasharray="3 3"/>'
        if x >= told + APART:
            told = int(x)
            yield _text(told, top - 2, str(number), 'fill="#777" font-size="8" text-anchor="middle"')
    for index, trace in enumerate(traces):
        colour = COLOURS[index % len(COLOURS)]
        yield f'<path d="{_staircase(trace, each.seconds, scale, left, top, most)}" fill="none" stroke="{colour}"/>'
    for at, hop in each.cuts:
        if hop is role:
            x = left + at * scale
            yield f'<path d="M{x:.1f} {top + HEIGHT}v-12" stroke="{RED}" stroke-width="1.5"/>'
    yield _text(left, top + HEIGHT + LINE, role.value, 'font-weight="bold"')
    at_x = left + 120
    for index, trace in enumerate(traces[:4]):
        yield _text(at_x, top + HEIGHT + LINE, trace.pod[-14:], f'fill="{COLOURS[index % len(COLOURS)]}" font-size="9"')
        at_x += 85


def _staircase(trace: Trace, seconds: float, scale: float, left: int, top: int, most: int) -> str:
    path, level = "", 0
    for at, count in trace.points:
        x, y = left + at * scale, top + HEIGHT - count * HEIGHT / most
        path += f"M{x:.1f} {top + HEIGHT}V{y:.1f}" if not path else f"H{x:.1f}V{y:.1f}"
        level = count
    return path + f"H{left + seconds * scale:.1f}" if level else path


def _shortened(text: str) -> str:
    return text if len(text) <= LETTERS else f"{text[: LETTERS - 1]}…"


def _text(x: int, y: int, text: str, attributes: str = "") -> str:
    return f'<text x="{x}" y="{y}" {attributes}>{escape(text)}</text>'
