"""Every file of the contract on a standing platform: what the API server has after `up`, field by field.

The files that can stand together do (together.yaml); one platform is brought from one group of them to the next. What
others make, an operator or the External Secrets Operator, is there before each update.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.kubernetes.state import to_wire
from stacks.schema import SECRET_KEYS
from tests.live.asked_for import STORE, asked_for, selectors
from tests.live.conftest import Json, Platform, started
from tests.live.views import objects_of
from tests.unit.contract.compare import DEFAULTS, FILES, beside, lay_over, unexplained
from tests.unit.graph import run_program
from tests.yaml_file import read_yaml

TOGETHER: list[list[str]] = [DEFAULTS, *read_yaml(Path(__file__).parent / "together.yaml")]
NUMBERS = {"minCount": 1, "maxCount": 20, "kubernetesVersion": "1.35.9"}
"""Of the pools whose numbers the files set each for itself."""
POOL = "sm-realtime/pool"


def test_every_file_stands_in_one_group() -> None:
    assert sorted(file for group in TOGETHER for file in group) == FILES


class Stand:
    """A plane whose platform is brought from one group of files to the next."""

    def __init__(self, plane: Platform) -> None:
        self.plane = plane
        self.file = plane.checkout / "stacks" / "Pulumi.sandbox.yaml"
        self.first = self.file.read_text()
        self.files: list[str] = []
        self.live: dict[str, Json] = {}

    def bring(self, files: list[str]) -> dict[str, Json]:
        """The live objects under the values of all these files, by title."""
        if files != self.files:
            self.files, self.live = files, {}
            if files != DEFAULTS:
                self.prepare()
            self.file.write_text(self.first)
            self.plane.configure(self.values)
            clear = {key: text for key, text in self.plane.stack_config().items() if isinstance(text, str)}
            for key in SECRET_KEYS.keys() & {key.partition(":")[2] for key in clear}:
                self.plane.pulumi("config", "set", "--secret", key, clear[f"sm-realtime:{key}"])
            self.plane.pulumi("up", "--yes", "--skip-preview")
            self.live = objects_of(self.plane)
        return self.live

    def values(self, config: Json) -> None:
        """Lay those of all the files over a stack's."""
        for file in self.files:
            lay_over(file, config)
        for role in ("inference", "transcribers"):
            (pool,) = config["sm-realtime:pools"][role]
            pool |= NUMBERS

    def prepare(self) -> None:
        """Make what the configuration asks of others."""
        declared = [to_wire(each.inputs) for each in run_program("sandbox", self.values).kubernetes]
        wanted = {"apiVersion": "v1", "kind": "List", "items": [STORE, *asked_for(declared)]}
        file = self.plane.checkout / ".sandbox" / "asked-for.json"
        file.write_text(json.dumps(wanted))
        self.plane.kubectl("apply", "--server-side", "-f", str(file))
        for selector in selectors(declared):
            labels = [f"{key}={value}" for key, value in selector.items()]
            if not self.nodes(*labels):
                others = [f"!{key}" for key in selector if key != POOL]
                self.plane.kubectl("label", self.nodes(f"{POOL}={selector[POOL]}", *others)[0], *labels, "--overwrite")

    def nodes(self, *labels: str) -> list[str]:
        """Names of those with these labels, as `nodes/NAME`; `!key` for those without."""
        return self.plane.kubectl("get", "nodes", "-o", "name", "-l", ",".join(labels)).split()


@pytest.fixture(scope="module")
def stand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    with started(tmp_path_factory.mktemp("contract")) as plane:
        plane.sandbox("set", "timeFactor", "10")
        yield Stand(plane)


@pytest.mark.parametrize(("group", "file"), [(group, file) for group in TOGETHER for file in group], ids=str)
def test_after_an_update_the_api_server_has_what_the_contract_says(stand: Stand, group: list[str], file: str) -> None:
    live = stand.bring(group)
    found = unexplained(file, live) + beside(group, live).unexplained
    assert not found, "\n".join(found)
