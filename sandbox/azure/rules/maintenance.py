"""What AKS refuses of a maintenance configuration (AKS documentation planned-maintenance, API descriptions)."""

from __future__ import annotations

import datetime
import re

from sandbox.azure.errors import NotPlayedError, invalid
from sandbox.rpc import Json

_DAYS_OF_MONTH = (1, 31)
_LIMITS = {
    "daily": {"intervalDays": (1, 7)},
    "weekly": {"intervalWeeks": (1, 4)},
    "absoluteMonthly": {"dayOfMonth": _DAYS_OF_MONTH, "intervalMonths": (1, 6)},
    "relativeMonthly": {"intervalMonths": (1, 6)},
}


def check(name: str, body: Json) -> None:
    """Judge one configuration by its name and its body."""
    if body.get("timeInWeek") or body.get("notAllowedTime"):
        raise NotPlayedError("a maintenance configuration with timeInWeek or notAllowedTime; use maintenanceWindow")
    window = body.get("maintenanceWindow")
    if window is None:
        raise invalid(f"The maintenance configuration {name} needs a maintenanceWindow.")
    if not 4 <= window["durationHours"] <= 24:
        raise invalid(f"maintenanceWindow.durationHours is {window['durationHours']}: it must be between 4 and 24.")
    _match("startTime", window["startTime"], r"([01]\d|2[0-3]):[0-5]\d", "HH:MM")
    if window.get("utcOffset") is not None:
        _match("utcOffset", window["utcOffset"], r"[+-](0\d|1[0-4]):[0-5]\d", "+HH:MM or -HH:MM")
    if window.get("startDate") is not None:
        _date("startDate", window["startDate"])
    for index, span in enumerate(window.get("notAllowedDates") or []):
        start = _date(f"notAllowedDates[{index}].start", span["start"])
        if start > _date(f"notAllowedDates[{index}].end", span["end"]):
            raise invalid(f"maintenanceWindow.notAllowedDates[{index}] ends before it starts.")
    _check_schedule(name, window["schedule"])


def _check_schedule(name: str, schedule: Json) -> None:
    given = [kind for kind, value in schedule.items() if value is not None]
    if len(given) != 1:
        raise invalid(f"maintenanceWindow.schedule needs exactly one of {', '.join(_LIMITS)}; it has {len(given)}.")
    (kind,) = given
    if name == "default" and kind != "weekly":
        raise invalid(f"The maintenance configuration default takes a weekly schedule only, not {kind}.")
    for field, (least, most) in _LIMITS[kind].items():
        if not least <= schedule[kind][field] <= most:
            raise invalid(f"maintenanceWindow.schedule.{kind}.{field} must be between {least} and {most}.")


def _match(field: str, value: str, pattern: str, form: str) -> None:
    if re.fullmatch(pattern, value) is None:
        raise invalid(f"maintenanceWindow.{field} is {value!r}: it must be {form}.")


def _date(field: str, value: str) -> datetime.date:
    try:
        return datetime.date.fromisoformat(value)
    except ValueError:
        raise invalid(f"maintenanceWindow.{field} is {value!r}: it must be a date, YYYY-MM-DD.") from None
