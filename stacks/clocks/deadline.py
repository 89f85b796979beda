"""The deadlines after which the proxy itself ends a session."""

from __future__ import annotations

import json
from collections.abc import Iterator

from components.speech.proxy_maps import NO_DEADLINE, computed_config
from stacks.clocks.rung import Against, By, Least, Mend, Place, Rung
from stacks.schema import Settings
from stacks.schema.base import seconds

NO_END = "it ends nothing unless deadlines.enabled is on and log_only off"


def ends_after(text: str) -> float | None:
    """After how many seconds a deadline, as the proxy reads it, ends a session; None where it does not."""
    deadline = json.loads(text)
    return None if text == NO_DEADLINE or deadline["log_only"] else seconds(deadline["deadline_duration"])


def deadline(
    settings: Settings, variable: str, *, what: str, against: Against, least: Least | None, mend: Mend
) -> Iterator[Rung]:
    """One of them, by its variable; none where the proxy has no configuration. `what` is what it ends."""
    proxy = settings.proxy
    if not (proxy.enabled and proxy.config.enabled):
        return
    ends = ends_after(computed_config(proxy)[variable])
    yield Rung(
        f"proxy deadline of {what}",
        ends,
        against,
        least,
        cut=f"{what} is ended by",
        who="the proxy",
        by=By.USER,
        places=(Place("ConfigMap", f"{proxy.fullname_override}-config", ("data", variable)),),
        key=mend.path,
        guard=NO_END if ends is None else "",
        mend=mend,
    )
