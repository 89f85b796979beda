"""Transcribers in other languages and with other settings than the contract's example."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pulumi
import pytest

from components.cluster.license import License
from components.placement import Placement
from components.speech.model_costs import LANGUAGES, Recipe, feature
from components.speech.shared_maps import Address
from components.speech.transcriber import TranscriberArgs, pod
from components.speech.transcriber_languages import speech
from components.speech.transcriber_resources import REQUESTS
from stacks.schema.global_settings import GlobalSettings
from stacks.schema.pools import Role
from stacks.schema.transcribers import TranscriberSettings
from tests.seed_languages import SEED_LANGUAGES
from tests.unit.graph import Change, Graph, Json, run_program
from tests.unit.variants import of_contract, scaled, seed_languages

GROUP = "kubernetes:speechmatics.com/v1:SessionGroup"


def containers(graph: Graph, name: str) -> dict[str, Json]:
    pod = graph.one(GROUP, name).inputs["spec"]["template"]["spec"]
    return {each["name"]: each for each in [*pod["containers"], *pod["initContainers"]]}


def variables(container: Json) -> dict[str, Any]:
    return {each["name"]: each.get("value", each.get("valueFrom")) for each in container["env"]}


def test_an_underscore_stays_in_the_code_and_not_in_the_name(graphs: dict[str, Graph]) -> None:
    group = graphs["production"].one(GROUP, "rt-transcriber-cmn-en")
    assert group.inputs["metadata"]["labels"]["lang"] == "cmn_en"
    assert group.inputs["spec"]["selector"]["matchLabels"] == {"app": "rt-transcriber-cmn-en"}
    found = containers(graphs["production"], "rt-transcriber-cmn-en")
    assert found["rt-asr-transcriber"]["image"].endswith("/rt-asr-transcriber-cmn_en:13.5.0")
    assert variables(found["readiness-tracker"])["LANGUAGE_FEATURE"] == "cmn_en"
    assert '"model_costs": {"cmn_en": 1}' in variables(found["readiness-tracker"])["REGISTER_FEATURES"]


def test_every_language_has_a_group_with_the_three_variables_last(graphs: dict[str, Graph]) -> None:
    groups = [e for e in graphs["production"].of(GROUP) if e.object_name.startswith("rt-transcriber-")]
    assert len(groups) == 16
    for group in groups:
        for container in containers(graphs["production"], group.object_name).values():
            names = [each["name"] for each in container["env"]]
            assert names[-3:] == ["SM_DEPLOYMENT_NAME", "SM_NODE_NAME", "SM_SPEC_VERSION"]
            assert len(set(names)) == len(names)
            assert variables(container)["SM_DEPLOYMENT_NAME"] == group.object_name


def test_resources_are_the_vendors_by_language() -> None:
    assert len(REQUESTS) == 56
    for language, cpu, memory in (
        ("en", "600m", "5Gi"),
        ("yue", "600m", "2Gi"),
        ("sv", "500m", "3Gi"),
        ("en_ms", "300m", "3.5Gi"),
        ("es-bilingual-en", "300m", "3.5Gi"),
    ):
        found = speech(TranscriberSettings(), GlobalSettings(), language).resources
        assert found == {"requests": {"cpu": cpu, "memory": memory}}


def test_a_domain_is_cut_off_where_capacity_is_looked_up() -> None:
    assert (feature("es-bilingual-en"), feature("cmn_en"), feature("en")) == ("es", "cmn_en", "en")


def test_the_capacity_check_follows_pre_warm_only_while_it_is_not_set() -> None:
    def variant(pre_warm: bool, check: bool | None) -> tuple[Any, Any]:
        def change(config: Json) -> None:
            config["sm-realtime:transcribers"] = {
                "readinessTracker": {"preWarm": {"enabled": pre_warm}},
                "workerProxy": {} if check is None else {"checkForCapacityOnStart": check},
            }

        found = containers(run_program("sandbox", change), "rt-transcriber-en")
        return (
            variables(found["worker-proxy"])["SM_CHECK_FOR_CAPACITY_ON_START"],
            variables(found["readiness-tracker"])["PRE_WARM_ENABLED"],
        )

    assert variant(True, None) == ("true", "true")
    assert variant(True, False) == ("false", "true")
    assert variant(False, None) == ("false", "false")
    assert variant(False, True) == ("true", "false")


def test_a_version_of_the_list_is_the_only_one() -> None:
    """The one variable that the contract leaves to the list (contract: transcription 4.4)."""

    def change(config: Json) -> None:
        version = {"name": "TRANSCRIBER_VERSION", "value": "13.4.0"}
        config["sm-realtime:transcribers"] = {"workerProxy": {"env": [version]}}
        # which the servers must have as well (`stacks.rules.data_plane`)
        config["sm-realtime:inferenceServerEnhancedRecipe1"] = {"tritonServer": {"image": {"tag": "13.4.0"}}}

    found = containers(run_program("sandbox", change), "rt-transcriber-en")["worker-proxy"]
    assert [each["value"] for each in found["env"] if each["name"] == "TRANSCRIBER_VERSION"] == ["13.4.0"]


def test_concurrency_is_told_to_both_who_need_it() -> None:
    def change(config: Json) -> None:
        config["sm-realtime:transcribers"] = {"transcriber": {"maxConcurrentConnections": {"value": 5}}}
        config["sm-realtime:global"]["flow"] = {"flowUseLocalTranscriber": False}

    found = containers(run_program("sandbox", change), "rt-transcriber-en")
    transcriber = variables(found["rt-asr-transcriber"])
    assert transcriber["SM_MAX_CONCURRENT_CONNECTIONS"] == "5"
    assert '"capacity": 5' in variables(found["readiness-tracker"])["REGISTER_FEATURES"]
    assert "SM_DISABLE_API_VALIDATION" not in transcriber


def test_the_55_languages_of_the_seed(changed: Callable[[Change | None], Graph]) -> None:
    """One group for each language on the transcribers' pool; five servers with one GPU each on the GPU pool."""
    graph = changed(seed_languages)
    pools = {
        each.inputs["nodeLabels"]["sm-realtime/pool"]: each.inputs
        for each in graph.of("azure-native:containerservice:AgentPool")
    }
    assert pools["transcribers"]["vmSize"] == "Standard_E16s_v5"
    assert pools["inference"]["vmSize"] == "Standard_NC4as_T4_v3"
    groups = {each.object_name: each.inputs for each in graph.of(GROUP)}
    languages = {each["metadata"]["labels"]["lang"] for each in groups.values() if "lang" in each["metadata"]["labels"]}
    assert len(SEED_LANGUAGES) == 55
    assert languages == set(SEED_LANGUAGES)
    assert len(groups) == 55 + 5
    for name, group in groups.items():
        pod = group["spec"]["template"]["spec"]
        gpus = [c["resources"].get("limits", {}).get("nvidia.com/gpu") for c in pod["containers"]]
        role = "inference" if name.startswith("inference-") else "transcribers"
        assert [each for each in gpus if each] == (["1"] if role == "inference" else []), name
        generation = pools[role]["agentPoolName"]
        assert pod["nodeSelector"] == {"sm-realtime/pool": role, "sm-realtime/generation": generation}, name


def template(language: str, settings: TranscriberSettings | None = None) -> Json:
    """Its pod by itself; an Output among the arguments needs a running loop."""
    args = TranscriberArgs(
        namespace=pulumi.Output.from_input("speechmatics"),
        namespace_name="speechmatics",
        settings=settings or TranscriberSettings(),
        global_=GlobalSettings(),
        manager=Address("realtime", "http://resource-manager:8080"),
        license=License("speechmatics-license", "0123456789abcdef"),
        placement=Placement(Role.TRANSCRIBERS, "generation"),
        session_seconds=86400,
        ready=(),
    )
    return pod(args, speech(args.settings, args.global_, language), "rt-transcriber")


def mutable(value: Any) -> Iterator[int]:
    """The identity of every object in a value that can be changed in place."""
    if isinstance(value, dict | list):
        yield id(value)
        for each in value.values() if isinstance(value, dict) else value:
            yield from mutable(each)


async def test_languages_share_nothing_that_can_be_changed() -> None:
    """The chart's own merge writes into a shared map, so that one language's settings leak into the next."""
    english, german = template("en"), template("de")
    assert not set(mutable(english)) & set(mutable(german))


@pytest.mark.parametrize("processor", ["cpuLanguages", "gpuLanguages"])
async def test_in_batch_a_pod_is_one_container_under_another_name_and_the_same_image(processor: str) -> None:
    given = {"transcriber": {"mode": "batch", "languages": {processor: ["de"]}}}
    pod = template("de", TranscriberSettings.model_validate_json(json.dumps(given)))
    (found,) = pod["spec"]["containers"]
    assert "initContainers" not in pod["spec"]
    assert found["name"] == pod["metadata"]["labels"]["app"] == "batch-asr-transcriber"
    assert found["image"].endswith("/rt-asr-transcriber-de:13.5.0")
    assert [each["name"] for each in template("de")["spec"]["containers"]] == [
        "rt-asr-transcriber",
        "readiness-tracker",
    ]


async def test_every_language_of_the_vendor_differs_in_these_places_only() -> None:
    languages = (*LANGUAGES[Recipe.STANDARD_ALL], "es-bilingual-en")
    assert len(languages) == 59
    english = json.dumps(template("en"))
    for language in languages:
        pod = template(language)
        transcriber, tracker = pod["spec"]["containers"]
        (proxy,) = pod["spec"]["initContainers"]
        code = language.partition("-")[0]
        assert transcriber["image"] == f"speechmaticspublic.azurecr.io/rt-asr-transcriber-{language}:13.5.0"
        assert variables(tracker)["LANGUAGE_FEATURE"] == variables(proxy)["LANGUAGE_FEATURE"] == code
        features = f'{{"capacity": 2, "version": "13.5.0", "model_costs": {{"{language}": 1}}}}'
        assert variables(tracker)["REGISTER_FEATURES"] == features
        # put back, it is the English one
        transcriber["image"] = "speechmaticspublic.azurecr.io/rt-asr-transcriber-en:13.5.0"
        transcriber["resources"] = {"requests": {"cpu": "600m", "memory": "5Gi"}}
        pod["metadata"]["labels"]["lang"] = "en"
        pod["metadata"]["annotations"]["speechmatics.io/component"] = "rt-asr-transcriber-en"
        for container in (transcriber, tracker, proxy):
            for each in container["env"]:
                if each["name"] == "SM_DEPLOYMENT_NAME":
                    each["value"] = "rt-transcriber-en"
                if each["name"] == "LANGUAGE_FEATURE":
                    each["value"] = "en"
                if each["name"] == "REGISTER_FEATURES":
                    each["value"] = '{"capacity": 2, "version": "13.5.0", "model_costs": {"en": 1}}'
        assert json.dumps(pod) == english, language


def test_replicas_are_the_programs_until_scaling_is_on(
    sandbox: Graph, changed: Callable[[Change | None], Graph]
) -> None:
    assert sandbox.one(GROUP, "rt-transcriber-en").ignore_changes == ()
    group = changed(scaled).one(GROUP, "rt-transcriber-en")
    assert group.ignore_changes == ("spec.replicas",)
    assert group.inputs["spec"]["scaling"]["enabled"] is True
    assert group.inputs["spec"]["replicas"] == 1, "the first number, when the group is made"


@pytest.mark.parametrize("variant", ["sandbox", "scaled", "scaling", "flow", "flow_options"])
def test_a_group_is_forced_only_while_its_number_is_the_programs(
    variant: str, sandbox: Graph, changed: Callable[[Change | None], Graph]
) -> None:
    """With scaling on, forcing would take the number from its controller."""
    graph = sandbox if variant == "sandbox" else changed(scaled) if variant == "scaled" else of_contract(variant)
    groups = graph.of(GROUP)
    assert groups
    for group in groups:
        left_out = group.ignore_changes == ("spec.replicas",)
        assert left_out is group.inputs["spec"]["scaling"]["enabled"], group.object_name
        forced = group.inputs["metadata"]["annotations"]["pulumi.com/patchForce"]
        assert forced == ("false" if left_out else "true"), group.object_name


def test_sidecars_that_do_not_read_the_map_have_the_address_itself() -> None:
    def change(config: Json) -> None:
        config["sm-realtime:global"]["resourceManager"] = {"url": "http://manager.example:8090"}
        config["sm-realtime:transcribers"] = {"resourceManager": {"configMap": {"enabled": False}}}

    found = containers(run_program("sandbox", change), "rt-transcriber-en")
    for name in ("readiness-tracker", "worker-proxy"):
        assert variables(found[name])["SM_TOKEN_STORE_URL"] == "http://manager.example:8090"
