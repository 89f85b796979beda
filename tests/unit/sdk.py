"""What the SDKs do in a run and nothing that is recorded has: left out, for it takes them longer than the program."""

from __future__ import annotations

import functools
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from pulumi.runtime.proto.source_pb2 import StackTrace

authorities = functools.cache(ssl.create_default_context)
"""The certificates that a client trusts, read once for all runs; the far end played here speaks plain HTTP."""


async def _no_aliases(*_: Any) -> list[Any]:
    return []


@contextmanager
def sparing() -> Iterator[None]:
    """Without aliases and traces, and with one set of certificates.

    The program asks for no alias; those that the SDK of Azure adds are a thousand, a type of each API version. The
    trace says which lines of the program registered a resource, frame by frame.
    """
    with (
        patch("pulumi.resource.collapse_alias_to_urn", lambda *_: None),
        patch("pulumi.runtime.resource.prepare_aliases", _no_aliases),
        patch("pulumi.runtime.resource._get_stack_trace", StackTrace),
        patch("ssl.create_default_context", authorities),
    ):
        yield
