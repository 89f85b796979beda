"""What exists in the made-up Azure: one record per resource, by id, kept in `azure.json` over restarts."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.azure import ids
from sandbox.azure.catalogue import Kind
from sandbox.rpc import Json


@dataclass
class Record:
    """One resource: `state` is Azure's answer in the SDK's output names, `hidden` what Azure knows but never shows."""

    id: str
    token: str
    state: Json
    hidden: Json = field(default_factory=dict)


class Store:
    """All resources. Every change is on disk, whole, before it is reported."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._records: dict[str, Record] = {}
        if path.exists():
            for item in json.loads(path.read_text())["resources"]:
                record = Record(**item)
                self._records[ids.key(record.id)] = record

    def find(self, resource_id: str) -> Record | None:
        return self._records.get(ids.key(resource_id))

    def all(self) -> Iterator[Record]:
        return iter(list(self._records.values()))

    def of(self, kind: Kind) -> Iterator[Record]:
        return (record for record in self.all() if record.token == kind.token)

    def under(self, scope: str) -> list[Record]:
        """The resources that lie under a scope, the scope's own resource not among them; oldest first."""
        return [r for r in self.all() if ids.within(r.id, scope) and ids.key(r.id) != ids.key(scope)]

    def put(self, record: Record) -> None:
        self._records[ids.key(record.id)] = record
        self.save()

    def remove(self, resource_id: str) -> None:
        self._records.pop(ids.key(resource_id), None)
        self.save()

    def save(self) -> None:
        """Write everything; a reader or a crash sees the old file or the new one, never a part."""
        resources = [vars(record) for record in self._records.values()]
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._path.with_suffix(f".{os.getpid()}.new")
        with fresh.open("w") as file:
            json.dump({"resources": resources}, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._path)
