"""How the stand-ins behave where the real thing is not known, or differs between clusters.

Kept in `settings.json` of the state folder and read again at every use, so that a test can change one while the
plane runs.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from pydantic import Field, ValidationError

from sandbox.files import write_whole
from sandbox.home import Home
from sandbox.plane.errors import PlaneError
from sandbox.sessions.rows import Rows


class PoolDelete(StrEnum):
    """What deleting an agent pool does to the pods on its nodes."""

    DRAIN = "drain"
    """As seen in the field: cordon, eviction that honours budgets, `PodDrainFailure` when time is up."""
    ABRUPT = "abrupt"
    """As documented: the nodes go, along with any pods on them."""


class Settings(Rows):
    """The settings of one plane, the answers to `Rows` among them; every default is a careful guess."""

    pool_delete: PoolDelete = Field(
        default=PoolDelete.DRAIN, description="what deleting an agent pool does to its pods"
    )
    pool_drain_seconds: float = Field(
        default=600, gt=0, description="how long a pool's deletion evicts before it fails"
    )
    time_factor: float = Field(
        default=1, gt=0, description="stand-ins divide every clock by this; objects keep their seconds"
    )

    node_image_weeks: int = Field(
        default=0, ge=0, description="weeks whose node image is to come at once: one more is one week more"
    )

    calendar: str = Field(
        default="",
        pattern=r"^([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z)?$",
        description="the moment the clusters' calendar goes on from, as 2026-12-06T02:00:00Z; none: from their own",
    )

    kubernetes_versions: str = Field(
        default="",
        pattern=r"^([0-9]+\.[0-9]+\.[0-9]+(,|$))*$",
        description="versions AKS offers beside those it is known to, newest first, joined by commas",
    )

    outside: str = Field(
        default="",
        pattern=r"^([^=,\s]+:[0-9]+=127\.[0-9.]+:[0-9]+(,|$))*$",
        description="what pods reach outside the cluster: host:port=127.x.x.x:port, joined by commas",
    )

    mirrors: str = Field(
        default="",
        pattern=r"^([^=,\s/]+(=[0-9a-f]{64})?(,|$))*$",
        description="registries with copies of all images: host, or host=SHA-256 of user:password, joined by commas",
    )

    server_name: str = Field(
        default="127.0.0.1",
        pattern=r"^(127\.0\.0\.1|localhost)$",
        description="the API server's name in the credentials AKS hands out: another one is the same cluster",
    )

    @property
    def rows(self) -> Rows:
        """What is not known of the vendor's software, as this plane plays it."""
        return Rows(**{name: getattr(self, name) for name in Rows.model_fields})


def read(home: Home | None = None) -> Settings:
    """The settings as they are now. Raises `PlaneError` for a file that holds something else."""
    path = (home or Home()).settings
    try:
        return Settings.model_validate_json(path.read_text()) if path.exists() else Settings()
    except ValidationError as error:
        found = "".join(f"\n    {'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
        raise PlaneError(
            f"{path} does not hold the stand-ins' settings:{found}\n"
            "Mend it, or remove it: the defaults count then. `python -m sandbox set` writes it."
        ) from error


def write(settings: Settings, home: Home | None = None) -> Path:
    path = (home or Home()).settings
    write_whole(path, settings.model_dump_json(by_alias=True, indent=2) + "\n")
    return path
