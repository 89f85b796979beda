"""The three containers of a transcriber pod (contract: transcription 4)."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator

from components.cluster.license import license_file
from components.speech.images import sidecar_image, transcriber_image, transcriber_tag
from components.speech.model_costs import feature
from components.speech.plain import plain_env
from components.speech.pod import Files, Json, container, env, env_config, env_field, env_flag, port, session_env
from components.speech.shared_maps import Address, token_store
from components.speech.transcriber_languages import Speech, given_wins
from stacks.schema.global_settings import GlobalSettings
from stacks.schema.transcriber_container import CacheType, DictionaryCache
from stacks.schema.transcriber_sidecars import PreWarm
from stacks.schema.transcribers import Eats, TranscriberSettings

WS = 9000


def app_of(settings: TranscriberSettings) -> str:
    """Of the `app` label and the container; the image has a name of its own (contract: transcription 2.2)."""
    return f"{settings.transcriber.mode.value}-asr-transcriber"


def register_features(settings: TranscriberSettings, global_: GlobalSettings, speech: Speech) -> str:
    """What a pod registers with the resource manager: the chart's own text, blanks included."""
    version = transcriber_tag(settings, global_)
    return json.dumps({"capacity": speech.concurrency, "version": version, "model_costs": {speech.language: 1}})


def usage_reporting(eats: Eats) -> Iterator[Json]:
    """Where usage is reported to, and whether (contract: transcription 4.2, 1 to 3)."""
    if not eats.enabled:
        yield env("SM_ENABLE_USAGE_REPORTING", "false")
        return
    # the loader has made sure of the name
    given = eats.config_map.name if eats.config_map.enabled else None
    if given:
        yield env_config("SM_EATS_URL", given, "sm_eats_url")
        yield env_config("SM_ENABLE_USAGE_REPORTING", given, "sm_enable_usage_reporting")
    else:
        if eats.url:
            yield env("SM_EATS_URL", eats.url)
        yield env_flag("SM_ENABLE_USAGE_REPORTING", eats.enable_usage_reporting)
    yield env_flag("SM_EATS_SECURE", eats.secure)


def dictionary_cache(cache: DictionaryCache, manager: str | None) -> Iterator[Json]:
    """Where custom dictionaries are kept (contract: transcription 4.2, 4 to 7); `manager` is the resource manager's."""
    kind = "SM_CUSTOM_DICTIONARY_CACHE"
    if not cache.enabled:
        return
    yield env(f"{kind}_TYPE", cache.type.value)
    if cache.type is CacheType.HTTP:
        yield env(f"{kind}_HTTP_ENDPOINT", f"{manager or ''}/v1/cd-cache")
        yield env(f"{kind}_FALLBACK_ON_CACHE_FAILURE", "true")
        yield env(f"{kind}_HTTP_ASYNC", "true")
        return
    limits = (
        ("DIR_MAX_SIZE", cache.max_dir_size),
        ("DIR_MAX_ENTRIES", cache.max_dir_entries),
        ("ENTRY_MAX_SIZE", cache.max_entry_size),
    )
    for name, limit in limits:
        yield env(f"{kind}_{name}", str(-1 if limit is None else limit))


def speaker_secret(settings: TranscriberSettings) -> str:
    """Name of the Secret with the keys by which speakers are told again."""
    return f"{settings.fullname_override}-speaker-id"


def transcriber_variables(settings: TranscriberSettings, global_: GlobalSettings, speech: Speech) -> list[Json]:
    """The transcriber's variables, the configuration's and the controller's aside (contract: transcription 4.2)."""
    own, server = settings.transcriber, "0.0.0.0:8008"
    found = [
        *usage_reporting(settings.eats),
        *dictionary_cache(own.cd_cache, settings.resource_manager.url),
    ]
    if settings.translation.enabled:
        found.append(env("SM_TRANSLATION_ENDPOINT", settings.translation.url))
    if settings.session_transfer.enabled:
        found.append(env("SM_DO_SESSION_TRANSFER", "true"))
    found.append(env("SM_MAX_CONCURRENT_CONNECTIONS", str(speech.concurrency)))
    if own.otel.enabled:
        found += [env_field("HOST_IP", "status.hostIP"), env("OTEL_EXPORTER_ENDPOINT", "http://$(HOST_IP):4317")]
    if own.speaker_id.enabled:
        for name, key in (("PUBLIC", "public-key"), ("PRIVATE", "private-key")):
            reference = {"secretKeyRef": {"name": speaker_secret(settings), "key": key}}
            found.append({"name": f"SM_SPEAKERS_{name}_KEY", "valueFrom": reference})
    if global_.flow.flow_use_local_transcriber:
        found.append(env("SM_DISABLE_API_VALIDATION", "true"))
    if not speech.on_cpu:
        found += [
            env("SM_ENHANCED_INFERENCE_ENDPOINT", server),
            env("SM_INFERENCE_ENDPOINT", server),
            env("SM_INFERENCE_ENDPOINT_RETRY_TIMEOUT", "20"),
        ]
    return found


def own_files(settings: TranscriberSettings, license_secret: str) -> Files:
    """The license, and the cache where it is a volume."""
    cache = settings.transcriber.cd_cache
    if not (cache.enabled and cache.volume):
        return license_file(license_secret)
    return license_file(license_secret) + Files(
        ({"name": "cache", **cache.volume},), ({"name": "cache", "mountPath": "/cache"},)
    )


def transcriber_container(settings: TranscriberSettings, global_: GlobalSettings, speech: Speech, files: Files) -> Json:
    """The transcriber (contract: transcription 4.2)."""
    own = settings.transcriber
    return container(
        app_of(settings),
        transcriber_image(settings, global_, speech.language),
        image_pull_policy=own.image_pull_policy.value,
        args=["--json"],
        variables=[
            *given_wins(transcriber_variables(settings, global_, speech), [*speech.processor.env, *own.env]),
            *(session_env(speech.name) if speech.grouped else []),
        ],
        ports=[port("ws", WS), port("health-port", 8001)],
        liveness_probe=copy.deepcopy(own.liveness_probe),
        readiness_probe=copy.deepcopy(own.readiness_probe),
        startup_probe=copy.deepcopy(own.startup_probe),
        resources=speech.resources,
        mounts=copy.deepcopy([*files.mounts, *own.volume_mounts]),
    )


def _registering(manager: Json) -> list[Json]:
    """Where a pod is registered, and which pod it is."""
    return [manager, env_field("POD_NAME", "metadata.name"), env_field("POD_IP", "status.podIP")]


def _tracked(settings: TranscriberSettings, speech: Speech) -> list[Json]:
    """What the tracker is told in both modes before the pre-warm session."""
    tracker = settings.readiness_tracker
    return [
        env("READINESS_TRACKER_HEALTH_CHECK_PORT", "8002"),
        env("LANGUAGE_FEATURE", tracker.language_override or feature(speech.language)),
        env("SM_RESTART_TRANSCRIBER_AFTER_N_SESSIONS", str(tracker.restart_after_n_sessions)),
        env_flag("PRE_WARM_ENABLED", tracker.pre_warm.enabled),
    ]


def _warmed(warm: PreWarm) -> list[Json]:
    """What it is told of the pre-warm session in both modes."""
    return [
        env_flag("PRE_WARM_EVERY_SESSION", warm.every_session),
        env("PRE_WARM_OPERATING_POINT", warm.operating_point.value),
        env("PRE_WARM_CONTRACT_ID", warm.contract_id),
        env_flag("PRE_WARM_ONLY", warm.pre_warm_only),
    ]


def tracker_variables(
    settings: TranscriberSettings, global_: GlobalSettings, speech: Speech, manager: Address
) -> list[Json]:
    """The tracker's variables in a session group, the configuration's and the last ones aside."""
    return [
        *_registering(token_store(settings.resource_manager, manager)),
        env_flag("REGISTER_CONDITIONS", settings.readiness_tracker.register_conditions),
        env("REGISTER_FEATURES", register_features(settings, global_, speech)),
        *_tracked(settings, speech),
        *_warmed(settings.readiness_tracker.pre_warm),
    ]


def plain_tracker_variables(settings: TranscriberSettings, speech: Speech, manager: Address) -> list[Json]:
    """The tracker's variables in a plain Deployment, the configuration's and the namespace aside (contract: 13.1)."""
    url, *pod = _registering(token_store(settings.resource_manager, manager))
    return [
        *pod,
        *plain_env(speech.name),
        {**url, "name": "SM_RESOURCE_MANAGER_URL"},
        env("SM_RESOURCE_MANAGER_WORKER_STATE_UPDATE_ENDPOINT", "/v1/transcribers/status"),
        env("READINESS_TRACKER_IDLE_STATE_UPDATE_DELAY_SECS", "0"),
        *_tracked(settings, speech),
        env_flag("PRE_WARM_USE_AUDIO", settings.readiness_tracker.pre_warm.use_audio),
        *_warmed(settings.readiness_tracker.pre_warm),
    ]


def readiness_tracker(settings: TranscriberSettings, global_: GlobalSettings, speech: Speech, manager: Address) -> Json:
    """The sidecar that registers the pod (contract: transcription 4.3)."""
    tracker = settings.readiness_tracker
    namespace = env_field("SM_K8S_NAMESPACE", "metadata.namespace")
    if speech.grouped:
        variables = given_wins(tracker_variables(settings, global_, speech, manager), tracker.env)
        variables += [] if _names(tracker.env, "SM_K8S_NAMESPACE") else [namespace]
        variables += session_env(speech.name)
    else:
        variables = given_wins([*plain_tracker_variables(settings, speech, manager), namespace], tracker.env)
    return container(
        "readiness-tracker",
        sidecar_image(tracker.image, tracker.image.repository, global_),
        image_pull_policy=tracker.image_pull_policy and tracker.image_pull_policy.value,
        variables=variables,
        ports=[port("check-port", 8002), port("register-repop", 8022), port("rt-repop", 8023)],
        resources=copy.deepcopy(tracker.resources),
        readiness_probe=copy.deepcopy(tracker.readiness_probe),
        startup_probe=copy.deepcopy(tracker.startup_probe),
    )


def _names(given: tuple[Json, ...], name: str) -> bool:
    return any(each["name"] == name for each in given)


def worker_proxy(settings: TranscriberSettings, global_: GlobalSettings, speech: Speech, manager: Address) -> Json:
    """The native sidecar towards the inference servers (contract: transcription 4.4; Kubernetes is 1.29 at least)."""
    proxy, warm = settings.worker_proxy, settings.readiness_tracker.pre_warm
    check = proxy.check_for_capacity_on_start
    variables = [
        env("LANGUAGE_FEATURE", feature(speech.language)),
        token_store(settings.resource_manager, manager),
        env("SM_MODELS_SHARED_BY_LANGUAGES_PREFIXES", "body,diar,audio_event_detection"),
        env("TRANSCRIBER_VERSION", transcriber_tag(settings, global_)),
        env_flag("SM_CHECK_FOR_CAPACITY_ON_START", warm.enabled if check is None else check),
        env("SM_CHECK_FOR_CAPACITY_ON_START_OPERATING_POINT", warm.operating_point.value),
    ]
    if speech.grouped:
        variables += [env_field("POD_NAME", "metadata.name"), env_field("POD_IP", "status.podIP")]
    else:
        variables = [*plain_env(speech.name), *variables]
    return container(
        "worker-proxy",
        sidecar_image(proxy.image, proxy.image.repository, global_),
        image_pull_policy=proxy.image_pull_policy and proxy.image_pull_policy.value,
        restart_policy="Always",
        variables=[*given_wins(variables, proxy.env), *(session_env(speech.name) if speech.grouped else [])],
        ports=[port("wp-repop", 8024)],
        resources=copy.deepcopy(proxy.resources),
        readiness_probe=copy.deepcopy(proxy.readiness_probe),
        startup_probe=copy.deepcopy(proxy.startup_probe),
    )
