"""When a maintenance window is open. Pure.

AKS documentation planned-maintenance; property descriptions of MaintenanceWindow in the AKS REST API 2025-09-01. A
window belongs to the day it starts on, by its own UTC offset; intervals are counted from `startDate`, or from the
beginning of the calendar where none is given.
"""

from __future__ import annotations

import calendar
import datetime

from sandbox.rpc import Json

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_WEEKS = {"First": 0, "Second": 1, "Third": 2, "Fourth": 3, "Last": -1}
_FURTHEST_DAYS = 366
"""How far back or ahead a start is looked for; the longest interval is six months."""


def last_start(window: Json, moment: datetime.datetime) -> datetime.datetime | None:
    """The latest start of the window at or before a moment; None when it never started."""
    return _search(window, moment, -1)


def next_start(window: Json, moment: datetime.datetime) -> datetime.datetime | None:
    """The first start of the window at or after a moment; None when there is none within a year."""
    return _search(window, moment, 1)


def is_open(window: Json, moment: datetime.datetime) -> bool:
    start = last_start(window, moment)
    return start is not None and moment < start + datetime.timedelta(hours=window["durationHours"])


def _search(window: Json, moment: datetime.datetime, step: int) -> datetime.datetime | None:
    offset = datetime.datetime.strptime(window.get("utcOffset") or "+00:00", "%z").tzinfo
    at = datetime.time.fromisoformat(window["startTime"])
    day = moment.astimezone(offset).date()
    for _ in range(_FURTHEST_DAYS):
        start = datetime.datetime.combine(day, at, offset)
        early, late = (start, moment) if step < 0 else (moment, start)
        if early <= late and _allowed(window, day):
            return start
        day += datetime.timedelta(days=step)
    return None


def _allowed(window: Json, day: datetime.date) -> bool:
    first = datetime.date.fromisoformat(window.get("startDate") or "0001-01-01")
    if day < first:
        return False
    for span in window.get("notAllowedDates") or []:
        if datetime.date.fromisoformat(span["start"]) <= day <= datetime.date.fromisoformat(span["end"]):
            return False
    ((kind, rule),) = [(kind, rule) for kind, rule in window["schedule"].items() if rule is not None]
    if kind == "daily":
        return (day - first).days % int(rule["intervalDays"]) == 0
    if kind == "weekly":
        monday = first - datetime.timedelta(days=min(first.weekday(), first.toordinal() - 1))
        return day.weekday() == _DAYS.index(rule["dayOfWeek"]) and (day - monday).days // 7 % rule["intervalWeeks"] == 0
    months = (day.year - first.year) * 12 + day.month - first.month
    if months % int(rule["intervalMonths"]):
        return False
    last = calendar.monthrange(day.year, day.month)[1]
    if kind == "absoluteMonthly":
        return day.day == min(int(rule["dayOfMonth"]), last)
    weeks = [d for d in range(1, last + 1) if day.replace(day=d).weekday() == _DAYS.index(rule["dayOfWeek"])]
    return day.day == weeks[_WEEKS[rule["weekIndex"]]]
