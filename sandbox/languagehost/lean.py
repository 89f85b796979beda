"""The SDK's messages without the SDK: the host needs no more of it, and is started twice for each run of the engine."""

from __future__ import annotations

import sys
from importlib.machinery import PathFinder
from importlib.util import module_from_spec

PACKAGES = ("pulumi", "pulumi.runtime")
"""The packages above `pulumi.runtime.proto`, whose own modules take longer to import than the messages and gRPC."""


def messages_only() -> None:
    """Make those packages folders of modules alone; for a process that imports nothing but the messages of them.

    Does nothing where there is no SDK: the import then says so.
    """
    for name in PACKAGES:
        above = sys.modules.get(name.rpartition(".")[0])
        spec = PathFinder.find_spec(name, above.__path__ if above else None)
        if spec is None:
            return
        sys.modules[name] = module_from_spec(spec)
