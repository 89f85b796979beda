"""How the program ends when it refuses to go on while the engine is at work: one message, no traceback."""

from __future__ import annotations

import sys
from typing import NoReturn

import pulumi
from pulumi.runtime.settings import _shutdown_callbacks

REFUSED = 32
"""Exit code with which the language host takes the message as shown already."""


async def end(text: str) -> NoReturn:
    """End the program with this message, from inside an `apply`."""
    pulumi.log.error(text)
    # whatever the engine has under way is finished, and a hook that would be asked for meanwhile is answered with an
    # error at once: nobody is there to answer it, and the engine waits without a deadline
    await _shutdown_callbacks()  # type: ignore[no-untyped-call]
    # asyncio passes this one through its loop; any other exception would be shown with a traceback
    sys.exit(REFUSED)
