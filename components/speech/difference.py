"""One place where an object differs from the vendor's on purpose."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase


@dataclass(frozen=True)
class Difference:
    """One deliberate difference."""

    objects: str
    """Pattern over `Kind/name`."""
    path: str
    """Pattern over the field's path, list items by their name; empty: the object itself is left out."""
    reason: str

    def covers(self, object_name: str, path: str) -> bool:
        """Whether it explains a difference at this path of this object."""
        return fnmatchcase(object_name, self.objects) and fnmatchcase(path, self.path)
