"""The two containers of an inference server's pod (contract: transcription 11.4 to 11.6)."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping

from components.speech.images import server_tag, sidecar_image, triton_image
from components.speech.model_costs import registered
from components.speech.plain import PLAIN_VERSION, plain_env
from components.speech.pod import Files, Json, container, env, env_field, env_flag, port, session_env
from components.speech.pre_stop import TRITON_PRE_STOP
from components.speech.shared_maps import Address, token_store
from components.speech.transcriber_languages import given_wins
from stacks.schema.global_settings import GlobalSettings
from stacks.schema.inference_server import ServerSettings
from stacks.schema.modes import ServerMode

HTTP, GRPC, METRICS = 8000, 8001, 8002


def register_features(settings: ServerSettings, global_: GlobalSettings) -> str:
    """What a pod registers: compact JSON, keys sorted by byte value."""
    capacity = settings.inference_sidecar.register_features.capacity
    payload = {"capacity": capacity, "model_costs": registered(settings), "version": server_tag(settings, global_)}
    return json.dumps(payload, sort_keys=True, separators=(",", ":"))


def by_name(variables: Mapping[str, str]) -> list[Json]:
    """Variables from a map, in the order of their names."""
    return [env(name, value) for name, value in sorted(variables.items())]


def own_files(license_secret: str, mode: ServerMode) -> Files:
    """The license, as a folder, and shared memory for translation (contract: transcription 11.3, 11.4)."""
    secret = Files(
        ({"name": "triton-license", "secret": {"secretName": license_secret, "optional": False}},),
        ({"name": "triton-license", "mountPath": "/etc/secrets", "readOnly": True},),
    )
    memory = Files(({"name": "dshm", "emptyDir": {"medium": "Memory"}},), ({"name": "dshm", "mountPath": "/dev/shm"},))
    return secret + memory if mode is ServerMode.TRANSLATION else secret


def triton(settings: ServerSettings, global_: GlobalSettings, files: Files, *, grouped: bool) -> Json:
    """The server itself (contract: transcription 11.4)."""
    server, translates = settings.triton_server, settings.triton_server.mode is ServerMode.TRANSLATION
    speech = [env_flag("SM_BATCH_MODE", server.mode is ServerMode.BATCH)]
    speech += [env("SM_OPERATING_POINT", server.operating_point.value)] if server.operating_point else []
    variables = [
        env("NVIDIA_REQUIRE_CUDA", "cuda>=11.6"),
        env("CUDA_VISIBLE_DEVICES", "0"),
        *([] if translates else speech),
        env("SM_LICENSE_FILE", "/etc/secrets/license.json"),
    ]
    return container(
        "triton-server-translation" if translates else "triton-server",
        triton_image(settings, global_),
        image_pull_policy=None if grouped else server.image_pull_policy and server.image_pull_policy.value,
        command=server.command,
        args=server.args,
        variables=[
            *given_wins(variables, by_name(server.additional_envs)),
            *(session_env(settings.fullname_override) if grouped else []),
        ],
        ports=[port("triton-http", HTTP), port("triton-grpc", GRPC), port("triton-metrics", METRICS)],
        resources=copy.deepcopy(server.resources),
        mounts=copy.deepcopy([*files.mounts, *server.additional_volume_mounts]),
        startup_probe=None if translates else copy.deepcopy(server.startup_probe),
        liveness_probe=None if translates else copy.deepcopy(server.liveness_probe),
        readiness_probe=copy.deepcopy(server.readiness_probe),
        lifecycle={"preStop": {"exec": {"command": ["/bin/bash", "-c", TRITON_PRE_STOP]}}},
    )


def sidecar(settings: ServerSettings, global_: GlobalSettings, manager: Address, *, grouped: bool) -> Json:
    """The sidecar that registers the pod (contract: transcription 11.6, 11.7)."""
    own, name = settings.inference_sidecar, settings.fullname_override
    variables = [
        env_field("POD_NAME", "metadata.name"),
        env_field("POD_IP", "status.podIP"),
        env("SM_METRICS_PORT", str(own.port)),
        env_flag("REGISTER_CONDITIONS", own.register_conditions),
        *([env("REGISTER_FEATURES", register_features(settings, global_))] if settings.registers else []),
        token_store(own.resource_manager, manager),
        env_flag("SM_CRASH_DETECTOR_DRY_RUN", own.crash_detector_dry_run),
    ]
    if not grouped:
        variables = [*plain_env(name), *variables, PLAIN_VERSION]
    return container(
        "inference-sidecar",
        sidecar_image(own.image, "inference-sidecar", global_),
        image_pull_policy=None if grouped else own.image_pull_policy and own.image_pull_policy.value,
        variables=[*given_wins(variables, by_name(own.env)), *(session_env(name) if grouped else [])],
        ports=[port("sidecar-metrics", own.port), port("register-repop", 8022)],
        resources=copy.deepcopy(own.resources),
    )
