"""The Secrets of Flow that somebody else makes."""

from __future__ import annotations

from collections.abc import Iterator

from components.cluster.existing_secrets import ExistingSecret
from components.flow.vllm import TOKEN_KEY
from stacks.schema import Settings
from stacks.schema.fragment import EnvEntry

CERTIFICATE = ("tls.crt", "tls.key")


def flow_secrets(settings: Settings) -> tuple[ExistingSecret, ...]:
    """The Hugging Face token, certificates, and what variables are read from."""
    if not settings.flow.enabled:
        return ()
    found = [*_token(settings), *_certificates(settings), *_variables(settings)]
    first: dict[tuple[str, tuple[str, ...]], ExistingSecret] = {}
    for each in found:
        first.setdefault((each.name, each.keys), each)
    return tuple(first.values())


def _existing(
    settings: Settings, name: str, keys: tuple[str, ...], path: str, purpose: str, type_: str | None = None
) -> ExistingSecret:
    files = " ".join(f"--from-file={key}" for key in keys)
    kind = f"tls {name} --cert=tls.crt --key=tls.key" if type_ else f"generic {name} {files}"
    return ExistingSecret(
        name=name,
        keys=keys,
        type=type_,
        path=path,
        purpose=purpose,
        create=f"kubectl create secret {kind} --namespace {settings.namespace}",
        delete=f"kubectl delete secret {name} --namespace {settings.namespace}",
    )


def _token(settings: Settings) -> Iterator[ExistingSecret]:
    token = settings.flow.vllm.hf_token_secret
    if settings.flow.vllm.enabled and not token.create_secret:
        path = "flow.vllm.hfTokenSecret.secretName"
        yield _existing(settings, token.secret_name, (TOKEN_KEY,), path, "the Hugging Face token")


def _certificates(settings: Settings) -> Iterator[ExistingSecret]:
    flow = settings.flow
    for path, wanted, name in (
        ("flow.ingress.tlsSecretName", flow.ingress.enabled, flow.ingress.tls_secret_name),
        ("flow.llmProxy.ingress.tlsSecretName", flow.llm_proxy.ingress.enabled, flow.llm_proxy.ingress.tls_secret_name),
        ("flow.tts.ingress.tls.secretName", flow.tts.ingress.tls.enabled, flow.tts.ingress.tls.secret_name),
        ("flow.vllm.ingress.tls.secretName", flow.vllm.ingress.tls.enabled, flow.vllm.ingress.tls.secret_name),
    ):
        if wanted and name is not None:
            yield _existing(settings, name, CERTIFICATE, path, "the certificate", "kubernetes.io/tls")


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
                yield _existing(settings, source["name"], (source["key"],), at, f"the variable {each['name']}")


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
