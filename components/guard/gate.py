"""The gate: what a destroy deletes first, and therefore what refuses it as a whole."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi


@dataclass(frozen=True)
class GateArgs:
    """What lies behind the gate."""

    guarded: tuple[pulumi.Resource, ...]
    """Every resource in a session's path."""


class Gate(pulumi.ComponentResource):
    """A component without children that depends on everything, so its hook runs before any delete.

    A refused step in the middle of a destroy does not undo those before it; a refusal here means that nothing at all
    is deleted.
    """

    behind: int

    def __init__(self, name: str, args: GateArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        # no value flows: order is all a gate is
        ordered = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=list(args.guarded)))
        super().__init__("sm-realtime:guard:Gate", name, {}, ordered)
        self.behind = len(args.guarded)
        self.register_outputs({"behind": self.behind})
