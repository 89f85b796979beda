"""The environment in which plain `pulumi` and `kubectl` use the local plane."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from sandbox.files import read_json
from sandbox.home import Home, user_cache
from sandbox.plane.errors import PlaneError
from sandbox.toolchain import Tools

PASSPHRASE = "sandbox"
"""Encrypts the sandbox stack's secrets, which are all made up."""


def exports(home: Home, tools: Tools) -> dict[str, str]:
    """The variables to set; PATH is what goes before the present one. Raises `PlaneError` before the first start."""
    kept = home.root / "ports.json"
    if not kept.exists():
        raise PlaneError(f"There is no local plane in {home.root} yet. Start it: python -m sandbox start")
    ports: dict[str, int] = read_json(kept, "Its ports are chosen anew by a start: python -m sandbox stop, then start")
    return {
        "PATH": os.pathsep.join([str(tools.bin), str(Path(sys.executable).parent)]),
        "KUBECONFIG": str(home.kubeconfig),
        "PULUMI_BACKEND_URL": home.backend.as_uri(),
        "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
        "PULUMI_DEBUG_PROVIDERS": ",".join(f"{package}:{port}" for package, port in sorted(ports.items())),
        "PULUMI_HOME": str(home.root / "pulumi-home"),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        # a package nobody attached is one clear error, not five tries at a download
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        # the host forks the program from this process, which has the SDKs in memory
        "SM_SANDBOX_WARM": str(home.warm),
        # every engine command starts Python anew and imports the SDKs: compiled once, wherever that is switched off
        "PYTHONDONTWRITEBYTECODE": "",
        "PYTHONPYCACHEPREFIX": str(user_cache() / "bytecode"),
    }


def environment(home: Home, tools: Tools) -> dict[str, str]:
    """The whole environment of a command. Raises `PlaneError` before the first start."""
    ours = exports(home, tools)
    path = os.pathsep.join([ours.pop("PATH"), os.environ.get("PATH", os.defpath)])
    return os.environ | ours | {"PATH": path}
