"""Ports on loopback: a free one when first chosen, kept afterwards, so that what was told to others stays true."""

from __future__ import annotations

import json
import logging
import random
import socket
from collections.abc import Sequence
from pathlib import Path

from sandbox.files import write_whole
from sandbox.plane.errors import PlaneError

_log = logging.getLogger(__name__)

RANGE = range(20_000, 30_000)
"""Below what Linux hands to outgoing connections (32768 and up): a kept port is not lost to one while it is unused."""


def is_free(port: int) -> bool:
    """Whether a server could listen there now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            probe.listen(1)
        except OSError:
            return False
    return True


def keep(path: Path, names: Sequence[str]) -> dict[str, int]:
    """A port for each name, remembered in the JSON file `path`; one that somebody else took is chosen anew.

    Raises `PlaneError` when no port is free.
    """
    kept = _kept(path)
    ports: dict[str, int] = {}
    for name in names:
        wanted = kept.get(name)
        ports[name] = wanted if wanted is not None and is_free(wanted) else _choose(set(ports.values()))
        if wanted not in (None, ports[name]):
            _log.warning("port %s, kept for %s, is taken: it is %d now (%s)", wanted, name, ports[name], path)
    if kept != kept | ports:
        write_whole(path, json.dumps(kept | ports, indent=2) + "\n")
    return ports


def _kept(path: Path) -> dict[str, int]:
    """The ports on record; none where there is no record, or none that can be read."""
    if not path.exists():
        return {}
    try:
        found = json.loads(path.read_text())
        return {str(name): int(port) for name, port in found.items()}
    except (ValueError, TypeError, AttributeError) as error:
        _log.warning("%s cannot be read (%s): its ports are chosen anew", path, error)
        return {}


def _choose(taken: set[int]) -> int:
    for port in random.sample(RANGE, 200):
        if port not in taken and is_free(port):
            return port
    raise PlaneError(f"No free port on 127.0.0.1 between {RANGE.start} and {RANGE.stop}.")
