"""Every file of the contract after `up`: what the API server has, field by field.

The files that go together do (together.yaml); one platform is brought from one group of them to the next. What others
make, an operator or the External Secrets Operator, is there before each update. An update waits for workloads, but not
for session groups: that every pod is Ready on its pool is shown by test_standing_platform.py and test_everything_on.py.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import nullcontext

import pytest

from sandbox.kube import Kube
from sandbox.kubernetes.state import to_wire
from stacks.schema import SECRET_KEYS
from tests.conformance.harness import Cluster, play_addresses
from tests.live.asked_for import MIRRORS, NAMESPACE, OF_OTHERS, asked_for, selectors
from tests.live.conftest import Json, Platform, started
from tests.live.together import TOGETHER
from tests.live.views import group_pods, objects_of, pool_of
from tests.redis.nodes import programs
from tests.redis.outside import Outside, behind_sentinel
from tests.unit.contract.compare import DEFAULTS, beside, lay_over, title, unexplained
from tests.unit.graph import run_program

POOLS: dict[str, Json] = {
    "services": {"minCount": 3, "maxCount": 12},
    "inference": {"minCount": 1, "maxCount": 12, "vmSize": "Standard_NC64as_T4_v3"},
    "transcribers": {"minCount": 1, "maxCount": 12},
}
"""Room for what each group asks for, in pools that all of them have: the files set each its own."""
NOTHING = {
    f"sm-realtime:{key}": {"enabled": False}
    for key in ("transcribers", "inferenceServerEnhancedRecipe1", "proxy", "ingress")
}
"""What takes all down that has sessions, and what asks for sessions before it goes."""
POOL = "sm-realtime/pool"


def roomy(config: Json) -> None:
    for role, numbers in POOLS.items():
        (pool,) = config["sm-realtime:pools"][role]
        pool |= {"kubernetesVersion": "1.35.9", **numbers}


class Stand:
    """A plane whose platform is brought from one group of files to the next."""

    def __init__(self, plane: Platform, redis: Outside) -> None:
        self.plane, self.redis = plane, redis
        self.file = plane.checkout / "stacks" / "Pulumi.sandbox.yaml"
        self.first = self.file.read_text()
        self.password = plane.pulumi("config", "get", "registryPassword").strip()
        self.files: list[str] = []
        self.live: dict[str, Json] = {}
        self.made: list[Json] = []
        """What others made for these files."""
        self.declared: dict[str, Json] = {}
        """What the program has, by title."""
        self.failed = False
        self.taken: set[str] = set()
        """The nodes that have another label for one group's pods."""

    def bring(self, files: list[str]) -> dict[str, Json]:
        """The live objects under the values of all these files, by title."""
        if files != self.files:
            if (at := TOGETHER.index(files)) and not TOGETHER[at - 1]:
                self.bring(TOGETHER[at - 1])
            self.files, self.taken, self.failed = files, set(), True
            objects = run_program("sandbox", self.values).kubernetes
            declared = [to_wire(each.inputs) for each in objects if "metadata" in each.inputs]
            if files != DEFAULTS:
                self.prepare(declared)
            before, self.declared = self.declared, {title(each): each for each in declared}
            self.configure()
            self.update(declared)
            assert self.plane.pending() == []
            self.live = objects_of(self.plane, declared, [before[each] for each in before.keys() - self.declared])
            self.failed = False
        assert not self.failed, "the update of these files failed: the test before this one shows it"
        return self.live

    def configure(self) -> None:
        self.file.write_text(self.first)
        self.plane.configure(self.values)
        clear = {key: text for key, text in self.plane.stack_config().items() if isinstance(text, str)}
        by_name = {key.partition(":")[2]: text for key, text in clear.items()}
        self.plane.keep_secrets({key: text for key, text in by_name.items() if key in SECRET_KEYS})

    def update(self, declared: list[Json]) -> None:
        """Bring the stack up; what another controller of Ingresses does is played."""
        ours = {each["metadata"]["name"] for each in declared if each["kind"] == "IngressClass"}

        async def others(kube: Kube) -> None:
            await play_addresses(
                kube, NAMESPACE, "networking.k8s.io/v1", "Ingress", lambda spec: spec["ingressClassName"] not in ours
            )

        kubeconfig = self.plane.checkout / ".sandbox" / "kubeconfig"  # the first update makes it
        meanwhile = Cluster(kubeconfig.read_text()).meanwhile(others) if kubeconfig.exists() else nullcontext()
        with meanwhile:
            self.plane.pulumi("up", "--yes", "--skip-preview")

    def values(self, config: Json) -> None:
        """Lay those of all the files over a stack's."""
        for file in self.files:
            lay_over(file, config)
        if not self.files:
            config |= NOTHING
        roomy(config)

    def prepare(self, declared: list[Json]) -> None:
        """Make what the configuration asks of others."""
        # a Secret that was the program's stays for who reads it, and is in the way when it is the program's again
        came = [each for each in declared if each["kind"] == "Secret" and title(each) not in self.declared]
        wanted = [*OF_OTHERS, *asked_for(declared, self.password, self.redis)]
        names = {(each["kind"], each["metadata"]["name"]) for each in wanted}
        left = [each for each in self.made if (each["kind"], each["metadata"]["name"]) not in names]
        self.kubectl("delete", [*left, *came], "--ignore-not-found")
        self.kubectl("apply", wanted, "--server-side", "--force-conflicts")
        self.made = wanted
        for selector in selectors(declared):
            labels = [f"{key}={value}" for key, value in selector.items()]
            if not self.nodes(*labels):
                free = [node for node in self.nodes(f"{POOL}={selector[POOL]}") if node not in self.taken]
                self.taken.add(free[0])
                self.plane.kubectl("label", free[0], *labels, "--overwrite")

    def kubectl(self, verb: str, objects: list[Json], *flags: str) -> None:
        file = self.plane.checkout / ".sandbox" / "of-others.json"
        file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))
        if objects:
            self.plane.kubectl(verb, "-f", str(file), *flags)

    def nodes(self, *labels: str) -> list[str]:
        """Those with these labels, as `node/NAME`."""
        return self.plane.kubectl("get", "nodes", "-o", "name", "-l", ",".join(labels)).split()


@pytest.fixture(scope="module")
def stand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    folder = tmp_path_factory.mktemp("outside")
    with (
        behind_sentinel(programs(folder / "programs"), folder) as redis,
        started(tmp_path_factory.mktemp("contract")) as plane,
    ):
        plane.sandbox("set", "timeFactor", "10")
        plane.sandbox("set", "mirrors", MIRRORS)
        plane.sandbox("set", "outside", redis.setting)
        plane.pulumi("config", "set", "--path", "protection.enabled", "false")
        plane.configure(roomy)
        made = Stand(plane.saving_once, redis)
        made.bring(DEFAULTS)
        yield made


LATER = {
    "rt-transcriber-tl": "transcribers",
    "rt-transcriber-cmn-en-ms-ta": "transcribers",
    "rt-transcriber-ar-en": "transcribers",
    "inference-server-new": "inference",
}
"""Session groups for languages that only a custom server has → the pool of their pods, which get Ready too."""
EACH = [(group, file) for group in TOGETHER for file in group]


def ready_on_their_pools(stand: Stand) -> None:
    """Fails unless the pods of languages of later charts get Ready, each on its pool."""
    pools = pool_of(stand.plane)
    for name, pool in LATER.items():
        where = ("-n", NAMESPACE, "--timeout=120s")
        stand.plane.kubectl("wait", f"sessiongroup/{name}", "--for=jsonpath={.status.replicas}=1", *where)
        pods = group_pods(stand.plane, name)
        stand.plane.kubectl(
            "wait", "pod", *(each["metadata"]["name"] for each in pods), "--for=condition=Ready", *where
        )
        assert {pools[each["spec"]["nodeName"]] for each in group_pods(stand.plane, name)} == {pool}


@pytest.mark.parametrize(("group", "file"), EACH, ids=[file for _, file in EACH])
def test_after_an_update_the_api_server_has_what_the_contract_says(stand: Stand, group: list[str], file: str) -> None:
    live = stand.bring(group)
    found = unexplained(file, live) + beside(group, live).unexplained
    assert not found, "\n".join(found)
    if file == "inference_custom":
        ready_on_their_pools(stand)
