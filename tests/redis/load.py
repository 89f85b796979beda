"""Clients that write again and again, each keeping account of what was acknowledged to it."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import Any

from redis.exceptions import RedisError

from tests.redis.nodes import PORTS, Nodes, link

WRITERS = 4

PAUSE = 0.002
"""Seconds a writer rests after each write: 1200 writes a second in all are enough to lose some, and leave the
processors to the nodes."""

AGAIN = 0.2
"""Seconds until a writer asks again where the primary is: how far off the time of a recovery may be."""


@dataclass
class Load:
    """Writers that ask the sentinels for the primary, as the vendor's fail-over client does."""

    nodes: Nodes
    acknowledged: dict[str, float] = field(default_factory=dict)
    """Key → when its write was acknowledged, by the monotonic clock."""
    _over: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> Load:
        for number in range(WRITERS):
            thread = threading.Thread(target=self._write, args=(number,))
            thread.start()
            self._threads.append(thread)
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _write(self, writer: int) -> None:
        number, connection = 0, None
        while not self._over.is_set():
            connection = connection or self._connection()
            if connection is None:
                self._over.wait(AGAIN)
                continue
            key = f"{writer}:{number}"
            try:
                if connection.execute_command("SET", key, "x"):
                    self.acknowledged[key] = time.monotonic()
                    number += 1
                self._over.wait(PAUSE)
            except (RedisError, OSError):
                # whether it was written is not known: the next one is another, and this one counts for nothing
                number += 1
                connection.close()
                connection = None
                self._over.wait(AGAIN)
        if connection is not None:
            connection.close()

    def _connection(self) -> Any:
        primary = self.nodes.primary()
        return link(primary.address, PORTS["redis"]) if primary is not None else None

    def since(self, moment: float) -> list[float]:
        """When writes were acknowledged after a moment."""
        return sorted(at for at in list(self.acknowledged.values()) if at > moment)

    def lost(self) -> dict[str, float]:
        """Acknowledged writes that the primary does not have."""
        primary = self.nodes.primary()
        assert primary is not None
        with link(primary.address, PORTS["redis"]) as connection:
            there = set(connection.scan_iter(count=10000))
        return {key: at for key, at in self.acknowledged.items() if key not in there}
