"""A wrong stack file on the real engine: all that `pulumi preview` prints, in a fresh copy and without a plane."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from sandbox.toolchain import Tools
from tests.live.conftest import Json, Platform, copied_checkout, plain_environment

TEXT = """\
stacks/Pulumi.sandbox.yaml has 5 problems; nothing was changed.
  1. azure-native:location  [ignored-key]
    why:  the program has a provider of its own (azure), which does not read this; what it says stands in \
`sm-realtime:azure.location`
    mend: pulumi config rm azure-native:location
  2. sm-realtime:global.licensing.license  [secret-in-clear]
    why:  secrets have flat keys of their own, kept encrypted; this one is `licenseJson`
    mend: pulumi config rm --path 'global.licensing.license' && pulumi config set --secret licenseJson < license.json
  3. sm-realtime:global.transcriber.image.tag  [unquoted-number]
    why:  an unquoted number loses its zeros (1.10 becomes 1.1); this must be text
    mend: write it in quotes in the stack file: tag: "..."
  4. sm-realtme:redis  [unknown-key]
    why:  nothing reads the namespace `sm-realtme`; did you mean `sm-realtime:redis`?
    mend: rename it to `sm-realtime:redis`
  5. sm-realtime:transcribrs  [unknown-key]
    why:  there is no such key here; did you mean `transcribers`?
    mend: rename it to `transcribers`
"""
CLEAR = "bWFkZSB1cA=="


def spoil(config: Json) -> None:
    config["azure-native:location"] = "westeurope"
    config["sm-realtme:redis"] = {"storageSize": "16Gi"}
    config["sm-realtime:transcribrs"] = {"enabled": True}
    config["sm-realtime:global"]["licensing"]["license"] = CLEAR
    config["sm-realtime:global"]["transcriber"] = {"image": {"tag": 13.5}}


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory, tools: Tools) -> Platform:
    """A fresh copy with a spoiled stack file, and an engine with a backend of its own: no provider is attached."""
    folder: Path = tmp_path_factory.mktemp("refusal")
    (folder / "state").mkdir()
    environment = plain_environment() | {
        "PATH": os.pathsep.join([str(tools.bin), str(Path(sys.executable).parent), os.environ["PATH"]]),
        "PULUMI_BACKEND_URL": (folder / "state").as_uri(),
        "PULUMI_CONFIG_PASSPHRASE": "sandbox",
        "PULUMI_HOME": str(folder / "home"),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
    }
    made = Platform(copied_checkout(folder), environment, "")
    made.pulumi("stack", "select", "--create")
    made.configure(spoil)
    return made


def words(text: str) -> list[str]:
    """The lines that say anything, with single spaces."""
    return [" ".join(line.split()) for line in text.splitlines() if line.strip()]


@pytest.mark.parametrize("command", [("preview",), ("up", "--yes", "--skip-preview")], ids=["preview", "up"])
def test_the_text_stands_once_and_nothing_else_does(copy: Platform, command: tuple[str, ...]) -> None:
    said = copy.pulumi(*command, "--color", "never", fails=True)
    lines, wanted = words(said), words(TEXT)
    start = lines.index(f"error: {wanted[0]}")
    assert lines[start : start + len(wanted)] == [f"error: {wanted[0]}", *wanted[1:]]
    # the rest: the only resource, beside which the engine shows the first line, what is under way, how long it took
    rest = lines[:start] + lines[start + len(wanted) :]
    known = ("Previewing update", "Updating (", "@ ", "+ pulumi:pulumi:Stack", "pulumi:pulumi:Stack", "Diagnostics:",
             "Resources:", "+ 1 to create", "+ 1 created", "1 errored", "Duration:")  # fmt: skip
    assert [line for line in rest if not line.startswith(known)] == []
    assert "Traceback" not in said
    assert CLEAR not in said


def test_no_resource_but_the_stack_was_registered(copy: Platform) -> None:
    """Asked of the engine's own record of the step, and of the state after an update."""
    said = copy.pulumi("preview", "--json", fails=True)
    steps = json.loads(said[said.index("{") : said.rindex("}") + 1]).get("steps") or []
    assert {step["urn"].split("::")[2] for step in steps} <= {"pulumi:pulumi:Stack"}
    copy.pulumi("up", "--yes", "--skip-preview", fails=True)
    assert {resource["type"] for resource in copy.state().get("resources", [])} <= {"pulumi:pulumi:Stack"}
    assert copy.pending() == []
