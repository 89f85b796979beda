"""Rules of the proxy's Secrets: made with all of their content, fetched with all of their keys, or there already."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from components.speech.proxy_secrets import ProxySecret, all_secrets
from stacks.problem import Problem, remove_command, set_command, set_secret
from stacks.schema import Settings


def proxy_secrets(settings: Settings, present: Collection[str]) -> Iterator[Problem]:
    """What a Secret needs by the way it comes, and content that nothing is made of."""
    external = settings.proxy.external_secrets
    if external.enabled and external.secret_store_name is None:
        path = "proxy.externalSecrets.secretStoreName"
        reason = "Secrets are to come from a store, and the chart has no default for its name"
        yield Problem(path, "missing", reason, set_command(path, "NAME"))
    for secret in all_secrets(settings.proxy):
        wanted = settings.proxy.enabled and secret.wanted
        if wanted and external.enabled:
            yield from _fetched(secret, present)
            continue
        if secret.data:
            at = "proxy.externalSecrets.enabled"
            reason = f"keys from a store, and {at if not external.enabled else secret.switch} is off"
            yield Problem(secret.data_at, "without-effect", reason, remove_command(secret.data_at))
        yield from _made(secret, present) if wanted else _unwanted(secret, present)


def _fetched(secret: ProxySecret, present: Collection[str]) -> Iterator[Problem]:
    for flat in secret.given(present):
        reason = f"the Secret {secret.name} comes from a store (proxy.externalSecrets.enabled), not from here"
        yield Problem(flat, "content-without-secret", reason, f"pulumi config rm {flat}")
    missing = [key for key in secret.keys if key not in {each.secret_key for each in secret.data}]
    if missing:
        reason = f"nothing says where the store has {', '.join(missing)}"
        mend = set_command(f"{secret.data_at}[0].secretKey", missing[0])
        yield Problem(secret.data_at, "missing", reason, mend)


def _made(secret: ProxySecret, present: Collection[str]) -> Iterator[Problem]:
    given = secret.given(present)
    if not given and secret.may_exist:
        return
    for key, flat in secret.keys.items():
        if flat not in present:
            reason = f"the Secret {secret.name} is to be created, but `{flat}`, its `{key}`, has no content"
            yield Problem(secret.switch, "secret-without-content", reason, set_secret(flat, f"{flat}.txt"))


def _unwanted(secret: ProxySecret, present: Collection[str]) -> Iterator[Problem]:
    for flat in secret.given(present):
        reason = (
            f"it is set, but nothing reads the Secret {secret.name} ({secret.switch}), so nothing would be made of it"
        )
        yield Problem(flat, "content-without-secret", reason, f"pulumi config rm {flat}")
