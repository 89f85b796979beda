"""`licensing` of a single component: which Secret it mounts."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from stacks.schema.base import DnsLabel, Section, only

ONCE = "the license Secret is created once, by `global.licensing.createSecret`"


class ComponentLicensing(Section):
    """The license Secret of one component."""

    create_secret: Annotated[bool, only(False, ONCE)] = Field(
        False, description="Create the Secret for this component; refused."
    )
    secret_name: DnsLabel | None = Field(
        None, description="Secret name to read license from; unset is `global.licensing.secretName`."
    )
