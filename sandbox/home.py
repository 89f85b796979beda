"""Where the local plane keeps its files: one state folder per checkout, one cache per user.

Standard library only: the bootstrap imports it before any dependency is installed.
"""

from __future__ import annotations

import os
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent


def user_cache() -> Path:
    """The per-user cache for built binaries and Python environments (`SM_SANDBOX_CACHE` overrides it)."""
    override = os.environ.get("SM_SANDBOX_CACHE")
    if override:
        return Path(override).resolve()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "sm-realtime"


def state_folder() -> Path:
    """The state folder of this checkout's plane (`SM_SANDBOX_HOME` overrides it)."""
    override = os.environ.get("SM_SANDBOX_HOME")
    return Path(override).resolve() if override else CHECKOUT / ".sandbox"


class Home:
    """The paths inside one plane's state folder."""

    def __init__(self, root: Path | None = None) -> None:
        self.root = root if root is not None else state_folder()

    @property
    def plane(self) -> Path:
        """What runs: ports, process ids and start times of the supervisor, as JSON."""
        return self.root / "plane.json"

    @property
    def settings(self) -> Path:
        """The stand-ins' settings (see `sandbox.settings`), as JSON."""
        return self.root / "settings.json"

    @property
    def azure(self) -> Path:
        """Every resource the Azure stand-in holds, as JSON."""
        return self.root / "azure.json"

    @property
    def warm(self) -> Path:
        """The socket of the process that programs are forked from."""
        return self.root / "warm.sock"

    @property
    def backend(self) -> Path:
        """The Pulumi state of this plane's stacks."""
        return self.root / "pulumi"

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig of the newest cluster, for plain `kubectl`."""
        return self.root / "kubeconfig"

    def cluster(self, name: str) -> Path:
        """The folder of one managed cluster: etcd data, keys, kubeconfigs."""
        return self.root / "clusters" / name

    def log(self, process: str) -> Path:
        return self.root / "logs" / f"{process}.log"
