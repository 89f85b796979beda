"""What exists in the made-up Azure: one record per resource, by id, kept in `azure.json` over restarts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.azure import ids
from sandbox.azure.catalogue import Kind
from sandbox.files import read_json, write_whole
from sandbox.rpc import Json

LOST = "What exists in the made-up Azure is lost with it: make down removes the rest, make up begins anew."


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
            for item in read_json(path, LOST)["resources"]:
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
        self._take(self._records | {ids.key(record.id): record})

    def remove(self, resource_id: str) -> None:
        self._take({key: record for key, record in self._records.items() if key != ids.key(resource_id)})

    def _take(self, records: dict[str, Record]) -> None:
        """What cannot be written has not happened: the disk first, then what is told."""
        self._write(records)
        self._records = records

    def save(self) -> None:
        """Write everything, as it was changed in place."""
        self._write(self._records)

    def _write(self, records: dict[str, Record]) -> None:
        write_whole(self._path, json.dumps({"resources": [vars(record) for record in records.values()]}, indent=1))
