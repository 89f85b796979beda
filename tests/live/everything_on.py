"""The configuration with every switch on, as a change of the sandbox's stack, and what stays off in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.live.conftest import Json
from tests.unit.contract.compare import laid_over
from tests.yaml_file import read_yaml

FILE = Path(__file__).parent / "everything_on.yaml"

STAYS_OFF = {
    r"resourceManager\.externalRedis\.enabled": "instead of the Redis in the cluster",
    r"resourceManager\.secrets\.redis\.create": "the address of a Redis outside",
    r"resourceManager\.(secrets\.cdCache\.create|cdCache\.enabled)": "its address is beside that of a Redis outside",
    r"proxy\.proxyCache\.redis\.external": "instead of the cache in the cluster",
    r".*(sessionGroups\.defrag|sessionGroupsDefrag\.<key>)\.enabled": "the controller's stand-in does not play it",
    r".*externalSecrets\.enabled": "needs another operator's kinds, instead of the Secrets made here",
    r".*(useRecreateStrategy|inferenceServer\w+\.pdb\.enabled|podDisruptionBudget\.enabled)": "of plain Deployments, "
    "instead of session groups",
}
"""Pattern of a switch's path → why it is off while everything else is on."""


def _document() -> Json:
    document: Json = read_yaml(FILE)
    return document


def values() -> Json:
    """The sections, by key."""
    found: Json = _document()["values"]
    return found


def secrets() -> dict[str, str]:
    """Made-up contents of the secret keys."""
    found: dict[str, str] = _document()["secrets"]
    return found


def made_first() -> list[Json]:
    """Manifests of what the configuration names and somebody else makes."""
    found: list[Json] = _document()["madeFirst"]
    return [{"apiVersion": "v1", **each} for each in found]


def everything_on(config: Json) -> None:
    """The change."""
    over: dict[str, Any] = values()
    for key, each in over.items():
        config[f"sm-realtime:{key}"] = laid_over(config.get(f"sm-realtime:{key}"), each)
