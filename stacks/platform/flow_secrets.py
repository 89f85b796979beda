"""The Secrets of Flow that somebody else makes."""

from __future__ import annotations

from collections.abc import Iterator

from components.cluster.existing_secrets import ExistingSecret
from components.flow.vllm import TOKEN_KEY
from stacks.platform.existing_secret import from_files, named_secret
from stacks.schema import Settings
from stacks.schema.fragment import EnvEntry


def flow_secrets(settings: Settings) -> tuple[ExistingSecret, ...]:
    """The Hugging Face token, and what variables are read from."""
    if not settings.flow.enabled:
        return ()
    found = [*_token(settings), *_variables(settings)]
    first: dict[tuple[str, tuple[str, ...]], ExistingSecret] = {}
    for each in found:
        first.setdefault((each.name, each.keys), each)
    return tuple(first.values())


def _existing(settings: Settings, name: str, key: str, path: str, purpose: str) -> ExistingSecret:
    create = from_files(name, settings.namespace, key)
    return named_secret(
        settings.namespace, name=name, keys=(key,), type_=None, path=path, purpose=purpose, create=create
    )


def _token(settings: Settings) -> Iterator[ExistingSecret]:
    token = settings.flow.vllm.hf_token_secret
    if settings.flow.vllm.enabled and not token.create_secret:
        path = "flow.vllm.hfTokenSecret.secretName"
        yield _existing(settings, token.secret_name, TOKEN_KEY, path, "the Hugging Face token")


def _variables(settings: Settings) -> Iterator[ExistingSecret]:
    flow = settings.flow
    lists: list[tuple[str, bool, tuple[EnvEntry, ...]]] = [
        ("flow.additionalEnvFrom", True, flow.additional_env_from),
        ("flow.readinessTracker.additionalEnvFrom", True, flow.readiness_tracker.additional_env_from),
    ]
    for key, part in (("llmProxy", flow.llm_proxy), ("tts", flow.tts), ("vllm", flow.vllm)):
        lists += [
            (f"flow.{key}.envFrom", part.enabled, part.env_from),
            (f"flow.{key}.additionalEnvFrom", part.enabled, part.additional_env_from),
        ]
    made = {flow.fullname_override, flow.llm_proxy.name}
    if flow.vllm.hf_token_secret.create_secret:
        made.add(flow.vllm.hf_token_secret.secret_name)
    for path, wanted, entries in lists:
        for index, each in enumerate(entries if wanted else ()):
            source = each.get("valueFrom", {}).get("secretKeyRef")
            if source and not source.get("optional") and source["name"] not in made:
                at = f"{path}[{index}].valueFrom.secretKeyRef.name"
                yield _existing(settings, source["name"], source["key"], at, f"the variable {each['name']}")


def flow_registries(settings: Settings) -> tuple[str, ...]:
    """Where Flow's images come from, vLLM's public one aside."""
    flow, global_ = settings.flow, settings.global_
    if not flow.enabled:
        return ()
    images = [flow.image.registry or global_.flow.image.registry, flow.readiness_tracker.image.registry]
    if flow.llm_proxy.enabled:
        images.append(flow.llm_proxy.image.registry)
    if flow.tts.enabled:
        images += [flow.tts.image.registry or global_.tts.image.registry, flow.tts.inference_sidecar.image.registry]
    return tuple(each for each in images if each is not None)
