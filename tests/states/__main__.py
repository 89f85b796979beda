"""Record the state of the standing plane of this checkout under a name."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

from sandbox.home import CHECKOUT, Home

FOLDER = Path(__file__).resolve().parent
STACK_FILE = "Pulumi.sandbox.yaml"

PLACES = ("sourcePosition", "stackTrace")
"""What the engine notes of this machine's folders."""


def main(name: str) -> None:
    """Write the stack's export, its Azure and its stack file into the folder `name`.

    Raises `CalledProcessError` without a standing platform.
    """
    export = ["pulumi", "stack", "export", "--stack", "sandbox"]
    stack = json.loads(subprocess.run(export, stdout=subprocess.PIPE, check=True).stdout)
    assert not stack["deployment"].get("pending_operations"), "an update was interrupted: run `make up` again first"
    for resource in stack["deployment"]["resources"]:
        for where in PLACES:
            resource.pop(where, None)
    folder = FOLDER / name
    folder.mkdir(exist_ok=True)
    (folder / "stack.json").write_text(json.dumps(stack, indent=1, sort_keys=True) + "\n")
    (folder / "azure.json").write_text(Home().azure.read_text().rstrip() + "\n")
    shutil.copyfile(CHECKOUT / "stacks" / STACK_FILE, folder / STACK_FILE)


if __name__ == "__main__":
    main(*sys.argv[1:])
