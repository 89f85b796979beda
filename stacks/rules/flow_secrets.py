"""Rules of Flow's Secrets: every key that is read has a content, and none stands in clear."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from components.flow.flow_service import keys
from stacks.problem import Problem, remove_command, set_command, set_secret
from stacks.schema import FLOW_SECRETS, Settings
from stacks.schema.external_secrets import ExternalData, SecretProvider
from stacks.schema.flow.shared import InClear
from stacks.schema.flow.vllm import HfTokenSecret


def secrets(settings: Settings, present: Collection[str]) -> Iterator[Problem]:
    """Every key that is read has a content, every content is read, and none stands in clear."""
    flow, external = settings.flow, settings.flow.external_secrets.enabled
    listed = {each.secret_key for each in (*flow.secrets.data, *flow.secrets.additional_data)}
    needed = [(key, name) for name, key in keys(flow)]
    needed += [("flow-mp-api-key", "MP_API_KEY")] if flow.internal_app.enabled else []
    elsewhere = {each["name"] for each in flow.additional_env_from} | flow.additional_env.keys()
    for key, variable in needed:
        if variable in elsewhere:
            continue
        flat = FLOW_SECRETS[key][0]
        if external and key not in listed:
            reason = f"{variable} is read from the key {key}, which is not among the references"
            mend = set_command(f"flow.secrets.data[{len(flow.secrets.data)}].secretKey", key)
            yield Problem("flow.secrets.data", "missing", reason, mend)
        elif not external and flat not in present:
            reason = f"{variable} is read from it, and it has no content"
            yield Problem(flat, "secret-without-content", reason, set_secret(flat, f"{key}.txt"))
    yield from _token(settings, present)
    yield from _token_in_no_store(settings)
    for path, store, given in (
        ("flow.secrets", external, flow.secrets),
        ("flow.llmProxy.secrets", flow.llm_proxy.external_secrets.enabled, flow.llm_proxy.secrets),
    ):
        for key, entries in (("data", given.data), ("additionalData", given.additional_data)):
            yield from _in_clear(settings, f"{path}.{key}", entries, store)


def unread_secrets(settings: Settings, present: Collection[str]) -> Iterator[Problem]:
    """A flat key from which nothing would be made; looked at whether Flow is on or not."""
    flow = settings.flow
    for flat, _ in FLOW_SECRETS.values():
        if flat in present and not flow.enabled:
            reason = "it is set, but flow.enabled is off, so nothing would be made of it"
            yield Problem(flat, "content-without-secret", reason, set_command("flow.enabled", "true"))
        elif flat in present and flow.external_secrets.enabled:
            reason = "it is set, but flow.externalSecrets.enabled is on, so nothing would be made of it"
            yield Problem(flat, "content-without-secret", reason, f"pulumi config rm {flat}")
    token = flow.vllm.hf_token_secret
    made = flow.enabled and flow.vllm.enabled and token.create_secret and not flow.vllm.external_secrets.enabled
    if "huggingFaceToken" in present and not made:
        reason = "it is set, but vLLM's Secret is not made of it"
        yield Problem("huggingFaceToken", "content-without-secret", reason, "pulumi config rm huggingFaceToken")


def _token(settings: Settings, present: Collection[str]) -> Iterator[Problem]:
    vllm = settings.flow.vllm
    made = vllm.enabled and vllm.hf_token_secret.create_secret and not vllm.external_secrets.enabled
    if made and "huggingFaceToken" not in present:
        reason = "the Secret is to be created, but `huggingFaceToken` has no content"
        path = "flow.vllm.hfTokenSecret.createSecret"
        yield Problem(path, "secret-without-content", reason, set_secret("huggingFaceToken", "token.txt"))


def _token_in_no_store(settings: Settings) -> Iterator[Problem]:
    """Where the token stands in a store is read where it is fetched from one; its part in one of vault only."""
    vllm, path = settings.flow.vllm, "flow.vllm.hfTokenSecret"
    token, store, unset = vllm.hf_token_secret, vllm.external_secrets, HfTokenSecret()
    if not vllm.enabled:
        return
    for key, given, default in (
        ("secretKey", token.secret_key, unset.secret_key),
        ("secretProperty", token.secret_property, unset.secret_property),
    ):
        if given == default:
            continue
        if not store.enabled:
            reason = "flow.vllm.externalSecrets.enabled is off, so the token comes from no store"
        elif not token.create_secret:
            reason = f"{path}.createSecret is off, so nobody fetches the token"
        elif key == "secretProperty" and store.provider is not SecretProvider.VAULT:
            reason = "it is read in a store of kind vault"
        else:
            continue
        yield Problem(f"{path}.{key}", "without-effect", reason, remove_command(f"{path}.{key}"))


def _in_clear(settings: Settings, path: str, entries: tuple[ExternalData, ...], store: bool) -> Iterator[Problem]:
    if isinstance(entries, InClear):
        component = path.removesuffix(".secrets.data").removesuffix(".secrets.additionalData")
        name = f"{component.rpartition('.')[2].lower()}-{'data' if path.endswith('.data') else 'more'}"
        files = " ".join(f"--from-file={key}" for key in entries.keys)
        create = f"kubectl create secret generic {name} --namespace {settings.namespace} {files}"
        reason = (
            f"secrets in clear; the variables that need them take them from a Secret in {component}.additionalEnvFrom"
        )
        yield Problem(path, "secret-in-clear", reason, f"{remove_command(path)} && {create}")
    elif entries and not store:
        switch = path.replace(".secrets.data", "").replace(".secrets.additionalData", "") + ".externalSecrets.enabled"
        reason = f"they refer to an external store, and {switch} is off"
        yield Problem(path, "without-effect", reason, set_command(switch, "true"))
